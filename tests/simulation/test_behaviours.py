"""Controllers do what their names say."""

import numpy as np
import pytest

from bgs.simulation.beginning import episodes_of
from bgs.simulation.behaviours import BEHAVIOURS, labour
from bgs.simulation.latents import LATENTS, latents, signals
from bgs.simulation.world import FRAMES, OBJECT, A, B, Episodes

KEYS = [str(i) for i in range(40)]


@pytest.fixture(scope="module")
def played() -> dict[str, Episodes]:
    return {name: episodes_of(name, 3, KEYS) for name in BEHAVIOURS}


def gaps(episodes: Episodes) -> np.ndarray:
    return signals(episodes).gap


def to_goal(episodes: Episodes) -> np.ndarray:
    """Distance of the object from where B wants it, in the last frame."""
    return np.linalg.norm(episodes.position[:, -1, OBJECT] - episodes.goal, axis=-1)


def test_at_least_twelve_behaviours():
    assert len(BEHAVIOURS) >= 12


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_everybody_stays_in_the_room_and_nothing_is_undefined(name, played):
    position = played[name].position
    assert position.shape == (len(KEYS), FRAMES, 4, 2)
    assert np.isfinite(position).all()
    assert position.min() >= 0
    assert position.max() <= 1


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_nobody_jumps(name, played):
    agents = played[name].position[:, :, :2]
    step = np.linalg.norm(np.diff(agents, axis=1), axis=-1)
    assert step.max() < 0.09  # room widths in a thirtieth of a second


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_agents_do_not_pass_through_each_other(name, played):
    episodes = played[name]
    apart = np.linalg.norm(episodes.position[:, :, A] - episodes.position[:, :, B], axis=-1)
    assert (apart >= 0.9 * (episodes.radius[:, A] + episodes.radius[:, B])[:, None]).mean() > 0.995


def test_an_episode_depends_on_its_own_key_only():
    alone = episodes_of("chase", 3, ["7"])
    among = episodes_of("chase", 3, KEYS)
    np.testing.assert_array_equal(alone.position[0], among.position[7])


def test_the_chaser_comes_nearer(played):
    gap = gaps(played["chase"])
    assert (gap[:, -15:].mean(axis=1) < gap[:, 25:40].mean(axis=1)).mean() > 0.8


def test_who_flees_looks_to_where_it_runs_and_gets_away_from_a_walker(played):
    s = signals(played["flee"])
    running = s.toward_b < -0.9
    assert running.any(axis=1).mean() > 0.8
    assert s.look_b[running].mean() < 0


def test_a_follower_keeps_its_distance_and_is_not_looked_at(played):
    s = signals(played["follow"])
    assert s.gap[:, 45:].std(axis=1).mean() < 0.06
    assert s.look_a[:, 45:].mean() > 0.8
    assert s.look_b[:, 45:].mean() < 0.3


def test_a_leader_looks_back_where_the_followed_does_not(played):
    assert signals(played["lead"]).look_b.mean() > signals(played["follow"]).look_b.mean() + 0.3


def test_help_raises_and_hindrance_lowers_the_others_success():
    alone, helped, hindered = (
        to_goal(episodes_of("help", 3, KEYS, controller))
        for controller in (labour, None, BEHAVIOURS["hinder"].controller)
    )
    assert helped.mean() < alone.mean() < hindered.mean()


def test_fighters_run_into_each_other_and_players_do_not(played):
    hits = {name: (signals(played[name]).impact > 0.6).sum(axis=1) for name in ("fight", "play")}
    assert hits["fight"].mean() > 1
    assert hits["play"].mean() < 0.3


def test_a_comforter_ends_close_to_one_who_hardly_moved(played):
    s = signals(played["comfort"])
    assert np.median(s.gap[:, -1]) < 0.06
    assert s.speed_b[:, 40:].mean() < 0.15 < s.speed_a[:, 30:60].mean()


