"""Runs migrations inside the transaction that `syncd.store.schema.upgrade` opened."""

from __future__ import annotations

from alembic import context

from syncd.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # true of both databases; half an upgrade is never left behind
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
