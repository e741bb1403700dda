"""Draws figure specs, as SVG or PNG bytes or into a file: the whole figure, or panel by panel for a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._errors import ConfigError, DataError
from bgs._files import write_bytes
from bgs.reports.clip_maps import ClipMapFigure
from bgs.reports.curves import CurveFigure
from bgs.reports.drawing.canvas import blank_figure, figure_bytes, footnote, footnote_height, write_footnote
from bgs.reports.drawing.clip_map import clip_map_height, clip_map_svg, paint_clip_map
from bgs.reports.drawing.curves import curve_height, paint_curve
from bgs.reports.drawing.rdms import paint_rdm, rdm_height
from bgs.reports.drawing.reliability import paint_reliability, reliability_height
from bgs.reports.drawing.row_layout import PANEL_WIDTH
from bgs.reports.drawing.rows import (
    forest_height,
    gap_height,
    paint_forest,
    paint_gap,
    paint_parts,
    parts_height,
)
from bgs.reports.forest import ForestFigure
from bgs.reports.gap import GapFigure
from bgs.reports.parts import PartsFigure
from bgs.reports.rdms import RdmFigure
from bgs.reports.reliability import ReliabilityFigure

Figure = GapFigure | ForestFigure | PartsFigure | RdmFigure | ClipMapFigure | CurveFigure | ReliabilityFigure


@dataclass(frozen=True)
class _Painter:
    """How panels of one kind of figure are drawn: their width in inches, the height of a panel, and its painter."""

    width: float
    height: Callable[[Any], float]
    paint: Callable[[Any, Any, Any], None]


_PAINTERS: dict[type, _Painter] = {
    GapFigure: _Painter(PANEL_WIDTH, gap_height, paint_gap),
    ForestFigure: _Painter(PANEL_WIDTH, forest_height, paint_forest),
    PartsFigure: _Painter(PANEL_WIDTH, parts_height, paint_parts),
    RdmFigure: _Painter(2.7, rdm_height, paint_rdm),
    CurveFigure: _Painter(3.4, curve_height, paint_curve),
    ReliabilityFigure: _Painter(3.6, reliability_height, paint_reliability),
    ClipMapFigure: _Painter(4.2, clip_map_height, paint_clip_map),
}


def render(figure: Figure, form: str = "svg") -> bytes:
    """The whole figure, panels side by side, as ``svg`` or ``png`` bytes with its description inside.

    Raises:
        ConfigError: another form.
        DataError: a figure without panels.
        MissingExtraError: matplotlib is not installed.
    """
    if form not in ("svg", "png"):
        raise ConfigError("unknown form of a figure", expected="svg or png", got=form)
    return _render(figure, tuple(figure.panels), form, figure.footnote)


def render_panels(figure: Figure) -> tuple[bytes, ...]:
    """Each panel as separate SVG bytes, so that a page can stack them on a phone; without the footnote."""
    return tuple(_render(figure, (panel,), "svg", "") for panel in figure.panels)


def draw(figure: Figure, path: str | Path) -> None:
    """Draw a figure into a PNG or SVG file (by its suffix), atomically.

    Raises:
        ConfigError: another suffix.
        MissingExtraError: matplotlib is not installed.
    """
    write_bytes(path, render(figure, Path(path).suffix.removeprefix(".")))


def draw_gap(figure: GapFigure, path: str | Path) -> None:
    """Draw the gap figure into a PNG or SVG file; see :func:`draw`."""
    draw(figure, path)


def _render(figure: Figure, panels: tuple[Any, ...], form: str, note: str) -> bytes:
    if not panels:
        raise DataError("a figure without panels", where=type(figure).__name__)
    if isinstance(figure, ClipMapFigure) and form == "svg":
        return clip_map_svg(figure, panels, figure.describe())
    painter = _PAINTERS[type(figure)]
    width, heights = painter.width * len(panels), [painter.height(panel) for panel in panels]
    lines = footnote(note, width)
    with blank_figure(width, max(heights) + footnote_height(lines)) as canvas:
        columns = canvas.subfigures(1, len(panels), squeeze=False)[0]
        for column, height, panel in zip(columns, heights, panels, strict=True):
            spare = max(heights) - height  # each panel keeps its own height, so that row spacing is equal
            own = column.subfigures(2, 1, height_ratios=(height, spare))[0] if spare > 0 else column
            painter.paint(own.subplots(), figure, panel)
        write_footnote(canvas, lines)
        return figure_bytes(canvas, form, figure.describe())
