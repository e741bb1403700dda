"""The configuration of a training run: documented fields, unknown and conflicting keys refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bgs._errors import ConfigError
from bgs.backbones.lora_settings import LoraSettings
from bgs.judgments import TrialOptions
from bgs.objective.settings import ObjectiveSettings, changed_keys
from bgs.training.yaml_file import parse_yaml, read_mapping


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HeadSettings(_Settings):
    """A projection head, trained with the adapter."""

    dim: int = Field(128, ge=2)
    dropout: float = Field(0.3, ge=0, lt=1)


class OptimizerSettings(_Settings):
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


class ValidationSettings(_Settings):
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


class PerTrialSettings(_Settings):
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


class EvaluationSettings(_Settings):
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


class JudgmentSettings(_Settings):
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


class RatedSettings(_Settings):
    """Judgments from ratings: how people spread their labels says how alike stimuli are (Hellinger distance)."""

    #: Rating columns of the data set that hold the counts or shares of each label.
    columns: tuple[str, ...] = Field(min_length=2)
    #: Odd-one-out trials drawn from the distances.
    trials: int = Field(4000, ge=1)
    #: Temperature of the drawn choices, in Hellinger distance.
    temperature: float = Field(0.1, gt=0)


class CrossValidationSettings(_Settings):
    """Every stimulus is held out once, in place of the data set's own split."""

    folds: int = Field(5, ge=2)
    #: Times it is done, with seeds seed, seed + 1, …: other folds, trials and random weights.
    repeats: int = Field(1, ge=1)


#: The published recipe (v1), complete: model and data are part of it. An epoch is one pass over all trials. What of it
#: cannot be had again is said in docs/training.md.
_PAPER_V1: dict[str, Any] = {
    "model": "timesformer-k400?frames=16",
    "data": "garcia-isik-2025",
    "seed": 42,
    "epochs": 50,
    "gradient": "per-trial",
    "per_trial": {"batch": 4, "rsa_updates": 6, "rsa_clips": 24, "rsa_gradient_clips": 6},
    "objective": {"preset": "paper-v1"},
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1, "layers": "all"},
    "head": {"dim": 128, "dropout": 0.3},
    "views": 0,
    "optimizer": {
        "learning_rate": 1e-4,
        "weight_decay": 0.01,
        "warmup": 0,
        "clip_norm": None,
        "schedule": "plateau",
        "plateau_patience": 3,
        "plateau_factor": 0.5,
        "plateau_threshold": 1e-4,
    },
    "validation": {"fraction": 0.2, "shuffle": "scikit-learn", "every": 1, "patience": 5},
    "evaluation": {"center": False, "distance": "cosine"},
}
PRESETS: dict[str, dict[str, Any]] = {"default": {}, "paper-v1": _PAPER_V1}


