"""One SIMULATED study on a schedule: what its judgments would be worth, given that the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.collection.forecast.tuning import (
    cosine_distances,
    encoder_kernel,
    spearman,
    tuned_distances,
    upper,
)
from bgs.judgments import PairCounts, Trials, human_rdm
from bgs.simulation import JudgingWorld

#: Names of what a simulated study measures, in order.
MEASURES = ("reliability", "ceiling", "held_out_ceiling", "untuned", "tuned")
_HELD_OUT = 0.2
#: Training clips below which nothing is learned: three folds of at least three.
FEWEST_CLIPS = 12


@dataclass(frozen=True)
class SimulatedStudy:
    """Clips and people drawn from a world, who judge a schedule.

    Attributes:
        clips: (n, d) clips.
        truth: (n, n) expected dissimilarities over people and third clips.
        trials: the answered schedule.
        held: (n,) held-out clips.
        seed: seed of everything above.
    """

    clips: Float64[np.ndarray, "n d"]
    truth: Float64[np.ndarray, "n n"]
    trials: Trials
    held: Bool[np.ndarray, " n"]
    seed: int

    @classmethod
    def of(
        cls, world: JudgingWorld, schedule: Trials, held: Bool[np.ndarray, " n"] | None, seed: int
    ) -> SimulatedStudy:
        """Draw clips and people and let them judge.

        Args:
            world: where they come from.
            schedule: unanswered trials.
            held: (n,) held-out clips; None draws a fifth of them.
            seed: seed.
        """
        n = schedule.n_stimuli
        clips = world.draw_clips(seed, n)
        if held is None:
            held = np.zeros(n, dtype=bool)
            held[generator(seed, "forecast", "held out").permutation(n)[: round(_HELD_OUT * n)]] = True
        return cls(clips, expected_rdm_of(world, clips), world.judge(schedule, clips, seed), held, seed)

    def measure(self, sizes: Sequence[Int[np.ndarray, " _"]]) -> Float64[np.ndarray, "s 5"]:
        """(s, 5) :data:`MEASURES` of parts of the judgments, each given by its rows; NaN where undefined.

        reliability is the squared Pearson correlation of expected with observed dissimilarities: the share of variance that
        other people and other third clips would reproduce; ceiling is their Spearman correlation, over all pairs and
        over pairs of held-out clips. untuned and tuned correlate an encoder's distances with the same held-out pairs.
        """
        held, train = np.flatnonzero(self.held), np.flatnonzero(~self.held)
        learns = len(train) >= FEWEST_CLIPS and len(held) >= 3
        kernel = encoder_kernel(self.clips, self.truth, held, self.seed) if learns else None
        return np.array([self._measured(self._part(rows), train, held, kernel) for rows in sizes])

    def _part(self, rows: Int[np.ndarray, " r"]) -> Trials:
        chosen = np.zeros(len(self.trials), dtype=bool)
        chosen[rows] = True
        return self.trials.where(chosen)

    def _measured(
        self,
        trials: Trials,
        train: Int[np.ndarray, " a"],
        held: Int[np.ndarray, " b"],
        kernel: Float64[np.ndarray, "n n"] | None,
    ) -> list[float]:
        rdm = human_rdm(PairCounts.from_trials(trials))
        true, seen = upper(self.truth), upper(rdm)
        shown = np.isfinite(seen)
        r = np.corrcoef(true[shown], seen[shown])[0, 1] if shown.sum() > 2 and np.ptp(seen[shown]) > 0 else np.nan  # fmt: skip
        of_held = upper(rdm, held)
        found = [r**2, spearman(true, seen), spearman(upper(self.truth, held), of_held)]
        if kernel is None:
            return [*found, np.nan, np.nan]
        among_train = human_rdm(PairCounts.from_trials(trials.within(~self.held)))
        tuned = tuned_distances(kernel, among_train, train, held, self.seed)
        untuned = upper(cosine_distances(kernel), held)
        return [*found, spearman(untuned, of_held), spearman(upper(tuned), of_held)]


def expected_rdm_of(
    world: JudgingWorld, clips: Float64[np.ndarray, "n d"], people: int = 128, contexts: int = 8
) -> Float64[np.ndarray, "n n"]:
    """(n, n) expected dissimilarities over people and third clips, 0 on the diagonal.

    1 − :meth:`bgs.simulation.JudgingWorld.expected_shares`, for all pairs at once, in single precision: twenty times as
    fast for 250 clips.

    Args:
        world: the world.
        clips: (n, d) clips.
        people, contexts: people drawn, and third clips for each.
    """
    n, rng = len(clips), generator(0, "world contexts")
    total, left_out = np.zeros((n, n)), np.zeros(n)
    room = np.empty((n, n), dtype=np.float32)
    for weights in world.draw_people(1_000_003, people):
        close = np.exp(-world.distances(clips, weights) / world.temperature).astype(np.float32)
        for third in rng.choice(n, size=min(contexts, n), replace=False).tolist():
            beside = close[third]
            np.add(close, beside, out=room)
            np.add(room, beside[:, None], out=room)
            np.divide(close, room, out=room)
            room[third] = room[:, third] = 0.0
            total += room
            left_out[third] += 1
    times = people * min(contexts, n) - left_out - left_out[:, None]
    rdm = 1.0 - (1.0 - world.lapse) * total / times - world.lapse / 3.0
    np.fill_diagonal(rdm, 0.0)
    return rdm


def repeat_agreement_of(world: JudgingWorld, schedule: Trials, seed: int) -> float:
    """How often two people give the same answer to a triplet of the schedule."""
    clips, asked = world.draw_clips(seed, schedule.n_stimuli), schedule.judgments
    one, other = (world.judge(asked, clips, seed + shift).odd for shift in (0, 500_009))
    return float((one == other).mean())
