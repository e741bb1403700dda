"""Embeddings against a human dissimilarity matrix that comes without its judgments: correlations, and no ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.designs import FEW_CLIPS, NO_INTERVAL, bounded, squared_interval
from bgs.evaluation.influence import rank_influence, value_influence
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.rdm import model_rdm
from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Interval, Metric, Result
from bgs.evaluation.rsa import dense_ranks, pearson, spearman
from bgs.evaluation.variance_components import membership, variance_of_mean
from bgs.judgments import RDM

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

    Intervals are about other clips than these (:mod:`bgs.evaluation.variance_components`); what other people would have said
    cannot be told from a matrix, nor how far the best model could get.

    Args:
        embeddings: one vector a stimulus; aligned with the matrix by id.
        human: the matrix; unknown pairs count for nothing.
        distance: as in :func:`bgs.evaluation.evaluate`.
        center: subtract the mean of the matrix's stimuli first; None does.
        against: other embeddings to compare with; differences are the first minus these, paired.
        permutations: label shuffles for the p-value of the Spearman correlation; 0: none.
        seed: of the label shuffles.
        provenance: what the caller knows, added to the result's.

    Returns:
        Metrics ``rsa_spearman`` and ``rsa_pearson``, both squared too; protocol ``rdm``.

    Raises:
        DataError: a stimulus without embedding, or fewer than two known pairs.
    """
    models = [embeddings] if against is None else [embeddings, against]
    rdms = [_distances(model, human, distance, center is not False) for model in models]
    first, second = (index[_seen(human)] for index in np.triu_indices(len(human.values), 1))
    pairs = _Pairs.of(
        human.known[first, second], np.stack([rdm[first, second] for rdm in rdms]), first, second
    )
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
        "n_clips": len(human.values), "n_pairs": len(first),
    }  # fmt: skip
    few = [f"{len(human.values)} clips: too few for intervals (they need {FEW_CLIPS})"]
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


class _Pairs:
    """Known pairs, and how each moves the correlations."""

    def __init__(self, values: Any, influences: Any, clips: Any, n_clips: int) -> None:
        self.values, self.influences, self.clips, self.n_clips = values, influences, clips, n_clips

    @classmethod
    def of(cls, human: Any, models: Any, first: Any, second: Any) -> _Pairs:
        values = {name: [of(row, human) for row in models] for name, (of, _) in _CORRELATIONS.items()}
        ranks = dense_ranks(human)
        influences = {
            "rsa_spearman": [rank_influence(dense_ranks(row), ranks) for row in models],
            "rsa_pearson": [value_influence(row, human) for row in models],
        }
        clips = {"clips": membership(np.stack([first, second], axis=1))}
        return cls(values, influences, clips, len(np.unique([first, second])))

    def metrics(self, model: int) -> dict[str, Metric]:
        """Of one model."""
        found = {}
        for name, (_, squared) in _CORRELATIONS.items():
            value, influence = float(self.values[name][model]), self.influences[name][model]
            metric = self._metric(value, influence, MEASURES[name][0], (-1.0, 1.0))
            interval = squared_interval((metric.low, metric.high))
            found[name] = metric
            found[f"{name}_squared"] = Metric(value**2, *interval, metric.n, squared, {"clips": interval})
        return found

    def differences(self) -> dict[str, Metric]:
        """First model minus second."""
        found = {}
        for name, (_, squared) in _CORRELATIONS.items():
            (one, other), (of_one, of_other) = map(float, self.values[name]), self.influences[name]
            unit = MEASURES[name][0]
            found[name] = self._metric(one - other, of_one - of_other, f"difference in {unit}", (-2.0, 2.0))
            found[f"{name}_squared"] = self._metric(  # d(ρ²) = 2 ρ dρ
                one**2 - other**2,
                2 * one * of_one - 2 * other * of_other,
                f"difference in {squared}",
                (-1.0, 1.0),
            )
        return found

    def _metric(self, value: float, influence: Any, unit: str, bounds: Interval) -> Metric:
        interval = NO_INTERVAL
        if self.n_clips >= FEW_CLIPS and np.isfinite(value):
            variance = sum(variance_of_mean(influence, self.clips).values())
            interval = bounded(value, t_quantile(self.n_clips - 1) * float(np.sqrt(variance)), bounds)
        return Metric(value, *interval, len(influence), unit, {"clips": interval})
