"""Label decoding: which of a few labels has a clip, by a classifier that never saw it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bgs._codec import Written
from bgs._errors import ConfigError, DataError, some
from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.clip_scores import clip_balanced_accuracy, paired_metrics
from bgs.evaluation.raters import rater_reference
from bgs.evaluation.resampling import clip_copies
from bgs.evaluation.result import Metric
from bgs.evaluation.ridge import fold_deletions, fold_deviations
from bgs.stimuli import StimulusSet

#: Up to so many clips each is left out by itself; beyond, :data:`_FOLDS` stratified folds.
MOST_LEFT_OUT = 200
_FOLDS = 10
_UNIT = "balanced accuracy"

#: A share of training clips below this is none, but for rounding.
_NONE = 1e-9


@dataclass(frozen=True)
class Decoding(Written):
    """How well a label can be read off.

    Attributes:
        label: column decoded.
        classes: its k labels, sorted.
        metrics: "embeddings", and "against" if there are others: balanced accuracy with its p; "chance": its mean
            and 95 % range when labels are shuffled; references of human raters where votes are known, see
            :func:`bgs.evaluation.raters.rater_reference`.
        confusion: (k rows of k) clips of the label in the row that were given the label in the column.
        difference: the embeddings minus the others on the same resamples, or None.
        provenance: seed, folds, resamples, permutations, sources.
    """

    label: str
    classes: tuple[str, ...]
    metrics: dict[str, Metric]
    confusion: tuple[tuple[int, ...], ...]
    difference: Metric | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


def decode(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    label: str,
    *,
    against: Embeddings | None = None,
    folds: int | None = None,
    raters: str | None = None,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
) -> Decoding:
    """Balanced accuracy of a label column, every clip classified by a model that never saw it.

    Ridge regression of the labels' indicators, with the penalty that all classes share chosen within the training clips; the
    label taken has the largest estimated probability over its training share, which is Bayes' rule for
    balanced accuracy. Without that division, leaving a clip out would make its own label rarer and push accuracy below
    chance. Ties (embeddings that are all the same) go to the first label. p and chance shuffle the labels and fit
    everything anew; in stratified folds labels are shuffled within folds, which keeps them stratified.

    Args:
        embeddings: one vector a stimulus, aligned by id.
        stimuli: with the label column; clips without a label ("") are left out.
        label: the column.
        against: other embeddings, compared clip by clip.
        folds: number of stratified folds; None: each clip by itself, or 10 folds of more than :data:`MOST_LEFT_OUT`.
        raters: rating column of how many raters a clip had, where ratings named after the labels hold the share
            (or count) that chose each; adds the references of human raters.
        resamples: of clips; the interval is widened for other training clips
            (:func:`bgs.evaluation.resampling.refitted_spread`).
        permutations: 0: no p, and no chance level.
        seed: of folds, resamples and permutations.

    Raises:
        DataError: no such column, fewer than two labels, a label of fewer than two clips, a stimulus without embedding.
        ConfigError: an impossible number of folds.
    """
    labelled, codes, classes = _codes(stimuli, label)
    parts = _folds(codes, folds, seed)
    shuffled = _shuffled(codes, parts, permutations, seed)
    copies = np.concatenate([np.ones((1, len(codes))), clip_copies(len(codes), resamples, seed)])
    models = [model for model in (embeddings, against) if model is not None]
    draws, nulls, given, without = [], [], [], []
    for model in models:
        features = model.select([stimuli.ids[i] for i in labelled]).values.astype(np.float64)
        guesses = _classify(features, np.concatenate([codes[None], shuffled]), parts, len(classes))
        draws.append(clip_balanced_accuracy(guesses[0] == codes, codes, copies))
        nulls.append(np.array([_accuracy(g == c, c) for g, c in zip(guesses[1:], shuffled, strict=True)]))
        given.append(guesses[0])
        without.append(_smooth_without_each(features, codes, parts))
    values, samples = [float(d[0]) for d in draws], [d[1:] for d in draws]
    found, difference = paired_metrics(values, samples, (0.0, 1.0), len(codes), _UNIT, without)
    metrics = {
        name: replace(metric, p=_p(metric.value, null)) if permutations else metric
        for name, metric, null in zip(("embeddings", "against")[: len(models)], found, nulls, strict=True)
    }
    if permutations:
        metrics["chance"] = _chance(nulls[0], len(codes))
    if raters is not None:
        metrics |= rater_reference(stimuli, label, raters, resamples=resamples, seed=seed)
    confusion = np.bincount(codes * len(classes) + given[0], minlength=len(classes) ** 2)
    about: dict[str, Any] = {
        "seed": seed,
        "folds": len(parts),
        "resamples": resamples,
        "permutations": permutations,
    }
    about |= {"sources": [model.source for model in models]}
    rows = confusion.reshape(len(classes), -1).tolist()
    return Decoding(label, classes, metrics, tuple(map(tuple, rows)), difference, about)


def _codes(
    stimuli: StimulusSet, label: str
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"], tuple[str, ...]]:
    """Positions of the labelled clips, the number of each one's label, and the labels."""
    if label not in stimuli.labels:
        raise DataError("no such label", where=label, expected=", ".join(stimuli.labels) or "a label column")
    column = np.array(stimuli.labels[label])
    labelled = np.flatnonzero(column != "")
    classes, codes, sizes = np.unique(column[labelled], return_inverse=True, return_counts=True)
    if len(classes) < 2 or sizes.min() < 2:
        rare = [str(name) for name, size in zip(classes, sizes, strict=True) if size < 2]
        raise DataError(
            "cannot decode", where=label, expected="two labels or more, each of two clips or more",
            got=f"one clip of {some(rare)}" if rare else f"{len(classes)} label",
        )  # fmt: skip
    return labelled, codes.reshape(-1), tuple(str(name) for name in classes)


