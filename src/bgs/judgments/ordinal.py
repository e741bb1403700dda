"""Ordinal embedding: stimuli as points, estimated only from people's choices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bgs._errors import ConfigError, DataError, listed
from bgs._rng import generator
from bgs._typing import Float64, Int
from bgs.embeddings import Embeddings
from bgs.judgments.choice_model import Answers, choice_loss
from bgs.judgments.ordinal_fit import (
    classical_scaling,
    differences,
    fit_points,
    principal_axes,
    soft_lengths,
)
from bgs.judgments.ordinal_validation import HeldOut, choose_dimensions, cross_validate
from bgs.judgments.trials import Trials

#: Candidate numbers of dimensions and precisions of the prior.
DIMENSIONS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
PENALTIES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class OrdinalEmbedding:
    """m stimuli as points whose Euclidean distances, in log odds, explain people's choices.

    Attributes:
        values: (m, d) centred points; axes are uncorrelated, in order of decreasing variance.
        stimulus_ids: m ids.
        positions: (m,) positions in the stimulus set, ascending: the stimuli shown in at least one judgment.
        n_stimuli: size of the stimulus set.
        penalty: precision of the normal prior of every coordinate.
        log_likelihood: mean log probability of the fitted answers.
        held_out: number of dimensions -> prediction of held-out answers; empty if dimensions and penalty were given.
        provenance: lapse, seed, folds, starts and numbers of judgments and triplets.
    """

    values: Float64[np.ndarray, "m d"]
    stimulus_ids: tuple[str, ...]
    positions: Int[np.ndarray, " m"]
    n_stimuli: int
    penalty: float
    log_likelihood: float
    held_out: dict[int, HeldOut]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def dimensions(self) -> int:
        """Number of dimensions."""
        return int(self.values.shape[1])

    def rdm(self) -> Float64[np.ndarray, "n n"]:
        """(n_stimuli, n_stimuli) Euclidean distances in log odds; NaN for stimuli that no judgment shows.

        A pair whose distance is greater by 1 than that of another pair of the trial is kept 1/e times as often.
        """
        from scipy.spatial.distance import pdist, squareform

        rdm = np.full((self.n_stimuli, self.n_stimuli), np.nan)
        rdm[np.ix_(self.positions, self.positions)] = squareform(pdist(self.values))
        np.fill_diagonal(rdm, 0.0)
        return rdm

    def embeddings(self) -> Embeddings:
        """The points as embeddings of the stimuli shown in at least one judgment.

        Compare them with ``distance="euclidean"``: angles between points are not related to choices.
        """
        details = {"distance": "euclidean", "penalty": str(self.penalty)}
        return Embeddings(self.values, self.stimulus_ids, f"ordinal:{self.dimensions}", details)

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "dimensions": self.dimensions,
            "penalty": self.penalty,
            "log_likelihood": self.log_likelihood,
            "held_out": {
                str(d): {
                    "penalty": score.penalty,
                    "log_likelihood": score.log_likelihood,
                    "accuracy": score.accuracy,
                    "log_likelihoods": list(score.log_likelihoods),
                    "accuracies": list(score.accuracies),
                }
                for d, score in self.held_out.items()
            },
            "stimulus_ids": list(self.stimulus_ids),
            "values": self.values.tolist(),
            "provenance": self.provenance,
        }


def ordinal_embedding(
    trials: Trials,
    stimulus_ids: Sequence[str] | None = None,
    *,
    dimensions: int | None = None,
    penalty: float | None = None,
    lapse: float = 0.0,
    folds: int = 5,
    starts: int = 5,
    seed: int = 0,
) -> OrdinalEmbedding:
    """Maximum a posteriori points given people's choices, with a normal prior.

    Of three stimuli, the pair at Euclidean distance d is kept together with probability (1 − lapse) softmax(−d) +
    lapse / 3; the temperature is absorbed into the distances. Points minimise −log likelihood + penalty / 2 Σ x², by L-BFGS
    from classical scaling of :func:`bgs.judgments.choice_model_rdm` and from random points. Settings that are None
    are chosen by the likelihood of answers to held-out triplets: the penalty that maximises it, and
    the fewest dimensions within one standard error of the best.

    Args:
        trials: trials; attention checks, degenerate trials and stimuli that no judgment shows are ignored.
        stimulus_ids: n_stimuli ids; None uses positions as ids.
        dimensions: number of dimensions, from 1; None chooses among :data:`DIMENSIONS`.
        penalty: precision of the prior, above 0; None chooses among :data:`PENALTIES`.
        lapse: probability that an answer is a guess, in [0, 1).
        folds: folds of triplets, ≥ 2.
        starts: number of starts: the first from classical scaling, the others random; the most likely fit is kept.
        seed: seed of folds and random starts.

    Raises:
        ConfigError: a setting is out of range.
        DataError: no trial is a similarity judgment, ids and stimuli differ in number, there are fewer triplets than folds, or
            sets of stimuli are not linked by any trial, so that the distance between them is undetermined.
    """
    ids = stimulus_ids if stimulus_ids is not None else [str(i) for i in range(trials.n_stimuli)]
    _check(trials, ids, penalty, lapse, folds, starts)
    positions, answers = _local_answers(trials)
    shown = tuple(ids[i] for i in positions)
    _refuse_unlinked(answers, shown)
    m = len(positions)
    if dimensions is not None and not 1 <= dimensions < m:
        raise ConfigError("out of range", where="dimensions", expected=f"1 to {m - 1}", got=dimensions)
    candidates = [d for d in DIMENSIONS if d < m] if dimensions is None else [dimensions]
    penalties = PENALTIES if penalty is None else (penalty,)
    held_out = _held_out(answers, m, candidates, penalties, lapse, folds, seed)
    d = choose_dimensions(held_out) if held_out else candidates[0]
    strength = held_out[d].penalty if held_out else penalties[0]
    begin = _starts(classical_scaling(answers, m, d, lapse), starts, seed)
    values = principal_axes(fit_points(begin, answers, strength, lapse))
    return OrdinalEmbedding(
        values=values,
        stimulus_ids=shown,
        positions=positions,
        n_stimuli=trials.n_stimuli,
        penalty=strength,
        log_likelihood=_mean_log_likelihood(values, answers, lapse),
        held_out=held_out,
        provenance={
            "lapse": lapse, "seed": seed, "folds": folds, "starts": starts,
            "n_judgments": int(answers.kept.sum()), "n_triplets": len(answers.kept),
        },
    )  # fmt: skip


def _check(
    trials: Trials,
    stimulus_ids: Sequence[str],
    penalty: float | None,
    lapse: float,
    folds: int,
    starts: int,
) -> None:
    if len(stimulus_ids) != trials.n_stimuli:
        raise DataError(
            "stimulus ids and trials do not match", expected=f"{trials.n_stimuli} ids", got=len(stimulus_ids)
        )
    if penalty is not None and not (penalty > 0 and math.isfinite(penalty)):
        raise ConfigError("out of range", where="penalty", expected="a finite number above 0", got=penalty)
    if not 0 <= lapse < 1:
        raise ConfigError("out of range", where="lapse", expected="0 to below 1", got=lapse)
    if folds < 2:
        raise ConfigError("out of range", where="folds", expected="at least 2", got=folds)
    if starts < 1:
        raise ConfigError("out of range", where="starts", expected="at least 1", got=starts)


def _local_answers(trials: Trials) -> tuple[Int[np.ndarray, " m"], Answers]:
    """Positions of the stimuli shown in at least one judgment, and the answers in local indices."""
    judgments = trials.judgments
    positions, local = np.unique(judgments.stimuli, return_inverse=True)
    shape = judgments.stimuli.shape
    answers = Answers.from_trials(replace(judgments, stimuli=local.reshape(shape), n_stimuli=len(positions)))
    return positions, answers


def _refuse_unlinked(answers: Answers, shown: Sequence[str]) -> None:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    m = len(shown)
    pairs = csr_array((np.ones(len(answers.cells)), np.divmod(answers.cells, m)), shape=(m, m))
    sets, label = connected_components(pairs, directed=False)
    if sets > 1:
        apart = [name for name, of in zip(shown, label.tolist(), strict=True) if of != label[0]]
        raise DataError(
            f"no trial links {len(apart)} of {m} stimuli with the others: {listed(apart)}",
            expected="stimuli linked by trials", hint="embed each set separately, e.g. the training stimuli",
        )  # fmt: skip


def _held_out(
    answers: Answers,
    m: int,
    dimensions: Sequence[int],
    penalties: Sequence[float],
    lapse: float,
    folds: int,
    seed: int,
) -> dict[int, HeldOut]:
    """See :func:`cross_validate`; empty if there is nothing to choose.

    Raises:
        DataError: fewer triplets than folds.
    """
    if len(dimensions) == 1 and len(penalties) == 1:
        return {}
    if len(answers.kept) < folds:
        raise DataError(
            "too few triplets to cross-validate", expected=f"at least {folds}", got=len(answers.kept),
            hint="give dimensions and penalty",
        )  # fmt: skip
    return cross_validate(answers, m, dimensions, penalties, lapse, folds, seed)


def _starts(
    scaled: Float64[np.ndarray, "m d"], starts: int, seed: int
) -> Iterator[Float64[np.ndarray, "m d"]]:
    yield scaled
    for start in range(1, starts):
        yield generator(seed, "ordinal", "start", start).normal(size=scaled.shape)


def _mean_log_likelihood(values: Float64[np.ndarray, "m d"], answers: Answers, lapse: float) -> float:
    distance = soft_lengths(differences(answers, len(values)) @ values)
    return -choice_loss(distance, answers, lapse)[0] / int(answers.kept.sum())
