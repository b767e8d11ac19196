"""Make all tables, and let the database refuse overlapping claims."""

from __future__ import annotations

from alembic import op

from syncd.store.migrations import overlap
from syncd.store.tables import Base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables and the overlap rule."""
    connection = op.get_bind()
    Base.metadata.create_all(connection)
    for statement in overlap.SQLITE if connection.dialect.name == "sqlite" else overlap.POSTGRESQL:
        op.execute(statement)
