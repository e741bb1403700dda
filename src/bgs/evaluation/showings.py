"""The human data of an RSA: each showing of a pair, with participant, triplet and choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Bool, Float64, Int
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.variance_components import REST, Dependence
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
        # Pairs are few enough to be looked up in a table of all pairs, which is faster than to sort the showings.
        code = (local[..., 0] * size + local[..., 1])[inside]
        own = np.broadcast_to(protocol.own[:, None], inside.shape)[inside]
        observed = np.zeros(size * size, dtype=bool)
        observed[code[own]] = True
        of_rdm, pairs = observed[code], np.flatnonzero(observed)
        row = np.nonzero(inside)[0][of_rdm]
        return cls(
            first=pairs // size,
            second=pairs % size,
            n_clips=size,
            n_thirds=len(np.unique(judgments.stimuli)) - 2,
            pair=(np.cumsum(observed) - 1)[code[of_rdm]],
            triplet=np.unique(judgments.triplet_codes, return_inverse=True)[1][row],
            person=judgments.participant_codes[row],
            apart=(judgments.odd[:, None] != np.arange(3))[inside][of_rdm].astype(np.float64),
            own=own[of_rdm],
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
        (:class:`bgs.evaluation.variance_components.Dependence`). ``people`` is the covariance of judgments of the
        same person that share no clip (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics
        29:238), never below 0.

        Args:
            influence: (k,) influence of each showing, summing to 0: the derivative of the statistic by its weight.

        Returns:
            ``clips``, ``rest`` and ``people``, whose sum is the variance over clips, people and answers.
        """
        of_pair = np.bincount(self.pair, influence, len(self))
        # Influences sum to the deviation, which is their mean times p.
        parts = self._pairs_share.variance_of_mean(of_pair * len(self))
        return {"clips": parts["clips"], REST: parts[REST], "people": max(0.0, self._of_people(influence))}

    @cached_property
    def _pairs_share(self) -> Dependence:
        return Dependence({"clips": np.stack([self.first, self.second], axis=1)})

    def _of_people(self, influence: Float64[np.ndarray, " k"]) -> float:
        """Sum of products of two showings to one person that share no clip."""
        of_clip, of_pair = (
            np.bincount(group.ravel(), np.broadcast_to(influence, group.shape).ravel())
            for group in self._shared_by_people
        )
        of_person = np.bincount(self.person, influence)
        # The product of two pairs that share a clip is in one of the sums over clips, that of a pair with itself in two.
        return float(of_person @ of_person - (of_clip @ of_clip - of_pair @ of_pair))

    @cached_property
    def _shared_by_people(self) -> tuple[Int[np.ndarray, "2 k"], Int[np.ndarray, "1 k"]]:
        """Numbers of the person and clip of each showing, for both clips, and of the person and pair."""
        clips = np.stack([self.first[self.pair], self.second[self.pair]])
        clips += self.person * self.n_clips
        of_clip = _numbered(clips.ravel()).reshape(clips.shape)
        return of_clip, _numbered(self.person * len(self) + self.pair)[None]


def _numbered(codes: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """The inverse of ``np.unique``, with less memory on the way."""
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    np.cumsum(codes[1:] != codes[:-1], out=codes[1:])
    codes[:1] = 0
    numbers = np.empty_like(codes)
    numbers[order] = codes
    return numbers
