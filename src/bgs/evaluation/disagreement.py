"""Triplets on which two models disagree: those repaired by tuning, and those broken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._codec import JsonDataclass
from bgs._rdm import require_rdm
from bgs._typing import Bool, Float, Float64, Int
from bgs.evaluation.rdm import pair_vector
from bgs.judgments.trials import Trials, kept_pair_distances


@dataclass(frozen=True)
class Disagreement(JsonDataclass):
    """One triplet, judged by people and by two models.

    Attributes:
        stimuli: three positions in the stimulus set, ascending.
        votes: number of people who chose each of the three as odd.
        people: slot 0–2 of the majority's odd one.
        base, tuned: slot of each model's odd one.
        certainty: ranking criterion, see :func:`disagreements`.
    """

    stimuli: tuple[int, int, int]
    votes: tuple[int, int, int]
    people: int
    base: int
    tuned: int
    certainty: float


@dataclass(frozen=True)
class Disagreements(JsonDataclass):
    """Triplets on which exactly one of two models agrees with people.

    Attributes:
        repaired: base differs from people, tuned agrees; in order of decreasing certainty.
        broken: the reverse.
        n_repaired, n_broken: their numbers before removing triplets that share a pair.
        n_triplets: number of distinct triplets without ties in people's votes and both models.
        n_people_tied: triplets excluded because people's votes are tied.
        n_models_tied: other triplets excluded because a model's nearest pair is tied, or a distance is NaN.
    """

    repaired: tuple[Disagreement, ...]
    broken: tuple[Disagreement, ...]
    n_repaired: int
    n_broken: int
    n_triplets: int
    n_people_tied: int
    n_models_tied: int


def disagreements(
    trials: Trials, base: Float[np.ndarray, "n n"], tuned: Float[np.ndarray, "n n"], most: int = 12
) -> Disagreements:
    """The triplets on which exactly one of two models chooses the same odd one as people.

    Trials with the same three stimuli are one triplet, and people's choice is that of the majority. A model chooses
    the stimulus that is not in its nearest pair; its margin is the gap between the nearest and the second
    nearest pair, in standard deviations of all its distances. Triplets are ranked by

        certainty = (smaller of the two models' margins) · (votes of the majority + 1) / (votes + 3),

    so both models must be certain. The last factor is the expected proportion of people with this choice (mean of a
    Dirichlet distribution over three choices, with a prior of one vote each): a choice made four times out of four
    counts more than one made once. Ties keep the order of the stimuli. Of triplets that share a pair of
    stimuli, only the most certain is kept.

    Args:
        trials: trials; only similarity judgments are used.
        base, tuned: (n, n) distances over the stimulus set of the trials, NaN where unknown.
        most: maximum number of each kind to keep.

    Returns:
        Both kinds, ranked, and the numbers of triplets compared and excluded as tied.
    """
    found = _Compared.of(trials, base, tuned)
    repaired = found.decided & (found.base != found.people) & (found.tuned == found.people)
    broken = found.decided & (found.base == found.people) & (found.tuned != found.people)
    return Disagreements(
        repaired=_ranked(found, repaired, most),
        broken=_ranked(found, broken, most),
        n_repaired=int(repaired.sum()),
        n_broken=int(broken.sum()),
        n_triplets=int(found.decided.sum()),
        n_people_tied=int(found.people_tied.sum()),
        n_models_tied=int((~found.people_tied & ~found.decided).sum()),
    )


def clearest_triplet(
    trials: Trials, base: Float[np.ndarray, "n n"], tuned: Float[np.ndarray, "n n"]
) -> Disagreement | None:
    """The triplet that people agree on most, among those on which two models leave out different stimuli.

    Whether either model agrees with people plays no part in the choice. Agreement is the expected share of the majority
    (see :func:`disagreements`); among equals the triplet with the largest certainty is taken, then the first. If the models
    never differ, all triplets are considered.

    Args:
        trials: judgments; others are ignored.
        base, tuned: (n, n) distances over the stimulus set of the trials, NaN where unknown.

    Returns:
        The triplet; None where there is none that people and both models decide.
    """
    found = _Compared.of(trials, base, tuned)
    differing = found.decided & (found.base != found.tuned)
    rows = np.flatnonzero(differing if differing.any() else found.decided)
    if not len(rows):
        return None
    order = np.lexsort((-found.certainty[rows], -found.share[rows]))
    return found.row(int(rows[order[0]]))


@dataclass(frozen=True)
class _Compared:
    """Each distinct triplet of u: what people and both models left out, and how surely.

    Attributes:
        shown: its stimuli, ascending.
        votes: how many people left each of them out.
        people, base, tuned: slot left out.
        people_tied: whether people's votes tie for the most.
        decided: whether people and both models decide.
        share: expected share of people who choose as the majority.
        certainty: what ranks it; NaN where a distance is unknown.
    """

    shown: Int[np.ndarray, "u 3"]
    votes: Int[np.ndarray, "u 3"]
    people: Int[np.ndarray, " u"]
    base: Int[np.ndarray, " u"]
    tuned: Int[np.ndarray, " u"]
    people_tied: Bool[np.ndarray, " u"]
    decided: Bool[np.ndarray, " u"]
    share: Float64[np.ndarray, " u"]
    certainty: Float64[np.ndarray, " u"]

    @classmethod
    def of(cls, trials: Trials, base: Float[np.ndarray, "n n"], tuned: Float[np.ndarray, "n n"]) -> _Compared:
        for name, rdm in (("base", base), ("tuned", tuned)):
            require_rdm(rdm, name)
        shown, votes = _votes(trials.judgments)
        people, people_tied = _only_best(votes.astype(np.float64))
        (base_odd, base_margin), (tuned_odd, tuned_margin) = (_choices(rdm, shown) for rdm in (base, tuned))
        margin = np.minimum(base_margin, tuned_margin)  # NaN where either is
        share = (votes.max(axis=1, initial=0) + 1) / (votes.sum(axis=1) + 3)
        decided = ~people_tied & (margin > 0)
        return cls(
            shown, votes, people, base_odd, tuned_odd, people_tied, decided, share, margin * share
        )  # fmt: skip

    def row(self, row: int) -> Disagreement:
        """One of them."""
        a, b, c = (int(position) for position in self.shown[row])
        x, y, z = (int(count) for count in self.votes[row])
        people, base, tuned = (int(column[row]) for column in (self.people, self.base, self.tuned))
        return Disagreement((a, b, c), (x, y, z), people, base, tuned, float(self.certainty[row]))


def _votes(trials: Trials) -> tuple[Int[np.ndarray, "u 3"], Int[np.ndarray, "u 3"]]:
    """Distinct triplets, stimuli ascending, and how often each of the three was the odd one."""
    _, first, triplet = np.unique(trials.triplet_codes, return_index=True, return_inverse=True)
    shown = np.sort(trials.stimuli[first], axis=1)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    slot = (shown[triplet] == odd).argmax(axis=1)
    votes = np.zeros(shown.shape, dtype=np.int64)
    np.add.at(votes, (triplet, slot), 1)
    return shown, votes


def _only_best(scores: Float64[np.ndarray, "u 3"]) -> tuple[Int[np.ndarray, " u"], Bool[np.ndarray, " u"]]:
    """Slot of the largest score, and whether it is untied."""
    best = scores.max(axis=1, keepdims=True)
    return scores.argmax(axis=1), (scores == best).sum(axis=1) > 1


def _choices(
    rdm: Float[np.ndarray, "n n"], shown: Int[np.ndarray, "u 3"]
) -> tuple[Int[np.ndarray, " u"], Float64[np.ndarray, " u"]]:
    """Slot of a model's odd one, and its margin in standard deviations: 0 if tied, NaN if unknown."""
    distances = kept_pair_distances(rdm, shown).astype(np.float64)
    nearest, second, _ = np.sort(distances, axis=1).T  # NaN last
    pairs = pair_vector(rdm)
    spread = float(np.std(pairs[np.isfinite(pairs)])) if np.isfinite(pairs).any() else 0.0
    gap = np.where(np.isnan(distances).any(axis=1), np.nan, second - nearest)
    margin = gap / spread if spread > 0 else np.zeros_like(gap)
    return np.where(np.isnan(distances), np.inf, distances).argmin(axis=1), margin


def _ranked(found: _Compared, chosen: Bool[np.ndarray, " u"], most: int) -> tuple[Disagreement, ...]:
    """The most certain of the chosen triplets, no two of which share a pair of stimuli."""
    rows = np.flatnonzero(chosen)
    used: set[tuple[int, int]] = set()
    kept: list[Disagreement] = []
    for row in rows[np.argsort(-found.certainty[rows], kind="stable")]:
        triplet = found.row(int(row))
        a, b, c = triplet.stimuli
        pairs = {(a, b), (a, c), (b, c)}
        if len(kept) == most:
            break
        if pairs & used:
            continue
        used |= pairs
        kept.append(triplet)
    return tuple(kept)
