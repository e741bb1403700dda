"""The tables: participants, who has which block, and answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class State(StrEnum):
    """Of a block in somebody's hands."""

    #: Being answered.
    ACTIVE = "active"
    #: Every answer is stored.
    COMPLETE = "complete"
    #: Abandoned past its lease, and given to somebody else.
    RELEASED = "released"
    #: Every answer is stored, and too many attention checks failed.
    FAILED = "failed"
    #: Every trial is over, and too many of them could not be played.
    UNPLAYED = "unplayed"
    #: Of an excluded participant.
    EXCLUDED = "excluded"


#: States in which nobody else gets the block.
HELD = (State.ACTIVE, State.COMPLETE)


#: Where simulated observers come from: their answers are marked.
SIMULATED = "simulated"


class Base(DeclarativeBase):
    """All tables."""


class StudyRow(Base):
    """The study that the database belongs to: one row."""

    __tablename__ = "study"
    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]
    #: When a server of the study was last known to run, by its clock; None before the first.
    alive_at: Mapped[float | None]


class BlockRow(Base):
    """A block, in the order in which blocks are handed out."""

    __tablename__ = "block"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)


class ParticipantRow(Base):
    """A participant; times are seconds since 1970."""

    __tablename__ = "participant"
    id: Mapped[int] = mapped_column(primary_key=True)
    #: Salted hash of the name by which they came: names are not stored.
    key: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[float]
    consent_version: Mapped[str | None] = mapped_column(String(64))
    consented_at: Mapped[float | None]
    excluded_at: Mapped[float | None]
    excluded_because: Mapped[str | None] = mapped_column(String(200))
    user_agent: Mapped[str | None] = mapped_column(String(400))


class AssignmentRow(Base):
    """A block in a participant's hands. The database itself refuses a second holder, and a second active block."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index(
            "one_holder", "block", unique=True,
            sqlite_where=text("state IN ('active', 'complete')"), postgresql_where=text("state IN ('active', 'complete')"),
        ),
        Index(
            "one_active", "participant_id", unique=True,
            sqlite_where=text("state = 'active'"), postgresql_where=text("state = 'active'"),
        ),
        # Tokens hold the id: that of an erased participant must never be another's, as SQLite would otherwise have it.
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    block: Mapped[str] = mapped_column(ForeignKey("block.name"))
    state: Mapped[str] = mapped_column(String(10))
    lease_until: Mapped[float]
    started_at: Mapped[float]
    ended_at: Mapped[float | None]


class AnswerRow(Base):
    """One choice. A trial has at most one, and a browser's retry is recognised by its ``client_id``."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("assignment_id", "trial"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    trial: Mapped[int]
    client_id: Mapped[str] = mapped_column(String(36), unique=True)
    stim1: Mapped[str] = mapped_column(String(300))
    stim2: Mapped[str] = mapped_column(String(300))
    stim3: Mapped[str] = mapped_column(String(300))
    #: None where the clips could not be played.
    odd: Mapped[int | None]
    rt_ms: Mapped[float | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[float]