def test_those_who_greet_meet_and_part(played):
    gap = gaps(played["greet"])
    assert np.median(gap.min(axis=1)) < 0.1
    assert (gap[:, -1] > gap.min(axis=1)).mean() > 0.7


def test_those_who_ignore_each_other_look_away(played):
    assert signals(played["ignore"]).look_a[:, 10:].max() < 0.9
    assert signals(played["ignore"]).look_a.mean() < -0.5


def test_a_guard_stays_between(played):
    position = played["guard"].position[:, 45:]
    to_object = [np.linalg.norm(position[:, :, i] - position[:, :, OBJECT], axis=-1) for i in (A, B)]
    assert (to_object[0] < to_object[1]).mean() > 0.95


def test_the_object_changes_hands(played):
    given, taken = played["share"].holder, played["steal"].holder
    assert (given[:, 0] == A).all()
    assert (given[:, -1] == B).mean() > 0.9
    assert (taken[:, 0] == B).all()
    assert (taken[:, -1] == A).mean() > 0.9


def test_valence_is_as_the_names_suggest(played):
    valence = {name: latents(episodes)[:, 0].mean() for name, episodes in played.items()}
    kind = ("help", "share", "play", "comfort", "greet", "lead")
    unkind = ("chase", "flee", "fight", "hinder", "steal")
    assert max(valence[name] for name in unkind) < valence["ignore"] < min(valence[name] for name in kind)


def test_latents_lie_between_0_and_1_and_vary(played):
    values = np.concatenate([latents(episodes) for episodes in played.values()])
    assert values.min() >= 0
    assert values.max() <= 1
    assert (values.std(axis=0) > 0.1).all()


def test_latents_do_not_change_with_the_pace_of_the_clip(played):
    """Twice as fast throughout: the same but for time, which is not part of any formula."""
    episodes = played["chase"]
    from dataclasses import replace

    faster = replace(
        episodes, velocity=2 * episodes.velocity, wish=2 * episodes.wish, impact=2 * episodes.impact,
        pace=2 * episodes.pace,
    )  # fmt: skip
    np.testing.assert_allclose(latents(faster), latents(episodes), atol=1e-12)


def test_latents_do_not_change_when_the_world_is_turned(played):
    from dataclasses import replace

    episodes = played["help"]
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    turned = replace(
        episodes, position=episodes.position @ turn, velocity=episodes.velocity @ turn, wish=episodes.wish @ turn,
        goal=episodes.goal @ turn, heading=episodes.heading + np.pi / 2,
    )  # fmt: skip
    np.testing.assert_allclose(latents(turned), latents(episodes), atol=1e-9)


def test_distance_and_facingness_by_hand():
    """Two agents at rest, .3 apart from surface to surface, A looking at B, B looking aside."""
    frames, radius = 5, 0.05
    position = np.zeros((1, frames, 4, 2))
    position[:, :, B, 0] = 0.3 + 2 * radius
    still = np.zeros((1, frames, 3, 2))
    episodes = Episodes(
        position=position, velocity=np.zeros_like(position), heading=np.array([[[0.0, np.pi / 2, 0.0]] * frames]),
        wish=still, impact=np.zeros((1, frames)), touch=np.zeros((1, frames, 2), dtype=bool),
        holder=np.full((1, frames), -1), present=np.array([[True, True, False, False]]),
        radius=np.full((1, 4), radius), pace=np.array([0.4]), goal=np.zeros((1, 2)),
    )  # fmt: skip
    found = dict(zip(LATENTS, latents(episodes)[0], strict=True))
    assert found["distance"] == pytest.approx(1 - np.exp(-0.3 / 0.25))
    assert found["facingness"] == pytest.approx((2 + 1 + 0) / 4)
    assert found["arousal"] == pytest.approx(0.0)
    assert found["communication"] == pytest.approx(0.0)
    assert found["valence"] == pytest.approx(0.5 + 0.5 * np.tanh(1.5 * np.exp(-2) / 2))
