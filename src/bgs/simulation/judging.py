"""Simulated judgments of a stimulus set: an ordinary trial table and its ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._errors import ConfigError
from bgs._rng import generator
from bgs._typing import Bool, Float, Int
from bgs.judgments import Trials
from bgs.judgments.rated import softmax_choice
from bgs.judgments.tables import odd_slots
from bgs.simulation.observers import (
    ObserverSettings,
    Population,
    draw_population,
    standard_latents,
    weighted_rdm,
)
from bgs.simulation.responses import (
    attention_checks,
    choice_entropy,
    draw_odd,
    latent_distances,
    split_triplets,
)
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class SimulatedJudgments:
    """SIMULATED judgments of n clips by o observers over k latents; no person judged anything.

    Attributes:
        trials: the ordinary trial table.
        settings: settings of the observers.
        seed: random seed.
        population: the observers themselves.
        latents: (n, k) standardised rating columns that determine their judgments.
        test: (n,) test clips; all False without a split.
        n_test_trials: number of trials with only test clips; the others show none.
    """

    trials: Trials
    settings: ObserverSettings
    seed: int
    population: Population
    latents: Float[np.ndarray, "n k"]
    test: Bool[np.ndarray, " n"]
    n_test_trials: int

    @property
    def careless(self) -> tuple[str, ...]:
        """Names of the observers who answered at random."""
        return self.population.careless_names

    @cached_property
    def rdm(self) -> Float[np.ndarray, "n n"]:
        """(n, n) planted distances: those of an observer with the mean weights."""
        return weighted_rdm(self.latents, self.settings.mean_weights)

    @property
    def parts(self) -> dict[str, Bool[np.ndarray, " n"]]:
        """Clips that can be shown together: "train" and "test" with a split, otherwise "all"; only sides that have trials."""
        if not self.test.any():
            return {"all": ~self.test}
        sides = {"train": (~self.test, len(self.trials) - self.n_test_trials)}
        sides |= {"test": (self.test, self.n_test_trials)}
        return {name: clips for name, (clips, trials) in sides.items() if trials}

    def again(self, draw: int) -> Trials:
        """Another table of the same size by the same observers: new triplets, new choices.

        Args:
            draw: index of the table; the same index gives the same table.
        """
        rng = generator(self.seed, "observers", "again", draw)
        sizes = len(self.trials), self.n_test_trials
        return _judge(self.latents, self.test, self.population, self.settings, *sizes, rng)


def simulate_judgments(
    stimuli: StimulusSet,
    n_trials: int,
    settings: ObserverSettings | None = None,
    seed: int = 0,
    test_share: float | None = None,
) -> SimulatedJudgments:
    """SIMULATED odd-one-out judgments of stimuli with ratings.

    Observer o has the distance d_o(i, j) = √ Σ_k (w_ok (z_ik − z_jk))² between clips i and j, with standardised ratings
    z and weights scaled so that the mean weights have length 1. Of three clips, the pair at distance d is kept together
    with probability (1 − lapse) softmax(−d / temperature) + lapse / 3, by careless observers with 1/3. On an attention
    check, the clip shown once is chosen, unless the observer lapses or is careless and guesses. Trials alternate among observers.

    Args:
        stimuli: stimuli with the rating columns that determine judgments. With a split, each trial shows only train or only
            test clips.
        n_trials: number of trials ≥ 1, including attention checks.
        settings: settings of the observers; None uses the defaults.
        seed: random seed.
        test_share: proportion of trials with test clips, 0–1. None: the proportion of test clips, so that every clip is
            shown equally often, and pairs of test clips (fewer) more often than pairs of train clips.

    Raises:
        ConfigError: a number is out of range, or a side with trials has fewer than three clips.
        DataError: see :func:`bgs.simulation.observers.standard_latents`.
    """
    settings = settings or ObserverSettings()
    if n_trials < 1:
        raise ConfigError("invalid number of trials", where="n_trials", expected="at least 1", got=n_trials)
    test = stimuli.test
    n_test_trials = _test_trials(test, n_trials, test_share)
    latents = standard_latents(stimuli, settings.latents)
    population = draw_population(settings, seed)
    rng = generator(seed, "observers", "trials")
    trials = _judge(latents, test, population, settings, n_trials, n_test_trials, rng)
    return SimulatedJudgments(trials, settings, seed, population, latents, test, n_test_trials)


def _test_trials(test: Bool[np.ndarray, " n"], n_trials: int, share: float | None) -> int:
    """Number of trials with test clips."""
    if share is not None and not (0 <= share <= 1 and (share == 0 or test.any())):
        expected = "0 to 1" if test.any() else "none, since the stimuli have no test clips"
        raise ConfigError(
            "invalid proportion of test trials", where="test_share", expected=expected, got=share
        )
    n_test_trials = round(n_trials * (float(test.mean()) if share is None else share))
    for name, clips, trials in (("test", test, n_test_trials), ("train", ~test, n_trials - n_test_trials)):
        if trials and clips.sum() < 3:
            side = f"{name} clips" if test.any() else "clips"
            raise ConfigError(
                "too few clips for a trial", where=side, expected="at least 3", got=int(clips.sum())
            )
    return n_test_trials


def _judge(
    latents: Float[np.ndarray, "n k"],
    test: Bool[np.ndarray, " n"],
    population: Population,
    settings: ObserverSettings,
    n_trials: int,
    n_test_trials: int,
    rng: np.random.Generator,
) -> Trials:
    turn, who = np.divmod(np.arange(n_trials), len(population))
    shown = split_triplets(rng.permutation(n_trials) < n_test_trials, test, rng)
    careless = population.careless[who]
    chances = _attentive_probabilities(latents, population.weights, shown, who, settings.temperature)
    check = _checks(turn, who, settings.catch_share, rng)
    lapse = np.where(careless, 1.0, settings.lapse)
    odd = draw_odd((1.0 - lapse)[:, None] * chances + lapse[:, None] / 3.0, rng)
    shown[check], chosen = attention_checks(shown[check], 1.0 - lapse[check] * 2.0 / 3.0, rng)
    odd[check] = odd_slots(shown[check], np.take_along_axis(shown[check], chosen[:, None], axis=1)[:, 0])
    hard = np.where(check, 0.0, choice_entropy(chances))
    pace = population.pace[who]
    return Trials(
        participant=np.array(population.names)[who],
        block=np.char.add("set", (turn // settings.block_trials + 1).astype(np.str_)),
        trial=turn % settings.block_trials,
        stimuli=shown,
        odd=odd,
        rt=_response_times(hard, careless, pace, settings, rng),
        n_stimuli=len(latents),
    )


def _attentive_probabilities(
    latents: Float[np.ndarray, "n k"],
    weights: Float[np.ndarray, "o k"],
    shown: Int[np.ndarray, "t 3"],
    who: Int[np.ndarray, " t"],
    temperature: float,
) -> Float[np.ndarray, "t 3"]:
    """(t, 3) choice probabilities of an observer who neither lapses nor is careless."""
    return softmax_choice(latent_distances(latents[shown] * weights[who][:, None, :]), temperature)


def _checks(
    turn: Int[np.ndarray, " t"], who: Int[np.ndarray, " t"], share: float, rng: np.random.Generator
) -> Bool[np.ndarray, " t"]:
    """(t,) attention checks: the same proportion for every observer, on random trials."""
    trials_of = np.bincount(who)
    keys = np.full((int(turn.max()) + 1, len(trials_of)), np.inf)
    keys[turn, who] = rng.random(len(who))
    place = keys.argsort(axis=0).argsort(axis=0)[turn, who]
    chosen: Bool[np.ndarray, " t"] = place < np.round(share * trials_of)[who]
    return chosen


def _response_times(
    hard: Float[np.ndarray, " t"],
    careless: Bool[np.ndarray, " t"],
    pace: Float[np.ndarray, " t"],
    settings: ObserverSettings,
    rng: np.random.Generator,
) -> Float[np.ndarray, " t"]:
    """(t,) seconds, log-normal; attentive observers are slower if the entropy of the choice is higher."""
    attentive = np.log(settings.rt_median_s) + settings.rt_slowing * (hard - 0.5)
    middle = np.where(careless, np.log(settings.careless_rt_s), attentive)
    seconds: Float[np.ndarray, " t"] = np.exp(middle + pace + settings.rt_spread * rng.normal(size=len(hard)))
    return np.round(seconds, 3)
