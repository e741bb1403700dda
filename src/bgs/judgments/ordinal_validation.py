"""Cross-validation of the number of dimensions and the prior, by the likelihood of answers to held-out triplets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._rng import generator
from bgs._typing import Float64
from bgs.judgments.choice_model import Answers, choice_loss
from bgs.judgments.ordinal_fit import (
    NEARLY_DONE,
    classical_scaling,
    differences,
    fit_points,
    soft_lengths,
)

#: Consecutive candidates without improvement after which the search stops.
_PATIENCE = 2


@dataclass(frozen=True)
class HeldOut:
    """Prediction of answers to held-out triplets for one number of dimensions.

    Attributes:
        penalty: precision of the prior that maximises their likelihood.
        log_likelihoods: (f,) mean log probability of the answers, for each fold.
        accuracies: (f,) 3AFC accuracy, 0–1: proportion of answers that kept the closest pair, for each fold.
    """

    penalty: float
    log_likelihoods: tuple[float, ...]
    accuracies: tuple[float, ...]

    @property
    def log_likelihood(self) -> float:
        """Mean over folds, at most 0; chance is log 1/3."""
        return float(np.mean(self.log_likelihoods))

    @property
    def accuracy(self) -> float:
        """Mean over folds, 0–1; chance is 1/3."""
        return float(np.mean(self.accuracies))


def cross_validate(
    answers: Answers,
    n: int,
    dimensions: Sequence[int],
    penalties: Sequence[float],
    lapse: float,
    folds: int,
    seed: int,
) -> dict[int, HeldOut]:
    """Number of dimensions -> prediction of held-out answers with the best penalty.

    Folds are sets of triplets, so that all answers to a triplet are held out together. Dimensions increase until
    two consecutive candidates do not improve; the lowest is tried with all penalties, others with the last best one and
    its neighbours.
    """
    parts = _split(answers, folds, seed)
    starts = [classical_scaling(known, n, max(dimensions), lapse) for known, _ in parts]
    found: dict[int, HeldOut] = {}
    ladder = rungs = sorted(set(penalties))
    for d in sorted(set(dimensions)):
        tables = np.array(
            [_scores(start[:, :d], *part, rungs, lapse) for start, part in zip(starts, parts, strict=True)]
        )
        best = int(tables[:, :, 0].mean(axis=0).argmax())
        likelihoods, accuracies = (tuple(column) for column in tables[:, best].T.tolist())
        found[d] = HeldOut(rungs[best], likelihoods, accuracies)
        at = ladder.index(rungs[best])
        rungs = ladder[max(at - 1, 0) : at + 2]
        tried = [score.log_likelihood for score in found.values()]
        if len(tried) - 1 - int(np.argmax(tried)) >= _PATIENCE:
            break
    return found


def choose_dimensions(found: dict[int, HeldOut]) -> int:
    """The fewest dimensions within one standard error of the best.

    The standard error is that of the paired difference over folds (Breiman et al. 1984): folds differ more than
    dimensions do.
    """
    best = max(found, key=lambda d: found[d].log_likelihood)

    def close(d: int) -> bool:
        lost = np.subtract(found[best].log_likelihoods, found[d].log_likelihoods)
        return bool(lost.mean() <= lost.std(ddof=1) / np.sqrt(len(lost)))

    return next(d for d in sorted(found) if d == best or close(d))


def _split(answers: Answers, folds: int, seed: int) -> list[tuple[Answers, Answers]]:
    """The fitted and the held-out answers of each fold."""
    fold = generator(seed, "ordinal", "folds").permutation(len(answers.kept)) % folds
    return [(answers.where(fold != k), answers.where(fold == k)) for k in range(folds)]


def _scores(
    start: Float64[np.ndarray, "n d"],
    known: Answers,
    left_out: Answers,
    penalties: Sequence[float],
    lapse: float,
) -> list[tuple[float, float]]:
    """Mean log likelihood and 3AFC accuracy of held-out answers for each penalty; each fit starts from the previous one."""
    apart, scores, points = differences(left_out, len(start)), [], start
    for penalty in penalties:
        points = fit_points([points], known, penalty, lapse, NEARLY_DONE)
        distance = soft_lengths(apart @ points)
        n_answers = left_out.kept.sum()
        closest = distance[left_out.pairs].argmin(axis=1)[:, None]
        right = np.take_along_axis(left_out.kept, closest, axis=1).sum()
        scores.append((-choice_loss(distance, left_out, lapse)[0] / n_answers, right / n_answers))
    return scores
