"""Simulated stimuli and observers: data whose truth is known."""

from bgs.simulation.planted import planted_dataset

__all__ = ["planted_dataset"]
