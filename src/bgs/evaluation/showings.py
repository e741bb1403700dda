"""The human side of an RSA: every time that a pair was shown, to whom, in which triplet, and whether it was kept."""

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
    """k showings of the p pairs of a human RDM, one row each time that a pair was shown.

    Attributes:
        first, second: (p,) the pair, as indices into the protocol's stimuli, first < second.
        n_clips: how many stimuli that are.
        n_thirds: how many third clips a pair is met with in the design.
        pair, triplet, person: (k,) which pair, in which triplet, to whom.
        apart: (k,) 1 where the pair was not kept, else 0.
        own: (k,) whether the judgment is one of those that make the RDM.
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
        """What the protocol's witnesses say about the pairs of its RDM."""
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
        """Who saw the pairs."""
        return len(np.unique(self.person))

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.first)

    @cached_property
    def shown(self) -> Int[np.ndarray, " p"]:
        """(p,) how often each pair was shown in the RDM's own judgments."""
        return np.bincount(self.pair[self.own], minlength=len(self))

    @cached_property
    def dissimilarity(self) -> Float64[np.ndarray, " p"]:
        """(p,) 1 − kept together / shown, 0–1, of the RDM's own judgments."""
        apart: Float64[np.ndarray, " p"] = np.bincount(self.pair[self.own], self.apart[self.own], len(self))
        dissimilarity: Float64[np.ndarray, " p"] = apart / self.shown
        return dissimilarity

    def variance(self, influence: Float64[np.ndarray, " k"]) -> dict[str, float]:
        """Parts of the variance of a figure, from how each showing moves it.

        Sums over pairs vary by the clips that pairs share and by the pairs themselves, judgments included
        (:func:`bgs.evaluation.variance_components.variance_of_mean`). ``people`` is what the judgments of one person have in
        common where they share no clip (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics
        29:238), never below 0.

        Args:
            influence: (k,) of each showing, of sum 0: the figure's derivative by its number of copies.

        Returns:
            ``clips``, ``rest`` and ``people``, whose sum is the variance with other clips, people and answers.
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
        # A product of two pairs that share a clip is in one of the sums over clips, that of a pair with itself in two.
        return float(of_person @ of_person - (of_clip @ of_clip - of_pair @ of_pair))


def _totals(groups: Int[np.ndarray, "*s"], values: Float64[np.ndarray, "*s"]) -> Float64[np.ndarray, " g"]:
    """(g,) sum of the values of each group."""
    _, group = np.unique(groups, return_inverse=True)
    return np.bincount(group.reshape(-1), values.reshape(-1))
