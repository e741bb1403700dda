"""What the browser sends, checked before anything is looked up."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bgs.collection.plain_text import Line

Slot = Annotated[int, Field(ge=0, le=2)]
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Join(_Message):
    """Who comes, and from where."""

    source: Literal["prolific", "link", "simulated", "preview"]
    """``simulated`` observers take blocks as people do, and their answers are marked.
    ``preview`` sees the study without taking a block; nothing is stored."""
    participant: Annotated[Line, Field(min_length=1, max_length=200)]
    """PROLIFIC_PID, or a random name that the browser keeps."""


class GivenError(_Message):
    """What went wrong with a clip."""

    slot: Slot
    error: Annotated[Line, Field(max_length=100)]
    count: Annotated[int, Field(ge=1, le=10**6)]


class GivenAnswer(_Message):
    """A choice; see :class:`bgs.collection.answering.Answer`."""

    client_id: Annotated[UUID, Field(strict=False)]
    trial: Annotated[int, Field(ge=0, le=1_000_000)]
    stimuli: Annotated[list[Annotated[Line, Field(max_length=300)]], Field(min_length=3, max_length=3)]
    odd: Slot | None
    """None where the clips could not be played, and the participant went on without them."""
    rt: Milliseconds | None
    enabled_after: Milliseconds | None = None
    plays: Annotated[list[Annotated[int, Field(ge=0, le=10**6)]], Field(max_length=3)] = []
    playback_errors: Annotated[list[GivenError], Field(max_length=30)] = []
    tapped_to_play: bool = False
    reloaded: bool | None = None
    hidden_for: Milliseconds = 0.0
