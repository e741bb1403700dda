"""Published checkpoints by short name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bgs._errors import ConfigError


@dataclass(frozen=True)
class ModelCard:
    """A published checkpoint.

    Attributes:
        name: the short name.
        family: the name before the colon of a reference.
        checkpoint: hub id, or "" where there is none on the hub (see :attr:`hint`).
        frames: of a clip.
        size: pixels a side.
        parameters: of the part that is run.
        memory: GiB to tune all blocks with LoRA (rank 8) in float32, one clip at a time, without gradient
            checkpointing: weights and what the backward pass keeps.
        licence: of the weights, as their authors state it.
    """

    name: str
    family: str
    checkpoint: str
    frames: int
    size: int
    parameters: int
    memory: float
    licence: str

    @property
    def reference(self) -> str:
        """What ``load_backbone`` takes."""
        return f"{self.family}:{self.checkpoint}"

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


_ROWS: tuple[tuple[str, str, str, int, int, int, float, str], ...] = ()
CARDS = {row[0]: ModelCard(*row) for row in _ROWS}


def expand(reference: str) -> str:
    """A full reference for a short name (with or without ``?settings``); anything else as it is.

    Raises:
        ConfigError: the checkpoint must be converted first.
    """
    name, mark, settings = reference.partition("?")
    card = CARDS.get(name)
    if card is None:
        return reference
    if not card.checkpoint:
        raise ConfigError(
            "these weights are not on the hub", where=reference, expected=f"{card.family}:<folder>",
            hint=f"download them and run: bgs models convert {name} FILE.pt --out DIR",
        )  # fmt: skip
    return card.reference + mark + settings
