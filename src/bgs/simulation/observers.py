"""Simulated observers: weights, noise and careless observers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bgs._errors import ConfigError, DataError, listed
from bgs._rng import generator
from bgs._typing import Bool, Float
from bgs.stimuli import StimulusSet

#: Rating columns and weights of the default observers. They ignore distance, facingness and joint action.
DEFAULT_WEIGHTS = {"valence": 1.0, "intimacy": 0.7, "arousal": 0.7, "dominance": 0.5, "communication": 0.3}


@dataclass(frozen=True)
class ObserverSettings:
    """SIMULATED observers. By default, their agreement and response times are similar to those of people in the
    published study: repeated triplets get the same answer .55 of the time, with a median of 4.8 s per trial.

    Attributes:
        n_observers: number of observers ≥ 1; trials alternate among them.
        weights: rating column -> mean weight, above 0; other columns are ignored.
        weight_spread: SD of the log weights across observers, at least 0.
        temperature: noise of the choices, above 0: the pair at distance d is kept together with probability
            softmax(−d / temperature). Two clips are at distance √2 (root mean square).
        lapse: probability of a random answer, 0–1.
        catch_share: proportion of attention checks among the trials of each observer, in [0, 1).
        careless_share: proportion of observers who always answer at random, 0–1.
        block_trials: trials per block of an observer, at least 1.
        rt_median_s: median response time in seconds of an average trial, above 0.
        rt_slowing: increase in log seconds from a certain choice to one with equal probabilities, at least 0.
        rt_spread: SD of log response times within an observer at the same difficulty, at least 0.
        pace_spread: SD of log response time between observers, at least 0.
        careless_rt_s: median response time of careless observers in seconds, above 0.

    Raises:
        ConfigError: a value is out of range.
    """

    n_observers: int = 100
    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    weight_spread: float = 0.3
    temperature: float = 0.3
    lapse: float = 0.02
    catch_share: float = 0.05
    careless_share: float = 0.0
    block_trials: int = 21
    rt_median_s: float = 4.5
    rt_slowing: float = 0.5
    rt_spread: float = 0.4
    pace_spread: float = 0.25
    careless_rt_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("n_observers", "block_trials"):
            _check(name, getattr(self, name), "at least 1", getattr(self, name) >= 1)
        for name in ("temperature", "rt_median_s", "careless_rt_s"):
            _check(name, getattr(self, name), "above 0", getattr(self, name) > 0)
        for name in ("weight_spread", "rt_slowing", "rt_spread", "pace_spread"):
            _check(name, getattr(self, name), "at least 0", getattr(self, name) >= 0)
        for name in ("lapse", "careless_share"):
            _check(name, getattr(self, name), "0 to 1", 0 <= getattr(self, name) <= 1)
        _check("catch_share", self.catch_share, "0 to below 1", 0 <= self.catch_share < 1)
        _check("weights", dict(self.weights), "at least one rating column", len(self.weights) > 0)
        for name, weight in self.weights.items():
            _check(f"weight of {name}", weight, "above 0", weight > 0)

    @property
    def latents(self) -> tuple[str, ...]:
        """The rating columns that determine the judgments."""
        return tuple(self.weights)

    @cached_property
    def mean_weights(self) -> Float[np.ndarray, " k"]:
        """(k,) mean weights in the order of ``latents``, scaled to length 1: √(Σ w²) = 1."""
        weights = np.array(list(self.weights.values()), dtype=np.float64)
        scaled: Float[np.ndarray, " k"] = weights / np.linalg.norm(weights)
        return scaled

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {**asdict(self), "weights": dict(self.weights)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ObserverSettings:
        """Read what :meth:`to_json` wrote.

        Raises:
            ConfigError: a key is unknown, or a value is out of range.
        """
        unknown = [name for name in value if name not in cls.__dataclass_fields__]
        if unknown:
            raise ConfigError(
                f"unknown setting {listed(unknown)}", expected=", ".join(cls.__dataclass_fields__)
            )
        return cls(**value)


def _check(name: str, value: object, expected: str, holds: bool) -> None:
    infinite = isinstance(value, float) and not math.isfinite(value)
    if infinite or not holds:
        raise ConfigError("out of range", where=name, expected=expected, got=value)


@dataclass(frozen=True)
class Population:
    """o observers over k latents.

    Attributes:
        names: o names.
        weights: (o, k) each observer's weights, scaled as :attr:`ObserverSettings.mean_weights`.
        careless: (o,) whether an observer answers at random.
        pace: (o,) log response time relative to the average observer, in log seconds.
    """

    names: tuple[str, ...]
    weights: Float[np.ndarray, "o k"]
    careless: Bool[np.ndarray, " o"]
    pace: Float[np.ndarray, " o"]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def careless_names(self) -> tuple[str, ...]:
        """Names of observers who answer at random."""
        return tuple(name for name, careless in zip(self.names, self.careless, strict=True) if careless)


def draw_population(settings: ObserverSettings, seed: int) -> Population:
    """Draw observers: weights are log-normal with the given mean, w exp(s g − s²/2)."""
    n, spread = settings.n_observers, settings.weight_spread
    deviations = generator(seed, "observers", "weights").normal(size=(n, len(settings.weights)))
    careless = np.zeros(n, dtype=bool)
    chosen = generator(seed, "observers", "careless").permutation(n)[: round(settings.careless_share * n)]
    careless[chosen] = True
    return Population(
        names=tuple(f"observer-{i:04d}" for i in range(n)),
        weights=settings.mean_weights * np.exp(spread * deviations - spread**2 / 2),
        careless=careless,
        pace=settings.pace_spread * generator(seed, "observers", "pace").normal(size=n),
    )


def standard_latents(stimuli: StimulusSet, columns: tuple[str, ...]) -> Float[np.ndarray, "n k"]:
    """(n, k) rating columns with mean 0 and SD 1 over all stimuli, so that weights are comparable.

    Raises:
        DataError: a column is unknown, has a missing value, or is constant.
    """
    unknown = [name for name in columns if name not in stimuli.ratings]
    if unknown:
        raise DataError(
            f"unknown rating column {listed(unknown)}", expected=listed(stimuli.ratings, limit=12) or "ratings",
            hint="name rating columns with weights, e.g. --weights valence=1,arousal=.7",
        )  # fmt: skip
    latents = np.column_stack([stimuli.ratings[name] for name in columns]).astype(np.float64)
    for name, values in zip(columns, latents.T, strict=True):
        missing = np.flatnonzero(~np.isfinite(values))
        if len(missing):
            where = f"rating {name!r} of stimulus {stimuli.ids[missing[0]]}"
            raise DataError("missing rating", where=where, expected="a number for every stimulus")
        if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
            raise DataError(
                "constant rating", where=f"rating {name!r}", expected="a column that varies over stimuli"
            )
    standard: Float[np.ndarray, "n k"] = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    return standard


def weighted_rdm(
    latents: Float[np.ndarray, "n k"], weights: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "n n"]:
    """(n, n) distances of an observer: d(i, j) = √ Σ_k (w_k (z_ik − z_jk))², with weights scaled as above."""
    from scipy.spatial.distance import pdist, squareform

    rdm: Float[np.ndarray, "n n"] = squareform(pdist(latents * weights))
    return rdm
