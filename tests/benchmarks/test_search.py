"""One setting at a time finds what a grid finds where settings do not interact, and says all that it tried."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bgs.benchmarks.row import Candidate, Choice
from bgs.benchmarks.search import search

PULLS = (0.01, 0.1, 1.0)
LAYERS, POOLS, TIMES = range(4), ("cls", "mean", "patch-std"), ("mean", "mean+std", "difference")
NAMES = [f"layer={k}&pool={p}&time={t}" for k, p, t in product(LAYERS, POOLS, TIMES)]


def frozen(names: list[str], best: str) -> Choice:
    values = dict.fromkeys(names, 0.1) | {best: 0.9}
    return Choice(best, [Candidate(name, value, 10) for name, value in values.items()])


def of_a_grid(value) -> tuple[str, float]:
    """The readable reference: every candidate with every pull."""
    return max(product([*NAMES, ""], PULLS), key=lambda one: value(*one))


def additive(seed: int):
    """A value for each layer, pooling and pull, added up: each is best whatever the others are."""
    parts = np.random.default_rng(seed).random((4, 4))

    def value(settings: str, pull: float) -> float:
        if not settings:
            return -1.0
        layer, pool, time = (
            NAMES.index(settings) // 9,
            NAMES.index(settings) // 3 % 3,
            NAMES.index(settings) % 3,
        )
        return float(parts[0, layer] + parts[1, pool] + parts[2, time] + parts[3, PULLS.index(pull)])

    return value


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_best_of_the_grid_where_settings_do_not_interact(seed):
    value = additive(seed)
    validated = []

    def validate(settings: str, pull: float) -> Candidate:
        validated.append((settings, pull))
        return Candidate(settings, value(settings, pull), 7, pull)

    start = NAMES[11 * seed % len(NAMES)]
    choice = search(frozen([*NAMES, ""], start), PULLS, validate)
    assert (choice.settings, choice.pull) == of_a_grid(value)
    assert [(one.settings, one.pull, one.value, one.n) for one in choice.candidates] == [
        (*one, value(*one), 7) for one in validated
    ]
    assert len(set(validated)) == len(validated) <= 3 + 4 + 2 + 2 + 2
    assert {settings for settings, _ in validated[:3]} == {start}
    assert "" in {settings for settings, _ in validated}  # the published one, among the layers


def test_the_pull_is_chosen_again_for_the_layer():
    """Validation, not the frozen correlation, chooses; the pull that is best there may be another."""
    table = {("layer=0", 0.1): 0.3, ("layer=0", 0.01): 0.2, ("layer=1", 0.1): 0.4, ("layer=1", 0.01): 0.5}
    choice = search(
        frozen(["layer=0", "layer=1", ""], "layer=0"), (0.01, 0.1),
        lambda settings, pull: Candidate(settings, table.get((settings, pull), 0.0), 3, pull),
    )  # fmt: skip
    assert (choice.settings, choice.pull) == ("layer=1", 0.01)
    assert [(one.settings, one.pull) for one in choice.candidates] == [
        ("layer=0", 0.01), ("layer=0", 0.1), ("layer=1", 0.1), ("", 0.1), ("layer=1", 0.01),
    ]  # fmt: skip


def test_undefined_values_are_never_chosen_and_candidates_without_distances_never_tried():
    values = {"layer=0": float("nan"), "layer=1": 0.1, "": 0.2}
    choice = Choice("", [Candidate(name, value, 3) for name, value in values.items()])
    found = search(
        choice, (0.1, 1.0), lambda name, pull: Candidate(name, float("nan") if name else 0.2, 3, pull)
    )
    assert (found.settings, found.pull) == ("", 0.1)
    assert "layer=0" not in {one.settings for one in found.candidates}


def test_an_encoder_without_layers_chooses_its_pull_alone():
    choice = search(frozen([""], ""), PULLS, lambda name, pull: Candidate(name, -abs(pull - 0.1), 3, pull))
    assert (choice.settings, choice.pull, len(choice.candidates)) == ("", 0.1, 3)