def _folds(codes: Int[np.ndarray, " m"], folds: int | None, seed: int) -> list[Int[np.ndarray, " _"]]:
    n = len(codes)
    folds = folds or (n if n <= MOST_LEFT_OUT else _FOLDS)
    if not 2 <= folds <= n:
        raise ConfigError("impossible number of folds", where="folds", expected=f"2 to {n}", got=folds)
    # Shuffled, sorted by label and dealt like cards: each fold gets its share of every label.
    order = generator(seed, "folds", "decoding").permutation(n)
    order = order[np.argsort(codes[order], kind="stable")]
    return [np.sort(order[start::folds]) for start in range(folds)]


def _shuffled(
    codes: Int[np.ndarray, " m"], folds: Sequence[Int[np.ndarray, " _"]], permutations: int, seed: int
) -> Int[np.ndarray, "r m"]:
    random = generator(seed, "permutation", "decoding")
    shuffled = np.tile(codes, (permutations, 1))
    for part in [np.arange(len(codes))] if len(folds) == len(codes) else folds:
        shuffled[:, part] = random.permuted(shuffled[:, part], axis=1)
    return shuffled


def _classify(
    features: Float64[np.ndarray, "m d"],
    codes: Int[np.ndarray, "r m"],
    folds: Sequence[Int[np.ndarray, " _"]],
    k: int,
) -> Int[np.ndarray, "r m"]:
    """The label given to each clip, for each of r labellings."""
    indicators = np.eye(k)[codes.T].reshape(len(features), -1)
    deviations, shares = fold_deviations(features, indicators, folds, together=k)
    guesses: Int[np.ndarray, "r m"] = (deviations / shares).reshape(len(features), -1, k).argmax(axis=2).T
    return guesses


def _smooth_without_each(
    features: Float64[np.ndarray, "m d"],
    codes: Int[np.ndarray, " m"],
    folds: Sequence[Int[np.ndarray, " _"]],
) -> Float64[np.ndarray, " m"]:
    """A smooth accuracy without each clip, the classifiers fitted anew.

    The jackknife is wrong for what jumps, as a hit does. So a hit is Φ(margin / h), the margin being how far the clip's
    own label leads the best other one, with the bandwidth h of a normal density (Silverman 1986, eq. 3.28).
    """
    from scipy.special import ndtr

    n, k = len(codes), int(codes.max()) + 1
    deviations, shares = fold_deletions(features, np.eye(k)[codes], folds, together=k)
    # A label of two clips may have none left to train on; it is then given to no clip (ŷ = 0).
    scores = np.divide(deviations, shares, out=np.full(shares.shape, -1.0), where=shares > _NONE)
    own = np.eye(k, dtype=bool)[codes]
    margins = scores[:, own] - np.where(own, -np.inf, scores).max(axis=2)
    width = 1.06 * float(margins.std()) * n**-0.2 or 1.0
    return clip_balanced_accuracy(ndtr(margins / width), codes, 1.0 - np.eye(n))


def _accuracy(hits: Bool[np.ndarray, " m"], codes: Int[np.ndarray, " m"]) -> float:
    return float(clip_balanced_accuracy(hits, codes, np.ones((1, len(codes))))[0])


def _p(value: float, null: Float64[np.ndarray, " r"]) -> float:
    return float((1 + (null >= value - 1e-12).sum()) / (1 + len(null)))


def _chance(null: Float64[np.ndarray, " r"], n: int) -> Metric:
    low, high = np.quantile(null, (0.025, 0.975)).tolist()
    return Metric(
        float(null.mean()), low, high, n, f"{_UNIT}, labels shuffled", {"permutations": (low, high)}
    )
