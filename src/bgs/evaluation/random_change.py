"""Test of the unique part of a tuned model against random changes of its base of the same size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._rng import generator
from bgs._scale import mean_of_rows
from bgs._typing import Float, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.nested_regression import NestedRegression
from bgs.evaluation.rdm import model_rdm, pair_vector
from bgs.evaluation.result import Metric
from bgs.evaluation.rsa import mid_ranks, standardised
from bgs.judgments import split_folds

#: Steps of the bisection: the step size is determined to 2^-16.
_STEPS = 16
_TAILS = (0.025, 0.5, 0.975)
_UNIT = "proportion of variance"

#: Inner products of each pair of stimuli: between both, of the first with itself and of the second with itself.
_Products = Float64[np.ndarray, "3 p"]


@dataclass(frozen=True)
class RandomChanges:
    """Distances of m stimuli under random linear changes of a base embedding.

    Attributes:
        vectors: (c, p) pair distances of each change, p = m(m − 1)/2.
        tuned: (p,) pair distances of the tuned embedding.
        correlation: correlation of the distances of the tuned embedding with those of the base.
        reached: mean of the same correlation over the changes. It is above ``correlation`` if no change of this
            rank alters the distances as much as tuning did; p is then too small.
        rank: rank of the changes.
    """

    vectors: Float64[np.ndarray, "c p"]
    tuned: Float64[np.ndarray, " p"]
    correlation: float
    reached: float
    rank: int


def random_changes(
    base: Embeddings,
    tuned: Embeddings,
    stimulus_ids: Sequence[str],
    *,
    center_ids: Sequence[str] = (),
    distance: str = "cosine",
    transform: str = "ranks",
    rank: int = 4,
    draws: int = 999,
    seed: int = 0,
) -> RandomChanges:
    """Random low-rank linear changes of a base embedding, each as large as the change due to tuning.

    X′ = X + s · X A Bᵀ, with standard normal A and B with ``rank`` columns: the effect of an untrained adapter of that rank.
    s is found by bisection, so that the distances of X′ correlate with those of X
    (Spearman, or Pearson for z-scores) as much as those of the tuned embedding.

    Args:
        base, tuned: embeddings, aligned by id; their widths may differ.
        stimulus_ids: the m stimuli to compare.
        center_ids: stimuli whose mean is subtracted from each embedding first, e.g. the training clips; none: not centred.
        distance: as in :func:`bgs.evaluation.rdm.model_rdm`.
        transform: "ranks" or "z-scores", as in :func:`bgs.evaluation.variance.partition_variance`.
        rank: rank of the changes, at least 1.
        draws: number of changes, at least 1.
        seed: seed of the changes.

    Raises:
        DataError: a stimulus has no embedding, or distances of base or tuned embeddings are constant.
        ConfigError: rank or draws below 1.
    """
    for name, number in (("rank", rank), ("draws", draws)):
        if number < 1:
            raise ConfigError("out of range", where=name, expected="1 or more", got=number)
    x, y = (_values(one, stimulus_ids, center_ids) for one in (base, tuned))
    before, after = (pair_vector(model_rdm(values, distance)) for values in (x, y))
    for one, vector in ((base, before), (tuned, after)):
        if len(vector) < 1 or np.ptp(vector) == 0:
            raise DataError("constant distances", where=one.source, expected="pairs that differ")
    prepare = mid_ranks if transform == "ranks" else np.asarray
    known = standardised(prepare(before)) / len(before)

    def correlation(vector: Float64[np.ndarray, " p"]) -> float:
        return float(known @ standardised(prepare(vector)))

    rng, wanted, vectors = generator(seed, "random change"), correlation(after), []
    for _ in range(draws):
        a, b = (rng.normal(size=(x.shape[1], rank)) for _ in range(2))
        path = _Path.of(x, x @ a @ b.T, distance)
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if correlation(path.distances(middle)) > wanted else (low, middle)
        vectors.append(path.distances(high))
    reached = float(np.mean([correlation(vector) for vector in vectors]))
    return RandomChanges(np.stack(vectors), after, wanted, reached, rank)


def random_change_p_value(
    human: Float[np.ndarray, "m m"],
    changes: RandomChanges,
    others: Mapping[str, Float[np.ndarray, "m m"]],
    *,
    transform: str = "ranks",
    folds: int | Sequence[Int[np.ndarray, " _"]] = 5,
    seed: int = 0,
) -> Metric:
    """Is the unique part of the tuned model beyond the others larger than those of random changes of its base?

    The unique part is the cross-validated one of :func:`bgs.evaluation.variance.partition_variance`, with the same folds.
    p = (1 + #{random ≥ observed}) / (1 + draws): uniform if the tuned embedding is itself a random change, unlike the p of
    permuted residuals (:func:`bgs.evaluation.permutation.unique_p_value`): any change of a base
    that is related to people's geometry may move it towards people.

    Args:
        human: (m, m) human dissimilarities, NaN where unobserved.
        changes: from :func:`random_changes` for the same stimuli in the same order.
        others: name -> (m, m) distances of the other predictors, including the base if desired.
        transform, folds, seed: as for the partition.

    Returns:
        The unique parts of the random changes: ``value`` is their median, ``low`` to ``high`` contains 95 % of them, and ``p``
        is that of the tuned model's unique part.
    """
    seen = np.isfinite(pair_vector(human))
    first, second = (index[seen] for index in np.triu_indices(len(human), 1))
    fixed = np.stack([pair_vector(rdm)[seen].astype(np.float64) for rdm in (human, *others.values())])
    parts = split_folds(len(human), folds, seed) if isinstance(folds, int) else list(folds)
    moments = []
    for vector in (changes.tuned, *changes.vectors):
        regression = NestedRegression.of(np.vstack([fixed, vector[seen]]), first, second, parts, transform)
        moments.append(regression())
    known = tuple(range(len(others)))
    explained = regression.held_out(np.stack(moments), [known, (*known, len(others))])
    observed, *random = (explained[:, 1] - explained[:, 0]).tolist()
    low, median, high = np.quantile(random, _TAILS).tolist()
    p = (1 + int(np.sum(np.array(random) >= observed))) / (1 + len(random))
    return Metric(median, low, high, regression.n_held_out, _UNIT, p=p)


@dataclass(frozen=True)
class _Path:
    """The path from an embedding X (w = 0) to its change Z (w = 1), via inner products, without d-dimensional products per step.

    (1 − w) X + w Z has the same directions as X + s Z with s = w / (1 − w), and includes s = ∞.
    """

    own: _Products
    mixed: _Products
    changed: _Products

    @classmethod
    def of(cls, x: Float64[np.ndarray, "m d"], z: Float64[np.ndarray, "m d"], distance: str) -> _Path:
        if distance == "correlation":  # the cosine distance of row-centred embeddings
            x, z = (values - values.mean(axis=1, keepdims=True) for values in (x, z))
        z = z * (np.linalg.norm(x) / np.linalg.norm(z))
        first, second = np.triu_indices(len(x), 1)

        def products(matrix: Float64[np.ndarray, "m m"]) -> _Products:
            across = matrix[first, second]
            return np.stack([across, np.diag(matrix)[first], np.diag(matrix)[second]])

        cross = x @ z.T
        return cls(products(x @ x.T), products(cross + cross.T), products(z @ z.T))

    def distances(self, w: float) -> Float64[np.ndarray, " p"]:
        """(p,) distances at a point of the path."""
        across, first, second = (1 - w) ** 2 * self.own + w * (1 - w) * self.mixed + w**2 * self.changed
        norms = np.sqrt(np.maximum(first * second, 0.0))
        cosines: Float64[np.ndarray, " p"] = np.divide(
            across, norms, out=np.zeros_like(norms), where=norms > 0
        )
        return 1.0 - cosines


def _values(
    embeddings: Embeddings, stimulus_ids: Sequence[str], center_ids: Sequence[str]
) -> Float64[np.ndarray, "m d"]:
    values = embeddings.select(stimulus_ids).values.astype(np.float64)
    if not center_ids:
        return values
    moved: Float64[np.ndarray, "m d"] = values - mean_of_rows(embeddings.select(center_ids).values)
    return moved
