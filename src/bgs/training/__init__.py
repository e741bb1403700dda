"""Training: configuration, exact full-geometry gradients, the loop, its log and checkpoints.

Configuration and log can be read without torch.
"""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.training.config import TrainingConfig, load_config
    from bgs.training.full_geometry import FullGeometry
    from bgs.training.gradient_cache import cached_backward
    from bgs.training.loop import EpochRecord, Trainer
    from bgs.training.per_trial import PerTrial
    from bgs.training.target import target_of
    from bgs.training.training_log import TrainingLog

__all__ = [
    "EpochRecord",
    "FullGeometry",
    "PerTrial",
    "Trainer",
    "TrainingConfig",
    "TrainingLog",
    "cached_backward",
    "load_config",
    "target_of",
]

__getattr__ = lazy(
    __name__,
    {
        "config": ("TrainingConfig", "load_config"),
        "full_geometry": ("FullGeometry",),
        "gradient_cache": ("cached_backward",),
        "loop": ("EpochRecord", "Trainer"),
        "per_trial": ("PerTrial",),
        "target": ("target_of",),
        "training_log": ("TrainingLog",),
    },
)
