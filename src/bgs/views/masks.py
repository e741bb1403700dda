"""Table of the regions that a detector found."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bgs._errors import listed
from bgs.runs.region_masks import MaskSummary
from bgs.views.console import table
from bgs.views.numbers import number


def masks_view(found: MaskSummary) -> Group:
    """A table of regions, and the clips that show none."""
    rows = [
        (name, each.clips, number(each.frames), number(each.area) if each.clips else "–")
        for name, each in found.regions.items()
    ]
    n, masks = len(found.masks), sum(found.masks.values())
    title = f"Regions in {masks:,} masks of {n:,} clips"
    parts: list[RenderableType] = [
        table(title, ("region", "clips", "frames", "area"), rows, numbers=(1, 2, 3))
    ]
    parts.append("frames: share of masks that show it. area: mean share of the picture in those.")
    if found.empty:
        parts.append(f"{len(found.empty)} of {n:,} clips are all background: {listed(found.empty)}")
    if found.failures:
        parts.append(
            f"{len(found.failures)} clips cannot be read: {listed(each.stimulus_id for each in found.failures)}"
        )
    return Group(*parts)
