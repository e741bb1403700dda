"""Readouts: from embeddings to probabilities, ratings with intervals, and familiarity, fitted on clips never seen."""

from bgs.evaluation.readout.attributes import FEW, AttributeReadout, LinearProbe
from bgs.evaluation.readout.calibration import Reliability, calibration_error, error_if_perfect, reliability
from bgs.evaluation.readout.choice_rule import ChoiceRule
from bgs.evaluation.readout.description import (
    AttributePrediction,
    Description,
    OddOneOut,
    describe,
    predict_odd,
)
from bgs.evaluation.readout.familiarity import Density, Familiarity
from bgs.evaluation.readout.held_out import HeldOut
from bgs.evaluation.readout.kept_together import KeptTogether
from bgs.evaluation.readout.measuring import LEVEL, kept_together_reliability, measure
from bgs.evaluation.readout.readout import Readout

__all__ = [
    "FEW",
    "LEVEL",
    "AttributePrediction",
    "AttributeReadout",
    "ChoiceRule",
    "Density",
    "Description",
    "Familiarity",
    "HeldOut",
    "KeptTogether",
    "LinearProbe",
    "OddOneOut",
    "Readout",
    "Reliability",
    "calibration_error",
    "describe",
    "error_if_perfect",
    "kept_together_reliability",
    "measure",
    "predict_odd",
    "reliability",
]
