"""Evaluation of embeddings against a human RDM without its judgments: correlations without a noise ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._scale import mean_of_rows
from bgs._typing import Bool, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.designs import FEW_CLIPS, bounded, squared_interval
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.rdm import model_rdm
from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Interval, Metric, Result
from bgs.evaluation.rsa import pearson, spearman
from bgs.judgments import RDM

#: The largest correlation with a finite Fisher z.
_ALMOST = 1.0 - 1e-15
_CORRELATIONS = {"rsa_spearman": (spearman, "rho squared"), "rsa_pearson": (pearson, "r squared")}


def evaluate_rdm(
    embeddings: Embeddings,
    human: RDM,
    *,
    distance: str = "cosine",
    center: bool | None = None,
    against: Embeddings | None = None,
    permutations: int = 1000,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> Result:
    """How well do distances between embeddings agree with a human dissimilarity matrix?

    Intervals generalise over clips: t · SE of the jackknife over clips, for correlations in Fisher's z. The noise of
    individual judgments is not known from a matrix, and the jackknife counts it twice, so intervals are slightly wide (they
    covered the truth in 94 to 99 % of simulated matrices of 8 to 40 clips, ``tests/evaluation/test_against_rdm.py``).
    Generalisation over people, and the noise ceiling, cannot be estimated from a matrix.

    Args:
        embeddings: one vector per stimulus; aligned with the matrix by id.
        human: the matrix; unknown pairs are ignored.
        distance: as in :func:`bgs.evaluation.evaluate`.
        center: whether to subtract the mean of the matrix's stimuli first; None does.
        against: other embeddings to compare with; differences are the first minus these, paired.
        permutations: label permutations for the p-value of the Spearman correlation; 0: none.
        seed: seed of the permutations.
        provenance: entries to add to the result's provenance.

    Returns:
        Metrics ``rsa_spearman`` and ``rsa_pearson``, and their squares; protocol ``rdm``.

    Raises:
        DataError: a stimulus has no embedding, or there are fewer than two known pairs.
    """
    models = [embeddings] if against is None else [embeddings, against]
    rdms = [_distances(model, human, distance, center is not False) for model in models]
    pairs = KnownPairs.of(human, np.stack(rdms))
    summaries = [pairs.metrics(model) for model in range(len(models))]
    if permutations:
        for summary, rdm in zip(summaries, rdms, strict=True):
            p = permutation_p_value(rdm, human.known, permutations=permutations, seed=seed)
            summary["rsa_spearman"] = replace(summary["rsa_spearman"], p=p)
    about = {
        **(provenance or {}), "model": {"source": embeddings.source, "sha256": embeddings.hash()},
        **({} if against is None else {"against": {"source": against.source, "sha256": against.hash()}}),
        "seed": seed, "permutations": permutations, "distance": distance, "center": center is not False,
        "centred_on": "nothing" if center is False else f"all {len(human.values)} clips",
        "n_clips": len(human.values), "n_pairs": len(pairs.first),
    }  # fmt: skip
    few = [f"{len(human.values)} clips: too few for intervals (at least {FEW_CLIPS} are needed)"]
    return Result(
        "rdm", summaries[0], about,
        differences={} if against is None else pairs.differences(),
        against_metrics={} if against is None else summaries[1],
        warnings=few if len(human.values) < FEW_CLIPS else [],
    )  # fmt: skip


def _seen(human: RDM) -> Any:
    known = np.isfinite(human.known[np.triu_indices(len(human.values), 1)])
    if known.sum() < 2:
        raise DataError(
            "nothing to correlate with", where="RDM", expected="two known pairs", got=int(known.sum())
        )
    return known


def _distances(model: Embeddings, human: RDM, distance: str, center: bool) -> Float64[np.ndarray, "n n"]:
    values = model.select(human.stimulus_ids).values
    distances: Float64[np.ndarray, "n n"] = model_rdm(
        values, distance, mean_of_rows(values) if center else None
    )
    return distances


@dataclass(frozen=True)
class KnownPairs:
    """p known pairs: human dissimilarities, distances of e models, and the clips of each pair."""

    human: Float64[np.ndarray, " p"]
    models: Float64[np.ndarray, "e p"]
    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]

    @classmethod
    def of(cls, human: RDM, rdms: Float64[np.ndarray, "e n n"]) -> KnownPairs:
        """The pairs that the human RDM knows, in e model RDMs of the same stimuli.

        Raises:
            DataError: there are fewer than two.
        """
        first, second = (index[_seen(human)] for index in np.triu_indices(len(human.values), 1))
        return cls(human.known[first, second], rdms[:, first, second], first, second)

    @cached_property
    def clips(self) -> Int[np.ndarray, " c"]:
        """Clips of any known pair."""
        return np.unique([self.first, self.second])

    @cached_property
    def values(self) -> dict[str, Float64[np.ndarray, " e"]]:
        """Correlations of each model with the human RDM."""
        return self._correlations(np.ones(len(self.human), dtype=bool))

    @cached_property
    def without_each(self) -> dict[str, Float64[np.ndarray, "c e"]]:
        """Leave-one-clip-out values."""
        left = [self._correlations((self.first != clip) & (self.second != clip)) for clip in self.clips]
        return {name: np.stack([one[name] for one in left]) for name in _CORRELATIONS}

    def _correlations(self, kept: Bool[np.ndarray, " p"]) -> dict[str, Float64[np.ndarray, " e"]]:
        human = self.human[kept]
        return {
            name: np.array([of(row[kept], human) for row in self.models])
            for name, (of, _) in _CORRELATIONS.items()
        }

    def metrics(self, model: int) -> dict[str, Metric]:
        """Metrics of one model."""
        found = {}
        for name, (_, squared) in _CORRELATIONS.items():
            value, without = float(self.values[name][model]), self.without_each[name][:, model]
            with np.errstate(divide="ignore"):  # a perfect correlation has no finite z
                reach = clip_reach(np.arctanh(without))
            z = np.arctanh(np.clip(value, -_ALMOST, _ALMOST))
            low, high = np.tanh([z - reach, z + reach]).tolist()
            interval = (low, high)
            found[name] = self._metric(value, interval, MEASURES[name][0])
            found[f"{name}_squared"] = self._metric(value**2, squared_interval(interval), squared)
        return found

    def differences(self) -> dict[str, Metric]:
        """First model minus second."""
        found = {}
        for name, (_, squared) in _CORRELATIONS.items():
            values, without = self.values[name], self.without_each[name]
            for key, power, unit, most in (
                (name, 1, MEASURES[name][0], 2.0),
                (f"{name}_squared", 2, squared, 1.0),
            ):
                value = float(values[0] ** power - values[1] ** power)
                reach = clip_reach(without[:, 0] ** power - without[:, 1] ** power)
                found[key] = self._metric(
                    value, bounded(value, reach, (-most, most)), f"difference in {unit}"
                )
        return found

    def _metric(self, value: float, interval: Interval, unit: str) -> Metric:
        return Metric(value, *interval, len(self.human), unit, {"clips": interval})


def clip_reach(without: Float64[np.ndarray, " c"]) -> float:
    """Half the width of the jackknife interval, from leave-one-clip-out values; NaN with too few clips."""
    n = len(without)
    if n < FEW_CLIPS or not np.isfinite(without).all():
        return float("nan")
    return t_quantile(n - 1) * float(np.sqrt((n - 1) * np.var(without)))
