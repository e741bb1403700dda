"""Paints estimates as rows: the gap to people, forests of dots, parts of variance.

A panel is as wide as a phone's page at its own size, so that nothing in it is shrunk there. Labels stand beside their rows;
where one of them would take too much of that width, all stand above their rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgs._numbers import plain
from bgs.reports.drawing.canvas import bare
from bgs.reports.drawing.text_width import text_width, wrapped
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel
from bgs.reports.gap import GapFigure, GapPanel
from bgs.reports.palette import GREEN, INK, role_colours
from bgs.reports.parts import PartsFigure, PartsPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: Inches: a panel, its margins, the widest label beside a row; a label above its row; a line of title, key or axis label;
#: the numbers of an axis; a row of one estimate; each of several series.
PANEL_WIDTH = 3.4
_MARGIN, _BESIDE = 0.1, 1.3
_LABEL, _LINE, _TICKS, _ROW, _SERIES = 0.19, 0.17, 0.22, 0.44, 0.165
#: Points.
_TITLE_SIZE, _LABEL_SIZE, _SMALL = 10.0, 9.0, 8.5


@dataclass(frozen=True)
class _Rows:
    """Labelled rows below each other; on the axes each is 1 high.

    Attributes:
        labels: from top to bottom.
        body: inches that the marks of a row take, without its label.
    """

    labels: tuple[str, ...]
    body: float

    @property
    def beside(self) -> float:
        """Inches that labels take at the left of the axes; 0 where they stand above their rows."""
        widest = max((text_width(label, _LABEL_SIZE) for label in self.labels), default=0.0)
        return 0.0 if widest > _BESIDE else widest + 0.07

    @property
    def pitch(self) -> float:
        """Inches from row to row."""
        return self.body if self.beside else self.body + _LABEL

    @property
    def centres(self) -> list[float]:
        """Where the marks of each row lie, the first on top."""
        below_label = (1 - self.body / self.pitch) / 2
        return [float(place) - below_label for place in reversed(range(len(self.labels)))]

    def height(self, title: str, axis: str, key: Sequence[str] = ()) -> float:
        """Inches that the rows and all around them need."""
        return _head(title, key) + self.pitch * len(self.labels) + self._foot(axis)

    def _foot(self, axis: str) -> float:
        return _MARGIN + _TICKS + _LINE * len(self._axis_lines(axis))

    def label(self, axes: Axes) -> None:
        """Write the labels and give the axes the height of the rows."""
        axes.set_ylim(-0.5, len(self.labels) - 0.5)
        if self.beside:
            axes.set_yticks(self.centres, self.labels)
            return
        axes.set_yticks([])
        for place, label in zip(reversed(range(len(self.labels))), self.labels, strict=True):
            axes.text(
                0, place + 0.47, label, transform=axes.get_yaxis_transform(), ha="left", va="top", fontsize=_LABEL_SIZE,
                bbox={"facecolor": "white", "linewidth": 0, "pad": 0.6},
            )  # fmt: skip

    def head(self, axes: Axes, title: str, axis: str, handles: Sequence[Line2D] = ()) -> None:
        """Place the axes; title and key above them, flush with the labels, and the axis label below."""
        from matplotlib.transforms import ScaledTranslation

        names = [str(handle.get_label()) for handle in handles]
        height, below = self.height(title, axis, names), self._foot(axis)
        tall, left = self.pitch * len(self.labels), _MARGIN + self.beside
        axes.set_position((
            left / PANEL_WIDTH, below / height, (PANEL_WIDTH - left - _MARGIN) / PANEL_WIDTH, tall / height,
        ))  # fmt: skip
        inches = axes.get_figure(root=True).dpi_scale_trans
        edge = axes.transAxes + ScaledTranslation(-self.beside, 0.03, inches)
        lifted = edge + ScaledTranslation(0, 0.07 + _LINE * _key_lines(names), inches)
        axes.text(0, 1, "\n".join(_title_lines(title)), transform=lifted, fontsize=_TITLE_SIZE, weight="bold")
        if handles:
            axes.legend(
                handles=handles, loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=edge, ncols=_key_columns(names),
                frameon=False, fontsize=_SMALL, borderpad=0.1, borderaxespad=0, labelspacing=0.25, **_KEY,
            )  # fmt: skip
        axes.set_xlabel("\n".join(self._axis_lines(axis)), fontsize=_SMALL)
        bare(axes)

    def _axis_lines(self, axis: str) -> list[str]:
        return wrapped(axis, PANEL_WIDTH - 2 * _MARGIN - self.beside, _SMALL)


#: A key's line of colour, its distance to the name and from name to the next line, in ems.
_KEY = {"handlelength": 1.8, "handletextpad": 0.5, "columnspacing": 1.2}


def _head(title: str, key: Sequence[str]) -> float:
    """Inches above the axes."""
    return 2 * _MARGIN + _LINE * (len(_title_lines(title)) + _key_lines(key))


def _title_lines(title: str) -> list[str]:
    return wrapped(title, PANEL_WIDTH - 2 * _MARGIN, _TITLE_SIZE, bold=True)


def _key_lines(names: Sequence[str]) -> int:
    return math.ceil(len(names) / _key_columns(names)) if names else 0


def _key_columns(names: Sequence[str]) -> int:
    """Columns, filled from top to bottom, of as few lines as fit."""
    ems = sum(_KEY.values()) * _SMALL / 72
    widths = [text_width(name, _SMALL) + ems for name in names]
    for lines in range(1, len(names)):
        columns = [max(widths[k : k + lines]) for k in range(0, len(names), lines)]
        if sum(columns) <= PANEL_WIDTH - 2 * _MARGIN:
            return len(columns)
    return 1


def _gap_rows(panel: GapPanel) -> tuple[tuple[Estimate, ...], _Rows]:
    rows = (*((panel.ceiling,) if panel.ceiling else ()), *panel.rows, *panel.published)
    return rows, _Rows(tuple(row.label for row in rows), _ROW)


def gap_height(panel: GapPanel) -> float:
    """Inches that the panel needs."""
    return _gap_rows(panel)[1].height(panel.title, panel.axis)


def paint_gap(axes: Axes, figure: GapFigure, panel: GapPanel) -> None:
    """Models from top to bottom below the ceiling, whose interval is a band behind them all."""
    estimates, rows = _gap_rows(panel)
    colours = role_colours([row.role for row in (*panel.rows, *panel.published)])
    if panel.ceiling:
        axes.axvspan(panel.ceiling.low, panel.ceiling.high, color=GREEN, alpha=0.12, linewidth=0)
        axes.axvline(panel.ceiling.value, color=GREEN, linewidth=1, linestyle=(0, (4, 3)))
        colours = (GREEN, *colours)
    published = len(estimates) - len(panel.published)
    for k, (level, row, colour) in enumerate(zip(rows.centres, estimates, colours, strict=True)):
        hollow = k >= published
        _interval(axes, row, level, colour, marker="D" if hollow else "o", hollow=hollow)
        _write(axes, row, (row.value, level), (0, 7), "center", weight="bold")
    rows.label(axes)
    _limits(axes, 0.0, *(x for row in estimates for x in row.bounds))
    rows.head(axes, panel.title, panel.axis)


def _forest_rows(panel: ForestPanel) -> _Rows:
    deepest = max((len(row.estimates) for row in panel.rows), default=1)
    return _Rows(tuple(row.label for row in panel.rows), max(0.3, _SERIES * deepest + 0.1))


def forest_height(panel: ForestPanel) -> float:
    """Inches that the panel needs."""
    return _forest_rows(panel).height(panel.title, panel.axis, list(_key(panel)))


def paint_forest(axes: Axes, figure: ForestFigure, panel: ForestPanel) -> None:
    """A row an attribute, a dot a series, a tick where guessing would be."""
    from matplotlib.lines import Line2D

    rows, colours = _forest_rows(panel), _series_colours(panel)
    if panel.reference is not None:
        axes.axvline(panel.reference, color=INK, linewidth=0.8)
    for level, row in zip(rows.centres, panel.rows, strict=True):
        for k, estimate in enumerate(row.estimates):
            above = ((len(row.estimates) - 1) / 2 - k) * _SERIES / rows.pitch
            _interval(axes, estimate, level + above, colours[estimate.label], size=6.0)
        if row.chance is not None:
            half = 0.42 * rows.body / rows.pitch
            axes.plot([row.chance] * 2, [level - half, level + half], color=INK, linewidth=0.9, linestyle=":")
    for between in range(len(panel.rows) - 1):
        axes.axhline(between + 0.5, color="#ededed", linewidth=0.7, zorder=0)
    rows.label(axes)
    levels = [row.chance for row in panel.rows if row.chance is not None]
    reference = [panel.reference] if panel.reference is not None else []
    _limits(axes, *levels, *reference, *(x for row in panel.rows for e in row.estimates for x in e.bounds))
    handles = [Line2D([], [], label=name, **style) for name, style in _key(panel).items()]
    rows.head(axes, panel.title, panel.axis, handles)


def _series_colours(panel: ForestPanel) -> dict[str, str]:
    colours = role_colours([series.role for series in panel.series])
    return dict(zip((series.label for series in panel.series), colours, strict=True))


def _key(panel: ForestPanel) -> dict[str, dict[str, object]]:
    """What colours and lines are -> how they look. Where each row has one dot, the row says what it is."""
    key: dict[str, dict[str, object]] = {}
    if any(len(row.estimates) > 1 for row in panel.rows):
        for label, colour in _series_colours(panel).items():
            key[label] = {"color": colour, "marker": "o", "linewidth": 2, "markersize": 5}
    if any(row.chance is not None for row in panel.rows):
        key["chance"] = {"color": INK, "linewidth": 0.9, "linestyle": ":"}
    if panel.reference is not None and panel.reference_label:
        key[panel.reference_label] = {"color": INK, "linewidth": 0.8}
    return key


def _parts_rows(panel: PartsPanel) -> _Rows:
    return _Rows(tuple(row.label for row in panel.rows), 0.36)


def parts_height(panel: PartsPanel) -> float:
    """Inches that the panel needs."""
    return _parts_rows(panel).height(panel.title, panel.axis)


def paint_parts(axes: Axes, figure: PartsFigure, panel: PartsPanel) -> None:
    """A bar a part; the total is an outline."""
    rows = _parts_rows(panel)
    colours = role_colours([row.role for row in panel.rows])
    for level, row, colour in zip(rows.centres, panel.rows, colours, strict=True):
        total = row is panel.total
        axes.barh(
            level, row.value, height=0.6 * rows.body / rows.pitch, color="none" if total else colour,
            alpha=None if total else 0.75, edgecolor=INK if total else colour, linewidth=1,
        )  # fmt: skip
        axes.plot([row.low, row.high], [level, level], color=INK, linewidth=1.4, solid_capstyle="butt")
        _write(axes, row, (max(row.bounds, default=0.0), level), (5, 0), "left")
    axes.axvline(0, color=INK, linewidth=0.8)
    rows.label(axes)
    low, high = figure.limits
    axes.set_xlim(low - 0.03 * (high - low), high + 0.25 * (high - low) or 1.0)
    axes.locator_params(axis="x", nbins=4)
    rows.head(axes, panel.title, panel.axis)


def _interval(
    axes: Axes,
    row: Estimate,
    level: float,
    colour: str,
    marker: str = "o",
    hollow: bool = False,
    size: float = 9.0,
) -> None:
    """A dot on its interval; seeds are ticks just below, clear of the dot and of the series below."""
    from matplotlib.transforms import ScaledTranslation

    axes.plot(
        [row.low, row.high], [level, level], color=colour, linewidth=size / 3, alpha=0.6, solid_capstyle="round"
    )  # fmt: skip
    if row.points:
        below = ScaledTranslation(0, -(size / 2 + 2.6) / 72, axes.get_figure(root=True).dpi_scale_trans)
        axes.plot(
            row.points, [level] * len(row.points), "|", color=colour, markersize=3.6, markeredgewidth=1,
            transform=axes.transData + below,
        )  # fmt: skip
    axes.plot(
        row.value, level, marker, color=colour, markersize=7 if hollow else size,
        markerfacecolor="white" if hollow else colour, markeredgecolor=colour if hollow else "white",
        markeredgewidth=1.6 if hollow else 0.8,
    )  # fmt: skip


def _write(
    axes: Axes, row: Estimate, place: tuple[float, float], offset: tuple[int, int], align: str, weight: str = "normal"
) -> None:  # fmt: skip
    """The number itself, beside its mark, readable where a line passes behind it."""
    if math.isfinite(row.value):
        axes.annotate(
            plain(row.value, 3), place, xytext=offset, textcoords="offset points", ha=align, fontsize=_SMALL,
            va="center" if align == "left" else "baseline", weight=weight,
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.4},
        )  # fmt: skip


def _limits(axes: Axes, *numbers: float) -> None:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    axes.set_xlim(low - (margin if low else 0.2 * margin), high + margin)
    axes.locator_params(axis="x", nbins=5)
