"""Models against people, on the data as they are or on any resample of clips and participants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Float, Float64, Int
from bgs.evaluation.judged_pairs import JudgedPairs
from bgs.evaluation.odd_one_out import trial_scores
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.rsa import centred, dense_ranks, weighted_pearson, weighted_spearman
from bgs.evaluation.variance_components import Membership, membership
from bgs.judgments.trials import KEPT_PAIR

#: What a :class:`Comparison` measures, in its order.
MEASURES = ("rsa_spearman", "rsa_pearson", "odd_one_out_3afc", "odd_one_out_two_way")


@dataclass(frozen=True)
class Comparison:
    """e models and one set of human judgments, prepared so that a resample costs time linear in pairs and trials.

    Attributes:
        pairs: the judged pairs.
        shown: (p,) how often each was shown.
        dissimilarity: (p,) human dissimilarity of each, 0–1.
        dissimilarity_ranks: (p,) the same as dense ranks.
        distances: (e, p) model distance of each pair, each row centred.
        ranks: (e, p) the same as dense ranks.
        triplets: (t, 3) local stimulus indices of the complete trials.
        judge: (t,) participant of each.
        scores: (e, 2, t) three-way and two-way score of each.
        n_clips: number of stimuli evaluated.
    """

    pairs: JudgedPairs
    shown: Float64[np.ndarray, " p"]
    dissimilarity: Float64[np.ndarray, " p"]
    dissimilarity_ranks: Int[np.ndarray, " p"]
    distances: Float64[np.ndarray, "e p"]
    ranks: Int[np.ndarray, "e p"]
    triplets: Int[np.ndarray, "t 3"]
    judge: Int[np.ndarray, " t"]
    scores: Float64[np.ndarray, "e 2 t"]
    n_clips: int

    @classmethod
    def of(cls, protocol: Protocol, rdms: Float[np.ndarray, "e m m"]) -> Comparison:
        """Compare e model RDMs of the protocol's stimuli, in the protocol's order."""
        pairs, trials = JudgedPairs.of(protocol), protocol.trials
        triplets = protocol.local(trials.stimuli)
        distances = rdms[:, pairs.first, pairs.second]
        dissimilarity, shown = pairs.dissimilarity()
        return cls(
            pairs=pairs,
            shown=shown,
            dissimilarity=dissimilarity,
            dissimilarity_ranks=dense_ranks(dissimilarity),
            distances=np.stack([centred(row) for row in distances]),
            ranks=np.stack([dense_ranks(row) for row in distances]),
            triplets=triplets,
            judge=protocol.judgments.participant_codes[protocol.complete],
            scores=np.stack([trial_scores(rdm, triplets, trials.odd) for rdm in rdms]),
            n_clips=len(protocol.positions),
        )

    @cached_property
    def judged_by(self) -> dict[str, Membership]:
        """What the complete trials hang together by: their three ``clips``, their three ``pairs`` and their ``people``."""
        pairs = np.sort(self.triplets[:, np.array(KEPT_PAIR)], axis=2) @ np.array([self.n_clips, 1])
        groups = {"clips": self.triplets, "pairs": pairs, "people": self.judge[:, None]}
        return {name: membership(group) for name, group in groups.items()}

    def __call__(
        self,
        clips: Float64[np.ndarray, " m"] | None = None,
        participants: Float64[np.ndarray, " q"] | None = None,
    ) -> Float64[np.ndarray, "4 e"]:
        """:data:`MEASURES` of every model.

        Args:
            clips: (m,) how many times each clip is in the resample; None: once. Copies of one clip make no pair:
                people were not asked how similar a clip is to itself.
            participants: (q,) the same for participants.

        Returns:
            (4, e) values, NaN where undefined.
        """
        return np.concatenate([self.rsa(clips, participants), self._accuracy(clips, participants)])

    def rsa(
        self,
        clips: Float64[np.ndarray, " m"] | None = None,
        participants: Float64[np.ndarray, " q"] | None = None,
    ) -> Float64[np.ndarray, "2 e"]:
        """Spearman and Pearson of every model: pair (i, j) weighs clips[i]·clips[j], times the share of its judgments
        that the participants' resample holds."""
        weights = np.ones(len(self.pairs))
        if clips is not None:
            weights = clips[self.pairs.first] * clips[self.pairs.second]
        dissimilarity, ranks = self.dissimilarity, self.dissimilarity_ranks
        if participants is not None:
            dissimilarity, shown = self.pairs.dissimilarity(participants)
            # A pair is there as often as its judgments are, relative to the data. Counting every pair that is left
            # once would let a resample of sparse judgments vary too little: a pair seen by one person cannot
            # change, only go.
            weights = weights * (shown / self.shown)
            dissimilarity = np.where(shown > 0, dissimilarity, 0.0)  # of weight 0: any number does
            ranks = dense_ranks(dissimilarity)
        spearman = weighted_spearman(self.ranks, ranks, weights)
        return np.stack([spearman, weighted_pearson(self.distances, dissimilarity, weights)])

    def _accuracy(
        self, clips: Float64[np.ndarray, " m"] | None, participants: Float64[np.ndarray, " q"] | None
    ) -> Float64[np.ndarray, "2 e"]:
        """Both accuracies: a trial is there as often as its three clips' and its participant's copies combine."""
        weights = np.ones(len(self.triplets))
        if clips is not None:
            weights = clips[self.triplets[:, 0]] * clips[self.triplets[:, 1]] * clips[self.triplets[:, 2]]
        if participants is not None:
            weights = weights * participants[self.judge]
        total = weights.sum()
        return (self.scores @ weights).T / total if total > 0 else np.full((2, len(self.scores)), np.nan)
