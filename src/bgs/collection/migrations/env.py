"""Runs migrations on the connection that :class:`bgs.collection.database.Database` gives."""

from __future__ import annotations

from alembic import context

from bgs.collection.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
