"""The configuration of a training run: documented fields; unknown and conflicting keys are errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from bgs._config import Settings, changed_keys, merge, read_settings, validate
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.shared_reference import is_tuned
from bgs.backbones.transform_settings import TransformSettings
from bgs.objective.settings import ObjectiveSettings
from bgs.training.presets import PRESETS, TRANSFORM
from bgs.training.settings import (
    CheckpointSettings,
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
    """All settings of a training run."""

    preset: Literal["default", "paper-v1"] = "default"
    """Source of default values for the other keys: bgs, or the complete published recipe."""
    model: str
    """Model to tune: ``text:<name>``, ``lookup:<dim>``, a video checkpoint such as ``videomae:<hub id or
    folder>?frames=8``, or a short name listed by ``bgs models``; ``{seed}`` is replaced by the run's seed
    (``scratch:videomae-tiny?seed={seed}``)."""
    data: str
    """Name of a data set, or a folder."""
    external_test: str | None = None
    """Data set whose clips and trials are held out in place of the split of ``data``; its clips are not trained on."""
    seed: int = Field(0, ge=0)
    """Random seed."""
    epochs: int = Field(30, ge=1)
    """Maximum number of passes over the training clips."""
    gradient: Literal["full-geometry", "per-trial"] = "full-geometry"
    """``full-geometry``: every clip, trial and pair in each update; ``per-trial``: the published procedure."""
    clips_per_update: int | None = Field(None, ge=3)
    """Clips of an update, for more than one step can take: an epoch is then several updates on random parts of the clips, with
    the trials and pairs among these; null: all clips at once (gradient: full-geometry)."""
    objective: ObjectiveSettings = ObjectiveSettings()
    lora: LoraSettings | None = LoraSettings()
    """LoRA adapters; null for a lookup table, and where a transform is trained."""
    head: HeadSettings | None = None
    transform: TransformSettings | None = None
    """Train a transform of the frozen model's embeddings in place of adapters; see docs/features.md."""
    optimizer: OptimizerSettings = OptimizerSettings()
    validation: ValidationSettings = ValidationSettings()
    refit: bool = False
    """After validation has chosen the epoch, retrain on all training clips, including the validation clips, for
    as many epochs and with the same learning rates; see docs/training.md."""
    per_trial: PerTrialSettings = PerTrialSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    judgments: JudgmentSettings = JudgmentSettings()
    """How the trials of the data set are read, and which are excluded."""
    ratings: RatedSettings | None = None
    """Derive judgments from ratings; null uses the judgments of the data set."""
    cross_validation: CrossValidationSettings | None = None
    """Hold out every stimulus once; null uses the split of the data set."""
    views: int = Field(2, ge=0)
    """Captions (or mirror images) per clip drawn for an update; 0 uses all."""
    micro_batch: int | Literal["auto"] = 64
    """Units (captions or clips) per forward pass; ``auto``: measured when the run is begun, and kept in its ``config.yaml``."""
    keep_graphs: int = Field(0, ge=0)
    """Number of micro-batches whose graphs are kept instead of encoding them twice: faster, but needs memory. That of the last
    one always is."""
    gradient_checkpointing: bool = False
    """Keep only the inputs of the blocks for the backward pass and recompute the rest: less memory, more time."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """``bf16``: products in bfloat16 (autocast), weights and sums in float32; ``auto``: on CUDA devices that
    support it."""
    device: str = "auto"
    """cpu, cuda, …; auto is CUDA if available."""
    checkpoints: CheckpointSettings = CheckpointSettings()
    deterministic: bool = False
    """Use torch's deterministic algorithms only: on GPUs slower, and operations without one are refused; see
    docs/training.md."""

    @field_validator("micro_batch", mode="before")
    @classmethod
    def _known_micro_batch(cls, given: Any) -> Any:
        if given == "auto" or (isinstance(given, int) and given is not True and given >= 1):
            return given
        raise ValueError(f"expected a number of 1 or more, or auto, got {given!r}")

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
        if self.clips_per_update is not None:
            if self.gradient != "full-geometry":
                raise ValueError(f"clips_per_update conflicts with gradient: {self.gradient}")
            if self.objective.hard_negatives:
                raise ValueError(
                    "clips_per_update conflicts with objective.hard_negatives: an update sees a part of the trials"
                )
        if "keep_graphs" in changed and self.gradient != "full-geometry":
            raise ValueError(f"keep_graphs conflicts with gradient: {self.gradient}")
        if self.keep_graphs and self.micro_batch == "auto":
            raise ValueError(
                "keep_graphs conflicts with micro_batch: auto: what it keeps depends on the number"
            )
        if self.validation.fraction and _cannot_generalise(self.model):
            raise ValueError(
                "validation.fraction: a lookup table cannot generalise to new clips, so the epoch would be "
                "chosen by noise; omit the key, or set it to 0"
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
            raise ValueError("judgments conflicts with ratings: judgments are then derived from ratings")
        if self.external_test is not None and self.cross_validation is not None:
            raise ValueError("external_test conflicts with cross_validation: either is what is held out")
        if self.ratings is not None and self.objective.target != "shares":
            raise ValueError("objective.target conflicts with ratings: these determine the dissimilarities")
        if is_tuned(self.model):
            raise ValueError("model: a tuned model cannot be tuned again; give its base model")
        return self

    @property
    def batch_size(self) -> int:
        """Units per forward pass, once the number is known (:func:`bgs.runs.settling.settled`)."""
        assert self.micro_batch != "auto"
        return self.micro_batch

    @property
    def reference(self) -> str:
        """The model to load, with the seed filled in."""
        return self.model.replace("{seed}", str(self.seed))


def _cannot_generalise(model: object) -> bool:
    """Whether a model cannot generalise to stimuli that it was not trained on: a table of free vectors."""
    return isinstance(model, str) and model.startswith("lookup:")


def _has_no_layers(model: object) -> bool:
    """Whether a model is known by its embeddings alone, so that only a transform of them can be trained."""
    return isinstance(model, str) and model.startswith("features:")


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Read a YAML file, apply ``key.sub=value`` overrides and validate.

    Raises:
        ConfigError: the file is unreadable or not a mapping, or a key is unknown, invalid or conflicts with another.
    """
    return validate(TrainingConfig, read_settings(path, overrides), where=path)
