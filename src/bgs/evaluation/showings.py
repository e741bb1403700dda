"""The human data of an RSA: each showing of a pair, with participant, triplet and choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Bool, Float64, Int
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.variance_components import REST, Membership, membership, variance_of_mean
from bgs.judgments.trials import KEPT_PAIR


@dataclass(frozen=True)
class Showings:
    """k showings of the p pairs of a human RDM: one row per presentation of a pair.

    Attributes:
        first, second: (p,) the pair, as indices into the protocol's stimuli, first < second.
        n_clips: number of these stimuli.
        n_thirds: number of third clips of a pair in the design.
        pair, triplet, person: (k,) pair, triplet and participant of each showing.
        apart: (k,) 1 if the pair was not kept together, else 0.
        own: (k,) whether the judgment is part of the RDM.
    """

    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    n_clips: int
    n_thirds: int
    pair: Int[np.ndarray, " k"]
    triplet: Int[np.ndarray, " k"]
    person: Int[np.ndarray, " k"]
    apart: Float64[np.ndarray, " k"]
    own: Bool[np.ndarray, " k"]

    @classmethod
    def of(cls, protocol: Protocol) -> Showings:
        """Showings of the pairs of the RDM in the protocol's witnesses."""
        size, judgments = len(protocol.positions), protocol.witnesses
        local = np.sort(protocol.local(judgments.stimuli)[:, np.array(KEPT_PAIR)], axis=2)  # (n, 3 slots, 2)
        inside = local[..., 0] >= 0
        code = local[..., 0] * size + local[..., 1]
        own = np.broadcast_to(protocol.own[:, None], inside.shape) & inside
        pairs = np.unique(code[own])
        inside &= np.isin(code, pairs)
        row = np.nonzero(inside)[0]
        _, triplet = np.unique(judgments.triplet_codes, return_inverse=True)
        return cls(
            first=pairs // size,
            second=pairs % size,
            n_clips=size,
            n_thirds=len(np.unique(judgments.stimuli)) - 2,
            pair=np.searchsorted(pairs, code[inside]),
            triplet=triplet.reshape(-1)[row],
            person=judgments.participant_codes[row],
            apart=(judgments.odd[:, None] != np.arange(3))[inside].astype(np.float64),
            own=own[inside],
        )

    @property
    def n_participants(self) -> int:
        """Number of participants who saw the pairs."""
        return len(np.unique(self.person))

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.first)

    @cached_property
    def shown(self) -> Int[np.ndarray, " p"]:
        """(p,) number of times each pair was shown in the judgments of the RDM."""
        return np.bincount(self.pair[self.own], minlength=len(self))

    @cached_property
    def dissimilarity(self) -> Float64[np.ndarray, " p"]:
        """(p,) 1 − kept together / shown, 0–1, in the judgments of the RDM."""
        apart: Float64[np.ndarray, " p"] = np.bincount(self.pair[self.own], self.apart[self.own], len(self))
        dissimilarity: Float64[np.ndarray, " p"] = apart / self.shown
        return dissimilarity

    def variance(self, influence: Float64[np.ndarray, " k"]) -> dict[str, float]:
        """Variance components of a statistic, from the influence of each showing.

        Sums over pairs vary with the clips that pairs share and with the pairs themselves, including their judgments
        (:func:`bgs.evaluation.variance_components.variance_of_mean`). ``people`` is the covariance of judgments of the
        same person that share no clip (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics
        29:238), never below 0.

        Args:
            influence: (k,) influence of each showing, summing to 0: the derivative of the statistic by its weight.

        Returns:
            ``clips``, ``rest`` and ``people``, whose sum is the variance over clips, people and answers.
        """
        of_pair = np.bincount(self.pair, influence, len(self))
        # Influences sum to the deviation, which is their mean times p.
        parts = variance_of_mean(of_pair * len(self), {"clips": self._clips})
        return {"clips": parts["clips"], REST: parts[REST], "people": max(0.0, self._of_people(influence))}

    @cached_property
    def _clips(self) -> Membership:
        return membership(np.stack([self.first, self.second], axis=1))

    def _of_people(self, influence: Float64[np.ndarray, " k"]) -> float:
        """Sum of products of two showings to one person that share no clip."""
        clips = np.stack([self.first, self.second])[:, self.pair]
        of_person = np.bincount(self.person, influence)
        of_clip = _totals(self.person * self.n_clips + clips, np.stack([influence, influence]))
        of_pair = _totals(self.person * len(self) + self.pair, influence)
        # The product of two pairs that share a clip is in one of the sums over clips, that of a pair with itself in two.
        return float(of_person @ of_person - (of_clip @ of_clip - of_pair @ of_pair))


def _totals(groups: Int[np.ndarray, "*s"], values: Float64[np.ndarray, "*s"]) -> Float64[np.ndarray, " g"]:
    """(g,) sum of the values of each group."""
    _, group = np.unique(groups, return_inverse=True)
    return np.bincount(group.reshape(-1), values.reshape(-1))
