"""Interpretable dimensions of the similarity space of people and of tuned models, and what they have to do with ratings."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgs._typing import Float64
from bgs.evaluation import Dimensions, find_dimensions, rate_dimensions
from bgs.experiments.analyses.over_seeds import by_model
from bgs.experiments.experiment_data import ExperimentData

#: Clips that are kept of each dimension, those that have most of it.
TOP = 6


def dimensions(data: ExperimentData) -> dict[str, Any]:
    """``people`` and ``models``: each with ``dimensions`` (:class:`bgs.evaluation.Dimensions`), ``top`` (ids and loadings
    of the clips that have most of each) and ``ratings`` (a :class:`bgs.evaluation.DimensionRating` a row).

    Dimensions of different seeds are not the same ones, so a model's are those of its first finished seed.
    """
    everybody = np.arange(len(data.study.stimuli))
    return {"people": _space(data, data.human(everybody)), **by_model(data, _of_model)}


def _of_model(data: ExperimentData, model: str) -> dict[str, Any]:
    pairs = data.pairs(model)
    seed = min(pairs)
    # A cosine goes down to -1, and products of non-negative loadings cannot: half the distance lies in 0-1 as
    # people's dissimilarities do.
    return {**_space(data, data.distances(pairs[seed][1]) / 2), "seed": seed}


def _space(data: ExperimentData, rdm: Float64[np.ndarray, "n n"]) -> dict[str, Any]:
    section = data.config.analyses.dimensions
    assert section is not None
    most = min(section.dimensions, len(rdm))
    found = find_dimensions(
        rdm, data.study.stimuli.ids, ranks=range(1, most + 1), starts=section.starts, seed=data.config.seeds[0]
    )  # fmt: skip
    return {
        "dimensions": found.to_json(),
        "top": [[{"id": name, "loading": x} for name, x in found.top(k, TOP)] for k in range(found.rank)],
        "ratings": _ratings(data, found),
    }


def _ratings(data: ExperimentData, found: Dimensions) -> list[dict[str, object]]:
    """Correlations with every rating that varies; none where there is no such rating."""
    settings, ratings = data.config.evaluation, data.study.stimuli.ratings
    usable = [name for name, values in ratings.items() if len(np.unique(values[np.isfinite(values)])) > 1]
    rows = rate_dimensions(
        found, data.study.stimuli, usable, resamples=settings.resamples,
        permutations=settings.permutations, seed=data.config.seeds[0],
    )  # fmt: skip
    return [row.to_json() for row in rows]
