"""The training objective: losses on an (N, D) matrix of embeddings, independent of any model.

Its settings can be read without torch.
"""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.objective.distances import cosine_similarities, pair_similarities
    from bgs.objective.hybrid import HybridObjective, LossParts
    from bgs.objective.rsa import rsa_correlation
    from bgs.objective.settings import BetaSchedule, ObjectiveSettings
    from bgs.objective.soft_ranks import soft_rank
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

__getattr__ = lazy(
    __name__,
    {
        "distances": ("cosine_similarities", "pair_similarities"),
        "hybrid": ("HybridObjective", "LossParts"),
        "rsa": ("rsa_correlation",),
        "settings": ("BetaSchedule", "ObjectiveSettings"),
        "soft_ranks": ("soft_rank",),
        "target": ("Target",),
        "triplet": ("choice_loss", "hinge_loss"),
    },
)
