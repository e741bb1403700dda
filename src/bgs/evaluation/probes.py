"""Attribute probes: linear decoding of ratings from embeddings, on held-out clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import ConfigError, DataError
from bgs._false_discovery import benjamini_hochberg
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.clip_scores import clip_pearson, clip_r_squared, column_correlations, paired_metrics
from bgs.evaluation.few_shot_probes import few_shot, group_copies, shot_groups
from bgs.evaluation.resampling import clip_copies
from bgs.evaluation.result import Metric
from bgs.evaluation.ridge import fold_deletions, fold_deviations
from bgs.judgments import split_folds
from bgs.stimuli import StimulusSet

#: "held-out": train on training clips, test on test clips. "k-fold": every clip is held out once. "few-shot": train on a
#: few test clips (of all clips, without a split) at a time, test on the others.
PROBE_PROTOCOLS = ("held-out", "k-fold", "few-shot")


@dataclass(frozen=True)
class ProbeScore(JsonDataclass):
    """Score of one attribute: Pearson r with its p, R², and q, the p of r adjusted for the number of attributes."""

    pearson: Metric
    r_squared: Metric
    q: Number


@dataclass(frozen=True)
class Probes(JsonDataclass):
    """Decoding scores of each attribute.

    Attributes:
        protocol: one of :data:`PROBE_PROTOCOLS`.
        scores: attribute -> score of the probed embeddings.
        against_scores: the same for the comparison embeddings; empty if there are none.
        differences: attribute -> the first minus the comparison embeddings on the same resamples; p is two-sided.
        skipped: attribute -> reason why it was skipped.
        provenance: seed, folds, resamples, permutations, sources of the embeddings.
    """

    protocol: str
    scores: dict[str, ProbeScore]
    against_scores: dict[str, ProbeScore] = field(default_factory=dict)
    differences: dict[str, ProbeScore] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


def probe(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    *,
    attributes: Sequence[str] | None = None,
    against: Embeddings | None = None,
    protocol: str = "k-fold",
    folds: int = 5,
    shots: int = 20,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
) -> Probes:
    """Ridge regression from embeddings to each rating, scored on held-out clips.

    The penalty is chosen within the training clips (leave-one-out), by which features are also standardised. r and R² are
    computed on deviations from the mean of the training clips: pooling raw predictions over folds would bias r below 0 if
    nothing can be predicted, because a fold's training mean deviates in the opposite direction to its own. A small bias remains
    (r about −.1 if nothing can be decoded, with 30 clips in 5 folds); p accounts for it, and R² is not affected. Intervals
    resample the scored clips, in k-fold widened to account for the training clips
    (:func:`bgs.evaluation.resampling.refitted_spread`), in few-shot with resamples of the training groups; for p,
    ratings are permuted over all clips and everything is refitted; for differences, p is from the bootstrap; q is Benjamini and
    Hochberg's over the attributes.

    Args:
        embeddings: one vector per stimulus, aligned by id.
        stimuli: stimuli with ratings; clips without a rating are ignored for that attribute.
        attributes: rating columns; None: all that can be probed; others are listed in ``skipped`` with the reason.
        against: comparison embeddings, paired by clip.
        protocol: one of :data:`PROBE_PROTOCOLS`.
        folds: number of folds of "k-fold".
        shots: training clips per probe in "few-shot"; every possible group of this size is used in turn.
        resamples: bootstrap resamples of clips.
        permutations: number of permutations; 0: no p.
        seed: seed of folds, resamples and permutations.

    Raises:
        DataError: a requested attribute is unknown, constant or rated for too few clips; no attribute is left; no split;
            a stimulus has no embedding.
        ConfigError: unknown protocol, fewer than two folds or three shots.
    """
    if protocol not in PROBE_PROTOCOLS or folds < 2 or shots < 3:
        raise ConfigError(
            "impossible protocol",
            expected=f"{' or '.join(PROBE_PROTOCOLS)}, folds ≥ 2, shots ≥ 3",
            got=(protocol, folds, shots),
        )
    models = [model for model in (embeddings, against) if model is not None]
    features = [model.select(stimuli.ids).values.astype(np.float64) for model in models]
    run = _Run(stimuli, features, protocol, folds, shots, resamples, permutations, seed)
    found, skipped = {}, {}
    for name in stimuli.ratings if attributes is None else attributes:
        try:
            found[name] = run.attribute(name)
        except DataError as error:
            if attributes is not None:
                raise
            skipped[name] = str(error)
    if not found:
        raise DataError("no attribute to probe", expected="ratings that vary", got=skipped or "no ratings")
    about: dict[str, Any] = {"seed": seed, "resamples": resamples, "permutations": permutations}
    about |= {"shots": shots} if protocol == "few-shot" else {"folds": folds if protocol == "k-fold" else 1}
    about |= {"sources": [model.source for model in models]}
    tables = [_adjusted({name: scores[i] for name, scores in found.items()}) for i in range(len(models))]
    differences = {name: scores[2] for name, scores in found.items()} if len(models) == 2 else {}
    return Probes(
        protocol=protocol,
        scores=tables[0],
        against_scores=tables[1] if differences else {},
        differences=_adjusted(differences),
        skipped=skipped,
        provenance=about,
    )


@dataclass(frozen=True)
class _Run:
    stimuli: StimulusSet
    features: list[Float64[np.ndarray, "n _"]]
    protocol: str
    folds: int
    shots: int
    resamples: int
    permutations: int
    seed: int

    def attribute(self, name: str) -> list[ProbeScore]:
        """Score of each model, then of their difference; q is added later."""
        rated = self._rated(name)
        targets = self.stimuli.ratings[name][rated].astype(np.float64)
        shuffle = generator(self.seed, "permutation", "probes", name)
        shuffled = [shuffle.permutation(targets) for _ in range(self.permutations)]
        columns = np.stack([targets, *shuffled], axis=1)
        if self.protocol == "few-shot":
            return self._few_shot(name, rated, columns)
        folds = self._folds(name, rated)
        held = np.sort(np.concatenate(folds))
        copies = self._copies(len(held))
        pearson, squared, p = [], [], []
        without: tuple[list[Any], list[Any]] = ([], [])
        for features in self.features:
            predicted, means = fold_deviations(features[rated], columns, folds)
            x, y = predicted[held], columns[held] - means[held]
            pearson.append(clip_pearson(x[:, 0], y[:, 0], copies))
            squared.append(clip_r_squared(x[:, 0], y[:, 0], copies))
            p.append(_permutation_p(column_correlations(x, y)))
            if self.protocol == "k-fold":
                x, y = (side[..., 0] for side in fold_deletions(features[rated], columns[:, :1], folds))
                y, others = targets - y, 1.0 - np.eye(len(held))
                without[0].append(clip_pearson(x, y, others))
                without[1].append(clip_r_squared(x, y, others))
        return _scores((pearson, squared), without, p, len(held))

    def _few_shot(
        self, name: str, rated: Int[np.ndarray, " m"], columns: Float64[np.ndarray, "m t"]
    ) -> list[ProbeScore]:
        groups = shot_groups(len(rated), self.shots, self.seed, name)
        copies = self._copies(len(rated)), group_copies(len(groups), self.resamples, self.seed)
        found = [few_shot(features[rated], columns, groups, *copies) for features in self.features]
        pearson, squared, r = (list(part) for part in zip(*found, strict=True))
        return _scores((pearson, squared), ([], []), [_permutation_p(own) for own in r], len(rated))

    def _copies(self, n: int) -> Float64[np.ndarray, "r n"]:
        """How often each clip is scored: in the original data, then in resamples."""
        return np.concatenate([np.ones((1, n)), clip_copies(n, self.resamples, self.seed)])

    def _rated(self, name: str) -> Int[np.ndarray, " m"]:
        self.stimuli.rating_names([name])
        asked = np.isfinite(self.stimuli.ratings[name])
        if self.protocol == "few-shot" and self.stimuli.test.any():
            asked &= self.stimuli.test
        rated = np.flatnonzero(asked)
        if len(rated) and np.ptp(self.stimuli.ratings[name][rated]) == 0:
            raise DataError("a constant rating cannot be probed", where=name)
        return rated

    def _folds(self, name: str, rated: Int[np.ndarray, " m"]) -> list[Int[np.ndarray, " _"]]:
        """Held-out clips of each fold, as indices into the rated clips."""
        if self.protocol == "k-fold":
            if len(rated) < 3 * self.folds:
                raise DataError(
                    "too few rated clips",
                    where=name,
                    expected=f"at least 3 for each of {self.folds} folds",
                    got=len(rated),
                )
            return split_folds(len(rated), self.folds, self.seed)
        test = np.flatnonzero(self.stimuli.test[rated])
        if min(len(test), len(rated) - len(test)) < 3:
            raise DataError(
                "too few rated clips", where=name, expected="at least 3 training and 3 test clips",
                got=f"{len(rated) - len(test)} and {len(test)}", hint="or use the protocol k-fold",
            )  # fmt: skip
        return [test]


def _permutation_p(r: Float64[np.ndarray, " t"]) -> float | None:
    """Proportion of columns whose correlation is at least that of the first; None if there is only one."""
    return float((r >= r[0] - 1e-12).mean()) if len(r) > 1 else None


def _scores(
    draws: tuple[list[Any], list[Any]],
    without: tuple[list[Any], list[Any]],
    p: list[float | None],
    n: int,
) -> list[ProbeScore]:
    """Scores from draws and leave-one-clip-out values of r and R² of each model; the first draw is the original data."""
    tables = []
    units = ((-1.0, 1.0), "Pearson r"), ((-float("inf"), 1.0), "proportion of variance")
    for drawn, deleted, (bounds, unit) in zip(draws, without, units, strict=True):
        values, samples = [float(d[0]) for d in drawn], [d[1:] for d in drawn]
        models, difference = paired_metrics(values, samples, bounds, n, unit, deleted or None)
        tables.append(models if difference is None else [*models, difference])
    with_p = [replace(r, p=p[i]) if i < len(p) else r for i, r in enumerate(tables[0])]
    return [ProbeScore(r, r2, float("nan")) for r, r2 in zip(with_p, tables[1], strict=True)]


def _adjusted(scores: Mapping[str, ProbeScore]) -> dict[str, ProbeScore]:
    p: Float[np.ndarray, " m"] = np.array(
        [np.nan if score.pearson.p is None else score.pearson.p for score in scores.values()]
    )
    q = benjamini_hochberg(p).tolist()
    return {
        name: replace(score, q=adjusted) for (name, score), adjusted in zip(scores.items(), q, strict=True)
    }
