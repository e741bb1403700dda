"""Tables of what a model says of single clips."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bgs._errors import shown
from bgs.evaluation.readout import FEW, AttributePrediction, Description, OddOneOut
from bgs.views.console import table
from bgs.views.numbers import clock, number

#: Characters of the bar that shows an interval on the scale of the study.
_BAR = 18
#: Ratings beside each other in a table of pieces: more do not fit.
_BESIDE = 5


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
    header = ("rating", "predicted", f"{found.level:.0%} interval", "range of the study", "R²")
    parts: list[RenderableType] = []
    if found.far:
        parts.append(_far(found.clip, found.familiar_p, found.held_out_clips))
    if rows:
        parts.append(table(found.clip, header, rows, numbers=(1, 2, 4), names=(2, 3)))
    return Group(*parts, *_about(found))


def pieces_view(file: str, pieces: Sequence[tuple[tuple[float, float], Description]]) -> Group:
    """The pieces of a long video, a row each: from when to when, and predicted ratings; intervals are equally wide for all."""
    first = pieces[0][1]
    count = len(first.attributes)
    groups = [range(start, min(start + _BESIDE, count)) for start in range(0, count, _BESIDE)] or [range(0)]
    parts: list[RenderableType] = []
    far = sum(found.far for _, found in pieces)
    if far:
        what = f"{far} of {len(pieces)} pieces are far from anything the model has seen: nothing is promised of them."
        parts.append(Text(what, style="yellow"))
    for group in groups:
        title = "" if group.start else f"{file}, {len(pieces)} pieces"
        parts.append(_pieces_table(title, pieces, group))
    return Group(*parts, *_about(first))


def _pieces_table(
    title: str, pieces: Sequence[tuple[tuple[float, float], Description]], group: range
) -> Table:
    """Some of the ratings of every piece; below, what is the same for all."""
    some = [pieces[0][1].attributes[i] for i in group]
    rows = [
        (
            f"{clock(start)}–{clock(end)}{' far' if found.far else ''}",
            *(number(found.attributes[i].value) for i in group),
        )
        for (start, end), found in pieces
    ]
    if not some:
        return table(title, ("piece",), rows, names=(0,))
    level = pieces[0][1].level
    rows.append((f"{level:.0%} interval ±", *(number((one.high - one.low) / 2) for one in some)))
    rows.append(("R²", *(number(one.r_squared) for one in some)))
    header = ("piece", *(one.name for one in some))
    drawn = table(title, header, rows, numbers=range(1, len(some) + 1), names=(0,))
    drawn.rows[-3].end_section = True
    return drawn


def _about(found: Description) -> Iterator[RenderableType]:
    """What the numbers of a table rest on."""
    if found.attributes:
        yield (
            f"Fitted on the study {found.data!r}: an interval holds {found.level:.0%} of the ratings of clips like its "
            f"{found.held_out_clips} held-out clips; R² is on these (0: no better than the mean)."
        )
    else:
        yield nothing_to_describe(found)
    if found.simulated:
        yield Text("SIMULATED clips or people: no human data.", style="bold")


def nothing_to_describe(found: Description) -> str:
    """Why a model predicts no rating."""
    if found.held_out_clips < FEW:
        return (
            f"No ratings are predicted: the run on {found.data!r} held only {found.held_out_clips} clips out, and {FEW} rated "
            "ones are needed. `bgs calibrate RUN --folds 3` holds every training clip out once."
        )
    return f"No ratings are predicted: the clips of the study {found.data!r} have none, fewer than {FEW}, or all the same."


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
