"""Stimuli: who they are, where their clips lie, what people wrote and rated about them."""

from bgs.stimuli.stimulus_set import StimulusSet

__all__ = ["StimulusSet"]
