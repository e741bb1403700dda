"""Interpretable dimensions: non-negative loadings of clips whose inner products approximate similarities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._rdm import require_rdm
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.symmetric_factors import fit_factors

#: First and second clip of each observed pair, and its similarity.
_Pairs = tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float64[np.ndarray, " p"]]


@dataclass(frozen=True)
class Dimensions:
    """k dimensions of n clips.

    Attributes:
        stimulus_ids: n ids.
        loadings: (n, k) numbers ≥ 0; the inner product of two rows approximates the similarity of the clips.
        carried: (k,) variance over pairs of each dimension's products, as a proportion of that of the similarities,
            decreasing. A dimension with equal loadings for all clips carries none.
        explained: R² of all dimensions together over the observed pairs.
        held_out_error: rank -> mean squared error on held-out pairs, and its standard error over folds.
        provenance: seed, sparsity, folds and starts.
    """

    stimulus_ids: tuple[str, ...]
    loadings: Float64[np.ndarray, "n k"]
    carried: Float64[np.ndarray, " k"]
    explained: float
    held_out_error: dict[int, tuple[float, float]]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return int(self.loadings.shape[1])

    def top(self, dimension: int, clips: int = 6) -> list[tuple[str, float]]:
        """Ids and loadings of the clips with the highest loadings on a dimension, in decreasing order."""
        order = np.argsort(-self.loadings[:, dimension], kind="stable")[:clips]
        return [(self.stimulus_ids[i], float(self.loadings[i, dimension])) for i in order]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "stimulus_ids": list(self.stimulus_ids),
            "loadings": self.loadings.tolist(),
            "carried": self.carried.tolist(),
            "explained": self.explained,
            "held_out_error": {str(rank): list(error) for rank, error in self.held_out_error.items()},
            "provenance": self.provenance,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Dimensions:
        """Read what :meth:`to_json` wrote."""
        ids = tuple(value["stimulus_ids"])
        errors = {int(rank): (mean, error) for rank, (mean, error) in value["held_out_error"].items()}
        return cls(
            stimulus_ids=ids,
            loadings=np.array(value["loadings"], dtype=np.float64).reshape(len(ids), -1),
            carried=np.array(value["carried"], dtype=np.float64),
            explained=value["explained"],
            held_out_error=errors,
            provenance=dict(value["provenance"]),
        )


def find_dimensions(
    rdm: Float[np.ndarray, "n n"],
    stimulus_ids: Sequence[str],
    *,
    ranks: Sequence[int] = tuple(range(1, 11)),
    sparsity: float = 0.02,
    folds: int = 5,
    starts: int = 3,
    seed: int = 0,
) -> Dimensions:
    """Non-negative sparse dimensions of similarity, similar to Hebart et al. 2020 (Nature Human Behaviour
    4:1173), but from a matrix instead of trials.

    Similarity is 1 − dissimilarity: how often people keep a pair together, or a cosine similarity (non-negative
    dimensions cannot represent negative values). Loadings W ≥ 0 minimise Σ (s_ij − w_i·w_j)² over observed
    pairs i < j (excluding the diagonal) plus sparsity·n·mean(s)^1.5·Σ W, so that the sparsity is comparable across
    n and scale. The rank is cross-validated: observed pairs are held out in random folds, and the smallest rank
    with an error within one standard error of the minimum is chosen (Breiman et al. 1984); the standard error is that
    of the paired difference from the best rank over folds, since folds differ more than ranks do.

    Args:
        rdm: (n, n) dissimilarities, NaN where unobserved.
        stimulus_ids: n ids.
        ranks: candidate numbers of dimensions; a single one is used without cross-validation.
        sparsity: weight of the penalty, ≥ 0.
        folds: folds of pairs, ≥ 2.
        starts: random starts per fit; the best is kept.
        seed: seed of folds and starts.

    Raises:
        DataError: ids are repeated or do not match the matrix, the matrix is not symmetric, there are fewer than three clips, or
            similarities are constant or not above 0 on average.
        ConfigError: ranks, sparsity, folds or starts are out of range.
    """
    require_rdm(rdm, "rdm", stimulus_ids)
    first, second = np.triu_indices(len(rdm), 1)
    seen = np.isfinite(pair_vector(rdm))
    first, second = first[seen], second[seen]
    target = 1.0 - rdm[first, second].astype(np.float64)
    if (
        len(rdm) != len(stimulus_ids)
        or len(rdm) < 3
        or len(target) < 2
        or np.ptp(target) == 0
        or target.mean() <= 0
    ):
        raise DataError(
            "cannot find dimensions",
            expected="at least 3 clips with an id each, similarities that vary and are above 0 on average",
            got=f"{len(rdm)} clips, {len(stimulus_ids)} ids, {len(target)} pairs",
        )  # fmt: skip
    if not ranks or min(ranks) < 1 or max(ranks) > len(rdm) or sparsity < 0 or folds < 2 or starts < 1:
        raise ConfigError(
            "invalid settings", expected=f"ranks from 1 to {len(rdm)}, sparsity ≥ 0, folds ≥ 2, starts ≥ 1",
            got=f"ranks {list(ranks)}, sparsity {sparsity}, folds {folds}, starts {starts}",
        )  # fmt: skip
    penalty = sparsity * len(rdm) * float(target.mean()) ** 1.5
    pairs = (first, second, target)
    errors = _held_out_errors(pairs, len(rdm), sorted(set(ranks)), penalty, folds, starts, seed)
    rank = _choose(errors)
    loadings = _best_fit(pairs, len(rdm), rank, penalty, starts, (seed, "all"))
    products = loadings[first] * loadings[second]
    carried = products.var(axis=0) / target.var()
    order = np.argsort(-carried, kind="stable")
    explained = 1.0 - float(((target - products.sum(axis=1)) ** 2).mean() / target.var())
    summary = {k: (float(row.mean()), float(row.std(ddof=1) / np.sqrt(folds))) for k, row in errors.items()}
    about = {"seed": seed, "sparsity": sparsity, "folds": folds, "starts": starts, "n_pairs": len(target)}
    return Dimensions(tuple(stimulus_ids), loadings[:, order], carried[order], explained, summary, about)


def _held_out_errors(
    pairs: _Pairs, n: int, ranks: Sequence[int], penalty: float, folds: int, starts: int, seed: int
) -> dict[int, Float64[np.ndarray, " f"]]:
    """Rank -> mean squared error on the held-out pairs of each fold; empty with a single rank."""
    if len(ranks) == 1:
        return {ranks[0]: np.full(folds, np.nan)}
    first, second, target = pairs
    fold_of = generator(seed, "dimensions", "folds").permutation(len(target)) % folds
    errors = {rank: np.empty(folds) for rank in ranks}
    for fold in range(folds):
        kept, held = fold_of != fold, fold_of == fold
        for rank in ranks:
            # The penalty applies to the sum of squares over all pairs; training pairs are a part of them.
            scaled = penalty * float(kept.mean())
            part = first[kept], second[kept], target[kept]
            loadings = _best_fit(part, n, rank, scaled, starts, (seed, fold))
            guess = (loadings[first[held]] * loadings[second[held]]).sum(axis=1)
            errors[rank][fold] = ((target[held] - guess) ** 2).mean()
    return errors


def _best_fit(
    pairs: _Pairs, n: int, rank: int, penalty: float, starts: int, names: tuple[int, int | str]
) -> Float64[np.ndarray, "n k"]:
    """The fit with the lowest objective over several starts, since there are local minima."""
    tries = [
        fit_factors(*pairs, n, rank, penalty, generator(names[0], "dimensions", names[1], rank, start))
        for start in range(starts)
    ]
    return min(tries, key=lambda found: found[1])[0]


def _choose(errors: Mapping[int, Float64[np.ndarray, " f"]]) -> int:
    """The smallest rank within one standard error of the best."""
    ranks = sorted(errors)
    best = min(ranks, key=lambda rank: float(errors[rank].mean()))

    def close(rank: int) -> bool:
        excess = errors[rank] - errors[best]
        return bool(excess.mean() <= excess.std(ddof=1) / np.sqrt(len(excess)))

    return next(rank for rank in ranks if rank == best or close(rank))
