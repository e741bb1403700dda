"""What a readout may be fitted on: clips that the model has not seen, beside clips that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._scale import mean_of_rows
from bgs._typing import Bool, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.rdm import model_rdm
from bgs.judgments import Trials
from bgs.judgments.trials import KEPT_PAIR, kept_pair_distances
from bgs.stimuli import StimulusSet

#: Trials that show at least this many held-out clips count; the third may be one that the model was trained on.
_HELD_IN_TRIAL = 2


@dataclass(frozen=True)
class HeldOut:
    """Clips that a model was trained on and clips that it has never seen, embedded by that model.

    Distances between clips on which an encoder was tuned are closer to people's than those of new clips will be: whatever
    turns distances into probabilities or intervals has to be fitted on clips that it has not seen.

    Attributes:
        seen: embeddings of the clips that the model was trained on.
        held: embeddings of clips that it has never seen.
        centred: whether distances are measured from the mean of the clips seen.
    """

    seen: Embeddings
    held: Embeddings
    centred: bool = True

    @property
    def center(self) -> Float64[np.ndarray, " d"] | None:
        """What is subtracted before distances are computed."""
        return mean_of_rows(self.seen.values) if self.centred else None

    @cached_property
    def _distances(self) -> Float64[np.ndarray, "m m"]:
        both = np.concatenate([self.held.values, self.seen.values])
        found: Float64[np.ndarray, "m m"] = model_rdm(both, "cosine", self.center)
        return found

    def trials(self, trials: Trials, stimuli: StimulusSet) -> HeldOutTrials:
        """Judgments that show two or three held-out clips, and otherwise clips that the model was trained on."""
        n, place = len(self.held), np.full(len(stimuli), -1)
        place[stimuli.positions(self.held.stimulus_ids)] = np.arange(n)
        place[stimuli.positions(self.seen.stimulus_ids)] = n + np.arange(len(self.seen))
        judged = trials.judgments
        at = place[judged.stimuli]
        held = (at >= 0) & (at < n)
        used = (at >= 0).all(axis=1) & (held.sum(axis=1) >= _HELD_IN_TRIAL)
        at = at[used]
        return HeldOutTrials(
            kept_pair_distances(self._distances, at), judged.odd[used], np.where(at < n, at, -1)
        )


@dataclass(frozen=True)
class HeldOutTrials:
    """Judgments about held-out clips.

    Attributes:
        distances: (t, 3) distance of the pair that is kept together when slot 0, 1 or 2 is odd.
        odd: (t,) slot of the odd one.
        clips: (t, 3) position of the clip in each slot among the held-out clips; −1: a clip that the model was trained on.
    """

    distances: Float64[np.ndarray, "t 3"]
    odd: Int[np.ndarray, " t"]
    clips: Int[np.ndarray, "t 3"]

    @property
    def held_pairs(self) -> Bool[np.ndarray, "t 3"]:
        """Whether both clips of the pair that is kept when slot 0, 1 or 2 is odd are held out."""
        first, second = np.array(KEPT_PAIR).T
        found: Bool[np.ndarray, "t 3"] = (self.clips[:, first] >= 0) & (self.clips[:, second] >= 0)
        return found

    @property
    def kept(self) -> Bool[np.ndarray, "t 3"]:
        """Whether that pair was kept together."""
        found: Bool[np.ndarray, "t 3"] = np.arange(3) == self.odd[:, None]
        return found

    @classmethod
    def all(cls, parts: Sequence[HeldOut], trials: Trials, stimuli: StimulusSet) -> HeldOutTrials:
        """:meth:`HeldOut.trials` of several parts; ``clips`` count on from part to part."""
        found = [part.trials(trials, stimuli) for part in parts]
        before = np.cumsum([0, *(len(part.held) for part in parts[:-1])])
        clips = [np.where(one.clips >= 0, one.clips + k, -1) for one, k in zip(found, before, strict=True)]
        return cls(
            np.concatenate([one.distances for one in found]),
            np.concatenate([one.odd for one in found]),
            np.concatenate(clips),
        )
