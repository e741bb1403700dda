"""Tables of a trial schedule and its forecast."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from bgs._numbers import counted, plain
from bgs.collection.design import Coverage, Schedule, Shown
from bgs.collection.forecast import Cost, Existing, Expected, Forecast, FoundCurve, FoundPoint, Range
from bgs.collection.forecast.simulated_study import FEWEST_CLIPS
from bgs.views.console import facts, table

_MEASURES = ("reliability", "held_out_ceiling", "untuned", "tuned")
_HEADER = ("reliability", "ceiling", "untuned", "tuned")


def design_views(
    schedule: Schedule, coverage: Coverage, cost: Cost, forecast: Forecast | None, existing: Existing | None
) -> list[RenderableType]:
    """What is shown, what it costs, and what it is worth."""
    rows = [*_counts(schedule, coverage), *_costs(cost)]
    if existing is not None:
        rows += _of_existing(existing)
    views: list[RenderableType] = [facts("Trial schedule", rows)]
    if forecast is not None:
        views += ["", *_forecast(forecast), *_undefined(forecast)]
    return views


def _counts(schedule: Schedule, coverage: Coverage) -> list[tuple[str, object]]:
    kinds = (schedule.count(kind) for kind in Shown)
    clips = f"{coverage.clip_smallest:,} to {coverage.clip_largest:,}"
    times = f"{coverage.smallest:,} to {coverage.largest:,}, median {coverage.median:g}"
    rows: list[tuple[str, object]] = [
        ("clips", f"{len(schedule.stimulus_ids):,}, each in {clips} new triplets"),
        ("trials", "{:,} new triplets, {:,} repeats, {:,} attention checks".format(*kinds)),
        ("pairs", f"{coverage.shown:,} of {coverage.pairs:,} shown, each {times} times"),
    ]
    if coverage.smallest:
        rows.append(
            ("", f"{coverage.relative_size:.2f} × the fewest judgments for {coverage.smallest} a pair")
        )
    return rows


def _costs(cost: Cost) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [
        ("participants", f"{cost.participants:,}, about {cost.minutes:.0f} minutes each, {_hours(cost.hours)} in all"),
        ("", f"at {cost.settings.seconds:g} s a trial and {cost.settings.overhead:g} minutes besides"),
    ]  # fmt: skip
    if cost.pay is None or cost.total is None:
        return [*rows, ("cost", "not known: give the pay per hour")]
    digits = 0 if cost.total >= 100 else 2
    total, pay, fee = (f"{amount:,.{digits}f}" for amount in (cost.total, cost.pay, cost.total - cost.pay))
    return [*rows, ("cost", f"{total}: pay {pay}, fee {fee}, in the currency of the pay per hour")]


def _hours(hours: float) -> str:
    """Minutes below an hour, and a decimal below ten."""
    if hours < 1:
        return counted(round(60 * hours), "minute") if round(60 * hours) < 60 else "1 hour"
    text = f"{hours:,.1f}".removesuffix(".0") if hours < 10 else f"{hours:,.0f}"
    return f"{text} hour{'' if text == '1' else 's'}"


def _of_existing(existing: Existing) -> list[tuple[str, object]]:
    judgments = (
        f"{existing.judgments:,} {'SIMULATED ' if existing.simulated else ''}judgments of {existing.data}"
    )
    return [
        ("reliability", f"{_range(existing.reliability)} (95 % interval) in the {judgments}"),
        ("", f"{_range(existing.expected)} on this schedule, if clips and people are of the same kind"),
    ]


def _forecast(forecast: Forecast) -> list[Table]:
    whole = forecast.curve[-1].worlds
    worlds = [
        (name, *(plain(whole[measure][name].value) for measure in _MEASURES), plain(agreement))
        for name, agreement in forecast.repeat_agreement.items()
    ]
    title = f"Forecast for n judgments, from SIMULATED studies ({forecast.studies} in each of {len(worlds)} worlds)"
    return [
        table(title, ("n", *_HEADER), [_row(one) for one in forecast.curve], numbers=range(5)),
        table("All judgments, by world", ("world", *_HEADER, "agreement"), worlds, numbers=range(1, 6)),
    ]


def _undefined(forecast: Forecast) -> list[str]:
    """Why a column has no value, if one has none."""
    whole = forecast.curve[-1].overall
    if all(whole[measure].value == whole[measure].value for measure in _MEASURES):
        return []
    return [
        "n/a: not defined. The ceiling needs at least 3 held-out clips (a fifth of all, or the test clips) that were judged;\n"
        f"untuned and tuned need {FEWEST_CLIPS} other clips besides."
    ]


def found_view(curve: FoundCurve) -> Table:
    """What judgments that exist already gave a real encoder; sizes that gave 90 % of the full gain are marked."""
    simulated = "SIMULATED " if curve.simulated else ""
    ceiling = "" if curve.ceiling is None else f"; ceiling {_range(curve.ceiling)}"
    title = f"Found with {curve.encoder} on {simulated}judgments of {curve.data}{ceiling}"
    rows = [
        (f"{one.judgments:,.0f}", _range(one.tuned), _range(one.gain), _enough(one, curve))
        for one in curve.points
    ]  # fmt: skip
    return table(title, ("n", "tuned", "− untuned", ""), rows, numbers=range(3))


def _enough(point: FoundPoint, curve: FoundCurve) -> str:
    return "≥ 90 % of the gain" if point.judgments >= curve.enough else ""


def _row(expected: Expected) -> tuple[str, ...]:
    return (f"{expected.judgments:,}", *(_range(expected.overall[measure]) for measure in _MEASURES))


def _range(found: Range) -> str:
    if found.value != found.value:
        return plain(found.value)
    value, low, high = (plain(x, 2) for x in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"
