"""A planted geometry: simulated captions, observers and judgments, as a substitute for real data."""

from __future__ import annotations

import numpy as np

from bgs._errors import ConfigError
from bgs._rng import generator
from bgs._typing import Bool, Float, Int
from bgs.judgments import Trials
from bgs.simulation.responses import attention_checks, choose_odd, split_triplets
from bgs.simulation.scenes import ACTIONS, LATENTS, PEOPLE, PLACES, TEMPLATES
from bgs.stimuli import StimulusSet

_TEST_SHARE = 0.25  # of the clips, and of the trials
_CATCH_SHARE = 0.05
_CATCH_PASS = 0.98
_JITTER = 0.1  # SD of a clip's latents around those of its action
_BLOCK = 21  # trials per block
_MEDIAN_RT_S = 4.8


def planted_dataset(
    n_clips: int = 120,
    n_trials: int = 4000,
    n_observers: int = 40,
    n_captions: int = 5,
    temperature: float = 0.4,
    seed: int = 0,
) -> tuple[StimulusSet, Trials]:
    """SIMULATED scenes and SIMULATED observers; no person judged anything.

    Every clip is a social action by some people in some place, described in several wordings. Observers judge only by
    the action's valence, dominance, intimacy and arousal: of three clips, the pair at Euclidean distance d
    in that space is kept together with probability softmax(−d / temperature). People and place are in the captions
    but irrelevant to observers. A quarter of the clips are test clips; each trial shows
    only train or only test clips. About 5 % of the trials are attention checks, 98 % passed.

    Args:
        n_clips: 16 to 2,880 (every combination of action, people and place).
        n_trials: at least 1, including attention checks.
        n_observers: at least 1; trials alternate among them.
        n_captions: captions per clip, at least 1.
        temperature: noise of the choices, above 0, in units of distance.
        seed: random seed.

    Returns:
        Stimuli (captions, split, the latents as ratings in 0–1, labels action, people and place) and trials.

    Raises:
        ConfigError: an argument is out of range.
    """
    most = len(ACTIONS) * len(PEOPLE) * len(PLACES)
    _check("n_clips", n_clips, 16, most)
    _check("n_trials", n_trials, 1)
    _check("n_observers", n_observers, 1)
    _check("n_captions", n_captions, 1)
    _check("temperature", temperature, 1e-6)
    scene = np.column_stack(
        np.unravel_index(
            generator(seed, "planted scenes").choice(most, n_clips, replace=False),
            (len(ACTIONS), len(PEOPLE), len(PLACES)),
        )
    )
    latents = scene_latents(scene[:, 0], seed)
    test = np.zeros(n_clips, dtype=bool)
    test[generator(seed, "planted split").permutation(n_clips)[: round(_TEST_SHARE * n_clips)]] = True
    stimuli = _stimuli(scene, latents, test, n_captions, seed)
    return stimuli, _trials(latents, test, n_trials, n_observers, temperature, seed)


def _check(name: str, value: int | float, low: int | float, high: int | float = float("inf")) -> None:
    if not low <= value <= high:
        raise ConfigError("out of range", where=name, expected=f"{low:g} to {high:g}", got=value)


def scene_latents(action: Int[np.ndarray, " n"], seed: int) -> Float[np.ndarray, "n 4"]:
    """(n, 4) latents in −1 to 1: those of the action plus a small deviation per clip."""
    middle = np.array([kind.latents for kind in ACTIONS])[action]
    jitter = generator(seed, "planted latents").normal(0.0, _JITTER, middle.shape)
    latents: Float[np.ndarray, "n 4"] = np.clip(middle + jitter, -1.0, 1.0)
    return latents


def _stimuli(
    scene: Int[np.ndarray, "n 3"],
    latents: Float[np.ndarray, "n 4"],
    test: Bool[np.ndarray, " n"],
    n_captions: int,
    seed: int,
) -> StimulusSet:
    rng = generator(seed, "planted captions")
    return StimulusSet(
        ids=tuple(f"scene-{i:04d}" for i in range(len(scene))),
        captions=tuple(tuple(_caption(row, rng) for _ in range(n_captions)) for row in scene.tolist()),
        split=tuple(np.where(test, "test", "train").tolist()),
        ratings={name: (1.0 + latents[:, k]) / 2.0 for k, name in enumerate(LATENTS)},
        labels={
            "action": tuple(ACTIONS[a].name for a in scene[:, 0]),
            "people": tuple(PEOPLE[p] for p in scene[:, 1]),
            "place": tuple(PLACES[p][0] for p in scene[:, 2]),
        },
    )


def _caption(scene: list[int], rng: np.random.Generator) -> str:
    action, people, place = scene
    text = TEMPLATES[rng.integers(len(TEMPLATES))].format(
        action=rng.choice(ACTIONS[action].wordings), people=PEOPLE[people], place=rng.choice(PLACES[place])
    )
    return text[0].upper() + text[1:]


def _trials(
    latents: Float[np.ndarray, "n 4"],
    test: Bool[np.ndarray, " n"],
    n_trials: int,
    n_observers: int,
    temperature: float,
    seed: int,
) -> Trials:
    rng = generator(seed, "planted trials")
    side = rng.random(n_trials) < _TEST_SHARE
    shown = split_triplets(side, test, rng)
    odd = choose_odd(latents[shown], temperature, rng)
    catch = rng.random(n_trials) < _CATCH_SHARE
    shown[catch], odd[catch] = attention_checks(shown[catch], _CATCH_PASS, rng)
    turn = np.arange(n_trials) // n_observers
    return Trials(
        participant=np.array([f"observer-{i:03d}" for i in range(n_observers)])[
            np.arange(n_trials) % n_observers
        ],
        block=np.char.add("set", (turn // _BLOCK + 1).astype(np.str_)),
        trial=turn % _BLOCK,
        stimuli=shown,
        odd=odd,
        rt=np.round(rng.lognormal(np.log(_MEDIAN_RT_S), 0.5, n_trials), 3),
        n_stimuli=len(latents),
    )
