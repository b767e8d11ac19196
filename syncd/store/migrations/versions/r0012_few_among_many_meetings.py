"""Find the few meetings beside caseworkers' own events, and those that lack a room, without walking all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BESIDE, LACKING = sa.text("beside IS NOT NULL"), sa.text("room_state = 'missing'")


def upgrade() -> None:
    """Add the two indexes."""
    op.create_index("ix_meetings_beside", "meetings", ["end"], sqlite_where=BESIDE, postgresql_where=BESIDE)
    op.create_index("ix_meetings_lacking", "meetings", ["end"], sqlite_where=LACKING, postgresql_where=LACKING)
