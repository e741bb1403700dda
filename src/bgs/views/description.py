"""Tables of what a model says of single clips."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bgs._errors import shown
from bgs.evaluation.readout import AttributePrediction, Description, OddOneOut
from bgs.views.console import table
from bgs.views.numbers import clock, number

#: Characters of the bar that shows an interval on the scale of the study.
_BAR = 24


def description_view(found: Description) -> Group:
    """A clip's predicted ratings with their intervals, and a warning where the model does not know such clips."""
    rows = [
        (
            one.name,
            number(one.value),
            f"{number(one.low)} to {number(one.high)}",
            _bar(one),
            number(one.r_squared),
        )
        for one in found.attributes
    ]
    header = ("rating", "predicted", f"{found.level:.0%} interval", "lowest … highest of the study", "R²")
    parts: list[RenderableType] = []
    if found.far:
        parts.append(_far(found.clip, found.familiar_p, found.held_out_clips))
    parts.append(table(found.clip, header, rows, numbers=(1, 2, 4)))
    return Group(*parts, *_about(found))


def pieces_view(file: str, pieces: Sequence[tuple[tuple[float, float], Description]]) -> Group:
    """The pieces of a long video, a row each: from when to when, and predicted ratings; intervals are equally wide for all."""
    first = pieces[0][1]
    names = [one.name for one in first.attributes]
    rows = [
        (
            f"{clock(start)}–{clock(end)}",
            *(number(one.value) for one in found.attributes),
            "far" if found.far else "",
        )
        for (start, end), found in pieces
    ]
    half = [number((one.high - one.low) / 2) for one in first.attributes]
    rows.append((f"{first.level:.0%} interval: ±", *half, ""))
    rows.append(("R²", *(number(one.r_squared) for one in first.attributes), ""))
    header = ("piece", *names, "")
    drawn = table(f"{file}, {len(pieces)} pieces", header, rows, numbers=range(1, len(names) + 1))
    drawn.rows[-3].end_section = True
    parts: list[RenderableType] = [drawn]
    far = sum(found.far for _, found in pieces)
    if far:
        what = f"{far} of {len(pieces)} pieces are far from anything the model has seen: nothing is promised of them."
        parts.insert(0, Text(what, style="yellow"))
    return Group(*parts, *_about(first))


def _about(found: Description) -> Iterator[RenderableType]:
    """What the numbers of a table rest on."""
    if not found.attributes:
        yield "The study had no ratings: there is nothing to describe a clip by."
    yield (
        f"Of {found.data}: an interval holds {found.level:.0%} of the ratings of clips like its "
        f"{found.held_out_clips} held-out clips; R² is on these (0: no better than the mean)."
    )
    if found.simulated:
        yield Text("SIMULATED clips or people: no human data.", style="bold")


def odd_view(found: OddOneOut, reference: str) -> Group:
    """Three clips, how likely each is chosen, and how far apart the other two are."""
    chances = found.probabilities or (math.nan,) * 3
    rows = [
        ("→" if clip == found.odd else "", clip, _percent(p), number(d))
        for clip, p, d in zip(found.clips, chances, found.distances, strict=True)
    ]
    parts: list[RenderableType] = [
        table("Odd one out", ("", "clip", "people choose it", "distance of the others"), rows, numbers=(2, 3))
    ]
    if found.probabilities is None:
        parts.append(f"{reference} was not calibrated, so that it gives no probabilities: bgs calibrate RUN")
    far = [clip for clip, one in zip(found.clips, found.far or (False,) * 3, strict=True) if one]
    if far:
        parts.append(Text(f"Far from anything the model has seen: {shown(', '.join(far))}", style="yellow"))
    return Group(*parts)


def _far(clip: str, p: float, held: int) -> Text:
    return Text(
        f"{shown(clip)} is far from anything the model has seen (p = {p:.3f}, of {held} held-out clips): "
        "its intervals and probabilities promise nothing here.",
        style="yellow",
    )


def _bar(one: AttributePrediction) -> str:
    """``··░░░●░░·····``: the interval and the prediction on the scale of the study."""
    low, high = one.scale
    if not high > low:
        return ""

    def place(value: float) -> int:
        return min(max(round((value - low) / (high - low) * (_BAR - 1)), 0), _BAR - 1)

    known = math.isfinite(one.low)
    inside = range(place(one.low), place(one.high) + 1) if known else range(0)
    bar = ["░" if i in inside else "·" for i in range(_BAR)]
    bar[place(one.value)] = "●"
    return "".join(bar)


def _percent(p: float) -> str:
    return f"{p:.0%}" if math.isfinite(p) else "–"
