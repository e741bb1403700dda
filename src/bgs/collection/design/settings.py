"""Settings of a trial schedule."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from bgs._errors import ConfigError

Method = Literal["balanced", "covering", "adaptive"]
RepeatsIn = Literal["block", "other"]
Split = Literal["mixed", "trials", "blocks"]
METHODS: tuple[str, ...] = get_args(Method)
REPEATS_IN: tuple[str, ...] = get_args(RepeatsIn)
SPLITS: tuple[str, ...] = get_args(Split)


@dataclass(frozen=True)
class DesignSettings:
    """How a schedule is made. Give ``trials``, ``per_pair``, or both: then ``trials`` must suffice for ``per_pair``.

    Attributes:
        trials: number of trials ≥ 1, including repeats and checks.
        per_pair: observations of each pair ≥ 1, not counting repeats: the least with ``covering``, the mean with the
            other methods.
        method: ``balanced``: random triplets, every clip equally often; ``covering``: every pair equally often, or
            nearly; ``adaptive``: triplets about which existing judgments say least.
        block_trials: maximum number of trials in a block (one participant, one session), including repeats and checks.
        repeats: proportion of a block's trials that show a triplet again, 0–1.
        repeats_in: whether they repeat triplets of the same ``block``, or of an ``other`` one.
        checks: proportion of a block's trials that are attention checks, 0–1.
        split: ``mixed`` ignores train and test clips; ``trials``: no trial mixes them; ``blocks``: no block does.
        random_share: adaptive: proportion of triplets that are balanced random all the same, 0–1.
        candidates: adaptive: each informative triplet is the best of so many random ones, at least 2.
        seed: random seed.

    Raises:
        ConfigError: a value is out of range, or neither ``trials`` nor ``per_pair`` is given.
    """

    trials: int | None = None
    per_pair: int | None = None
    method: Method = "balanced"
    block_trials: int = 60
    repeats: float = 0.0
    repeats_in: RepeatsIn = "block"
    checks: float = 0.05
    split: Split = "mixed"
    random_share: float = 0.25
    candidates: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("method", METHODS), ("repeats_in", REPEATS_IN), ("split", SPLITS)):
            value = getattr(self, name)
            _check(name, value, " or ".join(allowed), value in allowed)
        if self.trials is None and self.per_pair is None:
            raise ConfigError("how many trials?", expected="trials or per_pair", got="neither")
        least = {"trials": 1, "per_pair": 1, "block_trials": 1, "candidates": 2, "seed": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            _check(name, value, f"at least {lowest}", value is None or value >= lowest)
        for name in ("repeats", "checks"):
            _check(name, getattr(self, name), "0 to below 1", 0 <= getattr(self, name) < 1)
        _check("random_share", self.random_share, "0 to 1", 0 <= self.random_share <= 1)

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


def _check(name: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ConfigError("out of range", where=name, expected=expected, got=value)
