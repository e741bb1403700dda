"""Numbers in plain words: what changed, what did not, and how close it came to the noise ceiling."""

from __future__ import annotations

import math

from bgs._numbers import decimals_for, plain
from bgs.evaluation import Metric


def change_sentence(
    difference: Metric,
    before: float,
    after: float,
    what: str = "agreement with people",
    cause: str = "Tuning",
    counted: str = "pairs",
) -> str:
    """What ``cause`` did to ``what``, and whether the interval excludes no change.

    Args:
        difference: after minus before, paired; its interval determines the verb.
        before, after: the two values, in the unit of the difference.
        what: the quantity, in the form used within a sentence.
        cause: what was done, in the form used at the start of a sentence.
        counted: what ``difference.n`` counts.

    Returns:
        "raised" where the whole interval lies above 0, "lowered" where it lies below, "no evidence" where it contains 0.
        A difference that is NaN is called undefined; without an interval there is no evidence.
    """
    decimals = _adding_up(before, after, difference)
    first, last = plain(before, decimals), plain(after, decimals)
    if math.isnan(difference.value):
        return f"Whether {_inside(cause)} changed {what} is undefined ({_count(difference, counted)})."
    numbers = f"(difference {_with_interval(difference, decimals)}; {_count(difference, counted)})"
    direction = _direction(difference)
    if direction is None:
        return f"{_capital(what)} went from {first} to {last} {numbers}; without an interval this is no evidence."
    if direction == 0:
        return f"There is no evidence that {_inside(cause)} changed {what}: {first} before, {last} after {numbers}."
    verb = "raised" if direction > 0 else "lowered"
    return f"{cause} {verb} {what} from {first} to {last} {numbers}."


def contrast_sentence(
    difference: Metric,
    first: str,
    second: str,
    what: str = "agreement with people",
    counted: str = "pairs",
) -> str:
    """Whether ``first`` has more of ``what`` than ``second``; ``difference`` is first minus second, paired."""
    decimals = _decimals(difference)
    if math.isnan(difference.value):
        return (
            f"Whether {what} differs between {first} and {second} is undefined "
            f"({_count(difference, counted)})."
        )
    numbers = f"(difference {_with_interval(difference, decimals)}; {_count(difference, counted)})"
    direction = _direction(difference)
    if not direction:
        return f"There is no evidence that {what} differs between {first} and {second} {numbers}."
    return f"{_capital(what)} is {'higher' if direction > 0 else 'lower'} for {first} than for {second} {numbers}."


def level_sentence(metric: Metric, what: str, chance: float | None = None, counted: str = "pairs") -> str:
    """A number with its interval and, where ``chance`` is given, whether the interval lies above, below or across it."""
    decimals = _decimals(metric)
    if math.isnan(metric.value):
        return f"{_capital(what)} is undefined ({_count(metric, counted)})."
    sentence = f"{_capital(what)} is {_with_interval(metric, decimals)}; {_count(metric, counted)}"
    if chance is None or math.isnan(metric.low) or math.isnan(metric.high):
        return f"{sentence}."
    level = f"chance ({plain(chance, max(decimals, 2))})"
    if metric.low > chance:
        return f"{sentence}; above {level}."
    if metric.high < chance:
        return f"{sentence}; below {level}."
    return f"{sentence}; no evidence that it differs from {level}."


def beyond_sentence(part: Metric, first: str, others: str, what: str, counted: str = "pairs") -> str:
    """Whether ``first`` explains ``what`` beyond ``others``; ``part`` is its unique part."""
    if math.isnan(part.value):
        return f"Whether {first} explains {what} beyond {others} is undefined ({_count(part, counted)})."
    numbers = f"({_with_interval(part, _decimals(part))}; {_count(part, counted)})"
    if not math.isnan(part.low) and part.low > 0:
        return f"{_capital(first)} explains {what} beyond {others} {numbers}."
    return f"There is no evidence that {first} explains {what} beyond {others} {numbers}."


def ceiling_sentence(
    value: Metric, ceiling: Metric, name: str = "The tuned model", judges: str = "people"
) -> str:
    """The share of the noise ceiling that was reached. Both numbers are in the same unit; a share needs a ceiling above 0."""
    if math.isnan(value.value) or math.isnan(ceiling.value):
        return "The share of the noise ceiling is undefined."
    decimals = _decimals(ceiling)
    numbers = _with_interval(ceiling, decimals)
    if ceiling.value <= 0:
        return f"The noise ceiling is {numbers}: {judges} do not agree enough for a share of it to be meaningful."
    share = value.value / ceiling.value
    if share >= 1:
        return f"{name} reaches the noise ceiling of {numbers}."
    if share <= 0:
        return f"{name} reaches none of the noise ceiling of {numbers}."
    return f"{name} reaches {share:.0%} of the noise ceiling of {numbers}."


def _direction(difference: Metric) -> int | None:
    """1 above 0, −1 below, 0 where the interval contains 0, None without an interval."""
    if math.isnan(difference.low) or math.isnan(difference.high):
        return None
    return 1 if difference.low > 0 else -1 if difference.high < 0 else 0


def _with_interval(metric: Metric, decimals: int) -> str:
    value = plain(metric.value, decimals)
    if math.isnan(metric.low) or math.isnan(metric.high):
        return value
    return f"{value}, 95 % interval {plain(metric.low, decimals)} to {plain(metric.high, decimals)}"


def _adding_up(before: float, after: float, difference: Metric) -> int:
    """Decimals with which the printed difference equals that of the printed values."""
    decimals = _decimals(difference)
    if not math.isfinite(before + after + difference.value):
        return decimals
    printed = round(round(after, decimals) - round(before, decimals), decimals)
    return decimals if printed == round(difference.value, decimals) else max(decimals, 3)


def _decimals(metric: Metric) -> int:
    return decimals_for(metric.value, metric.low, metric.high)


def _count(metric: Metric, counted: str) -> str:
    return f"{metric.n:,} {counted}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _inside(text: str) -> str:
    """A phrase from the start of a sentence, for use within one; names such as V-JEPA or LoRA keep their capital."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first[1:].islower() else text
