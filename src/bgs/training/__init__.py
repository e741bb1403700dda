"""Training: configuration, exact full-geometry gradients, the loop, checkpoints and the run folder."""

from bgs.training.config import TrainingConfig, load_config
from bgs.training.full_geometry import FullGeometry
from bgs.training.gradient_cache import cached_backward
from bgs.training.loop import EpochRecord, Trainer
from bgs.training.per_trial import PerTrial
from bgs.training.run_folder import RunFolder
from bgs.training.target import target_of

__all__ = [
    "EpochRecord",
    "FullGeometry",
    "PerTrial",
    "RunFolder",
    "Trainer",
    "TrainingConfig",
    "cached_backward",
    "load_config",
    "target_of",
]
