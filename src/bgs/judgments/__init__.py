"""Judgments: the one trial table, pair counts, the human RDM, splits and the geometry to train on."""

from bgs.judgments.choice_model import choice_model_rdm
from bgs.judgments.geometry import Geometry
from bgs.judgments.ordinal import OrdinalEmbedding, ordinal_embedding
from bgs.judgments.pair_counts import PairCounts, human_rdm
from bgs.judgments.splits import split_folds, split_validation
from bgs.judgments.trials import Kind, Trials

__all__ = [
    "Geometry",
    "Kind",
    "OrdinalEmbedding",
    "PairCounts",
    "Trials",
    "choice_model_rdm",
    "human_rdm",
    "ordinal_embedding",
    "split_folds",
    "split_validation",
]
