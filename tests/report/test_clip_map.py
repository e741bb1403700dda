"""Maps of clips: known geometries come back, maps are aligned, pictures do not cover each other."""

from __future__ import annotations

import numpy as np
import pytest
from report_pages import LABELS, N, pictures, rdms

from bgs import BgsError
from bgs.evaluation import pair_vector
from bgs.reports import clip_map
from bgs.reports.clip_maps import align, mds
from bgs.reports.drawing.clip_map import apart, border_colours, picture_size
from bgs.reports.rdms import imputed
from bgs.reports.rendering import render


def plane(n: int = 15) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(n, 2))


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def stress(rdm: np.ndarray, points: np.ndarray) -> float:
    return float(((pair_vector(rdm) - pair_vector(distances(points))) ** 2).sum())


def test_points_of_a_plane_come_back():
    rdm = distances(plane())
    np.testing.assert_allclose(distances(mds(rdm)), rdm, atol=1e-6)


def smacof(rdm: np.ndarray, steps: int = 300) -> np.ndarray:
    """Torgerson's classical solution and ``steps`` of de Leeuw's majorisation with equal weights, pair by pair."""
    n = len(rdm)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ rdm**2 @ centring / 2)
    points = vectors[:, -2:] * np.sqrt(values[-2:])
    for _ in range(steps):
        moved = np.zeros_like(points)
        for i in range(n):
            for j in set(range(n)) - {i}:
                apart = points[i] - points[j]
                moved[i] += rdm[i, j] * apart / np.linalg.norm(apart)
        points = moved / n
    return points


@pytest.mark.parametrize("name", ["people", "base", "tuned"])
def test_it_is_smacof_from_the_classical_solution(name):
    rdm = imputed(rdms()[name])  # eight dimensions: no map is exact
    found, slow = mds(rdm), smacof(rdm)
    np.testing.assert_allclose(align(slow, found), found, atol=2e-3 * np.abs(found).max())
    assert stress(rdm, found) == pytest.approx(stress(rdm, slow), rel=1e-6)
    assert stress(rdm, found) < stress(rdm, smacof(rdm, 0))
    nudged = found + 0.02 * np.random.default_rng(0).normal(size=found.shape)
    assert stress(rdm, found) < stress(rdm, nudged)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-12)


def test_it_is_deterministic_and_clips_that_are_all_alike_lie_together():
    rdm = rdms()["tuned"]
    np.testing.assert_array_equal(mds(rdm), mds(rdm.copy()))
    np.testing.assert_allclose(mds(np.zeros((4, 4))), 0.0, atol=1e-12)


def test_alignment_undoes_turning_mirroring_scaling_and_shifting():
    points = plane()
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([1.0, -1.0])
    np.testing.assert_allclose(align(3 * points @ turn + [5, -2], points), points, atol=1e-9)


def test_an_unrelated_map_keeps_its_size():
    points, other = plane(), np.random.default_rng(9).normal(size=(15, 2))
    aligned = align(other, points)
    spread = [np.linalg.norm(p - p.mean(axis=0)) for p in (aligned, points)]
    assert spread[0] == pytest.approx(spread[1])


def test_pictures_are_pushed_apart_and_stay_on_the_map():
    crowd = np.random.default_rng(1).normal(200, 25, (20, 2))
    crowd[3] = crowd[4]
    spots = apart(crowd, 40.0, 400)
    gap = np.abs(spots[:, None] - spots[None]).max(axis=-1) + np.eye(20) * 99
    assert gap.min() > 39
    assert spots.min() >= 20
    assert spots.max() <= 380
    loose = np.array([[50.0, 50.0], [200.0, 200.0], [350.0, 60.0]])
    np.testing.assert_allclose(apart(loose, 40.0, 400), loose, atol=0.02)
    assert picture_size(12) > picture_size(60) > picture_size(250) >= 14


def test_words_and_colours():
    figure = clip_map(rdms(), [f"c{k}" for k in range(N)], pictures(), LABELS)
    text = figure.describe()
    assert "people, base, tuned" in text
    assert "2 pairs without judgments were set to the mean" in text
    assert "Procrustes" in text
    assert "stress" in text
    colours, key = border_colours(figure)
    assert len(set(colours)) == len(key) == 3
    assert colours[0] == colours[1] != colours[4]


def test_values_colour_borders_too():
    valence = np.linspace(-1, 1, N)
    valence[2] = np.nan
    figure = clip_map(rdms(), [f"c{k}" for k in range(N)], pictures(), values=valence, values_name="valence")
    colours, key = border_colours(figure)
    assert [name for name, _ in key] == ["−1.00", ".00", "1.00"]
    assert colours[0] == key[0][1]
    assert colours[-1] == key[-1][1]
    assert len(set(colours)) == N
    assert "Borders show valence" in figure.describe()


def test_the_svg_holds_each_picture_once():
    figure = clip_map(rdms(), [f"c{k} <&>" for k in range(N)], pictures(), LABELS)
    svg = render(figure, "svg").decode()
    assert svg.count("data:image/jpeg;base64,") == N
    assert svg.count("<use ") == 3 * N
    assert "c3 &lt;&amp;&gt;" in svg


@pytest.mark.parametrize("case", ["names", "few", "none"])
def test_what_makes_no_map(case):
    n = 2 if case == "few" else N
    matrices = {} if case == "none" else {"people": np.zeros((n, n))}
    with pytest.raises(BgsError, match="makes no map"):
        clip_map(matrices, ["x"] * (3 if case == "names" else n), pictures(N)[:n])
