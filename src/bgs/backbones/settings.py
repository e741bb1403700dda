"""Settings in a reference to a video checkpoint: ``videomae:folder?frames=8&size=64&layer=6``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

from bgs._errors import ConfigError
from bgs.backbones.pooling import POOLINGS, Pool, Time, known_pooling
from bgs.backbones.random_twin import known_weights
from bgs.backbones.symmetry import Symmetry, known_symmetry

#: Longer numbers are treated as typos.
_DIGITS = 9


@dataclass(frozen=True)
class VideoSettings:
    """Overrides of the checkpoint's native settings; None keeps these.

    Attributes:
        frames: frames per clip.
        size: width and height in pixels.
        layer: pool the tokens after this block (0: the patch embedding), without norm or projection.
        symmetry: ``mirror`` or ``square``: symmetries over which embeddings are averaged.
        pool: how tokens of single frames are pooled over space.
        time: how they are summarised over time.
        weights: ``random`` replaces the checkpoint's weights by new ones, drawn as for training from scratch.
        seed: of these weights.
    """

    frames: int | None = None
    size: int | None = None
    layer: int | None = None
    symmetry: Symmetry | None = None
    pool: Pool | None = None
    time: Time | None = None
    weights: Literal["random"] | None = None
    seed: int | None = None

    def __str__(self) -> str:
        given = [
            f"{f.name}={getattr(self, f.name)}" for f in fields(self) if getattr(self, f.name) is not None
        ]
        return "?" + "&".join(given) if given else ""


def parse_settings(text: str) -> tuple[str, VideoSettings]:
    """Split ``name?key=value&…`` into a name (a folder becomes absolute) and its settings.

    Raises:
        ConfigError: a key is unknown, a value is not an integer in range, or there is a seed without random weights.
    """
    name, _, query = text.partition("?")
    known = [field.name for field in fields(VideoSettings)]
    given: dict[str, Any] = {}
    for key, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):  # here + is no space
        if key not in known:
            raise ConfigError(f"unknown setting {key!r}", where=text, expected=f"one of {', '.join(known)}")
        if key == "symmetry":
            given[key] = known_symmetry(value, text)
            continue
        if key in POOLINGS:
            given[key] = known_pooling(key, value, text)
            continue
        if key == "weights":
            given[key] = known_weights(value, text)
            continue
        least = 0 if key in ("layer", "seed") else 1
        if not value.isdecimal() or len(value) > _DIGITS or int(value) < least:
            expected = f"an integer ≥ {least} with at most {_DIGITS} digits"
            raise ConfigError(f"setting {key!r}", where=text[:200], expected=expected, got=value[:50])
        given[key] = int(value)
    if "seed" in given and "weights" not in given:
        raise ConfigError("seed: of random weights only", where=text, expected="weights=random&seed=N")
    if Path(name).is_dir():
        name = str(Path(name).resolve())  # so that an adapter can find its base from any working directory
    return name, VideoSettings(**given)
