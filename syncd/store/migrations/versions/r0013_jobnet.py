"""Keep what the Jobnet facade needs: citizens by reference, DFDG's ids, reservations, error reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobnet_citizens",
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("citizen", name="pk_jobnet_citizens"),
    )
    op.create_index("ix_jobnet_citizens_seen", "jobnet_citizens", ["seen"])
    op.create_table(
        "jobnet_links",
        sa.Column("indkaldelse", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("self_booked", sa.Boolean(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("indkaldelse", name="pk_jobnet_links"),
        sa.UniqueConstraint("booking", name="uq_jobnet_links_booking"),
    )
    op.create_index("ix_jobnet_links_citizen", "jobnet_links", ["citizen"])
    _reservations()
    op.create_table(
        "jobnet_reports",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=True),
        sa.Column("offer", sa.Text(), nullable=True),
        sa.Column("indkaldelse", sa.Text(), nullable=True),
        sa.Column("code", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("origin", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_jobnet_reports"),
    )
    op.create_index("ix_jobnet_reports_received", "jobnet_reports", ["received"])


def _reservations() -> None:
    op.create_table(
        "jobnet_reservations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("caseworker", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("indkaldelse", sa.Text(), nullable=True),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column("latest", sa.Text(), nullable=True),
        sa.Column("used", sa.Text(), nullable=True),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobnet_reservations"),
        sa.UniqueConstraint("hold", name="uq_jobnet_reservations_hold"),
    )
    op.create_index("ix_jobnet_reservations_citizen", "jobnet_reservations", ["citizen"])
    op.create_index("ix_jobnet_reservations_expires", "jobnet_reservations", ["expires"])
