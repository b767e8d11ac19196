"""Keep what DFDG was told and what it told: records, messages, deadlines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ALIVE = sa.text("alive")


def upgrade() -> None:
    """Make the tables."""
    _records()
    op.create_table(
        "dfdg_messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dfdg_messages"),
    )
    op.create_index("ix_dfdg_messages_due", "dfdg_messages", ["due"])
    op.create_index("ix_dfdg_messages_received", "dfdg_messages", ["received"])
    op.create_table(
        "dfdg_deadlines",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("latest", sa.Text(), nullable=False),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dfdg_deadlines"),
    )
    op.create_index("ix_dfdg_deadlines_citizen", "dfdg_deadlines", ["citizen"])
    op.create_index("ix_dfdg_deadlines_until", "dfdg_deadlines", ["until"])


def _records() -> None:
    op.create_table(
        "dfdg_records",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("self_booked", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Text(), nullable=True),
        sa.Column("sent", sa.Text(), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("owed_since", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.Column("latest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dfdg_records"),
    )
    for column in ("citizen", "due", "start"):
        op.create_index(f"ix_dfdg_records_{column}", "dfdg_records", [column])
    op.create_index("ix_dfdg_records_alive", "dfdg_records", ["id"], sqlite_where=ALIVE, postgresql_where=ALIVE)
