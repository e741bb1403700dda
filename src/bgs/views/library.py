"""Tables of an index: what was indexed, and which clips are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from bgs._numbers import plain
from bgs.views.console import facts, table

if TYPE_CHECKING:
    from bgs.library import Index, Indexed, Neighbour


def indexed_view(found: Indexed) -> Table:
    """What an index holds, and what has changed since it was last brought up to date."""
    counts = {
        "new": found.new, "changed": found.changed, "moved": found.moved, "deleted": found.gone, "unchanged": found.same,
        "skipped": len(found.failures),
    }  # fmt: skip
    files = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return facts("Index", [("index", found.index), ("clips", f"{found.clips:,}"), ("files", files or "none")])


def similar_view(clip: str, index: Index, found: Sequence[Neighbour]) -> Group:
    """The clips most like one, nearest first; with the probability that people keep the two together, if it is known."""
    calibrated = any(one.kept_together is not None for one in found)
    header = ("clip", "distance", *(("kept together",) if calibrated else ()))
    rows = [
        (one.id, plain(one.distance, 3), *((_percent(one.kept_together),) if calibrated else ()))
        for one in found
    ]
    about = f"Of {len(index):,} clips, by {index.model_reference}"  # too long for a title: that is as narrow as its table
    shown: list[RenderableType] = [table(f"Most like {clip}", header, rows, numbers=(1, 2)), about]
    if calibrated:
        shown.append(
            "Kept together: by how many people, of the two clips and a third, any other one (by chance 33 %)"
        )
    return Group(*shown)


def _percent(probability: float | None) -> str:
    return "–" if probability is None else f"{probability:.0%}"
