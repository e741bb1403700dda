"""Pictures, masks and trajectories tell the same story."""

import numpy as np
import pytest

from bgs.simulation.beginning import episodes_of
from bgs.simulation.film import MASK_NAMES, film
from bgs.simulation.looks import STYLES, draw_look
from bgs.simulation.world import OBJECT

SIZE = 128


def expected_centre(episodes, look, entity, frame):
    """Column and row of an entity, counted in pixels from the upper left corner."""
    corner = np.round(look.corner[frame] / look.view * SIZE) / SIZE * look.view
    x, y = (episodes.position[0, frame, entity] - corner) / look.view * SIZE
    return x, SIZE - y


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["steal", "ignore"])
def test_a_masks_centre_is_the_agents_position_to_a_pixel(style, name):
    episodes = episodes_of(name, 1, ["5"])
    look = draw_look(style, 1, "5")
    made = film(episodes, 0, look, SIZE, 1, "5")
    checked = 0
    for frame in range(0, 90, 7):
        for entity in (0, 1):
            rows, columns = np.nonzero(made.mask[frame] == 1 + entity)
            others = [i for i in range(4) if i != entity and episodes.present[0, i]]
            apart = min(
                np.linalg.norm(episodes.position[0, frame, entity] - episodes.position[0, frame, i])
                for i in others
            )
            if apart < 0.16:  # one body may cover part of another
                continue
            x, y = expected_centre(episodes, look, entity, frame)
            middle = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
            reach = (
                1.0 if style in ("discs", "patterned") else 4.0
            )  # triangles and points are not centred on their box
            assert abs(middle[0] - x) <= reach
            assert abs(middle[1] - y) <= reach
            checked += 1
    assert checked > 3


def test_a_discs_mask_has_its_area():
    episodes, look = episodes_of("ignore", 1, ["2"]), draw_look("discs", 1, "2")
    made = film(episodes, 0, look, SIZE, 1, "2", np.array([0]))
    radius = episodes.radius[0, 0] / look.view * SIZE
    assert (made.mask == 1).sum() == pytest.approx(np.pi * radius**2, rel=0.06)


def test_pixels_outside_all_masks_are_the_background():
    episodes, look = episodes_of("play", 1, ["3"]), draw_look("discs", 1, "3")
    made = film(episodes, 0, look, SIZE, 1, "3")
    empty = film(episodes_without_anybody(episodes), 0, without_clutter(look), SIZE, 1, "3")
    outside = np.ones(made.mask.shape, dtype=bool)
    for shift in np.ndindex(3, 3):  # a rim of one pixel is blended
        outside &= np.roll(made.mask, np.array(shift) - 1, axis=(1, 2)) == 0
    np.testing.assert_array_equal(made.frames[outside], empty.frames[outside])
    assert (made.frames[made.mask == 1] != empty.frames[made.mask == 1]).mean() > 0.9


def episodes_without_anybody(episodes):
    from dataclasses import replace

    return replace(episodes, present=np.zeros_like(episodes.present))


def without_clutter(look):
    from dataclasses import replace

    return replace(look, clutter=look.clutter[:0])


def test_single_frames_are_those_of_the_whole_clip():
    episodes, look = episodes_of("share", 1, ["4"]), draw_look("patterned", 1, "4")
    whole, some = (
        film(episodes, 0, look, SIZE, 1, "4"),
        film(episodes, 0, look, SIZE, 1, "4", np.array([3, 50])),
    )
    np.testing.assert_array_equal(whole.frames[[3, 50]], some.frames)
    np.testing.assert_array_equal(whole.mask[[3, 50]], some.mask)


def test_masks_name_who_is_there():
    episodes, look = episodes_of("guard", 1, ["0"]), draw_look("discs", 1, "0")
    made = film(episodes, 0, look, SIZE, 1, "0", np.array([0]))
    assert set(np.unique(made.mask)) <= set(range(len(MASK_NAMES)))
    assert (made.mask == 1 + OBJECT).any()


def test_looks_have_nothing_to_do_with_what_happens():
    """Nuisance variables are drawn from streams of their own: latents and looks are uncorrelated over many clips."""
    from scipy.stats import spearmanr

    from bgs.simulation.behaviours import BEHAVIOURS
    from bgs.simulation.latents import latents

    keys = [str(i) for i in range(60)]
    values = np.concatenate([latents(episodes_of(name, 1, keys)) for name in BEHAVIOURS])
    looks = [draw_look("discs", 1, f"{name}{key}").numbers() for name in BEHAVIOURS for key in keys]
    for name in looks[0]:
        column = [look[name] for look in looks]
        found = [abs(spearmanr(values[:, k], column).statistic) for k in range(values.shape[1])]
        assert max(found) < 0.138  # four standard errors at n = 840


def test_point_light_shows_points_and_nothing_else():
    episodes, look = episodes_of("fight", 1, ["1"]), draw_look("point-light", 1, "1")
    made = film(episodes, 0, look, SIZE, 1, "1", np.array([10]))
    assert (made.frames.max(axis=-1) < 30).mean() > 0.9
    assert made.frames.max() > 200
