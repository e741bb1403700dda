"""Paints dissimilarity matrices: ranks as colours, unseen pairs hatched, groups as bars along the sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from bgs._typing import Float64
from bgs.reports.palette import SEQUENTIAL, group_colours
from bgs.reports.rdms import RdmFigure, RdmPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A name is written beside its block if the block is at least this share of the matrix high.
_SMALLEST_NAMED = 0.045
_LEVELS = 48


def rdm_height(panel: RdmPanel) -> float:
    """Inches that the panel needs."""
    return 2.6


def paint_rdm(axes: Axes, figure: RdmFigure, panel: RdmPanel) -> None:
    """One matrix."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    n = len(panel.ranks)
    axes.patch.set_facecolor("#d4d4d4")
    axes.patch.set_hatch("//////")
    axes.patch.set_edgecolor("#8c8c8c")
    axes.imshow(_colours(panel.ranks), interpolation="none", extent=(0, n, n, 0))
    axes.set_title(panel.title, pad=9)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    _blocks(axes, figure)
    scale = ScalarMappable(Normalize(0, 1), SEQUENTIAL)
    bar = axes.figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.04, pad=0.02, aspect=30)
    bar.set_ticks([0.0, 1.0], labels=["most alike", "least alike"], fontsize=7)
    left, right = bar.ax.get_xticklabels()
    left.set_horizontalalignment("left")
    right.set_horizontalalignment("right")
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def _colours(ranks: Float64[np.ndarray, "n n"]) -> UInt8[np.ndarray, "n n 4"]:
    """RGBA of each cell: unseen pairs transparent, the diagonal white. Few levels keep the file small."""
    from matplotlib import colormaps

    unseen = np.isnan(ranks)
    levels = np.round(np.where(unseen, 0.0, ranks) * _LEVELS) / _LEVELS
    colours: UInt8[np.ndarray, "n n 4"] = colormaps[SEQUENTIAL](levels, bytes=True)
    colours[unseen] = (255, 255, 255, 0)
    colours[np.diag_indices(len(ranks))] = 255
    return colours


def _blocks(axes: Axes, figure: RdmFigure) -> None:
    """Coloured bars at the top and the left, lines between groups, names at the left."""
    n, colours = len(figure.order), group_colours(sorted(set(figure.groups)))
    thick = 0.025 * n
    for name, start, stop in figure.blocks:
        colour = colours[name]
        for x, y in (((-thick, -thick), (start, stop)), ((start, stop), (-thick, -thick))):
            axes.plot(x, y, color=colour, linewidth=4, solid_capstyle="butt", clip_on=False)
        if start:
            axes.plot([0, n], [start, start], color="white", linewidth=0.8)
            axes.plot([start, start], [0, n], color="white", linewidth=0.8)
        if stop - start >= _SMALLEST_NAMED * n:
            axes.text(
                -2.4 * thick, (start + stop) / 2, name, ha="right", va="center", fontsize=7.5, color=colour
            )
    axes.set_xlim(0, n)
    axes.set_ylim(n, 0)
