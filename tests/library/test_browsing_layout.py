"""Where clips lie on the map, and what changed under another model."""

import numpy as np
import pytest
from safetensors import safe_open

from bgs import BgsError
from bgs._errors import DataError
from bgs._files import write_tensors
from bgs.library.browsing.comparing import aligned, kept_neighbours
from bgs.library.browsing.layout import FILE, axes_of, draw_axes, kept_axes


def unit_vectors(n: int, d: int = 12, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, d)) * np.linspace(3, 0.5, d) + 0.5
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_map_is_classical_scaling_of_the_cosine_distances():
    vectors = unit_vectors(60).astype(np.float64)
    squared = 2 * (1 - vectors @ vectors.T)  # twice the cosine distance is a squared Euclidean distance
    centring = np.eye(60) - 1 / 60
    values, found = np.linalg.eigh(-0.5 * centring @ squared @ centring)
    reference = found[:, ::-1][:, :2] * np.sqrt(values[::-1][:2])
    axes = draw_axes(vectors, "m")
    placed = axes.place(vectors)
    signs = np.sign((placed * reference).sum(0))
    np.testing.assert_allclose(placed, reference * signs, atol=1e-10)
    np.testing.assert_allclose(axes.shares, values[::-1][:2] / values.sum(), atol=1e-12)


def test_clips_do_not_move_when_others_come(tmp_path):
    vectors = unit_vectors(50)
    first, drawn = axes_of(vectors, "m", tmp_path)
    more = np.concatenate([vectors[::-1], unit_vectors(200, seed=1)])
    second, again = axes_of(more, "m", tmp_path)
    assert (drawn, again) == (True, False)
    assert second.clips == 50
    np.testing.assert_allclose(second.place(more)[:50], first.place(vectors)[::-1], atol=1e-6)


def test_the_map_is_drawn_anew_on_demand_and_for_another_model(tmp_path):
    axes_of(unit_vectors(50), "m", tmp_path)
    assert axes_of(unit_vectors(50, seed=3), "m", tmp_path, redraw=True)[1]
    assert axes_of(unit_vectors(50), "other", tmp_path)[1]
    assert kept_axes(tmp_path / FILE).identity == "other"


@pytest.mark.parametrize(("n", "d"), [(1, 5), (2, 5), (3, 1), (4, 2)])
def test_few_clips_have_places(n, d):
    vectors = unit_vectors(n, d)
    placed = draw_axes(vectors, "m").place(vectors)
    assert placed.shape == (n, 2)
    assert np.isfinite(placed).all()


def test_a_damaged_map_names_the_way_out(tmp_path):
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(BgsError, match="--redraw"):
        axes_of(unit_vectors(5), "m", tmp_path)
    assert axes_of(unit_vectors(5), "m", tmp_path, redraw=True)[1]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("components", lambda found: found[:1]),
        ("components", lambda found: np.pad(found, ((0, 0), (0, 1)))),
        ("components", lambda found: found * np.nan),
        ("components", lambda found: found.astype(np.float32)),
        ("shares", lambda found: found * np.nan),
        ("shares", lambda found: found[:1]),
        ("mean", lambda found: found * np.inf),
        ("mean", lambda found: found[None]),
    ],
)
def test_a_map_of_other_shapes_or_numbers_is_damaged(tmp_path, name, change):
    draw_axes(unit_vectors(9), "m").save(tmp_path / FILE)
    with safe_open(tmp_path / FILE, framework="numpy") as file:
        header = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    with np.errstate(invalid="ignore"):
        write_tensors(tmp_path / FILE, tensors | {name: change(tensors[name]).copy()}, header)
    with pytest.raises(DataError, match=rf"damaged: {name} is .*--redraw"):
        axes_of(unit_vectors(9), "m", tmp_path)


def test_neighbourhoods_equal_a_slow_reference():
    first, second = unit_vectors(40), unit_vectors(40, d=7, seed=2)

    def near(vectors, row):
        order = np.argsort(-(vectors @ vectors[row]), kind="stable")
        return (
            {int(k) for k in order if k != row} if len(order) <= 6 else set(order[order != row][:5].tolist())
        )

    expected = [len(near(first, row) & near(second, row)) / 5 for row in range(40)]
    np.testing.assert_allclose(kept_neighbours(first, second, 5), expected)
    np.testing.assert_allclose(kept_neighbours(first, first * 2, 5), 1)


def test_a_turned_mirrored_and_scaled_map_is_laid_on_the_first():
    fixed = np.random.default_rng(0).normal(size=(30, 2))
    turn = np.array([[0.0, 1.0], [1.0, 0.0]]) @ np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(aligned(7 * fixed @ turn + 3, fixed), fixed, atol=1e-12)
    assert np.isfinite(aligned(np.ones((30, 2)), fixed)).all()
