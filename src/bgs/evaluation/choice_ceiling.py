"""Bounds on the best possible odd-one-out accuracy, from triplets judged more than once."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float64, Int, Shaped
from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Metric
from bgs.judgments import Trials
from bgs.judgments.duplicates import find_duplicates

_FEW_TRIPLETS = 100
_FEW_REPEATS = 10
_MOST = 0.9


def odd_one_out_ceiling(trials: Trials) -> tuple[dict[str, Metric], list[str]]:
    """Bounds on the best odd-one-out accuracy of any fixed prediction, from triplets judged more than once.

    A model always gives the same answer to a triplet, so the best it can do is to give the modal answer of the population. The
    proportion of trials with the modal answer in the *sample* (Hebart et al. 2020, Nature Human Behaviour
    4:1173) is biased upwards, more so with fewer repeats: for two random answers it is .67, for three .63.
    ``odd_one_out_ceiling_lower`` predicts each trial from the other trials of its triplet (ties share credit) and is
    biased downwards. The true ceiling lies between the two, so neither should be used alone as a divisor. Answers are
    compared by stimulus: slots differ between presentations. Intervals, ± t · SE of the ratio of two sums over triplets,
        generalise over
    triplets.

    Args:
        trials: similarity judgments.

    Returns:
        Metrics ``odd_one_out_ceiling`` and ``odd_one_out_ceiling_lower`` (1/3–1 and 0–1, n: trials of repeated
        triplets, NaN if there are none), and warnings.
    """
    answers = _answer_counts(trials)
    repeats = answers.sum(axis=1)
    hits = {
        "odd_one_out_ceiling": answers.max(axis=1, initial=0).astype(np.float64),
        "odd_one_out_ceiling_lower": _leave_one_out_hits(answers),
    }
    return {name: _share(hit, repeats) for name, hit in hits.items()}, _repeat_warnings(trials, repeats)


def _share(hits: Float64[np.ndarray, " t"], repeats: Int[np.ndarray, " t"]) -> Metric:
    """Proportion of hits among repeats, with its interval over triplets; NaN without repeats."""
    n, total, unit = len(repeats), int(repeats.sum()), "proportion of trials (chance 1/3)"
    value = float(hits.sum() / total) if total else float("nan")
    reach = float("nan")
    if n > 1:
        reach = (
            t_quantile(n - 1) * float(np.sqrt(n / (n - 1) * np.sum((hits - value * repeats) ** 2))) / total
        )
    low, high = np.clip([value - reach, value + reach], 0.0, 1.0).tolist()
    return Metric(value, low, high, total, unit, {"triplets": (low, high)})


def _repeat_warnings(trials: Trials, repeats: Int[np.ndarray, " t"]) -> list[str]:
    if not len(repeats):
        return ["odd-one-out ceiling: not available because no triplet was judged twice"]
    warnings, median = [], float(np.median(repeats))
    if len(repeats) < _FEW_TRIPLETS or median < _FEW_REPEATS:
        warnings.append(
            f"odd-one-out ceiling: {len(repeats)} repeated triplets, median {median:g} judgments each; the modal share "
            "is biased upwards with few repeats, the lower bound downwards"
        )
    if duplicates := find_duplicates(trials):
        warnings.append(
            "odd-one-out ceiling: duplicate answers count as repeats and inflate agreement "
            f"({duplicates}); drop them with --drop-duplicates"
        )
    alone = _within_one(trials, trials.participant)
    if alone > 0:
        warnings.append(
            f"odd-one-out ceiling: {alone:.0%} of the repeated triplets were repeated by only one person, which is "
            "not informative about agreement between people"
        )
    if len(np.unique(trials.block)) > 1 and _within_one(trials, trials.block) > _MOST:
        warnings.append(
            "odd-one-out ceiling: nearly all repeats of a triplet are within one block, so their context is not independent"
        )
    return warnings


def _within_one(trials: Trials, names: Shaped[np.ndarray, " n"]) -> float:
    """Proportion of repeated triplets whose judgments all have the same name (participant, block)."""
    _, triplet = np.unique(trials.triplet_codes, return_inverse=True)
    _, name = np.unique(names, return_inverse=True)
    triplet, distinct = (
        triplet.reshape(-1),
        np.unique(np.stack([triplet.reshape(-1), name.reshape(-1)]), axis=1)[0],
    )
    repeated = np.bincount(triplet) > 1
    return float((np.bincount(distinct)[repeated] == 1).mean())


def _answer_counts(trials: Trials) -> Int[np.ndarray, "t 3"]:
    """(t, 3) number of times each stimulus of a triplet judged at least twice was the odd one."""
    _, triplet = np.unique(trials.triplet_codes, return_inverse=True)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    answer = (trials.stimuli < odd).sum(axis=1)  # 0–2: its rank among the three stimuli, independent of slots
    n_triplets = int(triplet.max()) + 1 if len(triplet) else 0
    counts = np.bincount(triplet.reshape(-1) * 3 + answer, minlength=3 * n_triplets).reshape(n_triplets, 3)
    repeated: Int[np.ndarray, "t 3"] = counts[counts.sum(axis=1) > 1]
    return repeated


def _leave_one_out_hits(answers: Int[np.ndarray, "t 3"]) -> Float64[np.ndarray, " t"]:
    """(t,) expected number of trials of each triplet that are predicted by the majority of its other trials."""
    hits = np.zeros(len(answers))
    for answer in range(3):
        others = answers.copy()
        others[:, answer] -= 1  # rows without that answer get weight 0 below
        best = others == others.max(axis=1, keepdims=True)
        hits += answers[:, answer] * best[:, answer] / best.sum(axis=1)
    return hits
