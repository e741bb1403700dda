"""One style for all figures, small SVG files, and the same bytes every time."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bgs._optional import require
from bgs.reports.palette import GREY, INK
from bgs.reports.svg import hrefs, parse_svg, set_title, svg_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Text in an SVG stays text, in the typeface of the page around it.
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a label with two dollar signs is no formula
    "axes.labelcolor": INK,
    "axes.edgecolor": "#b0b0b0",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "xtick.color": "#b0b0b0",
    "ytick.color": "#b0b0b0",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 9,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "bgs",  # element ids are then the same in every run
}
_DPI = 200


@contextmanager
def blank_figure(width: float, height: float) -> Iterator[Figure]:
    """An empty white figure of that size in inches, in the common style within the block."""
    matplotlib = require("matplotlib", "plot")
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained", dpi=_DPI, facecolor="white")


def figure_bytes(figure: Figure, form: str, description: str = "") -> bytes:
    """A figure as PNG (with its description inside) or SVG bytes. Call it within :func:`blank_figure`."""
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Description": description} if form == "png" else dict.fromkeys(_RDF)
    figure.savefig(buffer, format=form, metadata=metadata)
    return _tidy(buffer.getvalue(), description) if form == "svg" else buffer.getvalue()


#: Metadata that matplotlib would write into an SVG.
_RDF = ("Creator", "Date", "Format", "Type")


def _tidy(svg: bytes, description: str) -> bytes:
    """Drop document type and comments, use the typeface of the page, and add the description as title."""
    root = parse_svg(svg)
    for element in root.iter():
        if "style" in element.attrib:
            style = element.attrib["style"].replace("'DejaVu Sans'", FONTS)
            element.set("style", style.replace(f"{FONTS}, {FONTS}", FONTS))
        element.text, element.tail = _spare(element.text), _spare(element.tail)
    for element, key in hrefs(root):
        head, found, picture = element.attrib[key].partition("data:image/png;base64,")
        if found:
            element.set(key, head + found + _slim("".join(picture.split())))
    set_title(root, description)
    return f"{svg_text(root)}\n".encode()


def _spare(text: str | None) -> str | None:
    """Replace indentation by a single newline."""
    return text if text is None or text.strip() else "\n"


def _slim(picture: str) -> str:
    """A base64 PNG of few colours, with a palette: the same pixels in a quarter of the bytes."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA"))
    colours, index = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    if len(colours) > 256:
        return picture
    small = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8), "L")
    small.putpalette(colours.tobytes(), "RGBA")
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def remove_frame(axes: Axes, *sides: str) -> None:
    """Remove the frame on these sides, and the tick marks of the vertical axis."""
    axes.tick_params(axis="y", length=0)
    for side in sides or ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def footnote(text: str, inches: float) -> str:
    """A footnote, wrapped to the width of the figure."""
    from textwrap import fill

    return fill(text, max(int(inches * 16), 30))


def footnote_height(lines: str) -> float:
    """Inches that the lines of a footnote need; 0 without any."""
    return 0.18 + 0.12 * len(lines.splitlines()) if lines else 0.0


def write_footnote(figure: Figure, lines: str) -> None:
    """Write the lines of a footnote, small and grey, below everything."""
    if lines:
        figure.supxlabel(lines, fontsize=7, color=GREY)