class TrainingConfig(_Settings):
    """Everything a training run depends on."""

    preset: Literal["default", "paper-v1"] = "default"
    #: Model to tune: ``text:<name>``, ``lookup:<dim>``, a video checkpoint such as
    #: ``videomae:<hub id or folder>?frames=8``, or a short name that ``bgs models`` lists; ``{seed}`` in it stands
    #: for the run's seed (``scratch:videomae-tiny?seed={seed}``).
    model: str
    #: Name of a data set, or a folder.
    data: str
    seed: int = Field(0, ge=0)
    epochs: int = Field(30, ge=1)
    #: ``full-geometry``: every clip, trial and pair in each update; ``per-trial``: the published procedure.
    gradient: Literal["full-geometry", "per-trial"] = "full-geometry"
    objective: ObjectiveSettings = ObjectiveSettings()
    #: Adapters; null for a lookup table.
    lora: LoraSettings | None = LoraSettings()
    head: HeadSettings | None = None
    optimizer: OptimizerSettings = OptimizerSettings()
    validation: ValidationSettings = ValidationSettings()
    #: Once validation has chosen the epoch, train anew on all training clips, those to validate on among them, for as
    #: many epochs and at the same learning rates; see docs/training.md.
    refit: bool = False
    per_trial: PerTrialSettings = PerTrialSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    #: How the data set's own trials are read, and which are left out.
    judgments: JudgmentSettings = JudgmentSettings()
    #: Take judgments from ratings; null takes the data set's own.
    ratings: RatedSettings | None = None
    #: Hold every stimulus out once; null keeps the data set's split.
    cross_validation: CrossValidationSettings | None = None
    #: Captions (or mirror images) of a clip that are drawn for an update; 0 takes all.
    views: int = Field(2, ge=0)
    #: Units (captions, clips) that are encoded at a time.
    micro_batch: int = Field(64, ge=1)
    #: Micro-batches whose graphs are kept rather than encoded twice: faster, for memory.
    keep_graphs: int = Field(0, ge=0)
    #: Keep only the blocks' inputs for the backward pass and compute the rest anew: memory for time.
    gradient_checkpointing: bool = False
    #: ``bf16``: products in bfloat16 (autocast), weights and sums in float32; ``auto``: on CUDA devices that have it.
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if _cannot_generalise(given.get("model")):
            given = merge({"validation": {"fraction": 0.0}}, given)
        return merge(PRESETS.get(given.get("preset", "default"), {}), given)

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> TrainingConfig:
        changed = changed_keys(self)
        if "per_trial" in changed and self.gradient != "per-trial":
            raise ValueError(f"per_trial conflicts with gradient: {self.gradient}")
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
        if self.ratings is not None and self.objective.target != "shares":
            raise ValueError("objective.target conflicts with ratings: they say how far clips lie apart")
        if self.model.startswith("run:"):
            raise ValueError("model: a run cannot be tuned again; give its base model")
        return self

    @property
    def reference(self) -> str:
        """The model to load, with the seed filled in."""
        return self.model.replace("{seed}", str(self.seed))

    def to_yaml(self) -> str:
        """The resolved configuration."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def _cannot_generalise(model: object) -> bool:
    """Whether a model has nothing to say about a stimulus that it was not trained on: a table of free vectors."""
    return isinstance(model, str) and model.startswith("lookup:")


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` updated by ``over``, mapping by mapping."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merge(result[key], value) if both else value
    return result


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Read a YAML file, apply ``key.sub=value`` overrides and validate.

    Raises:
        ConfigError: unreadable, not a mapping, or a key that is unknown, wrong or in conflict.
    """
    given = read_mapping(path)
    for text in overrides:
        given = override(given, text)
    return validated(given, where=path)


def override(given: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A mapping with ``key.sub=value`` in it.

    Raises:
        ConfigError: not of that form, or the value is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(
            "not an override", where=f"--set {text}", expected="key=value, e.g. optimizer.warmup=5"
        )
    return merge(given, _nested(key.split("."), parse_yaml(value, f"--set {text}")))


def validated(given: Mapping[str, Any], where: object) -> TrainingConfig:
    """The configuration of a mapping; its first fault becomes a :class:`ConfigError`."""
    try:
        return TrainingConfig.model_validate(given)
    except ValidationError as error:
        raise first_fault(error, where, TrainingConfig) from None


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    return {keys[0]: value if len(keys) == 1 else _nested(keys[1:], value)}


def first_fault(error: ValidationError, where: object, root: type[BaseModel]) -> ConfigError:
    """The first fault that pydantic found in settings of type ``root``, in one line that names its key."""
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    key = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = _fields_at(root, path[:-1])
        close = difflib.get_close_matches(path[-1], known, 1)
        hint = f"did you mean {close[0]}?" if close else None
        return ConfigError(
            f"unknown key {key!r}", where=where, expected=f"one of {', '.join(known)}", hint=hint
        )
    if fault["type"] == "missing":
        return ConfigError(f"key {key!r} is missing", where=where)
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return ConfigError(f"{key}: {message}" if key else message, where=where)
    return ConfigError(f"{key}: {message}", where=where, got=repr(fault["input"]))


def _fields_at(root: type[BaseModel], path: list[str]) -> list[str]:
    """Known keys of the settings at a path of keys; a key of a mapping of settings may be any."""
    model: Any = root
    for part in path:
        if part not in model.model_fields:
            continue
        candidates = _types_in(model.model_fields[part].annotation)
        settings = (c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
        model = next(settings, model)
    return sorted(model.model_fields)


def _types_in(annotation: Any) -> list[Any]:
    """A type and all that it is made of."""
    return [annotation, *(inner for part in getattr(annotation, "__args__", ()) for inner in _types_in(part))]
