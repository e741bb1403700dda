"""Parts of the configuration of a training run, each with its defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys
from bgs.judgments import TrialOptions


class HeadSettings(Settings):
    """A projection head, trained with the adapter."""

    dim: int = Field(128, ge=2)
    """Dimensions of the projection."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Share of its inputs that are dropped."""


class OptimizerSettings(Settings):
    """AdamW and its learning rate over updates."""

    learning_rate: float = Field(1e-3, gt=0, le=1e3)
    """Largest rate, after the warm-up."""
    weight_decay: float = Field(0.01, ge=0, le=1e3)
    """AdamW's."""
    schedule: Literal["constant", "cosine", "plateau"] = "cosine"
    """``cosine`` falls to 0 at the last epoch; ``plateau`` multiplies by ``plateau_factor`` when validation stalls."""
    warmup: int = Field(3, ge=0)
    """Updates over which the rate rises from 0."""
    clip_norm: float | None = Field(1.0, gt=0)
    """Largest norm of the gradient; larger ones are scaled down. null never does that."""
    plateau_patience: int = Field(3, ge=0)
    """Validations without improvement before the rate falls (schedule: plateau)."""
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    """What the rate is multiplied by then."""
    plateau_threshold: float = Field(1e-4, ge=0)
    """What counts as improvement: validation RSA above (1 + threshold) · the best, as in PyTorch."""

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> OptimizerSettings:
        for key in ("plateau_patience", "plateau_factor", "plateau_threshold"):
            if key in changed_keys(self) and self.schedule != "plateau":
                raise ValueError(f"{key} conflicts with schedule: {self.schedule}")
        return self


class ValidationSettings(Settings):
    """Validation on clips split off the training clips; the best epoch by validation RSA is kept."""

    fraction: float = Field(0.2, ge=0, lt=1)
    """Share of the training clips; 0 keeps the last epoch. A lookup table, which can say nothing about clips that it
    never saw, has 0."""
    shuffle: Literal["bgs", "scikit-learn"] = "bgs"
    """How the clips are drawn by the seed: bgs's own stream, or as scikit-learn's ``train_test_split`` does."""
    every: int = Field(5, ge=1)
    """Epochs between validations."""
    patience: int | None = Field(None, ge=1)
    """Validations without improvement before training stops; null never stops early."""


class PerTrialSettings(Settings):
    """The published procedure: small batches of trials, and now and then an RSA term on a few clips."""

    batch: int = Field(4, ge=1)
    """Trials an update."""
    rsa_updates: int = Field(6, ge=0)
    """Updates an epoch that carry the RSA term."""
    rsa_clips: int = Field(24, ge=3)
    """Clips of an RSA term, and how many of them the gradient goes through."""
    rsa_gradient_clips: int = Field(6, ge=1)
    trials: int | None = Field(None, ge=1)
    """Trials an epoch; null takes all."""

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
    """Which judgments count."""
    distance: Literal["cosine", "correlation"] = "cosine"
    """Between embeddings."""
    center: bool = True
    """Subtract the mean of the training clips first."""
    resamples: int = Field(2000, ge=100)
    """Of clips, in cross-validation and analyses; evaluation needs none."""
    permutations: int = Field(1000, ge=0)
    """Label shuffles for p; 0: none."""


class JudgmentSettings(Settings):
    """How the trials of the data set are read, and which are left out; see :class:`bgs.judgments.TrialOptions`."""

    rt_unit: Literal["s", "ms"] = "s"
    """Unit of ``rt`` in a folder's table."""
    rt_kind: Literal["response", "elapsed"] = "response"
    """What ``rt`` counts from: the trial's start, or the session's."""
    drop_duplicates: bool = False
    """Leave out rows copied whole and answers submitted twice."""
    exclude_flagged: bool = False
    """Leave out participants whom the audit flags."""

    def options(self) -> TrialOptions:
        """The same for :func:`bgs.load_dataset`."""
        return TrialOptions(**self.model_dump())


class RatedSettings(Settings):
    """Judgments from ratings: how people spread their labels says how alike stimuli are (Hellinger distance)."""

    columns: tuple[str, ...] = Field(min_length=2)
    """Rating columns of the data set that hold the counts or shares of each label."""
    trials: int = Field(4000, ge=1)
    """Odd-one-out trials drawn from the distances."""
    temperature: float = Field(0.1, gt=0)
    """Temperature of the drawn choices, in Hellinger distance."""


class CrossValidationSettings(Settings):
    """Every stimulus is held out once, in place of the data set's own split."""

    folds: int = Field(5, ge=2)
    repeats: int = Field(1, ge=1)
    """Times it is done, with seeds seed, seed + 1, …: other folds, trials and random weights."""
