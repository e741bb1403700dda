"""Captions: several wordings of an episode's script, some without affect, as in human captions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bgs._rng import generator
from bgs.simulation.looks import HUES, Look

#: Sentences by behaviour: {a} and {b} are the agents. Three describe the meaning, two only the motion.
WORDINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "chase": (
        ("{a} chases {b}, who tries to get away", "{b} is hunted by {a}", "{a} is after {b} and does not let go"),
        ("{a} and {b} move fast, one behind the other", "{b} moves around the room and {a} is close to it"),
    ),
    "flee": (
        ("{b} is afraid of {a} and flees", "{a} frightens {b}, who bolts", "{b} runs away as {a} comes near"),
        ("{b} moves away and {a} moves slowly", "{a} comes closer and {b} changes its place"),
    ),
    "follow": (
        ("{a} follows {b} in secret", "{a} trails {b}, who takes no notice", "{b} strolls and {a} tags along"),
        ("{a} and {b} cross the room one after the other", "{b} moves around and {a} moves too"),
    ),
    "lead": (
        ("{b} shows {a} the way", "{b} leads {a} and waits for it", "{a} trusts {b} and goes along"),
        ("{a} and {b} go to the same side of the room", "{b} stops and moves on, {a} is behind"),
    ),
    "help": (
        ("{a} helps {b} push the block", "{a} and {b} work together on the block", "{a} lends {b} a hand"),
        ("{a} and {b} are at the block and it moves", "the block moves, {a} and {b} next to it"),
    ),
    "hinder": (
        ("{a} keeps {b} from moving the block", "{a} pushes against {b} out of spite", "{a} gets in the way of {b}"),
        ("{a} and {b} are on two sides of the block", "{a}, the block and {b} are in a row"),
    ),
    "fight": (
        ("{a} and {b} fight", "{a} attacks {b} and {b} hits back", "{a} and {b} ram each other in anger"),
        ("{a} and {b} move to and fro", "{a} and {b} meet in the room again and again"),
    ),
    "play": (
        ("{a} and {b} play together", "{a} and {b} dance around each other", "{a} and {b} have fun"),
        ("{a} and {b} move in circles", "{a} and {b} turn about the room"),
    ),
    "comfort": (
        ("{a} comforts {b}, who is sad", "{a} comes to console {b}", "{a} gently stays with {b}"),
        ("{b} does not move and {a} comes to it", "{a} and {b} end up next to each other"),
    ),
    "greet": (
        ("{a} and {b} greet each other", "{a} says hello to {b}", "{a} and {b} meet, nod and part"),
        ("{a} and {b} meet and go on", "{a} and {b} come close and then move away"),
    ),
    "ignore": (
        ("{a} and {b} ignore each other", "{a} and {b} want nothing to do with each other", "{a} and {b} are strangers"),
        ("{a} and {b} move around the room", "{a} goes its way and {b} goes another"),
    ),
    "guard": (
        ("{a} guards the block against {b}", "{a} does not let {b} get to the block", "{b} cannot get past {a}"),
        ("{a} is between {b} and the block", "{a} and {b} move near the block"),
    ),
    "share": (
        ("{a} gives {b} a present", "{a} shares the block with {b}", "{a} kindly hands the block to {b}"),
        ("{a} and {b} are next to each other with the block", "the block goes from {a} to {b}"),
    ),
    "steal": (
        ("{a} steals the block from {b}", "{a} robs {b} and runs off", "{b} is robbed by {a} and gives chase"),
        ("{a} and {b} move with the block", "the block goes from {b} to {a}"),
    ),
}  # fmt: skip
#: Adverbials by latent, from its lowest to its highest value; added to some sentences that describe the meaning.
MANNERS: dict[str, tuple[str, ...]] = {
    "valence": ("in anger", "with hostility", "in a tense mood", "calmly", "in a friendly way", "with affection", "happily"),
    "arousal": ("very slowly", "at an easy pace", "quickly", "in great haste"),
}  # fmt: skip
_AFFECT_SHARE = 0.7
_MANNER_SHARE = 0.6  # proportion of meaning sentences with an adverbial, usually of mood
_MOOD_SHARE = 0.75
_COLOUR_SHARE = 0.25  # proportion of captions that name colours
_PLACE_SHARE = 0.3  # proportion of captions that mention the room
_BODIES = {
    "discs": ("circle", "ball"), "triangles": ("triangle", "arrowhead"), "patterned": ("square", "box"),
    "point-light": ("ring of dots", "group of dots"),
}  # fmt: skip
_ROOMS = ("in a {shade} room", "on a {shade} {texture} floor", "while the camera drifts")


def captions(
    behaviour: str, latents: Mapping[str, float], look: Look, seed: int, key: str, count: int = 5
) -> tuple[str, ...]:
    """``count`` sentences about a clip; most describe feelings or intentions, the others only the motion.

    Args:
        behaviour: name of the behaviour.
        latents: name -> 0–1, see :mod:`bgs.simulation.latents`; those of :data:`MANNERS` are needed.
        look: appearance of the clip; some sentences name colours or the room.
        seed, key: seed and key of the random stream.
        count: number of sentences.
    """
    rng = generator(seed, "captions", key)
    meant, moves = WORDINGS[behaviour]
    sentences = []
    for _ in range(count):
        affect = rng.random() < _AFFECT_SHARE
        wording = str(rng.choice(meant if affect else moves))
        a, b = _names(look, rng)
        manner = _manner(latents, rng) if affect and rng.random() < _MANNER_SHARE else ""
        sentences.append(_sentence(wording.format(a=a, b=b) + manner, look, rng))
    return tuple(sentences)


def _manner(latents: Mapping[str, float], rng: np.random.Generator) -> str:
    latent = "valence" if rng.random() < _MOOD_SHARE else "arousal"
    scale = MANNERS[latent]
    return f", {scale[min(int(latents[latent] * len(scale)), len(scale) - 1)]}"


def _names(look: Look, rng: np.random.Generator) -> tuple[str, str]:
    body = str(rng.choice(_BODIES[look.style]))
    if look.style == "point-light" or rng.random() > _COLOUR_SHARE:
        return f"one {body}", f"another {body}"
    first, second = HUES[look.hues[0]], HUES[look.hues[1]]
    return f"{'an' if first[0] in 'aeiou' else 'a'} {first} {body}", f"the {second} {body}"


def _sentence(text: str, look: Look, rng: np.random.Generator) -> str:
    if rng.random() < _PLACE_SHARE:
        shade = "dark" if float(np.mean(look.shades)) < 128 else "bright"
        texture = {"stripes": "striped", "checks": "checkered", "dots": "dotted"}.get(
            look.texture, look.texture
        )
        text = f"{text} {str(rng.choice(_ROOMS)).format(shade=shade, texture=texture)}"
    return text[0].upper() + text[1:] + "."
