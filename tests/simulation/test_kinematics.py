"""Signals of motion do not say who is A, and are what they are called."""

from dataclasses import replace

import numpy as np
import pytest

from bgs.simulation.beginning import episodes_of
from bgs.simulation.behaviours import BEHAVIOURS
from bgs.simulation.kinematics import KINEMATICS, kinematics
from bgs.simulation.world import FRAMES, Episodes

MOMENTS = np.array([5, 30, 60, 84])
KEYS = [str(i) for i in range(12)]


def exchanged(episodes: Episodes) -> Episodes:
    """The same with A and B renamed."""
    four, three = [1, 0, 2, 3], [1, 0, 2]
    holder = np.select([episodes.holder == 0, episodes.holder == 1], [1, 0], episodes.holder)
    return replace(
        episodes, position=episodes.position[:, :, four], velocity=episodes.velocity[:, :, four],
        heading=episodes.heading[:, :, three], wish=episodes.wish[:, :, three], touch=episodes.touch[:, :, ::-1],
        holder=holder, radius=episodes.radius[:, four],
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_who_is_a_does_not_matter(name):
    episodes = episodes_of(name, 3, KEYS)
    found = kinematics(episodes, MOMENTS)
    assert found.shape == (len(KEYS), len(KINEMATICS), len(MOMENTS))
    np.testing.assert_allclose(kinematics(exchanged(episodes), MOMENTS), found, atol=1e-9)


def test_signals_by_loop():
    episodes = episodes_of("steal", 3, KEYS)
    found = dict(zip(KINEMATICS, kinematics(episodes, np.array([40]))[7, :, 0], strict=True))
    gap, far = [], []
    for frame in range(35, 46):
        a, b, thing = (episodes.position[7, frame, k] for k in (0, 1, 3))
        apart = np.linalg.norm(a - b) - episodes.radius[7, 0] - episodes.radius[7, 1]
        gap.append(1 - np.exp(-max(apart, 0) / 0.25))
        far.append(max(np.linalg.norm(a - thing), np.linalg.norm(b - thing)))
    assert found["gap"] == pytest.approx(np.mean(gap))
    assert found["far from the object"] == pytest.approx(np.mean(far))
    assert found["object there"] == 1


def test_there_is_nothing_to_say_of_an_object_that_is_not_there():
    found = kinematics(episodes_of("fight", 3, KEYS), MOMENTS)
    silent = [k for k, name in enumerate(KINEMATICS) if "object" in name and "faster" not in name]
    assert np.ptp(found[:, silent]) == 0


def test_moments_at_the_edges_take_what_there_is():
    found = kinematics(episodes_of("chase", 3, KEYS), np.array([0, FRAMES - 1]))
    assert np.isfinite(found).all()
