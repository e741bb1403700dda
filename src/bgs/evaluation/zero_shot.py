"""Zero-shot transfer: embeddings trained on one data set, evaluated on ratings and labels of another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass
from bgs._errors import ConfigError, DataError, listed
from bgs._typing import Float, Float64
from bgs.embeddings import Embeddings
from bgs.evaluation.decoding import Decoding, decode
from bgs.evaluation.ideal_observer import ObservedTriplets
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.rdm import model_rdm, pair_vector
from bgs.evaluation.resampling import (
    bootstrap,
    clip_spread,
    percentile_interval,
    shifted,
    two_sided_p,
    without_each,
)
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.rsa import dense_ranks, standardised, weighted_spearman
from bgs.judgments.rated import hellinger_rdm
from bgs.stimuli import StimulusSet

#: "hellinger": ratings are proportions or counts of labels. "euclidean": each rating is a scale, standardised.
TARGETS = ("hellinger", "euclidean")


@dataclass(frozen=True)
class Transfer(JsonDataclass):
    """Agreement of embeddings with the ratings of clips that they were not trained on.

    Attributes:
        ratings: columns of the target RDM.
        target: one of :data:`TARGETS`.
        metrics: "rsa_spearman" (with its p) and "odd_one_out_3afc" of the embeddings.
        against_metrics: the same for the comparison embeddings; empty if there are none.
        differences: the first minus the comparison embeddings on the same resamples; p is two-sided.
        decoding: decoding of the label, or None if not requested.
        provenance: sources, numbers of clips, pairs, triplets and ties, seed.
    """

    ratings: tuple[str, ...]
    target: str
    metrics: dict[str, Metric]
    against_metrics: dict[str, Metric]
    differences: dict[str, Metric]
    decoding: Decoding | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


def transfer(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    ratings: Sequence[str],
    *,
    against: Embeddings | None = None,
    target: str = "hellinger",
    label: str | None = None,
    raters: str | None = None,
    trained_on: Collection[str] = (),
    video_hashes: Mapping[str, str] | None = None,
    trained_hashes: Collection[str] = (),
    allow_overlap: bool = False,
    distance: str = "cosine",
    most_triplets: int = 200_000,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
) -> Transfer:
    """RSA, odd-one-out accuracy and label decoding on a second data set, without any training on it.

    RSA is the Spearman correlation with rating distances. Odd-one-out: a noise-free observer keeps the pair
    with the closest ratings, see :class:`bgs.evaluation.ideal_observer.ObservedTriplets` for ties and sampling.
    Intervals are over clips (:func:`bgs.evaluation.resampling.clip_spread`).

    Args:
        embeddings: one vector per stimulus, aligned by id.
        stimuli: the second data set; clips that lack a rating are excluded from RSA and odd-one-out.
        ratings: rating columns of the target RDM.
        against: comparison embeddings (e.g. before tuning), compared on the same resamples.
        target: one of :data:`TARGETS`.
        label: label column to decode (:func:`bgs.evaluation.decoding.decode`), or None.
        raters: rating column with the number of raters, for human references.
        trained_on: ids of the stimuli on which any of the embeddings were trained.
        video_hashes: stimulus id -> hash of its file, to be compared with ``trained_hashes``.
        trained_hashes: hashes of the training files.
        allow_overlap: whether to evaluate despite overlap with the training clips.
        distance: distance between embeddings.
        most_triplets: maximum number of triplets; if there are more, that many are sampled.
        resamples, permutations, seed: as in :func:`bgs.evaluation.evaluate`.

    Raises:
        DataError: clips were used in training, a rating is unknown, or there are too few rated clips.
        ConfigError: unknown target or distance.
    """
    overlap = _overlap(stimuli, trained_on, video_hashes or {}, trained_hashes)
    if overlap and not allow_overlap:
        raise _leakage(overlap)
    rated, human = _target_rdm(stimuli, ratings, target)
    models = [model for model in (embeddings, against) if model is not None]
    ids = [stimuli.ids[i] for i in rated]
    rdms = np.stack([model_rdm(model.select(ids).values, distance) for model in models])
    pairs = _RatedPairs.of(human, rdms)
    triplets = ObservedTriplets.of(human, rdms, most_triplets, seed)
    run = partial(_measure, n=len(ids), resamples=resamples, seed=seed)
    tables = {
        "rsa_spearman": run(pairs, len(pairs.first), 2, (-1.0, 1.0), "Spearman rho"),
        "odd_one_out_3afc": run(
            triplets, len(triplets), 3, (0.0, 1.0), "proportion of triplets (chance 1/3)"
        ),
    }
    if permutations:
        tables["rsa_spearman"][: len(models)] = [
            replace(metric, p=permutation_p_value(rdm, human, permutations=permutations, seed=seed))
            for metric, rdm in zip(tables["rsa_spearman"][: len(models)], rdms, strict=True)
        ]
    decoding = None if label is None else decode(
        embeddings, stimuli, label, against=against, raters=raters,
        resamples=resamples, permutations=permutations, seed=seed,
    )  # fmt: skip
    about = {"sources": [model.source for model in models], "n_clips": len(ids), "overlap": overlap}
    about |= {"n_triplets": len(triplets), "triplets_drawn": triplets.drawn, "tied_triplets": triplets.tied}
    about |= {"distance": distance, "seed": seed, "resamples": resamples, "permutations": permutations}
    found, others, gaps = ({name: row[i] for name, row in tables.items() if i < len(row)} for i in range(3))
    return Transfer(tuple(ratings), target, found, others, gaps, decoding, about)


@dataclass(frozen=True)
class _RatedPairs:
    human: Any
    models: Any
    first: Any
    second: Any

    @classmethod
    def of(cls, human: Float[np.ndarray, "n n"], rdms: Float[np.ndarray, "e n n"]) -> _RatedPairs:
        first, second = np.triu_indices(len(human), 1)
        models = np.stack([dense_ranks(pair_vector(rdm)) for rdm in rdms])
        return cls(dense_ranks(pair_vector(human)), models, first, second)

    def __call__(
        self, clips: Float64[np.ndarray, " n"] | None = None, units: Float64[np.ndarray, " p"] | None = None
    ) -> Float64[np.ndarray, " e"]:
        weights = np.ones(len(self.first)) if units is None else units
        if clips is not None:
            weights = weights * clips[self.first] * clips[self.second]
        return weighted_spearman(self.models, self.human, weights)


def _measure(
    statistic: _RatedPairs | ObservedTriplets, n_units: int, clips_a_unit: int, bounds: Interval, unit: str,
    *, n: int, resamples: int, seed: int,
) -> list[Metric]:  # fmt: skip
    """A metric for each model and, for two, their difference."""
    values = statistic()
    clips, units = (
        bootstrap(statistic, n, n_units, design=design, resamples=resamples, seed=seed)
        for design in ("clips", "units")
    )

    without = without_each(statistic, n)

    def metric(value: float, parts: list[Any], bounds: Interval, unit: str) -> tuple[Metric, float]:
        spread = clip_spread(parts[0], parts[1], parts[2], clips_a_unit)
        low, high = percentile_interval(parts[0], value, bounds, spread=spread)
        return Metric(value, low, high, n_units, unit, {"clips": (low, high)}), spread

    draws = clips, without, units
    found = [metric(float(v), [d[:, i] for d in draws], bounds, unit)[0] for i, v in enumerate(values)]
    if len(values) == 2:
        value, span = float(values[0] - values[1]), bounds[1] - bounds[0]
        moved = shifted(clips[:, 0], float(values[0])) - shifted(clips[:, 1], float(values[1]))
        parts = [moved, *(d[:, 0] - d[:, 1] for d in draws[1:])]
        gap, spread = metric(value, parts, (-span, span), f"difference in {unit}")
        found.append(replace(gap, p=two_sided_p(moved, value, spread=spread)))
    return found


def _leakage(overlap: Sequence[str]) -> DataError:
    return DataError(
        f"{len(overlap)} clips were used in training: {listed(overlap)}", expected="clips new to the model",
        hint="this is not zero-shot transfer; allow_overlap=True evaluates it anyway",
    )  # fmt: skip


def _overlap(
    stimuli: StimulusSet,
    trained_on: Collection[str],
    hashes: Mapping[str, str],
    trained_hashes: Collection[str],
) -> list[str]:
    ids, files = set(trained_on), set(trained_hashes)
    return [name for name in stimuli.ids if name in ids or hashes.get(name) in files]


def _target_rdm(
    stimuli: StimulusSet, ratings: Sequence[str], target: str
) -> tuple[list[int], Float64[np.ndarray, "m m"]]:
    """Positions of the clips with all ratings, and distances between their ratings."""
    if target not in TARGETS:
        raise ConfigError("unknown target", expected=" or ".join(TARGETS), got=target)
    if not ratings:
        raise DataError("no ratings are named", expected=", ".join(stimuli.ratings))
    names = stimuli.rating_names(ratings)
    columns = np.stack([stimuli.ratings[name].astype(np.float64) for name in names], axis=1)
    rated = np.flatnonzero(np.isfinite(columns).all(axis=1))
    if len(rated) < 4:
        raise DataError("too few rated clips", where=listed(ratings), expected="4 or more", got=len(rated))
    columns = columns[rated]
    if target == "hellinger":
        return rated.tolist(), hellinger_rdm(columns).round(12)
    scaled = np.stack([standardised(column) for column in columns.T], axis=1)
    return rated.tolist(), np.linalg.norm(scaled[:, None] - scaled[None], axis=2).round(12)
