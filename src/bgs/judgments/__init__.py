"""Judgments: trial tables, pair counts, the human RDM, splits and the target geometry of training."""

from bgs.judgments.choice_model import choice_model_rdm
from bgs.judgments.duplicates import Duplicates, find_duplicates, without_duplicates
from bgs.judgments.geometry import Geometry
from bgs.judgments.ordinal import OrdinalEmbedding, ordinal_embedding
from bgs.judgments.pair_counts import PairCounts, human_rdm
from bgs.judgments.rdm import RDM
from bgs.judgments.splits import split_folds, split_validation
from bgs.judgments.trial_options import DEFAULT_OPTIONS, TrialOptions, select_trials
from bgs.judgments.trials import Kind, Trials

__all__ = [
    "DEFAULT_OPTIONS",
    "RDM",
    "Duplicates",
    "Geometry",
    "Kind",
    "OrdinalEmbedding",
    "PairCounts",
    "TrialOptions",
    "Trials",
    "choice_model_rdm",
    "find_duplicates",
    "human_rdm",
    "ordinal_embedding",
    "select_trials",
    "split_folds",
    "split_validation",
    "without_duplicates",
]
