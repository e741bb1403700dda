"""Sections of the configuration of a training run, with their defaults."""

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
    """Dropout rate of its inputs."""


class OptimizerSettings(Settings):
    """AdamW and its learning rate schedule."""

    learning_rate: float = Field(1e-3, gt=0, le=1e3)
    """Maximum learning rate, reached after the warm-up."""
    weight_decay: float = Field(0.01, ge=0, le=1e3)
    """AdamW's."""
    schedule: Literal["constant", "cosine", "plateau"] = "cosine"
    """``cosine`` falls to 0 at the last epoch; ``plateau`` multiplies by ``plateau_factor`` when validation stalls."""
    warmup: int = Field(3, ge=0)
    """Number of updates over which the rate increases from 0."""
    clip_norm: float | None = Field(1.0, gt=0)
    """Maximum gradient norm; larger gradients are scaled down. null disables clipping."""
    plateau_patience: int = Field(3, ge=0)
    """Validations without improvement before the rate is reduced (schedule: plateau)."""
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    """Factor by which the rate is reduced."""
    plateau_threshold: float = Field(1e-4, ge=0)
    """Threshold for an improvement: validation RSA above (1 + threshold) · the best, as in PyTorch."""

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> OptimizerSettings:
        for key in ("plateau_patience", "plateau_factor", "plateau_threshold"):
            if key in changed_keys(self) and self.schedule != "plateau":
                raise ValueError(f"{key} conflicts with schedule: {self.schedule}")
        return self


class ValidationSettings(Settings):
    """Validation on clips split off the training clips; the best epoch by validation RSA is kept."""

    fraction: float = Field(0.2, ge=0, lt=1)
    """Proportion of the training clips; 0 keeps the last epoch. Must be 0 for a lookup table, which cannot generalise to
    new clips."""
    shuffle: Literal["bgs", "scikit-learn"] = "bgs"
    """How the seed determines the clips: with bgs's random streams, or as in scikit-learn's ``train_test_split``."""
    every: int = Field(5, ge=1)
    """Epochs between validations."""
    patience: int | None = Field(None, ge=1)
    """Validations without improvement before training stops; null disables early stopping."""


class PerTrialSettings(Settings):
    """The published procedure: small batches of trials, and an RSA term on a few clips in some updates."""

    batch: int = Field(4, ge=1)
    """Trials per update."""
    rsa_updates: int = Field(6, ge=0)
    """Updates per epoch with the RSA term."""
    rsa_clips: int = Field(24, ge=3)
    """Clips in an RSA term, and the number of them with gradient."""
    rsa_gradient_clips: int = Field(6, ge=1)
    trials: int | None = Field(None, ge=1)
    """Trials per epoch; null uses all."""

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> PerTrialSettings:
        if self.rsa_gradient_clips > self.rsa_clips:
            raise ValueError("rsa_gradient_clips is larger than rsa_clips")
        return self


class CheckpointSettings(Settings):
    """When training saves what it needs to go on after an interruption; see docs/training.md."""

    every: int | None = Field(None, ge=1)
    """Updates between two checkpoints, counted from the first; null: those of an epoch. The end of training and a signal
    save in any case."""
    keep: int = Field(1, ge=1, le=1000)
    """Number of checkpoints kept, the newest included; each holds the best parameters so far as well."""


class EvaluationSettings(Settings):
    """The final evaluation of base and tuned embeddings, and the validation RSA during training."""

    protocols: tuple[Literal["held-out-trials", "held-out-pairs", "all"], ...] = (
        "held-out-trials",
        "held-out-pairs",
    )
    """Protocols: the judgments used."""
    distance: Literal["cosine", "correlation"] = "cosine"
    """Between embeddings."""
    center: bool = True
    """Subtract the mean of the training clips first."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples of clips, in cross-validation and analyses; not used in evaluation."""
    permutations: int = Field(1000, ge=0)
    """Label permutations for p-values; 0: none."""


class JudgmentSettings(Settings):
    """How the trials of the data set are read, and which are excluded; see :class:`bgs.judgments.TrialOptions`."""

    rt_unit: Literal["s", "ms"] = "s"
    """Unit of ``rt`` in a folder's table."""
    rt_kind: Literal["response", "elapsed"] = "response"
    """What ``rt`` is measured from: the start of the trial, or of the session."""
    drop_duplicates: bool = False
    """Drop fully duplicated rows and answers submitted twice."""
    exclude_flagged: bool = False
    """Exclude participants flagged by the audit."""

    def options(self) -> TrialOptions:
        """The options for :func:`bgs.load_dataset`."""
        return TrialOptions(**self.model_dump())


class RatedSettings(Settings):
    """Judgments from ratings: dissimilarity is the Hellinger distance of label distributions."""

    columns: tuple[str, ...] = Field(min_length=2)
    """Rating columns of the data set with the counts or proportions of each label."""
    trials: int = Field(4000, ge=1)
    """Number of odd-one-out trials drawn from the distances."""
    temperature: float = Field(0.1, gt=0)
    """Temperature of the drawn choices, in Hellinger distance."""


class CrossValidationSettings(Settings):
    """Hold out every stimulus once, instead of using the split of the data set."""

    folds: int = Field(5, ge=2)
    repeats: int = Field(1, ge=1)
    """Number of repeats, with seeds seed, seed + 1, …: different folds, trials and random weights."""
