"""Maps of clips, on which similar clips lie close together: positions and descriptions, without drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._numbers import plain
from bgs._optional import require
from bgs._typing import Float, Float64
from bgs.evaluation import pair_vector
from bgs.reports.rdms import imputed

_TOLERANCE = 1e-10


@dataclass(frozen=True)
class ClipMapPanel:
    """One map.

    Attributes:
        title: whose map it is.
        points: (n, 2) positions, aligned to the first map.
        stress: Kruskal's stress-1 of the positions; 0 where they reproduce every distance exactly.
        unseen: pairs with unknown dissimilarity, which was set to the mean.
    """

    title: str
    points: Float64[np.ndarray, "n 2"]
    stress: float
    unseen: int


@dataclass(frozen=True)
class ClipMapFigure:
    """Maps of the same clips.

    Attributes:
        panels: from left to right.
        names: (n,) of the clips.
        thumbnails: (n, s, s, 3) one picture a clip.
        labels: (n,) group of each clip, for the colour of its border; empty where ``values`` colour it.
        values: (n,) a number a clip (valence), for the colour of its border; None where ``labels`` do.
        values_name: what the numbers are.
    """

    panels: tuple[ClipMapPanel, ...]
    names: tuple[str, ...]
    thumbnails: UInt8[np.ndarray, "n s s 3"]
    labels: tuple[str, ...] = ()
    values: Float[np.ndarray, " n"] | None = None
    values_name: str = ""

    @property
    def footnote(self) -> str:
        """The line below the figure."""
        unseen = max(panel.unseen for panel in self.panels)
        mean = f" {unseen} pairs without judgments were set to the mean." if unseen else ""
        return (
            "Distances on a map represent dissimilarities (multidimensional scaling, SMACOF; "
            f"{', '.join(f'stress {plain(p.stress)} for {p.title}' for p in self.panels)}); "
            f"maps are aligned to the first and scaled to its size (Procrustes).{mean} "
            "Overlapping pictures are moved apart; a line leads to the true position."
        )

    def describe(self) -> str:
        """Alternative text."""
        titles = ", ".join(panel.title for panel in self.panels)
        colour = "label" if self.labels else self.values_name
        borders = f" Borders show {colour}." if colour else ""
        nearest = "; ".join(f"{p.title}: nearest are {self._nearest(p)}" for p in self.panels)
        return f"Maps of {len(self.names)} clips ({titles}), similar clips close together. {nearest}.{borders} {self.footnote}"

    def _nearest(self, panel: ClipMapPanel) -> str:
        first, second = np.triu_indices(len(self.names), 1)
        best = int(np.argmin(_distances(panel.points)[first, second]))
        return f"{self.names[first[best]]} and {self.names[second[best]]}"


def clip_map(
    rdms: Mapping[str, Float[np.ndarray, "n n"]],
    names: Sequence[str],
    thumbnails: UInt8[np.ndarray, "n s s 3"],
    labels: Sequence[str] = (),
    values: Float[np.ndarray, " n"] | None = None,
    values_name: str = "",
) -> ClipMapFigure:
    """Maps of the same clips from several matrices, aligned to the first.

    Args:
        rdms: title -> (n, n) dissimilarities, people's first; NaN where unseen (the mean takes its place).
        names: (n,) of the clips.
        thumbnails: (n, s, s, 3) square pictures.
        labels, values, values_name: what colours the borders, see :class:`ClipMapFigure`.

    Raises:
        DataError: no matrix, fewer than three clips, or numbers of clips that differ.
    """
    counts = {len(names), len(thumbnails), *(len(rdm) for rdm in rdms.values())}
    counts |= ({len(labels)} if labels else set()) | ({len(values)} if values is not None else set())
    if not rdms or len(counts) != 1 or min(counts) < 3:
        raise DataError(
            "this makes no map", expected="matrices of the same three or more clips", got=sorted(counts)
        )
    panels: list[ClipMapPanel] = []
    for title, rdm in rdms.items():
        full = imputed(rdm)
        points = mds(full)
        placed = align(points, panels[0].points) if panels else points
        unseen = int(np.isnan(pair_vector(rdm)).sum())
        panels.append(ClipMapPanel(title, placed, _stress(full, points), unseen))
    return ClipMapFigure(tuple(panels), tuple(names), thumbnails, tuple(labels), values, values_name)


def mds(rdm: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, "n 2"]:
    """Two-dimensional scaling: the classical solution (Torgerson 1952), improved by SMACOF (de Leeuw 1977).

    Nothing is drawn at random. Axes are principal axes, and the clip farthest from the middle lies on the positive side
    of each.

    Args:
        rdm: (n, n) symmetric dissimilarities without NaN.

    Returns:
        (n, 2) positions with mean 0.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    if not rdm.any():  # scikit-learn divides by the sum of squares
        return np.zeros((len(rdm), 2))
    manifold = require("sklearn.manifold", "report")
    # From random starts it ends in worse minima, in others with every seed; its own tolerance stops far from any.
    scaling = manifold.MDS(2, metric="precomputed", init="classical_mds", n_init=1, eps=_TOLERANCE)
    return _principal(scaling.fit_transform(rdm))


def align(
    points: Float64[np.ndarray, "n 2"], reference: Float64[np.ndarray, "n 2"]
) -> Float64[np.ndarray, "n 2"]:
    """Rotate, reflect and shift ``points`` to lie closest to ``reference``, scaled to its size (Procrustes).

    Both get the same sum of squares about their middle: the least-squares scale would shrink a map the more the less
    it has in common with the reference.
    """
    from scipy.linalg import orthogonal_procrustes

    moved = points - points.mean(axis=0)
    middle = reference.mean(axis=0)
    turn, _ = orthogonal_procrustes(moved, reference - middle)
    size, wanted = np.linalg.norm(moved), np.linalg.norm(reference - middle)
    aligned: Float64[np.ndarray, "n 2"] = moved @ turn * (wanted / size if size else 1.0) + middle
    return aligned


def _principal(points: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned: Float64[np.ndarray, "n 2"] = centred @ axes.T
    farthest = np.abs(turned).argmax(axis=0)
    return turned * np.where(np.take_along_axis(turned, farthest[None], axis=0) < 0, -1.0, 1.0)


def _distances(points: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n n"]:
    distances: Float64[np.ndarray, "n n"] = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return distances


def _stress(rdm: Float64[np.ndarray, "n n"], points: Float64[np.ndarray, "n 2"]) -> float:
    """Kruskal's stress-1 with the scale that fits best (metric)."""
    wanted, found = pair_vector(rdm), pair_vector(_distances(points))
    total = float((wanted**2).sum())
    power = float((found**2).sum())
    if not total or not power:
        return np.nan
    scale = float(wanted @ found) / power
    return float(np.sqrt(((wanted - scale * found) ** 2).sum() / total))
