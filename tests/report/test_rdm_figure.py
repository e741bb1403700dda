"""Matrices side by side: ranks, order, words."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import LABELS, N, rdms

from bgs import BgsError
from bgs.reports import rdm_figure, render
from bgs.reports.rdms import clip_order, imputed, scaled_ranks


def square(values: list[float]) -> np.ndarray:
    """The matrix of four clips with these six pairs."""
    matrix = np.zeros((4, 4))
    matrix[np.triu_indices(4, 1)] = values
    return matrix + matrix.T


def test_ranks_by_hand():
    ranks = scaled_ranks(square([0.3, 0.1, 0.1, np.nan, 0.9, 0.5]))
    # Five observed pairs: ranks 3, 1.5, 1.5, 5, 4 -> (rank - 1) / 4; ties share their mean.
    assert ranks[np.triu_indices(4, 1)] == pytest.approx([0.5, 0.125, 0.125, np.nan, 1.0, 0.75], nan_ok=True)
    assert np.isnan(np.diag(ranks)).all()
    np.testing.assert_array_equal(ranks, ranks.T)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([np.nan] * 6, [np.nan] * 6),
        ([0.4] + [np.nan] * 5, [0.5] + [np.nan] * 5),
        ([0.4] * 6, [0.5] * 6),
    ],
)
def test_ranks_where_there_is_nothing_to_rank(values, expected):
    assert scaled_ranks(square(values))[np.triu_indices(4, 1)] == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(0.001, 2), min_size=6, max_size=6))
def test_ranks_do_not_change_under_a_monotone_map(values):
    np.testing.assert_array_equal(scaled_ranks(square(values)), scaled_ranks(square([2 * x for x in values])))


def test_unseen_pairs_take_the_mean_of_the_seen_ones():
    full = imputed(square([0.2, 0.4, np.nan, 0.6, 0.8, np.nan]))
    assert full[0, 3] == full[3, 0] == full[2, 3] == pytest.approx(0.5)
    assert np.diag(full).tolist() == [0] * 4
    assert not imputed(square([np.nan] * 6)).any()


def test_groups_stay_together_and_neighbours_are_alike():
    places = np.array([3.0, 0.0, 2.0, 1.0, 5.0, 4.0])  # on a line
    line = np.abs(places[:, None] - places[None])
    order = clip_order(line)
    assert places[order].tolist() in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])
    labels = ["b", "a", "b", "a", "b", "a"]
    grouped = clip_order(line, labels)
    assert [labels[k] for k in grouped] == ["b", "b", "b", "a", "a", "a"]
    assert sorted(grouped.tolist()) == list(range(6))


def test_every_panel_has_the_same_order_and_says_what_it_shows():
    matrices = rdms()
    figure = rdm_figure(matrices, LABELS)
    assert figure.blocks == (("friendly", 0, 4), ("neutral", 4, 8), ("adversarial", 8, 12))
    order = list(figure.order)
    for panel, matrix in zip(figure.panels, matrices.values(), strict=True):
        np.testing.assert_array_equal(panel.ranks, scaled_ranks(matrix)[np.ix_(order, order)])
    text = figure.describe()
    assert f"every pair of {N} clips" in text
    assert "people: mean rank" in text
    assert "2 of 66 pairs unseen" in text
    assert "friendly (4)" in text
    assert "ranks within each matrix" in text
    assert "Hatched" in text


def test_without_labels_and_without_holes():
    figure = rdm_figure({"people": imputed(rdms()["people"])})
    assert figure.blocks == ()
    assert "Groups" not in figure.describe()
    assert "Hatched" not in figure.describe()


@pytest.mark.parametrize("case", ["none", "sizes", "labels"])
def test_what_does_not_belong_together(case):
    matrices = (
        {} if case == "none" else {"a": np.zeros((3, 3)), "b": np.zeros((4 if case == "sizes" else 3,) * 2)}
    )
    with pytest.raises(BgsError, match="same clips"):
        rdm_figure(matrices, ["x"] if case == "labels" else None)


def test_every_line_of_a_footnote_has_room_of_its_own():
    figure = rdm_figure(rdms(), LABELS)

    def height(note: str) -> float:
        svg = render(dataclasses.replace(figure, note=note)).decode()
        return float(re.search(r'height="([\d.]+)pt"', svg)[1])

    bare, *lines = (height(" ".join(["clips stand by label and likeness"] * times)) for times in (0, 1, 5, 9))
    assert np.diff([bare, *lines]) == pytest.approx([72 * 0.3, 72 * 0.12, 72 * 0.12])
