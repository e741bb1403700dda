"""Dissimilarity matrices side by side, with clips in the same order, as specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from bgs._errors import DataError
from bgs._numbers import plain
from bgs._rdm import require_rdm
from bgs._typing import Float, Float64, Int
from bgs.evaluation import pair_vector


@dataclass(frozen=True)
class RdmPanel:
    """One matrix, its clips already in the order drawn.

    Attributes:
        title: whose it is.
        ranks: (n, n) ranks of the observed pairs scaled to 0–1 (0 most alike), NaN where unseen and on the diagonal.
    """

    title: str
    ranks: Float64[np.ndarray, "n n"]

    @property
    def unseen(self) -> int:
        """Pairs without a dissimilarity."""
        return int(np.isnan(pair_vector(self.ranks)).sum())

    def describe(self, groups: Sequence[str]) -> str:
        """Mean ranks within and between groups, and the number of missing pairs."""
        pairs, labels = pair_vector(self.ranks), np.array(groups)
        missing = f"; {self.unseen} of {len(pairs)} pairs unseen" if self.unseen else ""
        if not len(labels):
            return f"{self.title}{missing}"
        first, second = np.triu_indices(len(labels), 1)
        same = labels[first] == labels[second]
        inside, outside = (plain(_mean(pairs[mask])) for mask in (same, ~same))
        return f"{self.title}: mean rank {inside} within groups, {outside} between{missing}"


@dataclass(frozen=True)
class RdmFigure:
    """Matrices of the same clips in the same order.

    Attributes:
        panels: from left to right.
        groups: (n,) label of each clip in the order drawn; empty without labels.
        order: (n,) position of the clip that stands at each place.
        note: how clips are ordered and what the colours are.
    """

    panels: tuple[RdmPanel, ...]
    groups: tuple[str, ...]
    order: tuple[int, ...]
    note: str

    @property
    def footnote(self) -> str:
        """The line below the figure."""
        return self.note

    @property
    def blocks(self) -> tuple[tuple[str, int, int], ...]:
        """Name, first place and one past the last place of each run of clips with one label."""
        found, start = [], 0
        for name, run in groupby(self.groups):
            stop = start + len(list(run))
            found.append((name, start, stop))
            start = stop
        return tuple(found)

    def describe(self) -> str:
        """Alternative text."""
        names = ", ".join(f"{name} ({stop - start})" for name, start, stop in self.blocks)
        groups = f" Groups: {names}." if names else ""
        panels = "; ".join(panel.describe(self.groups) for panel in self.panels)
        return f"Dissimilarity of every pair of {len(self.order)} clips. {panels}.{groups} {self.note}"


def rdm_figure(
    rdms: Mapping[str, Float[np.ndarray, "n n"]], labels: Sequence[str] | None = None
) -> RdmFigure:
    """Rank-transform matrices and put their clips in one order.

    Clips stand by label (in order of first appearance), and within a label, or everywhere without labels, in the leaf
    order of an average-linkage clustering of the first matrix (people's). For clustering only, a pair that was not
    observed takes the mean of those that were.

    Args:
        rdms: title -> (n, n) dissimilarities of the same n clips, people's first; NaN where unseen.
        labels: (n,) group of each clip, or None.

    Raises:
        DataError: no matrix, matrices of different sizes, or labels for other clips.
    """
    sizes = {len(rdm) for rdm in rdms.values()}
    if len(sizes) != 1 or (labels is not None and len(labels) not in sizes):
        raise DataError(
            "matrices and labels do not belong to the same clips",
            expected="one size",
            got=sorted(sizes) + ([len(labels)] if labels is not None else []),
        )
    for title, rdm in rdms.items():
        require_rdm(rdm, title)
    first = next(iter(rdms))
    order = clip_order(rdms[first], labels)
    panels = tuple(
        RdmPanel(title, scaled_ranks(np.asarray(rdm, dtype=np.float64)[np.ix_(order, order)]))
        for title, rdm in rdms.items()
    )
    by = "by label, within labels by" if labels is not None else "by"
    note = f"Colours are ranks within each matrix; clips are ordered {by} their similarity for {first}."
    unseen = " Hatched: pairs without judgments." if any(panel.unseen for panel in panels) else ""
    groups = tuple(labels[place] for place in order) if labels is not None else ()
    return RdmFigure(panels, groups, tuple(order.tolist()), note + unseen)


def clip_order(rdm: Float[np.ndarray, "n n"], labels: Sequence[str] | None = None) -> Int[np.ndarray, " n"]:
    """(n,) positions in the order drawn: groups as they first appear, similar clips beside each other within."""
    groups = np.array(labels if labels is not None else [""] * len(rdm))
    members = [np.flatnonzero(groups == name) for name in dict.fromkeys(groups.tolist())]
    full = imputed(rdm)
    order: Int[np.ndarray, " n"] = np.concatenate(
        [some[_leaves(full[np.ix_(some, some)])] for some in members]
    )
    return order


def imputed(rdm: Float[np.ndarray, "n n"]) -> Float64[np.ndarray, "n n"]:
    """A symmetric copy with zeros on the diagonal and unseen pairs at the mean of the observed ones (0 if none is)."""
    require_rdm(rdm, "rdm")
    full: Float64[np.ndarray, "n n"] = (np.asarray(rdm, dtype=np.float64) + rdm.T) / 2
    pairs = pair_vector(full)
    seen = pairs[np.isfinite(pairs)]
    full[np.isnan(full)] = seen.mean() if seen.size else 0.0
    np.fill_diagonal(full, 0.0)
    return full


def scaled_ranks(rdm: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, "n n"]:
    """Mid-ranks of the observed pairs, from 0 (most alike) to 1; NaN where unseen and on the diagonal.

    If all observed pairs tie, each stands at 0.5.
    """
    from scipy.stats import rankdata

    first, second = np.triu_indices(len(rdm), 1)
    pairs = rdm[first, second]
    seen = np.isfinite(pairs)
    scaled = np.full(len(pairs), np.nan)
    if seen.any():
        scaled[seen] = (rankdata(pairs[seen]) - 1) / max(seen.sum() - 1, 1)
    if seen.sum() == 1:
        scaled[seen] = 0.5
    ranks = np.full(rdm.shape, np.nan)
    ranks[first, second] = ranks[second, first] = scaled
    return ranks


def _leaves(rdm: Float64[np.ndarray, "m m"]) -> Int[np.ndarray, " m"]:
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering

    if len(rdm) < 3:
        return np.arange(len(rdm))
    pairs = pair_vector(rdm)
    leaves: Int[np.ndarray, " m"] = leaves_list(optimal_leaf_ordering(linkage(pairs, "average"), pairs))
    return leaves.astype(np.int64)


def _mean(values: Float64[np.ndarray, " p"]) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if seen.size else np.nan
