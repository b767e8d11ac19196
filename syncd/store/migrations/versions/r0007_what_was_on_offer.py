"""Keep what was on offer, as evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "supply",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("starts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_supply"),
    )
    op.create_index("ix_supply_offer_day_at", "supply", ["offer", "day", "at"])
    op.create_table(
        "supply_standing",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_supply_standing"),
    )
    op.create_index("ix_supply_standing_offer_at", "supply_standing", ["offer", "at"])
    op.create_table(
        "supply_watches",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_supply_watches"),
    )
    op.create_index("ix_supply_watches_seen", "supply_watches", ["seen"])
