"""Attribute probes: can a rating be read off embeddings linearly, for clips that the probe never saw?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bgs._codec import Number, Written
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

#: "held-out": train on training clips, test on held-out ones. "k-fold": every clip is held out once. "few-shot": train on a
#: few held-out clips (of all clips, without a split) at a time, test on the others of these.
PROBE_PROTOCOLS = ("held-out", "k-fold", "few-shot")


@dataclass(frozen=True)
class ProbeScore(Written):
    """One attribute: Pearson r with its p, R², and q, the p of r adjusted for the number of attributes."""

    pearson: Metric
    r_squared: Metric
    q: Number


@dataclass(frozen=True)
class Probes(Written):
    """How well each attribute can be read off.

    Attributes:
        protocol: one of :data:`PROBE_PROTOCOLS`.
        scores: attribute -> score of the embeddings probed.
        against_scores: the same of the others; empty if there are none.
        differences: attribute -> the first minus the others on the same resamples; p is two-sided.
        skipped: attribute -> why it was left out.
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
    """Ridge regression from embeddings to each rating, scored on clips that it never saw.

    The penalty is chosen within the training clips (leave one out), features are standardised by them. r and R² are
    of deviations from the mean of the training clips: pooling raw predictions over folds would push r below 0 where
    nothing can be predicted, because a fold's training mean lies opposite to its own. A little of that bias is left
    (r about −.1 where nothing can be read off 30 clips in 5 folds); p takes it into account, R² has none. Intervals
    resample the scored clips, in k-fold widened for other training clips
    (:func:`bgs.evaluation.resampling.refitted_spread`), in few-shot with resamples of the groups that train; p shuffles
    the ratings over all clips and fits everything anew; of differences, p is the bootstrap's; q is Benjamini and
    Hochberg's over the attributes of a table.

    Args:
        embeddings: one vector a stimulus, aligned by id.
        stimuli: with ratings; a clip without the rating is left out for that attribute.
        attributes: rating columns; None: all that can be probed, the others are in ``skipped`` with the reason.
        against: other embeddings, compared clip by clip.
        protocol: one of :data:`PROBE_PROTOCOLS`.
        folds: of "k-fold".
        shots: clips that train a probe in "few-shot"; as many groups of them as there are train one in turn.
        resamples: of clips.
        permutations: 0: no p.
        seed: of folds, resamples and permutations.

    Raises:
        DataError: an attribute asked for is unknown, constant or rated for too few clips; no attribute is left; no split;
            a stimulus without embedding.
        ConfigError: another protocol, fewer than two folds or three shots.
    """
    if protocol not in PROBE_PROTOCOLS or folds < 2 or shots < 3:
        raise ConfigError(
            "impossible protocol",
            expected=f"{' or '.join(PROBE_PROTOCOLS)}, folds from 2, shots from 3",
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
        """Score of each model, then of their difference; q still to come."""
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
        """How often each clip is scored: the data as they are, then resamples."""
        return np.concatenate([np.ones((1, n)), clip_copies(n, self.resamples, self.seed)])

    def _rated(self, name: str) -> Int[np.ndarray, " m"]:
        if name not in self.stimuli.ratings:
            raise DataError(
                "no such rating", where=name, expected=", ".join(self.stimuli.ratings) or "ratings"
            )
        asked = np.isfinite(self.stimuli.ratings[name])
        if self.protocol == "few-shot" and self.stimuli.test.any():
            asked &= self.stimuli.test
        rated = np.flatnonzero(asked)
        if len(rated) and np.ptp(self.stimuli.ratings[name][rated]) == 0:
            raise DataError("a constant rating cannot be probed", where=name)
        return rated

    def _folds(self, name: str, rated: Int[np.ndarray, " m"]) -> list[Int[np.ndarray, " _"]]:
        """What to hold out, as indices into the rated clips."""
        if self.protocol == "k-fold":
            if len(rated) < 3 * self.folds:
                raise DataError(
                    "too few rated clips",
                    where=name,
                    expected=f"3 or more for each of {self.folds} folds",
                    got=len(rated),
                )
            return split_folds(len(rated), self.folds, self.seed)
        test = np.flatnonzero(self.stimuli.test[rated])
        if min(len(test), len(rated) - len(test)) < 3:
            raise DataError(
                "too few rated clips", where=name, expected="3 or more in training and in test",
                got=f"{len(rated) - len(test)} and {len(test)}", hint="or use the protocol k-fold",
            )  # fmt: skip
        return [test]


def _permutation_p(r: Float64[np.ndarray, " t"]) -> float | None:
    """Share of columns whose correlation is at least the first's; None if there is no other."""
    return float((r >= r[0] - 1e-12).mean()) if len(r) > 1 else None


def _scores(
    draws: tuple[list[Any], list[Any]],
    without: tuple[list[Any], list[Any]],
    p: list[float | None],
    n: int,
) -> list[ProbeScore]:
    """From draws, and scores without each clip, of r and R² of each model; the first draw is the data as they are."""
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
