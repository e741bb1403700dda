"""Draws overlays: as a strip of frames (PNG), or as a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._files import atomic_path
from bgs._optional import require
from bgs._typing import Float64
from bgs.reports.overlays import Overlay, OverlayRow
from bgs.stimuli.encoding import write_video

#: Perceptually uniform, from black through purple and orange to pale yellow.
_COLOURS = "inferno"
#: Share of the heat's colour in a pixel.
_OPACITY = 0.6
_GAP, _HEADER = 4, 16


def draw_strip(figure: Overlay, path: str | Path, size: int = 160) -> None:
    """Draw an overlay as PNG, atomically: one row per model below its label, frames from left to right.

    Args:
        figure: what to draw.
        path: file to write.
        size: pixels a side of each frame.

    Raises:
        MissingExtraError: matplotlib or pillow is not installed.
    """
    image = require("PIL.Image", "report")
    drawing = require("PIL.ImageDraw", "report")
    information = require("PIL.PngImagePlugin", "report").PngInfo()
    columns = max(len(row.parts) for row in figure.rows)
    width, height = columns * (size + _GAP) - _GAP, len(figure.rows) * (_HEADER + size + _GAP) - _GAP
    canvas = image.new("RGB", (width, height), "white")
    pen = drawing.Draw(canvas)
    for number, row in enumerate(figure.rows):
        top = number * (_HEADER + size + _GAP)
        pen.text((1, top + 2), row.label, fill="black")
        for column, picture in enumerate(_pictures(row, figure.top, size)):
            canvas.paste(image.fromarray(picture), (column * (size + _GAP), top + _HEADER))
    information.add_itxt("Description", figure.describe())
    with atomic_path(path) as temporary:
        canvas.save(temporary, format="PNG", pnginfo=information)


def write_overlay_video(figure: Overlay, path: str | Path, fps: int = 4, size: int = 224) -> None:
    """Write an overlay as mp4, atomically: rows below each other, one picture per moment.

    A row with fewer frames than another shows each of them for longer.

    Args:
        figure: what to draw.
        path: file to write.
        fps: pictures a second.
        size: pixels a side of each frame, an even number.

    Raises:
        MissingExtraError: matplotlib, pillow or PyAV is not installed.
        ConfigError: an odd size or impossible rate.
    """
    rows = [_pictures(row, figure.top, size) for row in figure.rows]
    count = max(map(len, rows))
    write_video(
        path, (np.concatenate([row[i * len(row) // count] for row in rows]) for i in range(count)), fps
    )


def _pictures(row: OverlayRow, top: float, size: int) -> UInt8[np.ndarray, "k p p 3"]:
    return np.stack(list(_blended(row, top, size)))


def _blended(row: OverlayRow, top: float, size: int) -> Iterator[UInt8[np.ndarray, "p p 3"]]:
    """Grey frames with the heat overlaid patch by patch; more heat, more colour."""
    image = require("PIL.Image", "report")
    colours = require("matplotlib", "plot").colormaps[_COLOURS]
    for frame, heat in zip(row.frames, row.heat, strict=True):
        grey = np.asarray(image.fromarray(frame).convert("L").resize((size, size)), dtype=np.float64)
        level = _enlarged(np.minimum(heat / top, 1.0), size)[..., None]
        heat_colour = 255 * colours(level[..., 0])[..., :3]
        yield np.round((1 - _OPACITY * level) * grey[..., None] + _OPACITY * level * heat_colour).astype(
            np.uint8
        )


def _enlarged(heat: Float64[np.ndarray, "h w"], size: int) -> Float64[np.ndarray, "p p"]:
    """Each pixel has the value of the patch that contains its centre, without smoothing."""
    rows, columns = ((2 * np.arange(size) + 1) * cells // (2 * size) for cells in heat.shape)
    enlarged: Float64[np.ndarray, "p p"] = heat[rows[:, None], columns]
    return enlarged
