"""Encoders as people call them, in the order of tables and figures: the best first, each followed by its random twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from heider_simmel_grid import TWINS
from heider_simmel_verbs import Line

_NAMES = {
    "motion": "motion energy",
    "scratch": "VideoMAE from scratch",
    "vit": "ViT-S/14, 8 frames",
    "vit-16": "ViT-S/14, 16 frames",
}
#: States in the order in which they are listed, and what sets controls apart.
STATES = ("frozen", "linear transform", "LoRA", "trained in full")
_CONTROLS = ("", "trials only", "RDM only", "shuffled names")


def ordered(lines: Iterable[Line]) -> list[str]:
    """Encoders by their best agreement, highest first; a random twin comes after its encoder."""
    best: dict[str, float] = {}
    for line in lines:
        best[line.encoder] = max(best.get(line.encoder, -1.0), line.rsa.value)
    twins = {TWINS[name] for name in best if name in TWINS}
    first = sorted((name for name in best if name not in twins), key=lambda name: -best[name])
    return [name for encoder in first for name in (encoder, TWINS.get(encoder)) if name in best]


def names_of(encoders: Sequence[str]) -> dict[str, str]:
    """Encoder -> its name in a list of these; a twin that follows its encoder is "its" twin."""
    of = {twin: encoder for encoder, twin in TWINS.items()}
    named = {}
    for before, encoder in pairwise(("", *encoders)):
        if encoder in of:
            named[encoder] = (
                "its random twin" if before == of[encoder] else f"random twin of {name_of(of[encoder])}"
            )
        else:
            named[encoder] = _NAMES.get(encoder, encoder)
    return named


def name_of(encoder: str) -> str:
    """The name of an encoder that stands alone."""
    return names_of([encoder])[encoder]


def place_of(state: str) -> tuple[int, int]:
    """Sorts the states of an encoder: frozen, transforms, then networks; controls after what they control."""
    how, _, control = state.partition(", ")
    return STATES.index(how), _CONTROLS.index(control)
