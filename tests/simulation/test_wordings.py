"""Captions tell what happens, some of them how, some only what moves."""

import numpy as np
import pytest

from bgs.simulation.latents import LATENTS
from bgs.simulation.looks import draw_look
from bgs.simulation.wordings import MANNERS, WORDINGS, captions

LOOK = draw_look("discs", 0, "a")


def sentences(valence: float, count: int = 400) -> tuple[str, ...]:
    return captions("greet", dict.fromkeys(LATENTS, 0.5) | {"valence": valence}, LOOK, 0, "a", count)


@pytest.mark.parametrize(("valence", "mood"), [(0.0, "in anger"), (0.5, "calmly"), (1.0, "happily")])
def test_the_mood_is_that_of_the_clip(valence, mood):
    found = {m for m in MANNERS["valence"] if any(m in sentence for sentence in sentences(valence))}
    assert found == {mood}


def test_some_leave_out_how_and_some_leave_out_the_affect():
    told = sentences(0.9)
    manners = [manner for scale in MANNERS.values() for manner in scale]
    with_manner = np.mean([any(m in sentence for m in manners) for sentence in told])
    assert 0.3 < with_manner < 0.55  # .7 · .6
    moves = [text.split("{b}")[-1] for text in WORDINGS["greet"][1]]
    only_moves = [s for s in told if any(part in s for part in moves)]
    assert 0.2 < len(only_moves) / len(told) < 0.4
    assert not any(m in sentence for sentence in only_moves for m in manners)


def test_captions_depend_on_the_clip_only():
    assert sentences(0.9, 5) == sentences(0.9, 5)
    assert sentences(0.9, 5) == sentences(0.9, 400)[:5]
