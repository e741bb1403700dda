"""Text measured before anything is drawn, so that rows, headings and keys get the room that they need."""

from __future__ import annotations

from bgs._optional import require

_TYPEFACE = "DejaVu Sans"


def text_width(text: str, points: float, bold: bool = False) -> float:
    """Inches that one line takes at that size."""
    fonts = require("matplotlib.font_manager", "plot")
    font = fonts.FontProperties(family=_TYPEFACE, size=points, weight="bold" if bold else "normal")
    measure = require("matplotlib.textpath", "plot").text_to_path.get_text_width_height_descent
    return float(measure(text, font, False)[0]) / 72 if text else 0.0


def wrapped(text: str, inches: float, points: float, bold: bool = False) -> list[str]:
    """Lines of whole words, each no wider than that; a longer word has a line to itself."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, points, bold) <= inches:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
