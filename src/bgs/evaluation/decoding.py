"""Label decoding: classification of held-out clips from embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass
from bgs._errors import ConfigError, DataError, listed
from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.clip_scores import clip_balanced_accuracy, paired_metrics
from bgs.evaluation.raters import rater_reference
from bgs.evaluation.resampling import clip_copies
from bgs.evaluation.result import Metric
from bgs.evaluation.ridge import fold_deletions, fold_deviations
from bgs.stimuli import StimulusSet

#: Maximum number of clips for leave-one-out; beyond, :data:`_FOLDS` stratified folds are used.
MOST_LEFT_OUT = 200
_FOLDS = 10
_UNIT = "balanced accuracy"

#: Proportions of training clips below this are rounding error of 0.
_NONE = 1e-9


@dataclass(frozen=True)
class Decoding(JsonDataclass):
    """Decoding accuracy for a label.

    Attributes:
        label: decoded column.
        classes: its k labels, sorted.
        metrics: "embeddings", and "against" with comparison embeddings: balanced accuracy with its p; "chance": its mean
            and 95 % range under permuted labels; references of human raters if votes are known, see
            :func:`bgs.evaluation.raters.rater_reference`.
        confusion: (k rows of k) number of clips with the label of the row that were classified as the column.
        difference: the embeddings minus the comparison embeddings on the same resamples, or None.
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
    """Cross-validated balanced accuracy of decoding a label column.

    Ridge regression of label indicators, with a penalty shared by all classes and chosen within the training clips; the
    predicted label has the largest ratio of estimated probability to training proportion, which is Bayes' rule for
    balanced accuracy. Without this division, leaving out a clip would make its label rarer and bias accuracy below
    chance. Ties (identical embeddings) go to the first label. For p and chance, labels are permuted and
    everything is refitted; with stratified folds, labels are permuted within folds, which keeps them stratified.

    Args:
        embeddings: one vector per stimulus, aligned by id.
        stimuli: stimuli with the label column; clips without a label ("") are ignored.
        label: name of the column.
        against: comparison embeddings, paired by clip.
        folds: number of stratified folds; None: leave-one-out, or 10 folds with more than :data:`MOST_LEFT_OUT` clips.
        raters: rating column with the number of raters per clip, if ratings named after the labels hold the proportion
            (or number) who chose each; adds the references of human raters.
        resamples: bootstrap resamples of clips; the interval is widened to account for the training clips
            (:func:`bgs.evaluation.resampling.refitted_spread`).
        permutations: number of permutations; 0: no p and no chance level.
        seed: seed of folds, resamples and permutations.

    Raises:
        DataError: unknown column, fewer than two labels, a label with fewer than two clips, or a stimulus without embedding.
        ConfigError: invalid number of folds.
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
    """Positions of the labelled clips, the index of each one's label, and the labels."""
    if label not in stimuli.labels:
        raise DataError("no such label", where=label, expected=", ".join(stimuli.labels) or "a label column")
    column = np.array(stimuli.labels[label])
    labelled = np.flatnonzero(column != "")
    classes, codes, sizes = np.unique(column[labelled], return_inverse=True, return_counts=True)
    if len(classes) < 2 or sizes.min() < 2:
        rare = [str(name) for name, size in zip(classes, sizes, strict=True) if size < 2]
        raise DataError(
            "cannot decode", where=label, expected="at least two labels with at least two clips each",
            got=f"one clip with label {listed(rare)}" if rare else f"{len(classes)} label",
        )  # fmt: skip
    return labelled, codes.reshape(-1), tuple(str(name) for name in classes)


def _folds(codes: Int[np.ndarray, " m"], folds: int | None, seed: int) -> list[Int[np.ndarray, " _"]]:
    n = len(codes)
    folds = folds or (n if n <= MOST_LEFT_OUT else _FOLDS)
    if not 2 <= folds <= n:
        raise ConfigError("invalid number of folds", where="folds", expected=f"2 to {n}", got=folds)
    # Shuffle, sort by label and assign to folds in turn, so that folds are stratified.
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
    """The predicted label of each clip, for each of r labellings."""
    indicators = np.eye(k)[codes.T].reshape(len(features), -1)
    deviations, shares = fold_deviations(features, indicators, folds, together=k)
    guesses: Int[np.ndarray, "r m"] = (deviations / shares).reshape(len(features), -1, k).argmax(axis=2).T
    return guesses


def _smooth_without_each(
    features: Float64[np.ndarray, "m d"],
    codes: Int[np.ndarray, " m"],
    folds: Sequence[Int[np.ndarray, " _"]],
) -> Float64[np.ndarray, " m"]:
    """Leave-one-clip-out values of a smoothed accuracy, with refitted classifiers.

    The jackknife is invalid for discontinuous statistics such as hits. So a hit is replaced by Φ(margin / h), where the margin is
    the lead of the true label over the best other one and h the bandwidth for a normal density (Silverman 1986, eq. 3.28).
    """
    from scipy.special import ndtr

    n, k = len(codes), int(codes.max()) + 1
    deviations, shares = fold_deletions(features, np.eye(k)[codes], folds, together=k)
    # A label with two clips may have no training clips left; it is then never predicted (ŷ = 0).
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
