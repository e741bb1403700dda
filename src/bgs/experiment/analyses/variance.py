"""Unique variance: what a model explains of people's dissimilarities beyond captions and low-level models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation import VariancePartition, partition_variance
from bgs.experiment.analyses.over_seeds import by_model, means, to_json
from bgs.experiment.analyses.planted import PlantedRdm, planted_rdm
from bgs.experiment.applicable import NotApplicable
from bgs.experiment.conditions import Condition
from bgs.experiment.experiment_data import ExperimentData

#: Models that are held against captions alone; the tuned one also against captions and low-level models together.
_BESIDE_CAPTIONS = (Condition.HYBRID, Condition.BASE, Condition.LANGUAGE_DISTILLATION)
CAPTIONS, LOW_LEVEL = "captions", "low-level"

#: Clips a fold, at least: three pairs.
_LEAST = 3
#: Resamples where only the value counts.
_FEWEST = 2
_Rdm = Float64[np.ndarray, "m m"]


def variance(data: ExperimentData) -> dict[str, Any]:
    """Partitions of each model, on held-out clips.

    ``partitions``: ``hybrid``, ``base``, ``language-distillation`` (that model and captions) and ``low-level`` (tuned,
    captions and the low-level models) -> ``predictors``, and means over seeds of ``cross_validated``, ``in_sample``,
    ``alone``. ``planted``: part -> what it is known to be where observers are simulated: the same regressions on the
    RDM of infinitely many trials, times its reliability; null where people judged. ``skipped``: partition or low-level
    model -> why it is not there.
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
    if not captions and not low_level:
        raise NotApplicable("there are neither captions nor low-level models to compare with")
    partitions = {}
    for condition in _BESIDE_CAPTIONS if captions else ():
        try:
            partitions[condition.value] = _partition(data, model, condition, captions, planted)
        except NotApplicable as reason:
            skipped[condition.value] = str(reason)
    if low_level:
        partitions[LOW_LEVEL] = _partition(data, model, Condition.HYBRID, captions | low_level, planted)
    if not partitions:
        raise NotApplicable("; ".join(skipped.values()))
    return {"partitions": partitions, "skipped": skipped}


def _require_clips(data: ExperimentData) -> None:
    section, clips = data.config.analyses.variance, len(data.evaluated)
    assert section is not None
    if clips < _LEAST * section.folds:
        raise NotApplicable(f"{clips} held-out clips are too few for {section.folds} folds")


def _partition(
    data: ExperimentData,
    model: str,
    condition: Condition,
    others: Mapping[str, _Rdm],
    planted: PlantedRdm | None,
) -> dict[str, Any]:
    """Means over seeds of the parts of one model and others."""
    human, settings, found = data.human(data.evaluated), data.config.evaluation, {}
    known: list[dict[str, float]] = []
    for seed, embeddings in _seeds(data, model, condition).items():
        own = data.distances(embeddings, data.evaluated)
        if any(np.array_equal(own, other) for other in others.values()):
            raise NotApplicable(f"{model} is here the caption encoder itself")
        found[seed] = _parts(
            data, human, {condition.value: own, **others}, settings.resamples, settings.permutations
        )
        if planted is not None:
            known.append(_planted_parts(data, planted, {condition.value: own, **others}))
    first = next(iter(found.values()))
    parts = {
        key: to_json(means({seed: getattr(partition, key) for seed, partition in found.items()}))
        for key in ("cross_validated", "in_sample", "alone")
    }
    return {
        "predictors": list(first.predictors),
        **parts,
        "planted": {name: float(np.mean([one[name] for one in known])) for name in known[0]}
        if known
        else None,
        "n_clips": len(human),
        "folds": first.provenance["folds"],
    }


def _seeds(data: ExperimentData, model: str, condition: Condition) -> dict[int, Embeddings]:
    data.require(model, condition)
    return data.base(model) if condition is Condition.BASE else data.tuned(model, condition)


def _parts(
    data: ExperimentData, rdm: _Rdm, models: Mapping[str, _Rdm], resamples: int, permutations: int
) -> VariancePartition:
    section = data.config.analyses.variance
    assert section is not None
    return partition_variance(
        rdm, models, folds=section.folds, resamples=resamples, permutations=permutations,
        seed=data.config.seeds[0],
    )  # fmt: skip


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
