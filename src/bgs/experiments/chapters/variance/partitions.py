"""Unique variance: what a model explains of people's dissimilarities beyond captions and low-level models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, field_validator

from bgs._config import Settings
from bgs._errors import ConfigError, listed
from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation import (
    Metric,
    RandomChanges,
    partition_variance,
    random_change_p_value,
    random_changes,
)
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.chapters.over_seeds import Figures, by_model, means
from bgs.experiments.chapters.planted import PlantedRdm, planted_rdm
from bgs.experiments.conditions import Condition
from bgs.experiments.results import SeedMean
from bgs.judgments.rated import hellinger_rdm

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

#: Models compared with captions alone; the tuned model is also compared with its base and captions, and with captions and
#: low-level models.
_BESIDE_CAPTIONS = (Condition.HYBRID, Condition.BASE, Condition.LANGUAGE_DISTILLATION)
CAPTIONS, BEYOND_BASE, LOW_LEVEL = "captions", "beyond-base", "low-level"
_TAKEN = frozenset((CAPTIONS, BEYOND_BASE, LOW_LEVEL, "total", *Condition))

#: Fewest clips per fold: three pairs.
_LEAST = 3
#: Resamples where only the value is used.
_FEWEST = 2
_Rdm = Float64[np.ndarray, "m m"]


class RatedSettings(Settings):
    """Ratings as a model of people's dissimilarities."""

    ratings: tuple[str, ...] = Field(min_length=2)
    """Rating columns with shares or counts of labels; their Hellinger distances are partialled out."""


class VarianceSettings(Settings):
    """Variance of people's dissimilarities that a model explains beyond captions, low-level models and ratings."""

    low_level: Annotated[tuple[str, ...], Field(max_length=3)] = ()
    """Models to partial out as well, such as ``motion:energy``; they need clips."""
    beyond: dict[str, RatedSettings] = Field(default_factory=dict)
    """Name -> ratings to partial out, each in a partition of its own: does the model explain more than the labels people gave?"""
    folds: int = Field(5, ge=2)
    """Number of folds of the held-out clips, each held out once from the regressions."""

    @field_validator("beyond")
    @classmethod
    def _refuse_taken_names(cls, given: dict[str, RatedSettings]) -> dict[str, RatedSettings]:
        for name in given:
            if name in _TAKEN or " & " in name:
                raise ValueError(
                    f"beyond.{name}: the name is taken by another part; choose one such as verbs"
                )
        return given


@dataclass(frozen=True)
class RandomChange:
    """Random changes of the base of the same size as that of tuning; means over seeds.

    Attributes:
        unique: what they explain beyond the others, and the p of the tuned model's unique part among them.
        correlation: between tuned and base distances.
        reached: the same correlation for the random changes.
    """

    unique: SeedMean
    correlation: float
    reached: float


@dataclass(frozen=True)
class Partition:
    """Parts of the variance; means over seeds.

    Attributes:
        predictors: the model of interest, then the others.
        cross_validated, in_sample: part -> figure.
        alone: predictor -> what it explains alone.
        n_clips, folds: of the measurement.
        planted: part -> its true value where observers are simulated: the same regressions on the RDM of infinitely many
            trials, times the reliability of the observed one; None where people judged.
        random_change: of a tuned model; None for a base.
    """

    predictors: tuple[str, ...]
    cross_validated: Figures
    in_sample: Figures
    alone: Figures
    n_clips: int
    folds: int
    planted: dict[str, float] | None = None
    random_change: RandomChange | None = None


@dataclass(frozen=True)
class ModelVariance:
    """One model.

    Attributes:
        partitions: ``hybrid``, ``base``, ``language-distillation`` (that model and captions), ``beyond-base`` (tuned, base
            and captions), ``low-level`` (tuned, captions and the low-level models), and the names of ratings (tuned and
            these ratings) -> parts.
        skipped: partition or low-level model -> why it was omitted.
    """

    partitions: dict[str, Partition]
    skipped: dict[str, str]


@dataclass(frozen=True)
class Variance:
    """Partitions of each model, and model -> why the analysis does not apply to it."""

    models: dict[str, ModelVariance]
    not_applicable: dict[str, str]


def analyse(experiment: Experiment, settings: VarianceSettings) -> Variance:
    """Partitions of each model, on held-out clips."""
    clips = len(experiment.evaluated)
    if clips < _LEAST * settings.folds:
        raise NotApplicable(f"{clips} held-out clips are too few for {settings.folds} folds")
    try:
        planted = planted_rdm(experiment.study, experiment.evaluated)
    except NotApplicable:
        planted = None
    return Variance(*by_model(experiment, lambda model: _of_model(experiment, model, settings, planted)))


def _of_model(
    experiment: Experiment, model: str, settings: VarianceSettings, planted: PlantedRdm | None
) -> ModelVariance:
    read = experiment.captions
    captions = {} if read is None else {CAPTIONS: experiment.held_out(read)}
    low_level, skipped = _low_level(experiment, settings)
    wanted = {condition.value: (condition, captions) for condition in _BESIDE_CAPTIONS if captions}
    wanted[BEYOND_BASE] = Condition.HYBRID, captions
    if low_level:
        wanted[LOW_LEVEL] = Condition.HYBRID, captions | low_level
    for name, rated in settings.beyond.items():
        wanted[name] = Condition.HYBRID, {name: _rated(experiment, rated.ratings)}
    subjects: dict[Condition, _Subject] = {}
    partitions = {}
    for name, (condition, others) in wanted.items():
        try:
            if condition not in subjects:
                subjects[condition] = _Subject.of(experiment, model, condition)
            partitions[name] = _partition(
                experiment, settings, subjects[condition], others, planted, beyond_base=name == BEYOND_BASE
            )
        except NotApplicable as reason:
            skipped[name] = str(reason)
    if not partitions:
        raise NotApplicable("; ".join(dict.fromkeys(skipped.values())))
    return ModelVariance(partitions, skipped)


