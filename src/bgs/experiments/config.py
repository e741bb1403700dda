"""The configuration of an experiment: models × conditions × seeds; unknown and conflicting keys are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from bgs._config import Settings, merge, read_settings, validate
from bgs._errors import ConfigError
from bgs.experiments.chapters import AnalysesSettings
from bgs.experiments.conditions import Condition
from bgs.experiments.simulated import SimulateSettings
from bgs.training import TrainingConfig
from bgs.training.settings import EvaluationSettings

#: Keys of a training configuration that the grid sets, and those that must be the same for all models.
_SET_BY_GRID = {
    "model": "models", "data": "data", "seed": "seeds", "preset": "conditions", "cross_validation": "seeds",
}  # fmt: skip
_SAME_FOR_ALL = ("evaluation", "external_test", "judgments", "ratings")


class ModelSettings(Settings):
    """A row of the grid."""

    model: str
    """Model to tune, see the key ``model`` of a training configuration; ``{seed}`` stands for the seed of the cell."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Keys of a training configuration for this model only."""


class ReportSettings(Settings):
    """The report on the experiment."""

    title: str | None = None
    """Heading of the page; null generates one."""
    lead: str | None = None
    """What was done, in a few sentences; paragraphs are separated by blank lines. Null generates it from the data."""
    rerun: str | None = None
    """Command that reproduces everything; null: that of this experiment."""
    published: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Published figures by protocol and name (squared Spearman), shown for comparison."""


class ExperimentConfig(Settings):
    """Everything an experiment depends on."""

    data: str | None = None
    """Name of a data set, or a folder; not with ``simulate``."""
    simulate: SimulateSettings | None = None
    """Simulate the data first; null uses ``data``."""
    models: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")], ModelSettings] = Field(
        min_length=1
    )
    """Models by name, as used in folders and tables."""
    captions: str | None = None
    """Model that reads captions: a row of the table, and the teacher of ``language-distillation``."""
    conditions: tuple[Condition, ...] = tuple(Condition)
    """Conditions; ``base`` is always among them, since everything is compared with it."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0, 1, 2), min_length=1)
    training: dict[str, Any] = Field(default_factory=dict)
    """Keys of a training configuration that all cells share, evaluation among them."""
    transform_only: dict[str, Any] = Field(default_factory=dict)
    """Keys of a training configuration that cells of the condition ``transform-only`` have over those that all share."""
    analyses: AnalysesSettings = AnalysesSettings()
    report: ReportSettings = ReportSettings()

    @field_validator("conditions")
    @classmethod
    def _base_first(cls, given: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(known for known in Condition if known in given or known is Condition.BASE)

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> ExperimentConfig:
        if (self.data is None) == (self.simulate is None):
            raise ValueError("expected either data or simulate")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds: a seed is listed twice in {list(self.seeds)}")
        if Condition.LANGUAGE_DISTILLATION in self.conditions and self.captions is None:
            raise ValueError("conditions: language-distillation needs captions, a model that reads them")
        if self.transform_only.get("transform", {}) is None:
            raise ValueError("transform_only.transform: null leaves nothing to train")
        both = [("training", self.training), ("transform_only", self.transform_only)]
        for name, given in [*both, *self._own_training()]:
            _refuse_grid_keys(name, given, own=name != "training")
        return self

    def _own_training(self) -> list[tuple[str, dict[str, Any]]]:
        return [(f"models.{name}.training", model.training) for name, model in self.models.items()]

    @property
    def trained(self) -> tuple[Condition, ...]:
        """The conditions that are trained: all but ``base``."""
        return tuple(condition for condition in self.conditions if condition is not Condition.BASE)

    @property
    def evaluation(self) -> EvaluationSettings:
        """How every cell is evaluated."""
        return EvaluationSettings.model_validate(self.training.get("evaluation") or {})

    @property
    def headline(self) -> str:
        """The protocol that sentences speak about."""
        known = self.evaluation.protocols
        return "held-out-pairs" if "held-out-pairs" in known else known[-1]

    def base_seeds(self, model: str) -> tuple[int, ...]:
        """Seeds whose base models differ: all where the reference contains ``{seed}``, else the first."""
        return self.seeds if "{seed}" in self.models[model].model else self.seeds[:1]

    def base_seed(self, model: str, seed: int) -> int:
        """The seed under which the base model of a run is stored."""
        return seed if seed in self.base_seeds(model) else self.seeds[0]

    def training_config(self, model: str, condition: Condition, seed: int, data: str) -> TrainingConfig:
        """The configuration of one cell's training run (for ``base``, of the run that it is compared with).

        Raises:
            ConfigError: a key is unknown, wrong or in conflict with another or with the condition.
        """
        settings = self.models[model]
        given = condition.training(merge(self.training, settings.training), self.transform_only)
        given |= {"model": settings.model, "data": data, "seed": seed}
        objective = given.get("objective", {})
        given["objective"] = condition.objective(objective) if isinstance(objective, Mapping) else objective
        return validate(TrainingConfig, given, where=f"training of {model}, {condition}")


def _refuse_grid_keys(name: str, given: Mapping[str, Any], own: bool) -> None:
    for key in given:
        if key in _SET_BY_GRID:
            raise ValueError(f"{name}.{key} conflicts with the grid: see the key {_SET_BY_GRID[key]}")
        if key == "micro_batch" and given[key] == "auto":
            raise ValueError(f"{name}.micro_batch: auto is for `bgs train`; an experiment needs a number")
        if own and key in _SAME_FOR_ALL:
            raise ValueError(f"{name}.{key}: all models are measured alike; move it to training")
    if isinstance(given.get("objective"), Mapping) and "preset" in given["objective"]:
        raise ValueError(f"{name}.objective.preset conflicts with the grid: see the key conditions")


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Read a YAML file, apply ``key.sub=value`` overrides and validate, every cell's training included.

    Raises:
        ConfigError: unreadable, not a mapping, or a key that is unknown, wrong or in conflict.
    """
    return validated_experiment(read_settings(path, overrides), where=path)


def validated_experiment(given: Mapping[str, Any], where: object) -> ExperimentConfig:
    """The configuration given as a mapping; its first error is raised as :class:`ConfigError`."""
    config = validate(ExperimentConfig, given, where)
    try:
        for model in config.models:
            for condition in config.conditions:
                config.training_config(model, condition, config.seeds[0], config.data or "data")
    except ConfigError as error:
        raise ConfigError(
            error.what,
            where=f"{where}: {error.where}",
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        ) from None
    return config
