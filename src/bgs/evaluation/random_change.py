"""The unique part of a tuned model against those of random changes of its base that are as large as what tuning did."""

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

#: Steps of the bisection: the share of the change is known to 2^-16.
_STEPS = 16
_TAILS = (0.025, 0.5, 0.975)
_UNIT = "proportion of variance"

#: Inner products of each pair of stimuli, of its first with itself and of its second with itself.
_Products = Float64[np.ndarray, "3 p"]


@dataclass(frozen=True)
class RandomChanges:
    """Distances of m stimuli under random linear changes of a base embedding.

    Attributes:
        vectors: (c, p) pair distances of each change, p = m(m − 1)/2.
        tuned: (p,) pair distances of the tuned embedding.
        correlation: of the distances of the tuned embedding with those of the base.
        reached: the mean of the same correlation of the changes. It is above ``correlation`` where no change of this
            rank alters the distances as much as tuning did, and then p is too small.
        rank: of the changes.
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
    """Random low-rank linear changes of a base embedding, each as large as what tuning did.

    X′ = X + s · X A Bᵀ, with A and B of standard normal numbers and ``rank`` columns: what an adapter of that rank does
    when it has learned nothing. s is found by bisection, so that the distances of X′ correlate with those of X
    (Spearman, or Pearson for z-scores) as those of the tuned embedding do.

    Args:
        base, tuned: embeddings, aligned by id; their widths may differ.
        stimulus_ids: the m stimuli to compare.
        center_ids: stimuli whose mean is taken off each embedding first, e.g. the training clips; none: not centred.
        distance: as in :func:`bgs.evaluation.rdm.model_rdm`.
        transform: "ranks" or "z-scores", as in :func:`bgs.evaluation.variance.partition_variance`.
        rank: of the changes, at least 1.
        draws: how many, at least 1.
        seed: the changes depend on it and on the embeddings alone.

    Raises:
        DataError: a stimulus without embedding, or distances of base or tuned that are all alike.
        ConfigError: rank or draws below 1.
    """
    for name, number in (("rank", rank), ("draws", draws)):
        if number < 1:
            raise ConfigError("out of range", where=name, expected="1 or more", got=number)
    x, y = (_values(one, stimulus_ids, center_ids) for one in (base, tuned))
    before, after = (pair_vector(model_rdm(values, distance)) for values in (x, y))
    for one, vector in ((base, before), (tuned, after)):
        if len(vector) < 1 or np.ptp(vector) == 0:
            raise DataError("no distances to change", where=one.source, expected="pairs that differ")
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
    p = (1 + #{random ≥ observed}) / (1 + draws): uniform where the tuned embedding is itself a random change, which the p of
    relabelled residuals (:func:`bgs.evaluation.permutation.unique_p_value`) is not: any change of a base
    that people's geometry depends on may move it towards people.

    Args:
        human: (m, m) human dissimilarities, NaN where unobserved.
        changes: from :func:`random_changes` for the same stimuli in the same order.
        others: name -> (m, m) distances of what the part lies beyond, the base among them where it is to be.
        transform, folds, seed: as for the partition.

    Returns:
        The random changes' unique parts: ``value`` is their median, ``low`` to ``high`` holds 95 % of them, ``p`` is that
        of the tuned model's own part among them.
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
    """From an embedding X (share 0) to a change Z of it (share 1), as inner products: no product of width d a step.

    (1 − w) X + w Z points where X + s Z does, s = w / (1 − w), and reaches s = ∞.
    """

    own: _Products
    mixed: _Products
    changed: _Products

    @classmethod
    def of(cls, x: Float64[np.ndarray, "m d"], z: Float64[np.ndarray, "m d"], distance: str) -> _Path:
        if distance == "correlation":  # the cosine distance of what is left of each row without its mean
            x, z = (values - values.mean(axis=1, keepdims=True) for values in (x, z))
        z = z * (np.linalg.norm(x) / np.linalg.norm(z))
        first, second = np.triu_indices(len(x), 1)

        def products(matrix: Float64[np.ndarray, "m m"]) -> _Products:
            across = matrix[first, second]
            return np.stack([across, np.diag(matrix)[first], np.diag(matrix)[second]])

        cross = x @ z.T
        return cls(products(x @ x.T), products(cross + cross.T), products(z @ z.T))

    def distances(self, w: float) -> Float64[np.ndarray, " p"]:
        """(p,) distances at a share of the way."""
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
