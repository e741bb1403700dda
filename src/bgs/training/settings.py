"""Parts of the configuration of a training run, each with its defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys
from bgs.judgments import TrialOptions


class HeadSettings(Settings):
    """A projection head, trained with the adapter."""

    dim: int = Field(128, ge=2)
    dropout: float = Field(0.3, ge=0, lt=1)


class OptimizerSettings(Settings):
    """AdamW and its learning rate over updates."""

    learning_rate: float = Field(1e-3, gt=0, le=1e3)
    weight_decay: float = Field(0.01, ge=0, le=1e3)
    #: ``cosine`` falls to 0 at the last epoch; ``plateau`` multiplies by ``plateau_factor`` when validation stalls.
    schedule: Literal["constant", "cosine", "plateau"] = "cosine"
    #: Updates over which the rate rises from 0.
    warmup: int = Field(3, ge=0)
    #: Largest norm of the gradient; larger ones are scaled down. null never does that.
    clip_norm: float | None = Field(1.0, gt=0)
    #: Validations without improvement before the rate falls (schedule: plateau).
    plateau_patience: int = Field(3, ge=0)
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    #: What counts as improvement: validation RSA above (1 + threshold) · the best, as in PyTorch.
    plateau_threshold: float = Field(1e-4, ge=0)

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> OptimizerSettings:
        for key in ("plateau_patience", "plateau_factor", "plateau_threshold"):
            if key in changed_keys(self) and self.schedule != "plateau":
                raise ValueError(f"{key} conflicts with schedule: {self.schedule}")
        return self


class ValidationSettings(Settings):
    """Validation on clips split off the training clips; the best epoch by validation RSA is kept."""

    #: Share of the training clips; 0 keeps the last epoch. A lookup table, which can say nothing about clips that
    #: it never saw, has 0.
    fraction: float = Field(0.2, ge=0, lt=1)
    #: How the clips are drawn by the seed: bgs's own stream, or as scikit-learn's ``train_test_split`` does.
    shuffle: Literal["bgs", "scikit-learn"] = "bgs"
    #: Epochs between validations.
    every: int = Field(5, ge=1)
    #: Validations without improvement before training stops; null never stops early.
    patience: int | None = Field(None, ge=1)


class PerTrialSettings(Settings):
    """The published procedure: small batches of trials, and now and then an RSA term on a few clips."""

    #: Trials an update.
    batch: int = Field(4, ge=1)
    #: Updates an epoch that carry the RSA term.
    rsa_updates: int = Field(6, ge=0)
    #: Clips of an RSA term, and how many of them the gradient goes through.
    rsa_clips: int = Field(24, ge=3)
    rsa_gradient_clips: int = Field(6, ge=1)
    #: Trials an epoch; null takes all.
    trials: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> PerTrialSettings:
        if self.rsa_gradient_clips > self.rsa_clips:
            raise ValueError("rsa_gradient_clips is larger than rsa_clips")
        return self


class EvaluationSettings(Settings):
    """The final evaluation of base and tuned embeddings, and the validation RSA during training."""

    protocols: tuple[Literal["held-out-trials", "held-out-pairs", "all"], ...] = (
        "held-out-trials",
        "held-out-pairs",
    )
    distance: Literal["cosine", "correlation"] = "cosine"
    #: Subtract the mean of the training clips first.
    center: bool = True
    resamples: int = Field(2000, ge=100)
    permutations: int = Field(1000, ge=0)


class JudgmentSettings(Settings):
    """How the trials of the data set are read, and which are left out; see :class:`bgs.judgments.TrialOptions`."""

    #: Unit of ``rt`` in a folder's table.
    rt_unit: Literal["s", "ms"] = "s"
    #: What ``rt`` counts from: the trial's start, or the session's.
    rt_kind: Literal["response", "elapsed"] = "response"
    #: Leave out rows copied whole and answers submitted twice.
    drop_duplicates: bool = False
    #: Leave out participants whom the audit flags.
    exclude_flagged: bool = False

    def options(self) -> TrialOptions:
        """The same for :func:`bgs.load_dataset`."""
        return TrialOptions(**self.model_dump())


class RatedSettings(Settings):
    """Judgments from ratings: how people spread their labels says how alike stimuli are (Hellinger distance)."""

    #: Rating columns of the data set that hold the counts or shares of each label.
    columns: tuple[str, ...] = Field(min_length=2)
    #: Odd-one-out trials drawn from the distances.
    trials: int = Field(4000, ge=1)
    #: Temperature of the drawn choices, in Hellinger distance.
    temperature: float = Field(0.1, gt=0)


class CrossValidationSettings(Settings):
    """Every stimulus is held out once, in place of the data set's own split."""

    folds: int = Field(5, ge=2)
    #: Times it is done, with seeds seed, seed + 1, …: other folds, trials and random weights.
    repeats: int = Field(1, ge=1)
