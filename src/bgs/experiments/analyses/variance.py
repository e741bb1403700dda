"""Unique variance: what a model explains of people's dissimilarities beyond captions and low-level models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation import (
    Metric,
    RandomChanges,
    VariancePartition,
    partition_variance,
    random_change_p_value,
    random_changes,
)
from bgs.experiments.analyses.over_seeds import by_model, means, to_json
from bgs.experiments.analyses.planted import PlantedRdm, planted_rdm
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import SeedMean

#: Models that are held against captions alone; the tuned one also against its base and captions, and against captions and
#: low-level models.
_BESIDE_CAPTIONS = (Condition.HYBRID, Condition.BASE, Condition.LANGUAGE_DISTILLATION)
CAPTIONS, BEYOND_BASE, LOW_LEVEL = "captions", "beyond-base", "low-level"

#: Clips a fold, at least: three pairs.
_LEAST = 3
#: Resamples where only the value counts.
_FEWEST = 2
_Rdm = Float64[np.ndarray, "m m"]


def variance(data: ExperimentData) -> dict[str, Any]:
    """Partitions of each model, on held-out clips.

    ``partitions``: ``hybrid``, ``base``, ``language-distillation`` (that model and captions), ``beyond-base`` (tuned,
    base and captions) and ``low-level`` (tuned, captions and the low-level models) -> ``predictors``, and means over
    seeds of ``cross_validated``, ``in_sample``, ``alone``. ``planted``: part -> what it is known to be where observers
    are simulated: the same regressions on the RDM of infinitely many trials, times its reliability; null where people
    judged. ``random_change``: of a tuned model, ``unique`` (what random changes of the base of the same size explain
    beyond the others, and p of the tuned model's unique part among them), ``correlation`` of tuned with base distances and
    ``reached``, that of the random changes; null for a base. ``skipped``: partition or low-level model -> why it is not
    there.
    """
    _require_clips(data)
    try:
        planted = planted_rdm(data.study, data.evaluated)
    except NotApplicable:
        planted = None
    return by_model(data, partial(_of_model, planted=planted))


def _of_model(data: ExperimentData, model: str, planted: PlantedRdm | None) -> dict[str, Any]:
    captions = {} if data.captions is None else {CAPTIONS: data.distances(data.captions, data.evaluated)}
    low_level, skipped = _low_level(data)
    wanted = {condition.value: (condition, captions) for condition in _BESIDE_CAPTIONS if captions}
    wanted[BEYOND_BASE] = Condition.HYBRID, captions
    if low_level:
        wanted[LOW_LEVEL] = Condition.HYBRID, captions | low_level
    subjects: dict[Condition, _Subject] = {}
    partitions = {}
    for name, (condition, others) in wanted.items():
        try:
            if condition not in subjects:
                subjects[condition] = _Subject.of(data, model, condition)
            partitions[name] = _partition(
                data, subjects[condition], others, planted, beyond_base=name == BEYOND_BASE
            )
        except NotApplicable as reason:
            skipped[name] = str(reason)
    if not partitions:
        raise NotApplicable("; ".join(dict.fromkeys(skipped.values())))
    return {"partitions": partitions, "skipped": skipped}


def _require_clips(data: ExperimentData) -> None:
    folds, clips = _folds(data), len(data.evaluated)
    if clips < _LEAST * folds:
        raise NotApplicable(f"{clips} held-out clips are too few for {folds} folds")


@dataclass(frozen=True)
class _Subject:
    """The model whose unique part is asked for: seed -> distances, those of its base, and random changes of that base."""

    name: str
    own: dict[int, _Rdm]
    base: dict[int, _Rdm]
    changes: dict[int, RandomChanges]

    @classmethod
    def of(cls, data: ExperimentData, model: str, condition: Condition) -> _Subject:
        data.require(model, condition)
        if condition is Condition.BASE:
            found = {seed: data.distances(one, data.evaluated) for seed, one in data.base(model).items()}
            return cls(condition.value, found, {}, {})
        pairs = data.pairs(model, condition)
        base, own = (
            {seed: data.distances(pair[k], data.evaluated) for seed, pair in pairs.items()} for k in (0, 1)
        )
        drawn = {seed: _changes(data, *pair) for seed, pair in pairs.items()} if _draws(data) else {}
        return cls(condition.value, own, base, drawn)


def _draws(data: ExperimentData) -> int:
    return data.config.evaluation.permutations


def _changes(data: ExperimentData, base: Embeddings, tuned: Embeddings) -> RandomChanges:
    stimuli, settings = data.study.stimuli, data.config.evaluation
    ids = [stimuli.ids[i] for i in data.evaluated]
    training = [stimuli.ids[i] for i in np.flatnonzero(stimuli.train)] if settings.center else []
    return random_changes(
        base, tuned, ids, center_ids=training, distance=settings.distance,
        draws=_draws(data), seed=data.config.seeds[0],
    )  # fmt: skip


def _partition(
    data: ExperimentData,
    subject: _Subject,
    others: Mapping[str, _Rdm],
    planted: PlantedRdm | None,
    *,
    beyond_base: bool,
) -> dict[str, Any]:
    """Means over seeds of the parts of one model and others."""
    human = data.human(data.evaluated)
    found: dict[int, VariancePartition] = {}
    known: list[dict[str, float]] = []
    random: dict[int, Metric] = {}
    for seed, own in subject.own.items():
        beside = {**({Condition.BASE.value: subject.base[seed]} if beyond_base else {}), **others}
        _require_distinct(subject, seed, beside)
        models = {subject.name: own, **beside}
        settings = data.config.evaluation
        found[seed] = _parts(data, human, models, settings.resamples, settings.permutations)
        if planted is not None:
            known.append(_planted_parts(data, planted, models))
        if seed in subject.changes:
            random[seed] = random_change_p_value(
                human, subject.changes[seed], beside,
                folds=_folds(data), seed=data.config.seeds[0],
            )  # fmt: skip
    first = next(iter(found.values()))
    parts = {
        key: to_json(means({seed: getattr(partition, key) for seed, partition in found.items()}))
        for key in ("cross_validated", "in_sample", "alone")
    }
    return {
        "predictors": list(first.predictors),
        **parts,
        "planted": _mean(known) if known else None,
        "random_change": _random_change(subject, random) if random else None,
        "n_clips": len(human),
        "folds": first.provenance["folds"],
    }


def _require_distinct(subject: _Subject, seed: int, beside: Mapping[str, _Rdm]) -> None:
    """No model stands beside itself."""
    if CAPTIONS not in beside:
        return
    for name, rdm in ((subject.name, subject.own[seed]), (Condition.BASE.value, beside.get("base"))):
        if rdm is not None and np.array_equal(rdm, beside[CAPTIONS]):
            raise NotApplicable(f"the {name} model is here the caption encoder itself")


def _random_change(subject: _Subject, random: Mapping[int, Metric]) -> dict[str, Any]:
    sizes = [{"correlation": one.correlation, "reached": one.reached} for one in subject.changes.values()]
    return {"unique": SeedMean.of(random).to_json(), **_mean(sizes)}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _parts(
    data: ExperimentData, rdm: _Rdm, models: Mapping[str, _Rdm], resamples: int, permutations: int
) -> VariancePartition:
    return partition_variance(
        rdm, models, folds=_folds(data), resamples=resamples, permutations=permutations,
        seed=data.config.seeds[0],
    )  # fmt: skip


def _folds(data: ExperimentData) -> int:
    section = data.config.analyses.variance
    assert section is not None
    return section.folds


def _planted_parts(data: ExperimentData, planted: PlantedRdm, models: Mapping[str, _Rdm]) -> dict[str, float]:
    """Cross-validated parts of a noiseless RDM, as large as they come out beside the noise of this many trials."""
    found = _parts(data, planted.rdm, models, resamples=_FEWEST, permutations=0)
    return {name: planted.reliability * part.value for name, part in found.cross_validated.items()}


def _low_level(data: ExperimentData) -> tuple[dict[str, _Rdm], dict[str, str]]:
    """Low-level model -> distances, and which were left out: a data set without clips has no pixels."""
    assert data.config.analyses.variance is not None
    wanted, videos = data.config.analyses.variance.low_level, data.study.stimuli.videos
    if videos is None or None in videos:
        return {}, dict.fromkeys(wanted, "the clips are not on this machine")
    return {name: data.distances(data.low_level(name), data.evaluated) for name in wanted}, {}
