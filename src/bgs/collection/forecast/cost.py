"""Participants, minutes and money."""

from __future__ import annotations

from dataclasses import dataclass

from bgs._codec import JsonDataclass
from bgs._errors import ConfigError
from bgs.collection.design import Schedule


@dataclass(frozen=True)
class CostSettings(JsonDataclass):
    """What a participant's time takes and costs.

    Attributes:
        seconds: mean seconds per trial, above 0. In the published study the median response time is 4.8 s.
        overhead: minutes for consent, instructions, practice and debriefing, at least 0.
        hourly: pay per hour, in any currency, at least 0; None: not known.
        fee: platform fee as a proportion of the pay, at least 0.

    Raises:
        ConfigError: a value is out of range.
    """

    seconds: float = 6.0
    overhead: float = 3.0
    hourly: float | None = None
    fee: float = 0.0

    def __post_init__(self) -> None:
        for name in ("seconds", "overhead", "hourly", "fee"):
            value = getattr(self, name)
            if value is None:
                continue
            least = "above 0" if name == "seconds" else "at least 0"
            if not (0 <= value < float("inf")) or (name == "seconds" and value == 0):
                raise ConfigError("out of range", where=name, expected=f"a number {least}", got=value)


@dataclass(frozen=True)
class Cost(JsonDataclass):
    """Attributes:
    participants: one for each block.
    minutes: minutes that a participant of a block of mean length takes.
    hours: hours of all participants.
    pay: their pay; None if pay per hour is not known.
    total: with the platform's fee.
    settings: what this was computed from.
    """

    participants: int
    minutes: float
    hours: float
    pay: float | None
    total: float | None
    settings: CostSettings


def cost_of(schedule: Schedule, settings: CostSettings) -> Cost:
    """Participants, time and money of a schedule in which each block is done once."""
    people = schedule.n_blocks
    hours = (len(schedule) * settings.seconds / 60 + people * settings.overhead) / 60
    pay = None if settings.hourly is None else hours * settings.hourly
    total = None if pay is None else pay * (1 + settings.fee)
    return Cost(people, 60 * hours / people, hours, pay, total, settings)
