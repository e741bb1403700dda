"""Labelled rows on axes, with a title, a key and an axis label, all measured before anything is drawn.

A panel is as wide as a phone's page at its own size, so that nothing in it is shrunk there. Labels stand beside their rows;
where one of them would take too much of that width, all stand above their rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgs.reports.drawing.canvas import remove_frame
from bgs.reports.drawing.text_width import text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation

#: Inches: a panel, its margins, the widest label beside a row; a label above its row; a line of title, key or axis label;
#: the numbers of an axis.
PANEL_WIDTH = 3.4
_MARGIN, _BESIDE = 0.1, 1.3
_LABEL, _LINE, _TICKS = 0.19, 0.17, 0.22
#: Points.
_TITLE_SIZE, _LABEL_SIZE, SMALL = 10.0, 9.0, 8.5


@dataclass(frozen=True)
class Rows:
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
        names = [str(handle.get_label()) for handle in handles]
        height, below = self.height(title, axis, names), self._foot(axis)
        tall, left = self.pitch * len(self.labels), _MARGIN + self.beside
        axes.set_position((
            left / PANEL_WIDTH, below / height, (PANEL_WIDTH - left - _MARGIN) / PANEL_WIDTH, tall / height,
        ))  # fmt: skip
        edge = axes.transAxes + moved(axes, -self.beside, 0.03)
        lifted = edge + moved(axes, 0.0, 0.07 + _LINE * _key_lines(names))
        axes.text(0, 1, "\n".join(_title_lines(title)), transform=lifted, fontsize=_TITLE_SIZE, weight="bold")
        if handles:
            axes.legend(
                handles=handles, loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=edge, ncols=_key_columns(names),
                frameon=False, fontsize=SMALL, borderpad=0.1, borderaxespad=0, labelspacing=0.25, **_KEY,
            )  # fmt: skip
        axes.set_xlabel("\n".join(self._axis_lines(axis)), fontsize=SMALL)
        remove_frame(axes)

    def _axis_lines(self, axis: str) -> list[str]:
        return wrapped(axis, PANEL_WIDTH - 2 * _MARGIN - self.beside, SMALL)


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
    ems = sum(_KEY.values()) * SMALL / 72
    widths = [text_width(name, SMALL) + ems for name in names]
    for lines in range(1, len(names)):
        columns = [max(widths[k : k + lines]) for k in range(0, len(names), lines)]
        if sum(columns) <= PANEL_WIDTH - 2 * _MARGIN:
            return len(columns)
    return 1


def moved(axes: Axes, right: float, up: float) -> ScaledTranslation:
    """A translation by inches."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    return ScaledTranslation(right, up, figure.dpi_scale_trans)
