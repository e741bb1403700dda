"""The objective: what an (N, D) matrix of embeddings should look like. Losses see numbers, never models."""

from bgs.objective.distances import cosine_similarities, pair_similarities
from bgs.objective.hybrid import HybridObjective, LossParts
from bgs.objective.rsa import rsa_correlation
from bgs.objective.settings import BetaSchedule, ObjectiveSettings
from bgs.objective.soft_rank import soft_rank
from bgs.objective.target import Target
from bgs.objective.triplet import choice_loss, hinge_loss

__all__ = [
    "BetaSchedule",
    "HybridObjective",
    "LossParts",
    "ObjectiveSettings",
    "Target",
    "choice_loss",
    "cosine_similarities",
    "hinge_loss",
    "pair_similarities",
    "rsa_correlation",
    "soft_rank",
]
