"""The table of a readout: how good its probabilities and intervals are on test clips."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.text import Text

from bgs.evaluation.readout import LEVEL, Readout
from bgs.views.console import table
from bgs.views.numbers import number

_LABELS = {
    "kept together": "calibration error, kept together",
    "odd one out": "calibration error, odd one out",
    "coverage": f"ratings inside their {LEVEL:.0%} intervals",
    "flagged": "clips said to be unfamiliar",
}


def readout_view(readout: Readout) -> Group:
    """What was fitted, on what, and what it is worth."""
    about = readout.about
    parts: list[RenderableType] = []
    if readout.measured:
        rows = [_row(readout, name, label) for name, label in _LABELS.items() if name in readout.measured]
        header = ("on test clips", "value", "95 % interval", "if perfect", "n")
        parts.append(table("Readout", header, rows, numbers=(1, 2, 3, 4)))
    ratings = [
        (one.name, number(one.r_squared), f"± {number(one.half_width(LEVEL))}", str(len(one.errors)))
        for one in readout.attributes
    ]
    if ratings:
        head = ("rating", "R²", f"{LEVEL:.0%} interval", "held-out clips")
        parts.append(table("Ratings, on held-out clips", head, ratings, numbers=(1, 2, 3)))
    parts.append(
        f"Fitted on {about['data']}: {about['clips']} clips, {about['held_out_clips']} held out ({about['held_out']}), "
        f"{readout.choice.n:,} trials."
    )
    if readout.blind:
        parts.append(Text(readout.blind, style="yellow"))
    if about["simulated"]:
        parts.append(Text("SIMULATED clips or people: no human data.", style="bold"))
    return Group(*parts)


def _row(readout: Readout, name: str, label: str) -> tuple[str, str, str, str, str]:
    metric = readout.measured[name]
    nominal = {"coverage": LEVEL, "flagged": 0.05}
    perfect = readout.measured.get(f"{name}, if perfect")
    return (
        label,
        number(metric.value),
        f"{number(metric.low)} to {number(metric.high)}",
        number(nominal.get(name, math.nan) if perfect is None else perfect.value),
        f"{metric.n:,}",
    )