@dataclass(frozen=True)
class _Subject:
    """The model of interest: seed -> its distances, those of its base, and random changes of that base."""

    name: str
    own: dict[int, _Rdm]
    base: dict[int, _Rdm]
    changes: dict[int, RandomChanges]

    @classmethod
    def of(cls, experiment: Experiment, model: str, condition: Condition) -> _Subject:
        experiment.require(model, condition)
        if condition is Condition.BASE:
            found = {seed: experiment.held_out(one) for seed, one in experiment.base(model).items()}
            return cls(condition.value, found, {}, {})
        pairs = experiment.pairs(model, condition)
        base, own = ({seed: experiment.held_out(pair[k]) for seed, pair in pairs.items()} for k in (0, 1))
        draws = experiment.config.evaluation.permutations
        drawn = {seed: _changes(experiment, draws, *pair) for seed, pair in pairs.items()} if draws else {}
        return cls(condition.value, own, base, drawn)


def _changes(experiment: Experiment, draws: int, base: Embeddings, tuned: Embeddings) -> RandomChanges:
    stimuli, settings = experiment.study.stimuli, experiment.config.evaluation
    ids = [stimuli.ids[i] for i in experiment.evaluated]
    training = [stimuli.ids[i] for i in np.flatnonzero(stimuli.train)] if settings.center else []
    return random_changes(
        base, tuned, ids, center_ids=training, distance=settings.distance,
        draws=draws, seed=experiment.config.seeds[0],
    )  # fmt: skip


def _partition(
    experiment: Experiment,
    settings: VarianceSettings,
    subject: _Subject,
    others: Mapping[str, _Rdm],
    planted: PlantedRdm | None,
    *,
    beyond_base: bool,
) -> Partition:
    """Means over seeds of the parts of one model and others."""
    human, measured = experiment.human(experiment.evaluated), experiment.config.evaluation
    folds, stream = settings.folds, experiment.config.seeds[0]
    beside = {
        seed: {**({Condition.BASE.value: subject.base[seed]} if beyond_base else {}), **others}
        for seed in subject.own
    }
    for seed, rdms in beside.items():
        _require_distinct(subject, seed, rdms)
    models = {seed: {subject.name: own, **beside[seed]} for seed, own in subject.own.items()}
    found = {
        seed: partition_variance(
            human, rdms, folds=folds, resamples=measured.resamples, permutations=measured.permutations, seed=stream
        )
        for seed, rdms in models.items()
    }  # fmt: skip
    random = {
        seed: random_change_p_value(human, changes, beside[seed], folds=folds, seed=stream)
        for seed, changes in subject.changes.items()
    }
    known = [_planted_parts(planted, rdms, folds, stream) for rdms in models.values() if planted is not None]
    return Partition(
        predictors=next(iter(found.values())).predictors,
        cross_validated=means({seed: one.cross_validated for seed, one in found.items()}),
        in_sample=means({seed: one.in_sample for seed, one in found.items()}),
        alone=means({seed: one.alone for seed, one in found.items()}),
        n_clips=len(human),
        folds=folds,
        planted=_mean(known) if known else None,
        random_change=_random_change(subject, random) if random else None,
    )


def _require_distinct(subject: _Subject, seed: int, beside: Mapping[str, _Rdm]) -> None:
    """Refuse to compare a model with itself."""
    if CAPTIONS not in beside:
        return
    for name, rdm in ((subject.name, subject.own[seed]), (Condition.BASE.value, beside.get("base"))):
        if rdm is not None and np.array_equal(rdm, beside[CAPTIONS]):
            raise NotApplicable(f"the {name} model is itself the caption encoder")


def _random_change(subject: _Subject, random: Mapping[int, Metric]) -> RandomChange:
    sizes = [(change.correlation, change.reached) for change in subject.changes.values()]
    correlation, reached = (float(np.mean(values)) for values in zip(*sizes, strict=True))
    return RandomChange(SeedMean.of(random), correlation, reached)


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _planted_parts(
    planted: PlantedRdm, models: Mapping[str, _Rdm], folds: int, seed: int
) -> dict[str, float]:
    """Cross-validated parts of the noiseless RDM, attenuated by the noise of the observed one."""
    found = partition_variance(planted.rdm, models, folds=folds, resamples=_FEWEST, permutations=0, seed=seed)
    return {name: planted.reliability * part.value for name, part in found.cross_validated.items()}


def _rated(experiment: Experiment, columns: Sequence[str]) -> _Rdm:
    """Hellinger distances between the ratings of the evaluated clips."""
    ratings = experiment.study.stimuli.ratings
    missing = [name for name in columns if name not in ratings]
    if missing:
        raise ConfigError(
            f"no ratings {listed(missing)}",
            where="analyses.variance.beyond",
            expected=listed(ratings) or "a data set with ratings",
        )
    return hellinger_rdm(np.stack([ratings[name][experiment.evaluated] for name in columns], axis=1))


def _low_level(experiment: Experiment, settings: VarianceSettings) -> tuple[dict[str, _Rdm], dict[str, str]]:
    """Low-level model -> distances, and model -> why it was omitted: without clips there are no pixels."""
    videos = experiment.study.stimuli.videos
    if videos is None or None in videos:
        return {}, dict.fromkeys(settings.low_level, "the clips are not on this machine")
    return {name: experiment.held_out(experiment.low_level(name)) for name in settings.low_level}, {}
