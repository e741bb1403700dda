"""Ids of assignments are used once, also by SQLite; when the server was last alive; excluded participants hold no block."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_HELD = sa.text("state IN ('active', 'complete')")
_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    """Change the tables; every row is kept."""
    op.add_column("study", sa.Column("alive_at", sa.Float()))
    if op.get_context().dialect.name == "sqlite":  # elsewhere a sequence counts, and never goes back
        _make_again()
    op.execute(
        "UPDATE assignment SET state = 'excluded' WHERE state IN ('active', 'complete')"
        " AND participant_id IN (SELECT id FROM participant WHERE excluded_at IS NOT NULL)"
    )


def _make_again() -> None:
    """Copy assignments and answers into tables of the new kind: SQLite cannot change the kind of an id.

    Answers, which refer to assignments, go first and last, so that foreign keys hold all the time; renaming a table renames it
    in the keys, too.
    """
    _create("assignment_2", "answer_2")
    for table in ("assignment", "answer"):
        op.execute(f"INSERT INTO {table}_2 SELECT * FROM {table}")
    for table in ("answer", "assignment"):
        op.drop_table(table)
    for table in ("assignment", "answer"):
        op.rename_table(f"{table}_2", table)
    op.create_index("ix_assignment_participant_id", "assignment", ["participant_id"])
    op.create_index("one_holder", "assignment", ["block"], unique=True, sqlite_where=_HELD)
    op.create_index("one_active", "assignment", ["participant_id"], unique=True, sqlite_where=_ACTIVE)


def _create(assignment: str, answer: str) -> None:
    """The two tables, with columns in the order of version 0001."""
    op.create_table(
        assignment,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("participant_id", sa.Integer(), sa.ForeignKey("participant.id"), nullable=False),
        sa.Column("block", sa.String(200), sa.ForeignKey("block.name"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        answer,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey(f"{assignment}.id"), nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(36), nullable=False, unique=True),
        sa.Column("stim1", sa.String(300), nullable=False),
        sa.Column("stim2", sa.String(300), nullable=False),
        sa.Column("stim3", sa.String(300), nullable=False),
        sa.Column("odd", sa.Integer()),
        sa.Column("rt_ms", sa.Float()),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("assignment_id", "trial"),
    )
