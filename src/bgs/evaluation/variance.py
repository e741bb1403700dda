"""Variance partitioning: unique and shared contributions of models to the human RDM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass
from bgs._errors import DataError
from bgs._rdm import require_rdm
from bgs._typing import Float, Float64, Int
from bgs.evaluation.nested_regression import NestedRegression
from bgs.evaluation.permutation import unique_p_value
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.resampling import bootstrap, clip_spread, percentile_interval, without_each
from bgs.evaluation.result import Interval, Metric
from bgs.judgments import split_folds

#: Maximum number of predictors for which all shared parts are reported.
MOST_SHARED = 4
#: Maximum number of predictors: each doubles the number of regressions, since all subsets are fitted.
MOST = 10

_UNIT = "proportion of variance"
_JOIN = " & "


@dataclass(frozen=True)
class VariancePartition(JsonDataclass):
    """A partition of the variance of human dissimilarities.

    Parts are named after the predictors that share them, in order: ``"video"``, ``"video & captions"``; ``"total"``
    is explained by all together. Shared parts, and parts measured on held-out clips, can be negative.

    Attributes:
        predictors: names of the model RDMs.
        transform: transform of dissimilarities, see :data:`bgs.evaluation.nested_regression.TRANSFORMS`.
        cross_validated: part -> metric on pairs of held-out clips.
        in_sample: part -> metric of one regression over all pairs. Unique parts have the same p as above.
        alone: predictor -> R² on pairs of held-out clips as the only predictor.
        provenance: seed, folds, resamples, permutations, clips, and entries from the caller.
    """

    predictors: tuple[str, ...]
    transform: str
    cross_validated: dict[str, Metric]
    in_sample: dict[str, Metric]
    alone: dict[str, Metric]
    provenance: dict[str, Any] = field(default_factory=dict)


def partition_variance(
    human: Float[np.ndarray, "n n"],
    models: Mapping[str, Float[np.ndarray, "n n"]],
    *,
    transform: str = "ranks",
    folds: int | Sequence[Int[np.ndarray, " _"]] = 5,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> VariancePartition:
    """Unique and shared parts of the variance of a human RDM, from nested regressions (commonality analysis).

    Slopes are constrained to be ≥ 0: a model explains people only if its distances correlate *positively* with theirs,
    and one that correlates negatively given the others has a unique part of 0.
    With R²(T) of the regression on predictors T, and A the set of all, the part shared by exactly S is
    Σ over T ⊆ S of (−1)^(|T|+1) R²(T ∪ A∖S) (Mood 1971; Nimon & Oswald 2013, Organizational Research Methods
    16:650). Cross-validated: a fold's clips are held out, the regression is fitted on pairs of two training
    clips and evaluated on pairs of two held-out clips; pairs of a training and a held-out clip are not used.
    Squared errors are summed over folds, relative to the mean of the training pairs. Intervals: bootstrap over clips;
    copies of one clip form no pairs and stay in one fold, see :func:`bgs.evaluation.resampling.clip_spread`.

    Args:
        human: (n, n) human dissimilarities, NaN where unobserved.
        models: name -> (n, n) distances of the same stimuli in the same order, all known; two to :data:`MOST`. Up to
            :data:`MOST_SHARED`, all 2^k − 1 parts are reported; beyond, only unique parts and the total.
        transform: "ranks" (mid-ranks of dissimilarities among observed pairs) or "z-scores".
        folds: number of folds of clips, or the positions in each fold.
        resamples: bootstrap resamples of clips.
        permutations: for the one-sided p of unique parts (:func:`bgs.evaluation.permutation.unique_p_value`); 0: none.
        seed: seed of folds, resamples and permutations.
        provenance: entries to add to the result's provenance.

    Raises:
        DataError: fewer than two models or more than :data:`MOST`, shapes differ, a model RDM has NaN or is constant, or constant
            judgments.
        ConfigError: invalid folds, or unknown transform.
    """
    _check(human, models)
    n, rows = len(human), np.triu_indices(len(human), 1)
    seen = np.isfinite(pair_vector(human))
    vectors = np.stack([pair_vector(rdm)[seen].astype(np.float64) for rdm in (human, *models.values())])
    _check_varied(vectors, ("human", *models))
    parts = split_folds(n, folds, seed) if isinstance(folds, int) else list(folds)
    _check_folds(parts, n)
    regression = NestedRegression.of(vectors, rows[0][seen], rows[1][seen], parts, transform)
    value = regression()[None]
    clips, pairs = (
        bootstrap(regression, n, vectors.shape[1], design=design, resamples=resamples, seed=seed)
        for design in ("clips", "units")
    )
    names = tuple(models)
    moments = value, clips, without_each(regression, n), pairs
    found = [
        _metrics(names, measure, moments, size, held)
        for measure, size, held in (
            (regression.held_out, regression.n_held_out, True),
            (regression.in_sample, vectors.shape[1], False),
        )
    ]
    p_values = _p_values(human, models, transform, permutations, seed)
    cross_validated, in_sample = (
        {name: replace(metric, p=p_values.get(name)) for name, metric in parts_of.items()}
        for parts_of, _ in found
    )
    about = {"seed": seed, "folds": len(parts), "resamples": resamples, "permutations": permutations}
    about |= {"n_clips": n, "n_pairs": vectors.shape[1]}
    return VariancePartition(
        names, transform, cross_validated, in_sample, found[0][1], {**(provenance or {}), **about}
    )


def commonality(k: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], Float64[np.ndarray, "c t"]]:
    """Parts, the subsets of predictors to regress on, and the (c, t) signs that convert R² of subsets to parts.

    Parts are all non-empty subsets of k predictors, or only single predictors beyond :data:`MOST_SHARED`.
    """
    everyone = frozenset(range(k))
    most = k if k <= MOST_SHARED else 1
    parts = [part for size in range(1, most + 1) for part in combinations(range(k), size)]
    signs: list[dict[tuple[int, ...], int]] = []
    for part in parts:
        inner = [t for size in range(len(part) + 1) for t in combinations(part, size)]
        signs.append({tuple(sorted(everyone - set(part) | set(t))): (-1) ** (len(t) + 1) for t in inner})
    models = sorted({m for row in signs for m in row} | {(i,) for i in range(k)}, key=lambda m: (len(m), m))
    return parts, models, np.array([[float(row.get(model, 0)) for model in models] for row in signs])


def _metrics(
    names: tuple[str, ...],
    measure: Any,
    moments: tuple[Float64[np.ndarray, "_ b w w"], ...],
    n_pairs: int,
    held_out: bool,
) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """Metrics of the parts, and of each predictor alone; from moments of the data, of resampled clips,
    without each clip, and of resampled pairs."""
    parts, models, signs = commonality(len(names))
    explained = [measure(m, models) for m in moments]
    least = -np.inf if held_out else 0.0  # on held-out clips, a model can be worse than the mean
    found = {}
    for part, row in zip(parts, signs, strict=True):
        bounds = (least if len(part) == 1 else -np.inf, 1.0)
        found[_JOIN.join(names[i] for i in part)] = _metric([e @ row for e in explained], bounds, n_pairs)
    whole = {t: _metric([e[:, i] for e in explained], (least, 1.0), n_pairs) for i, t in enumerate(models)}
    found["total"] = whole[tuple(range(len(names)))]
    return found, {name: whole[i,] for i, name in enumerate(names)}


def _metric(draws: list[Float64[np.ndarray, " _"]], bounds: Interval, n_pairs: int) -> Metric:
    point, clips, without, pairs = draws
    value = float(point[0])
    low, high = percentile_interval(clips, value, bounds, spread=clip_spread(clips, without, pairs))
    return Metric(value, low, high, n_pairs, _UNIT, {"clips": (low, high)})


def _p_values(
    human: Float[np.ndarray, "n n"],
    models: Mapping[str, Float[np.ndarray, "n n"]],
    transform: str,
    permutations: int,
    seed: int,
) -> dict[str, float]:
    if not permutations:
        return {}
    return {
        name: unique_p_value(
            human, rdm, [other for key, other in models.items() if key != name],
            ranks=transform == "ranks", permutations=permutations, seed=seed,
        )
        for name, rdm in models.items()
    }  # fmt: skip


def _check(human: Float[np.ndarray, "n n"], models: Mapping[str, Float[np.ndarray, "n n"]]) -> None:
    if not 2 <= len(models) <= MOST or "total" in models:
        raise DataError(
            "cannot partition", expected=f"two to {MOST} models, none called total", got=list(models)
        )
    for name, rdm in (("human", human), *models.items()):
        require_rdm(rdm, name)
    for name, rdm in models.items():
        if rdm.shape != human.shape:
            raise DataError("the RDM has the wrong shape", where=name, expected=human.shape, got=rdm.shape)
        if not np.isfinite(pair_vector(rdm)).all():
            raise DataError("a model distance is unknown", where=name, expected="finite numbers")


def _check_varied(vectors: Float64[np.ndarray, "v p"], names: Sequence[str]) -> None:
    for name, vector in zip(names, vectors, strict=True):
        if len(vector) < 3 or np.ptp(vector) == 0:
            raise DataError(
                "no variance to partition", where=name,
                expected="observed pairs that differ", got=f"{len(vector)} alike",
            )  # fmt: skip


def _check_folds(parts: Sequence[Int[np.ndarray, " _"]], n: int) -> None:
    if len(parts) < 2 or not np.array_equal(np.sort(np.concatenate(parts)), np.arange(n)):
        raise DataError(
            "folds do not contain every stimulus exactly once", where="folds", expected=f"{n} positions"
        )
