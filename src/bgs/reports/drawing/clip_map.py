"""Paints maps of clips: an SVG written by hand, so that pictures stay small JPEGs, and a PNG of the same layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgs._numbers import plain
from bgs._typing import Float64
from bgs.reports.clip_maps import ClipMapFigure, ClipMapPanel
from bgs.reports.drawing.canvas import FONTS
from bgs.reports.palette import GREY, ORDERED, group_colours
from bgs.reports.pictures import data_uri, jpeg
from bgs.reports.svg import NOT_XML
from bgs.reports.templates import template

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 400  # of one map, in SVG units
_TITLE, _KEY, _GAP = 30, 34, 24
_PUSHES = 400
_MOVED = 3.0  # units from which on a line leads back


@dataclass(frozen=True)
class _Place:
    """Where a picture goes (its middle), and where its clip belongs."""

    name: str
    colour: str
    moved: bool
    x: float
    y: float
    home_x: float
    home_y: float


def clip_map_height(panel: ClipMapPanel) -> float:
    """Inches that the panel needs in a PNG."""
    return 4.6


def clip_map_svg(figure: ClipMapFigure, panels: tuple[ClipMapPanel, ...], description: str) -> bytes:
    """Maps side by side as one SVG; each picture is in it once."""
    size = picture_size(len(figure.names))
    colours, key = border_colours(figure)
    text = template("clip_map.svg.jinja").render(
        panels=[
            {"title": panel.title, "x": k * (SIDE + _GAP), "places": _places(figure, panel, colours)}
            for k, panel in enumerate(panels)
        ],
        pictures=[data_uri(jpeg(picture, 78)) for picture in figure.thumbnails],
        width=len(panels) * (SIDE + _GAP) - _GAP,
        height=_TITLE + SIDE + (_KEY if key else 0),
        side=SIDE, top=_TITLE, size=size, key=key, key_title=figure.values_name, fonts=FONTS,
        description=description,
    )  # fmt: skip
    return text.translate(NOT_XML).encode()


def paint_clip_map(axes: Axes, figure: ClipMapFigure, panel: ClipMapPanel) -> None:
    """The same layout on matplotlib axes."""
    size = picture_size(len(figure.names)) / 2
    colours, key = border_colours(figure)
    axes.set_title(panel.title)
    for place, picture in zip(_places(figure, panel, colours), figure.thumbnails, strict=True):
        if place.moved:
            axes.plot([place.home_x, place.x], [place.home_y, place.y], color=GREY, linewidth=0.6, zorder=1)
        left, right, low, high = place.x - size, place.x + size, place.y + size, place.y - size
        axes.imshow(picture, extent=(left, right, low, high), zorder=2, interpolation="bilinear")
        axes.plot(
            [left, right, right, left, left], [low, low, high, high, low], color=place.colour, linewidth=1.6,
            zorder=3, solid_joinstyle="miter",
        )  # fmt: skip
    axes.set_xlim(0, SIDE)
    axes.set_ylim(SIDE, 0)
    axes.axis("off")
    for k, (name, colour) in enumerate(key):
        axes.text((k + 0.5) * SIDE / len(key), SIDE + 16, f"■ {name}", color=colour, ha="center", fontsize=8)


def picture_size(n: int) -> float:
    """Side of a picture in SVG units: smaller the more clips there are."""
    return float(np.clip(0.62 * SIDE / np.sqrt(n), 14, 56))


def border_colours(figure: ClipMapFigure) -> tuple[list[str], list[tuple[str, str]]]:
    """Colour of each clip's border, and the key: (name, colour) of each group or of low, middle and high values."""
    if figure.labels:
        groups = group_colours(sorted(set(figure.labels)))
        return [groups[name] for name in figure.labels], list(groups.items())
    if figure.values is None:
        return [GREY] * len(figure.names), []
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    seen = figure.values[np.isfinite(figure.values)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    scale = colormaps[ORDERED]

    def colour(value: float) -> str:
        return to_hex(scale((value - low) / (high - low or 1.0))) if np.isfinite(value) else GREY

    key = [(plain(value), colour(value)) for value in (low, (low + high) / 2, high)]
    return [colour(float(value)) for value in figure.values], key


def _places(figure: ClipMapFigure, panel: ClipMapPanel, colours: list[str]) -> list[_Place]:
    size = picture_size(len(figure.names))
    homes = _fitted(figure, panel, size)
    spots = apart(homes, size * 1.06, SIDE)
    moved = np.abs(spots - homes).max(axis=1) > _MOVED
    numbers = np.column_stack([spots, homes]).round(1).tolist()
    return [
        _Place(name, colour, bool(far), *place)
        for name, place, far, colour in zip(figure.names, numbers, moved, colours, strict=True)
    ]


def _fitted(figure: ClipMapFigure, panel: ClipMapPanel, size: float) -> Float64[np.ndarray, "n 2"]:
    """All maps of a figure at one scale and middle, so that a clip can be followed from map to map."""
    every = np.concatenate([p.points for p in figure.panels])
    low, high = every.min(axis=0), every.max(axis=0)
    scale = (SIDE - 1.2 * size) / (float((high - low).max()) or 1.0)
    points: Float64[np.ndarray, "n 2"] = (panel.points - (low + high) / 2) * scale * [1, -1] + SIDE / 2
    return points


def apart(points: Float64[np.ndarray, "n 2"], size: float, side: int) -> Float64[np.ndarray, "n 2"]:
    """Squares of that size around the points, pushed apart until they no longer overlap.

    Each pair that overlaps is pushed along the axis on which it overlaps less, half each, and all stay inside the
    map; deterministic. Stops after a fixed number of rounds, so a crowded map may keep some overlap.
    """
    # Clips at one place are pulled apart in a fixed direction each.
    angle = np.arange(len(points)) * 2.399963
    spots = points + 0.01 * np.column_stack([np.cos(angle), np.sin(angle)])
    for _ in range(_PUSHES):
        gap = spots[:, None] - spots[None]
        over = size - np.abs(gap)
        np.fill_diagonal(over[..., 0], 0.0)
        hit = (over > 0).all(axis=-1)
        if not hit.any():
            break
        axis = over.argmin(axis=-1)
        for k in (0, 1):
            push = np.where(hit & (axis == k), np.where(gap[..., k] >= 0, 1, -1) * over[..., k] / 2, 0.0)
            spots[:, k] += 0.5 * push.sum(axis=1)
        spots = np.clip(spots, size / 2, side - size / 2)
    return spots
