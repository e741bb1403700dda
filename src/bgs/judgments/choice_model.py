"""A human RDM from a choice model: dissimilarities that account for the third stimulus of each triplet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bgs._errors import BgsError, ConfigError, DataError
from bgs._typing import Bool, Float, Int
from bgs.judgments.trials import KEPT_PAIR, Trials

#: Convergence tolerance on the gradient, in trials: far below the contribution of a single trial.
_FLAT = 1e-5


def choice_model_rdm(trials: Trials, ridge: float = 1.0, lapse: float = 0.0) -> Float[np.ndarray, "n n"]:
    """Maximum-likelihood dissimilarities given people's choices (conditional logit; McFadden 1974).

    Of three stimuli, the pair at distance d is kept together with probability (1 − lapse) softmax(−d) + lapse / 3. The
    distances of the n(n−1)/2 pairs are independent parameters; they maximise log likelihood − ridge / 2 Σ (d − mean)².
    Without lapses there is a single maximum; with lapses, the result is the maximum reached from
    equal distances. :func:`bgs.judgments.human_rdm` counts how often a pair was kept, which also depends on the
    third stimuli; the choice model accounts for these.

    Units are log odds: a pair whose distance is greater by 1 than that of another pair of the trial is kept 1/e times as
    often. Choices do not determine an additive constant; the closest pair is set to 0. Pairs that no chain of trials links
    (e.g. those of train and test clips that were never shown together) are centred on the same mean.

    Args:
        trials: trials; attention checks and degenerate trials are ignored.
        ridge: precision of the normal prior that keeps the distances of rarely shown pairs finite, above 0.
        lapse: probability that an answer is a guess, in [0, 1).

    Returns:
        (n, n) floats ≥ 0; 0 on the diagonal and NaN where a pair was not shown.

    Raises:
        ConfigError: ridge or lapse is out of range.
        DataError: no trial is a similarity judgment.
    """
    if not (ridge > 0 and math.isfinite(ridge)):
        raise ConfigError("out of range", where="ridge", expected="a finite number above 0", got=ridge)
    if not 0 <= lapse < 1:
        raise ConfigError("out of range", where="lapse", expected="0 to below 1", got=lapse)
    answers = Answers.from_trials(trials)
    distance = fit_distances(answers, ridge, lapse)
    n = trials.n_stimuli
    rdm = np.full((n, n), np.nan)
    first, second = np.divmod(answers.cells, n)
    rdm[first, second] = rdm[second, first] = distance - distance.min()
    np.fill_diagonal(rdm, 0.0)
    return rdm


@dataclass(frozen=True)
class Answers:
    """Sufficient statistics of a trial table for a choice model: one row per unordered triplet.

    Attributes:
        cells: (p,) pairs that were shown, i · n + j with i < j, ascending.
        pairs: (t, 3) for each triplet i < j < k, indices 0..p−1 of the pairs kept together when i, j or k is odd.
        kept: (t, 3) number of times each of these pairs was kept together.
    """

    cells: Int[np.ndarray, " p"]
    pairs: Int[np.ndarray, "t 3"]
    kept: Int[np.ndarray, "t 3"]

    def where(self, rows: Bool[np.ndarray, " t"]) -> Answers:
        """The answers to a subset of the triplets, with the same pairs."""
        return Answers(self.cells, self.pairs[rows], self.kept[rows])

    @classmethod
    def from_trials(cls, trials: Trials) -> Answers:
        """Count the answers to every triplet.

        Raises:
            DataError: no trial is a similarity judgment.
        """
        clean, n = trials.judgments, trials.n_stimuli
        if not len(clean):
            raise DataError("no similarity judgment to fit", expected="at least one trial of three stimuli")
        order = np.argsort(clean.stimuli, axis=1)
        odd = (order == clean.odd[:, None]).argmax(axis=1)
        _, row, triplet = np.unique(clean.triplet_codes, return_index=True, return_inverse=True)
        stimuli = np.take_along_axis(clean.stimuli, order, axis=1)[row].astype(np.int64)
        kept = np.bincount(triplet * 3 + odd, minlength=3 * len(row)).reshape(-1, 3)
        shown = np.column_stack([stimuli[:, first] * n + stimuli[:, second] for first, second in KEPT_PAIR])
        cells, pairs = np.unique(shown, return_inverse=True)
        return cls(cells, pairs.reshape(-1, 3), kept)


def choice_loss(
    distance: Float[np.ndarray, " p"], answers: Answers, lapse: float
) -> tuple[float, Float[np.ndarray, " p"]]:
    """−log likelihood of the answers, given the distances of the pairs, and its (p,) gradient."""
    pairs, kept = answers.pairs.T, answers.kept.T  # summing over three rows is faster than over three columns
    utility = -distance[pairs]
    utility -= utility.max(axis=0)
    log_chance = utility - np.log(np.exp(utility).sum(axis=0))
    tried = math.log1p(-lapse) + log_chance
    log_answer = np.logaddexp(tried, math.log(lapse / 3)) if lapse else tried
    # posterior probability that an answer was not a guess
    meant = kept * np.exp(tried - log_answer)
    pull = meant - np.exp(log_chance) * meant.sum(axis=0)
    slope = np.bincount(pairs.ravel(), pull.ravel(), minlength=len(distance))
    return -float((kept * log_answer).sum()), slope


def penalised_loss(
    distance: Float[np.ndarray, " p"], answers: Answers, ridge: float, lapse: float
) -> tuple[float, Float[np.ndarray, " p"]]:
    """−log likelihood + ridge / 2 Σ d², and its (p,) gradient.

    The likelihood is invariant to adding a constant to all distances, so at the minimum their mean is 0: the ridge
    shrinks towards the mean, in each set of linked pairs.
    """
    loss, slope = choice_loss(distance, answers, lapse)
    return ridge / 2 * float(distance @ distance) + loss, slope + ridge * distance


def fit_distances(answers: Answers, ridge: float, lapse: float) -> Float[np.ndarray, " p"]:
    """(p,) distances that minimise :func:`penalised_loss`, with mean 0."""
    from scipy.optimize import minimize

    found = minimize(
        penalised_loss, np.zeros(len(answers.cells)), (answers, ridge, lapse), jac=True, method="L-BFGS-B",
        options={"gtol": _FLAT, "ftol": 0.0, "maxiter": 10_000, "maxfun": 20_000},
    )  # fmt: skip
    steepest = float(np.abs(found.jac).max())
    # With ftol 0 the optimiser also stops where rounding hides further progress, slightly above the tolerance.
    if not steepest <= 100 * _FLAT:
        raise BgsError(
            "the choice model did not converge",
            expected=f"gradient below {100 * _FLAT:g}",
            got=f"{steepest:.3g}",
        )
    distance: Float[np.ndarray, " p"] = found.x
    return distance
