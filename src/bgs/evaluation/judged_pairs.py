"""The human side of an RSA: who saw which pair how often, and who kept it together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Float64, Int
from bgs.evaluation.protocols import Protocol
from bgs.judgments.trials import KEPT_PAIR


@dataclass(frozen=True)
class JudgedPairs:
    """The p pairs of a protocol's stimuli that were shown at least once.

    A sparse participants × pairs table in two lists, so that the human RDM of any resample of participants
    is two weighted counts.

    Attributes:
        first, second: (p,) the pair, as indices into the protocol's stimuli, first < second.
        shown_pair, shown_by: (k,) one entry each time a pair was shown: which pair, to which participant.
        kept_pair, kept_by: (l,) one entry each time a pair was kept together.
        n_participants: participants are numbered 0 to this.
    """

    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    shown_pair: Int[np.ndarray, " k"]
    shown_by: Int[np.ndarray, " k"]
    kept_pair: Int[np.ndarray, " l"]
    kept_by: Int[np.ndarray, " l"]
    n_participants: int

    @classmethod
    def of(cls, protocol: Protocol) -> JudgedPairs:
        """The pairs that the protocol's judgments show."""
        size, judgments = len(protocol.positions), protocol.judgments
        slots = np.array(KEPT_PAIR)
        local = np.sort(protocol.local(judgments.stimuli)[:, slots], axis=2)  # (n, 3 slots, 2)
        evaluated = local[..., 0] >= 0
        pairs, pair = np.unique((local[..., 0] * size + local[..., 1])[evaluated], return_inverse=True)
        participant = np.broadcast_to(judgments.participant_codes[:, None], evaluated.shape)[evaluated]
        kept = (judgments.odd[:, None] == np.arange(3))[evaluated]
        # In the order of pairs, counting runs through memory instead of jumping about in it.
        order = np.argsort(pair.reshape(-1), kind="stable")
        pair, participant, kept = pair.reshape(-1)[order], participant[order], kept[order]
        return cls(
            first=pairs // size,
            second=pairs % size,
            shown_pair=pair,
            shown_by=participant,
            kept_pair=pair[kept],
            kept_by=participant[kept],
            n_participants=protocol.n_participants,
        )

    def __len__(self) -> int:
        return len(self.first)

    def dissimilarity(
        self, participants: Float64[np.ndarray, " q"] | None = None
    ) -> tuple[Float64[np.ndarray, " p"], Float64[np.ndarray, " p"]]:
        """Human dissimilarity of each pair, 1 − kept together / shown, and how often it was shown.

        Args:
            participants: (q,) how many times each participant counts; None counts everyone once.

        Returns:
            (p,) dissimilarities in 0–1, NaN where a pair was shown to nobody who counts; (p,) times shown.
        """
        shown_weight, kept_weight = (
            (None, None)
            if participants is None
            else (participants[self.shown_by], participants[self.kept_by])
        )
        shown = np.bincount(self.shown_pair, shown_weight, minlength=len(self)).astype(np.float64)
        together = np.bincount(self.kept_pair, kept_weight, minlength=len(self)).astype(np.float64)
        kept_share = np.divide(together, shown, out=np.full(len(self), np.nan), where=shown > 0)
        return 1.0 - kept_share, shown
