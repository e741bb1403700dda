"""Simulated stimuli and observers: data with known ground truth."""

from bgs.simulation.analytic_ceiling import AnalyticCeiling, analytic_ceilings
from bgs.simulation.choice_shares import expected_choices, expected_rdm
from bgs.simulation.judging import SimulatedJudgments, simulate_judgments
from bgs.simulation.judging_worlds import WORLDS, JudgingWorld
from bgs.simulation.observers import ObserverSettings
from bgs.simulation.planted import planted_dataset
from bgs.simulation.truth import TRUTH, Truth, read_truth, write_truth

__all__ = [
    "TRUTH",
    "WORLDS",
    "AnalyticCeiling",
    "JudgingWorld",
    "ObserverSettings",
    "SimulatedJudgments",
    "Truth",
    "analytic_ceilings",
    "expected_choices",
    "expected_rdm",
    "planted_dataset",
    "read_truth",
    "simulate_judgments",
    "write_truth",
]
