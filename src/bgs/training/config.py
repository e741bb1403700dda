"""The configuration of a training run: documented fields, unknown and conflicting keys refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys, merge, read_settings, validate
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.transform_settings import TransformSettings
from bgs.objective.settings import ObjectiveSettings
from bgs.training.presets import PRESETS, TRANSFORM
from bgs.training.settings import (
    CrossValidationSettings,
    EvaluationSettings,
    HeadSettings,
    JudgmentSettings,
    OptimizerSettings,
    PerTrialSettings,
    RatedSettings,
    ValidationSettings,
)


class TrainingConfig(Settings):
    """Everything a training run depends on."""

    preset: Literal["default", "paper-v1"] = "default"
    """Where other keys take their values from: bgs, or the published recipe, complete."""
    model: str
    """Model to tune: ``text:<name>``, ``lookup:<dim>``, a video checkpoint such as ``videomae:<hub id or
    folder>?frames=8``, or a short name that ``bgs models`` lists; ``{seed}`` in it stands for the run's seed
    (``scratch:videomae-tiny?seed={seed}``)."""
    data: str
    """Name of a data set, or a folder."""
    external_test: str | None = None
    """Data set whose clips and trials are held out in place of the split of ``data``; its clips are not trained on."""
    seed: int = Field(0, ge=0)
    """Every random number depends on it."""
    epochs: int = Field(30, ge=1)
    """Passes over the training clips, at most."""
    gradient: Literal["full-geometry", "per-trial"] = "full-geometry"
    """``full-geometry``: every clip, trial and pair in each update; ``per-trial``: the published procedure."""
    objective: ObjectiveSettings = ObjectiveSettings()
    lora: LoraSettings | None = LoraSettings()
    """Adapters; null for a lookup table, and where a transform is trained."""
    head: HeadSettings | None = None
    transform: TransformSettings | None = None
    """Train a transform of the frozen model's embeddings in place of adapters; see docs/features.md."""
    optimizer: OptimizerSettings = OptimizerSettings()
    validation: ValidationSettings = ValidationSettings()
    refit: bool = False
    """Once validation has chosen the epoch, train anew on all training clips, those to validate on among them, for
    as many epochs and at the same learning rates; see docs/training.md."""
    per_trial: PerTrialSettings = PerTrialSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    judgments: JudgmentSettings = JudgmentSettings()
    """How the data set's own trials are read, and which are left out."""
    ratings: RatedSettings | None = None
    """Take judgments from ratings; null takes the data set's own."""
    cross_validation: CrossValidationSettings | None = None
    """Hold every stimulus out once; null keeps the data set's split."""
    views: int = Field(2, ge=0)
    """Captions (or mirror images) of a clip that are drawn for an update; 0 takes all."""
    micro_batch: int = Field(64, ge=1)
    """Units (captions, clips) that are encoded at a time."""
    keep_graphs: int = Field(0, ge=0)
    """Micro-batches whose graphs are kept rather than encoded twice: faster, for memory."""
    gradient_checkpointing: bool = False
    """Keep only the blocks' inputs for the backward pass and compute the rest anew: memory for time."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """``bf16``: products in bfloat16 (autocast), weights and sums in float32; ``auto``: on CUDA devices that have
    it."""
    device: str = "auto"
    """cpu, cuda, …; auto is CUDA where there is one."""

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if _cannot_generalise(given.get("model")):
            given = merge({"validation": {"fraction": 0.0}}, given)
        if _has_no_layers(given.get("model")):
            given = merge({"transform": {}}, given)
        if given.get("transform") is not None:
            given = merge(TRANSFORM, given)
        return merge(PRESETS.get(given.get("preset", "default"), {}), given)

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> TrainingConfig:
        changed = changed_keys(self)
        if "per_trial" in changed and self.gradient != "per-trial":
            raise ValueError(f"per_trial conflicts with gradient: {self.gradient}")
        if self.transform is not None and (self.lora is not None or self.head is not None):
            raise ValueError("transform conflicts with lora and head: it is trained alone; set these to null")
        if "keep_graphs" in changed and self.gradient != "full-geometry":
            raise ValueError(f"keep_graphs conflicts with gradient: {self.gradient}")
        if self.validation.fraction and _cannot_generalise(self.model):
            raise ValueError(
                "validation.fraction: a lookup table says nothing about clips it never saw, so that an epoch would be "
                "chosen by noise; leave the key out, or set it to 0"
            )
        if self.refit and self.validation.fraction == 0:
            raise ValueError(
                "refit needs validation.fraction above 0: validation chooses the number of epochs"
            )
        if self.validation.fraction == 0 and (
            self.validation.patience or self.optimizer.schedule == "plateau"
        ):
            raise ValueError("patience and schedule: plateau need validation.fraction above 0")
        if "judgments" in changed and self.ratings is not None:
            raise ValueError(
                "judgments conflicts with ratings: those judgments are drawn, not the data set's own"
            )
        if self.external_test is not None and self.cross_validation is not None:
            raise ValueError("external_test conflicts with cross_validation: either is what is held out")
        if self.ratings is not None and self.objective.target != "shares":
            raise ValueError("objective.target conflicts with ratings: they say how far clips lie apart")
        if self.model.startswith("run:"):
            raise ValueError("model: a run cannot be tuned again; give its base model")
        return self

    @property
    def reference(self) -> str:
        """The model to load, with the seed filled in."""
        return self.model.replace("{seed}", str(self.seed))


def _cannot_generalise(model: object) -> bool:
    """Whether a model has nothing to say about a stimulus that it was not trained on: a table of free vectors."""
    return isinstance(model, str) and model.startswith("lookup:")


def _has_no_layers(model: object) -> bool:
    """Whether a model is known by its embeddings alone, so that only a transform of them can be trained."""
    return isinstance(model, str) and model.startswith("features:")


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Read a YAML file, apply ``key.sub=value`` overrides and validate.

    Raises:
        ConfigError: unreadable, not a mapping, or a key that is unknown, wrong or in conflict.
    """
    return validate(TrainingConfig, read_settings(path, overrides), where=path)
