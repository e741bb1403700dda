"""Simulated judgments with known geometry on a given trial design, for validating statistics.

Participants, triplets, blocks and split are those of the table; only clips, people and answers are simulated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.judgments import Trials
from bgs.judgments.trials import KEPT_PAIR


@dataclass(frozen=True)
class JudgingWorld:
    """Distribution of clips, individual differences and choice rule.

    A clip is a normal vector, or the centre of one of ``clusters`` fixed clusters and half a normal vector. A person
    weights dimensions by exp(spread · normal). A pair's distance is the cosine distance of the weighted vectors, and the
    pair at distance d is kept with probability (1 − lapse) softmax(−d / temperature) + lapse / 3.

    Attributes:
        dimensions: number of dimensions.
        clusters: number of clusters; 0: none.
        temperature: noise of choices, in units of cosine distance.
        spread: SD of log weights over people.
        lapse: proportion of guesses.
    """

    dimensions: int
    clusters: int
    temperature: float
    spread: float
    lapse: float

    def draw_clips(self, seed: int, n: int) -> Float64[np.ndarray, "n d"]:
        """(n, d) clips; cluster centres are the same for every seed."""
        rng = generator(seed, "world clips")
        clips: Float64[np.ndarray, "n d"] = rng.normal(size=(n, self.dimensions))
        if not self.clusters:
            return clips
        centres = generator(0, "world centres").normal(size=(self.clusters, self.dimensions))
        return centres[rng.integers(self.clusters, size=n)] + 0.5 * clips

    def draw_people(self, seed: int, n: int) -> Float64[np.ndarray, "n d"]:
        """(n, d) weights of the dimensions."""
        log_weights = self.spread * generator(seed, "world people").normal(size=(n, self.dimensions))
        weights: Float64[np.ndarray, "n d"] = np.exp(log_weights)
        return weights

    def distances(
        self, clips: Float64[np.ndarray, "m d"], weights: Float64[np.ndarray, " d"]
    ) -> Float64[np.ndarray, "m m"]:
        """(m, m) cosine distances for one person."""
        seen = clips * weights
        seen = seen / np.linalg.norm(seen, axis=1, keepdims=True)
        distances: Float64[np.ndarray, "m m"] = 1.0 - seen @ seen.T
        return distances

    def judge(self, design: Trials, clips: Float64[np.ndarray, "m d"], seed: int) -> Trials:
        """Answers of new people to the design's trials; attention checks are passed.

        Args:
            design: participants, blocks and stimuli shown.
            clips: (n_stimuli, d) from :meth:`draw_clips`.
            seed: seed of people and answers.
        """
        who = design.participant_codes
        people = self.draw_people(seed, int(who.max()) + 1)
        seen = clips[design.stimuli] * people[who][:, None]  # (n, 3, d)
        seen /= np.linalg.norm(seen, axis=2, keepdims=True)
        first, second = np.array(KEPT_PAIR).T
        likeness = (seen[:, first] * seen[:, second]).sum(axis=2) / self.temperature
        rng = generator(seed, "world choices")
        odd = (likeness + rng.gumbel(size=likeness.shape)).argmax(axis=1)
        guess = rng.random(len(odd)) < self.lapse
        return replace(design, odd=np.where(guess, rng.integers(3, size=len(odd)), odd))

    def expected_shares(
        self,
        clips: Float64[np.ndarray, "m d"],
        first: Int[np.ndarray, " p"],
        second: Int[np.ndarray, " p"],
        *,
        people: int = 256,
        contexts: int = 8,
        seed: int = 0,
    ) -> Float[np.ndarray, " p"]:
        """(p,) probability that each pair is kept, mean over new people and third clips: the best fixed prediction.

        Args:
            clips: all clips that can be the third.
            first, second: (p,) pairs.
            people: number of people drawn, the same for every pair.
            contexts: third clips drawn per person, the same for every pair.
            seed: seed of both.
        """
        rng, total = generator(seed, "world contexts"), np.zeros(len(first))
        count = np.zeros(len(first))
        for weights in self.draw_people(seed + 1_000_003, people):
            close = np.exp(-self.distances(clips, weights) / self.temperature)
            third = rng.choice(len(clips), size=min(contexts, len(clips)), replace=False)
            pair, with_third = close[first, second][:, None], close[:, third]
            kept = pair / (pair + with_third[first] + with_third[second])
            usable = (third != first[:, None]) & (third != second[:, None])
            total += np.einsum("pt,pt->p", kept, usable)
            count += usable.sum(axis=1)
        shares: Float[np.ndarray, " p"] = (1.0 - self.lapse) * total / count + self.lapse / 3.0
        return shares


#: The reference world of docs/statistics.md.
WORLDS: dict[str, JudgingWorld] = {
    "matched": JudgingWorld(dimensions=8, clusters=0, temperature=0.2, spread=0.4, lapse=0.1),
    "clustered": JudgingWorld(dimensions=5, clusters=8, temperature=0.35, spread=0.4, lapse=0.1),
    "individual": JudgingWorld(dimensions=5, clusters=8, temperature=0.25, spread=1.0, lapse=0.05),
}
