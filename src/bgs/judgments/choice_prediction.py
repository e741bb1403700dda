"""How predictable each participant's choices are, from a geometry fitted to the others with participant-specific weights.

Most triplets are judged only once or twice, so direct agreement with others on the same triplet uses little of the data.
Instead, the others' choices give every clip a position (:func:`bgs.judgments.choice_model_rdm`, classical scaling), and each
participant has an individual metric M: the distance of clips with difference z is zᵀ M z. M is fitted to some of their
choices, shrunk towards the others' M, and tested on the rest. People who see the clips differently are predicted by their
own M; guesses are not predicted by any.
"""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Int
from bgs.judgments.choice_model import choice_model_rdm
from bgs.judgments.trials import KEPT_PAIR, Trials

#: Number of folds of participants, and of each participant's choices.
FOLDS, PARTS = 5, 4
#: Maximum number of dimensions; held-out likelihood selects the number.
MOST_DIMENSIONS = 8
#: Precision of the normal prior of each entry of M about the others' value, per unit SD of its effect on log odds.
PRIOR = 10.0

_STEPS = 4
_SLOTS = np.array(KEPT_PAIR)
_CHANCE = 1.0 / 3.0


def predictability(judgments: Trials) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Predictability of choices, relative to that expected of someone who sees the clips as the others do.

    Σ (p − 1/3) over a participant's choices, where p is the predicted probability, divided by the expected value of that sum if
    the participant's geometry were that of the others. Guessing gives 0 on average, whatever is predicted; guessing on
    a proportion g of trials reduces the value by at least that proportion.

    Args:
        judgments: trials of three distinct clips, by at least two participants.

    Returns:
        (q,) predictability of each participant, sorted by name, and its (q,) SD under guessing. NaN
        where the others' choices do not determine a geometry.
    """
    codes = judgments.participant_codes
    differences = _differences(judgments)
    features = _products(differences)
    dims = differences.shape[2]
    common = _scale(-(differences**2).sum(axis=2), judgments.odd) * np.eye(dims)[np.triu_indices(dims)]
    moves = np.sqrt(features.var(axis=1).mean(axis=0))
    moves = np.where(moves > 0, moves, 1.0)
    features, common = features / moves, common * moves
    predicted = np.empty((len(judgments), 3))
    for rows in _rows_of(codes):
        predicted[rows] = _individual_predictions(features[rows], judgments.odd[rows], common)
    chosen = np.take_along_axis(predicted, judgments.odd[:, None], axis=1)[:, 0]
    expected = np.bincount(codes, (_choice_probabilities(features @ common) ** 2).sum(axis=1) - _CHANCE)
    reached = np.bincount(codes, chosen - _CHANCE)
    deviation = np.sqrt(np.bincount(codes, ((predicted - _CHANCE) ** 2).mean(axis=1)))
    nothing = np.full(len(expected), np.nan)
    value, sd = (np.divide(x, expected, out=nothing.copy(), where=expected > 0) for x in (reached, deviation))
    return value, sd


def _rows_of(codes: Int[np.ndarray, " n"]) -> list[Int[np.ndarray, " m"]]:
    """The rows of each participant, in the order of the table."""
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])


def _differences(judgments: Trials) -> Float[np.ndarray, "n 3 d"]:
    """(n, 3, d) difference between the clips of the pair kept if slot 0, 1 or 2 is odd, in a space of the others."""
    codes, n = judgments.participant_codes, judgments.n_stimuli
    most = max(1, min(MOST_DIMENSIONS, n - 1))
    found = np.empty((len(judgments), 3, most))
    for fold in range(min(FOLDS, int(codes.max()) + 1)):
        own = codes % FOLDS == fold
        places = _scaling(choice_model_rdm(judgments.where(~own)), most)
        pairs = judgments.stimuli[own][:, _SLOTS]
        found[own] = places[pairs[..., 0]] - places[pairs[..., 1]]
    return found[..., : _dimensions(found, judgments.odd)]


def _scaling(rdm: Float[np.ndarray, "n n"], dims: int) -> Float[np.ndarray, "n d"]:
    """(n, d) points whose squared distances approximate the dissimilarities (Torgerson 1952); unseen pairs get the mean."""
    n = len(rdm)
    squared = np.where(np.isnan(rdm), np.nanmean(rdm[~np.eye(n, dtype=bool)]), rdm)
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    places: Float[np.ndarray, "n d"] = vectors[:, ::-1][:, :dims] * np.sqrt(
        np.maximum(values[::-1][:dims], 0)
    )
    return places


def _dimensions(differences: Float[np.ndarray, "n 3 d"], odd: Int[np.ndarray, " n"]) -> int:
    """The number of dimensions that predicts choices best."""
    utility = -(differences**2).cumsum(axis=2)
    reached = [
        np.log(
            _choice_probabilities(_scale(utility[..., k], odd) * utility[..., k])[np.arange(len(odd)), odd]
        ).sum()
        for k in range(utility.shape[2])
    ]
    return int(np.argmax(reached)) + 1


def _scale(utility: Float[np.ndarray, "n 3"], odd: Int[np.ndarray, " n"]) -> float:
    """The maximum-likelihood scale factor of a utility, at least 0."""
    factor = np.zeros(1)
    prior = 1e-6 * max(
        1.0, float((utility**2).sum())
    )  # keeps the factor finite for choices without any pattern
    return max(0.0, float(_newton(utility[..., None], odd, factor, prior)[0]))


def _individual_predictions(
    features: Float[np.ndarray, "m 3 k"], odd: Int[np.ndarray, " m"], common: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "m 3"]:
    """(m, 3) probability of each choice under weights fitted to other choices of the same participant."""
    part = np.arange(len(odd)) % PARTS
    found = np.empty((len(odd), 3))
    for k in range(PARTS):
        inside = part == k
        found[inside] = _choice_probabilities(
            features[inside] @ _newton(features[~inside], odd[~inside], common, PRIOR)
        )
    return found


def _newton(
    features: Float[np.ndarray, "m 3 k"],
    odd: Int[np.ndarray, " m"],
    centre: Float[np.ndarray, " k"],
    prior: float,
) -> Float[np.ndarray, " k"]:
    """(k,) maximum a posteriori weights of a conditional logit, with a normal prior about ``centre``."""
    weights, rows = centre.copy(), features.reshape(-1, features.shape[2])
    chosen = np.take_along_axis(features, odd[:, None, None], axis=1)[:, 0].sum(axis=0)
    precision = prior * np.eye(len(weights))
    for _ in range(_STEPS):
        weighted = _choice_probabilities(features @ weights)[..., None] * features
        mean = weighted[:, 0] + weighted[:, 1] + weighted[:, 2]
        curvature = rows.T @ weighted.reshape(rows.shape) - mean.T @ mean + precision
        slope = chosen - mean.sum(axis=0) - prior * (weights - centre)
        weights = weights + np.linalg.solve(curvature, slope)
    return weights


def _products(differences: Float[np.ndarray, "n 3 d"]) -> Float[np.ndarray, "n 3 k"]:
    """(n, 3, d (d + 1) / 2) −z_a z_b for all a ≤ b: a utility quadratic in z is a weighted sum of these."""
    first, second = np.triu_indices(differences.shape[2])
    products: Float[np.ndarray, "n 3 k"] = -differences[..., first] * differences[..., second]
    return products


def _choice_probabilities(utility: Float[np.ndarray, "m 3"]) -> Float[np.ndarray, "m 3"]:
    """(m, 3) softmax."""
    weight = np.exp(utility - utility.max(axis=1, keepdims=True))
    chances: Float[np.ndarray, "m 3"] = weight / weight.sum(axis=1, keepdims=True)
    return chances
