"""Noise ceilings: how well could any model do, given how far people agree?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.evaluation.judged_pairs import JudgedPairs
from bgs.evaluation.resampling import multiplicities, percentile_interval
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.rsa import dense_ranks, mid_ranks, weighted_spearman
from bgs.judgments import Trials

_SPLITS_A_RESAMPLE = 10
_FEW_PAIRS = 0.5
_FEW_TRIPLETS = 100
_FEW_REPEATS = 10


@dataclass(frozen=True)
class _Half:
    """One split of the participants: pairs that both halves saw, and their dissimilarity ranks in either."""

    seen: Int[np.ndarray, " s"]
    ranks: Int[np.ndarray, "2 s"]


def rsa_ceiling(
    pairs: JudgedPairs, n_clips: int, *, splits: int = 200, resamples: int = 2000, seed: int = 0
) -> tuple[dict[str, Metric], list[str]]:
    """Reliability of the human RDM and the largest correlation that a perfect model can expect with it.

    Participants are halved at random, either half gives an RDM, and r is the Spearman correlation of the two over the
    pairs that both saw, averaged over splits. The full sample has reliability ρ = 2r / (1 + r) (Spearman 1910;
    Brown 1910), and a model that is the truth itself correlates √ρ with it (classical test theory).

    Pairs that only one half saw cannot enter, so ρ speaks about the pairs shown more often: where these are few,
    it is a high estimate for the whole RDM.

    Args:
        pairs: the judged pairs.
        n_clips: number of stimuli they join.
        splits: random halvings for the value.
        resamples: resamples of clips, with ten of the splits each, for the interval.
        seed: everything random depends on it.

    Returns:
        Metrics ``rsa_reliability`` (≤ 1; negative where halves disagree), ``rsa_ceiling`` and
        ``rsa_ceiling_squared`` (0–1), and warnings. NaN for fewer than two participants.
    """
    halves = [_halve(pairs, seed, split) for split in range(splits)] if pairs.n_participants > 1 else []
    n = round(float(np.mean([len(half.seen) for half in halves]))) if halves else 0
    r = _split_half(pairs, halves, None)
    draws = _split_half_draws(pairs, halves, n_clips, resamples, seed)
    low, high = percentile_interval(draws, r, (-1.0, 1.0))
    reliability = _metric([_spearman_brown(x) for x in (r, low, high)], n, "reliability", "clips")
    squared = [
        max(x, 0.0) if np.isfinite(x) else x for x in (reliability.value, reliability.low, reliability.high)
    ]
    metrics = {
        "rsa_reliability": reliability,
        "rsa_ceiling": _metric(np.sqrt(squared).tolist(), n, "Spearman rho", "clips"),
        "rsa_ceiling_squared": _metric(squared, n, "rho squared", "clips"),
    }
    few = n < _FEW_PAIRS * len(pairs)
    warning = f"RSA ceiling: on average both halves of the participants saw {n} of {len(pairs)} pairs, so it is rough"
    return metrics, [warning] if few else []


def _halve(pairs: JudgedPairs, seed: int, split: int) -> _Half:
    order = generator(seed, "split half", split).permutation(pairs.n_participants)
    half = np.zeros(pairs.n_participants)
    half[order[: len(order) // 2]] = 1.0
    (first, shown_first), (second, shown_second) = pairs.dissimilarity(half), pairs.dissimilarity(1.0 - half)
    seen = np.flatnonzero((shown_first > 0) & (shown_second > 0))
    return _Half(seen, np.stack([dense_ranks(first[seen]), dense_ranks(second[seen])]))


def _split_half(pairs: JudgedPairs, halves: list[_Half], clips: Float64[np.ndarray, " m"] | None) -> float:
    """Mean correlation of halves; NaN if none is defined."""
    weights = np.ones(len(pairs)) if clips is None else clips[pairs.first] * clips[pairs.second]
    r = [weighted_spearman(half.ranks[:1], half.ranks[1], weights[half.seen])[0] for half in halves]
    defined = [x for x in r if np.isfinite(x)]
    return float(np.mean(defined)) if defined else float("nan")


def _split_half_draws(
    pairs: JudgedPairs, halves: list[_Half], n_clips: int, resamples: int, seed: int
) -> Float64[np.ndarray, " r"]:
    rng = generator(seed, "bootstrap", "rsa ceiling")
    if not halves or n_clips < 2:
        return np.full(resamples, np.nan)
    draws = np.empty(resamples)
    for resample in range(resamples):
        some = rng.choice(len(halves), size=min(_SPLITS_A_RESAMPLE, len(halves)), replace=False)
        draws[resample] = _split_half(pairs, [halves[i] for i in some], multiplicities(rng, n_clips))
    return draws


def _spearman_brown(r: float) -> float:
    """Reliability of the whole from the correlation of its halves; NaN for halves that are opposites."""
    return 2 * r / (1 + r) if r > -1 else float("nan")


def odd_one_out_ceiling(
    trials: Trials, *, resamples: int = 2000, seed: int = 0
) -> tuple[dict[str, Metric], list[str]]:
    """Best odd-one-out accuracy of any fixed prediction, from triplets that were judged more than once.

    A model answers a triplet always alike, so it can at best give the answer most people gave: the share of trials
    with the modal answer (Hebart et al. 2020, Nature Human Behaviour 4:1173). With few repeats the mode fits noise and
    the share is optimistic; ``odd_one_out_ceiling_lower`` predicts each trial from the other trials of its triplet
    (ties share credit) and is pessimistic. Answers are compared by stimulus: slots differ between presentations.

    Args:
        trials: similarity judgments.
        resamples: resamples of triplets for the interval.
        seed: the resamples depend on it.

    Returns:
        Metrics ``odd_one_out_ceiling`` and ``odd_one_out_ceiling_lower`` (1/3–1 and 0–1, n: trials of repeated
        triplets, NaN if there are none), and warnings.
    """
    answers = _answer_counts(trials)
    repeats = answers.sum(axis=1)
    hits = np.stack([answers.max(axis=1), _leave_one_out_hits(answers), repeats]).astype(np.float64)  # (3, t)
    rng, n_triplets = generator(seed, "bootstrap", "odd-one-out ceiling"), len(answers)
    draws = np.full((resamples, 2), np.nan)
    if n_triplets > 1:
        for resample in range(resamples):
            upper, lower, total = hits @ multiplicities(rng, n_triplets)
            draws[resample] = upper / total, lower / total
    metrics = {}
    for row, name in enumerate(("odd_one_out_ceiling", "odd_one_out_ceiling_lower")):
        value = float(hits[row].sum() / repeats.sum()) if n_triplets else float("nan")
        interval = percentile_interval(draws[:, row], value, (0.0, 1.0))
        unit = "proportion of trials (chance 1/3)"
        metrics[name] = _metric([value, *interval], int(repeats.sum()), unit, "triplets")
    return metrics, _repeat_warnings(repeats)


def _repeat_warnings(repeats: Int[np.ndarray, " t"]) -> list[str]:
    if not len(repeats):
        return ["odd-one-out ceiling: no triplet was judged twice, so there is none"]
    median = float(np.median(repeats))
    if len(repeats) >= _FEW_TRIPLETS and median >= _FEW_REPEATS:
        return []
    return [
        f"odd-one-out ceiling: {len(repeats)} repeated triplets, median {median:g} judgments each; the modal share is "
        "optimistic with few repeats, the lower figure pessimistic"
    ]


def _answer_counts(trials: Trials) -> Int[np.ndarray, "t 3"]:
    """(t, 3) how often each stimulus of a triplet judged at least twice was the odd one."""
    _, triplet = np.unique(trials.triplet_codes, return_inverse=True)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    answer = (trials.stimuli < odd).sum(axis=1)  # 0–2: its place among the three, whatever the slots
    n_triplets = int(triplet.max()) + 1 if len(triplet) else 0
    counts = np.bincount(triplet.reshape(-1) * 3 + answer, minlength=3 * n_triplets).reshape(n_triplets, 3)
    repeated: Int[np.ndarray, "t 3"] = counts[counts.sum(axis=1) > 1]
    return repeated


def _leave_one_out_hits(answers: Int[np.ndarray, "t 3"]) -> Float64[np.ndarray, " t"]:
    """(t,) expected number of trials of each triplet that the majority of its other trials predicts."""
    hits = np.zeros(len(answers))
    for answer in range(3):
        others = answers.copy()
        others[:, answer] -= 1  # rows without that answer get weight 0 below
        best = others == others.max(axis=1, keepdims=True)
        hits += answers[:, answer] * best[:, answer] / best.sum(axis=1)
    return hits


def leave_one_out_ceiling(rdms: Float[np.ndarray, "p n n"], method: str = "spearman") -> tuple[float, float]:
    """Ceiling bounds from complete RDMs of p participants (Nili et al. 2014, PLoS Computational Biology 10:e1003553).

    Upper: mean correlation of each participant's RDM with the mean of all, themselves included. Lower: with the mean
    of the others. RDMs are ranked ("spearman") or standardised ("corr") before averaging, as in rsatoolbox.

    Args:
        rdms: (p, n, n), p ≥ 2, without NaN.
        method: "spearman" or "corr".

    Returns:
        Lower and upper bound, −1 to 1.

    Raises:
        ConfigError: another method.
        DataError: fewer than two participants, a NaN, or an RDM that is constant.
    """
    if method not in ("spearman", "corr"):
        raise ConfigError("unknown method", expected="spearman or corr", got=method)
    if len(rdms) < 2:
        raise DataError(
            "a leave-one-out ceiling needs others", expected="two or more participants", got=len(rdms)
        )
    if np.isnan(rdms).any():
        raise DataError("a leave-one-out ceiling needs complete RDMs", expected="no NaN")
    first, second = np.triu_indices(rdms.shape[1], 1)
    vectors = rdms[:, first, second].astype(np.float64)
    # What is pooled: ranks as they are (with ties their spread differs between participants), or standard scores.
    pooled = np.stack([mid_ranks(row) if method == "spearman" else _standard(row) for row in vectors])
    rows, total = [_standard(row) for row in pooled], pooled.sum(axis=0)
    rank = mid_ranks if method == "spearman" else _standard
    upper = [_standard(rank(total)) @ row for row in rows]
    lower = [_standard(rank(total - own)) @ row for own, row in zip(pooled, rows, strict=True)]
    return float(np.mean(lower)), float(np.mean(upper))


def _standard(values: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Mean 0, length 1, so that a dot product is a correlation."""
    deviations = values - values.mean()
    length = np.linalg.norm(deviations)
    if length <= 1e-12 * max(1.0, float(np.abs(values).max())):
        raise DataError("a constant RDM has no correlation", expected="RDMs with differing entries")
    unit: Float64[np.ndarray, " p"] = deviations / length
    return unit


def _metric(bounds: list[float], n: int, unit: str, design: str) -> Metric:
    value, low, high = bounds
    interval: Interval = (low, high)
    return Metric(value, low, high, n, unit, {design: interval})
