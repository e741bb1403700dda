"""Study, blocks, participants, assignments, answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_HELD = sa.text("state IN ('active', 'complete')")
_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "block",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False, unique=True),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("consent_version", sa.String(64)),
        sa.Column("consented_at", sa.Float()),
        sa.Column("excluded_at", sa.Float()),
        sa.Column("excluded_because", sa.String(200)),
        sa.Column("user_agent", sa.String(400)),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "participant_id", sa.Integer(), sa.ForeignKey("participant.id"), nullable=False, index=True
        ),
        sa.Column("block", sa.String(200), sa.ForeignKey("block.name"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
    )
    op.create_index(
        "one_holder", "assignment", ["block"], unique=True, sqlite_where=_HELD, postgresql_where=_HELD
    )
    op.create_index(
        "one_active",
        "assignment",
        ["participant_id"],
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignment.id"), nullable=False),
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
