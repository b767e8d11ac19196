"""Make all tables, and let the database refuse overlapping claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncd.store.migrations import overlap

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts rowids by itself only in a column declared INTEGER.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables and the overlap rule."""
    _settings_and_rules()
    _mirror()
    _objects()
    _meetings()
    _places()
    _bookings()
    _answers_and_audit()
    statements = overlap.SQLITE if op.get_bind().dialect.name == "sqlite" else overlap.POSTGRESQL
    for statement in statements:
        op.execute(statement)


def _settings_and_rules() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "revisions",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_revisions"),
    )


def _mirror() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("covered_start", sa.BigInteger(), nullable=True),
        sa.Column("covered_end", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.Column("full_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_since", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mailboxes"),
    )
    op.create_table(
        "groups",
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("memory", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox"], ["mailboxes.id"], name="fk_groups_mailbox"),
        sa.PrimaryKeyConstraint("mailbox", "key", name="pk_groups"),
    )
    op.create_table(
        "room_closures",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["room"], ["mailboxes.id"], name="fk_room_closures_room"),
        sa.PrimaryKeyConstraint("id", name="pk_room_closures"),
    )


def _objects() -> None:
    op.create_table(
        "occurrences",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("original_start", sa.BigInteger(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("busy", sa.String(length=20), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox"], ["mailboxes.id"], name="fk_occurrences_mailbox"),
        sa.PrimaryKeyConstraint("id", name="pk_occurrences"),
    )
    op.create_index("ix_occurrences_mailbox_key", "occurrences", ["mailbox", "key"])
    op.create_index("ix_occurrences_mailbox_start", "occurrences", ["mailbox", "start"])
    op.create_table(
        "unreadable",
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox"], ["mailboxes.id"], name="fk_unreadable_mailbox"),
        sa.PrimaryKeyConstraint("mailbox", "key", name="pk_unreadable"),
    )


def _meetings() -> None:
    op.create_table(
        "meetings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("caseworker", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("room_state", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("wall_start", sa.Text(), nullable=False),
        sa.Column("tzdata", sa.Text(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("desired_generation", sa.BigInteger(), nullable=False),
        sa.Column("applied_generation", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("owed_since", sa.BigInteger(), nullable=True),
        sa.Column("rewrites_day", sa.BigInteger(), nullable=False),
        sa.Column("rewrites", sa.BigInteger(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meetings"),
        sa.UniqueConstraint("uid", name="uq_meetings_uid"),
    )
    op.create_index("ix_meetings_caseworker_start", "meetings", ["caseworker", "start"])
    op.create_index("ix_meetings_due", "meetings", ["due"])
    op.create_index("ix_meetings_room_start", "meetings", ["room", "start"])


def _places() -> None:
    op.create_table(
        "claims",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("meeting", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint('start < "end"', name="ck_claims_order"),
        sa.ForeignKeyConstraint(["mailbox"], ["mailboxes.id"], name="fk_claims_mailbox"),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name="fk_claims_meeting"),
        sa.PrimaryKeyConstraint("id", name="pk_claims"),
    )
    op.create_index("ix_claims_mailbox_end", "claims", ["mailbox", "end"])
    op.create_index("ix_claims_meeting", "claims", ["meeting"])
    op.create_table(
        "entries",
        sa.Column("meeting", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox"], ["mailboxes.id"], name="fk_entries_mailbox"),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name="fk_entries_meeting"),
        sa.PrimaryKeyConstraint("meeting", "mailbox", name="pk_entries"),
    )
    op.create_index("ix_entries_mailbox", "entries", ["mailbox"])


def _bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("meeting", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("citizen", sa.Text(), nullable=True),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name="fk_bookings_meeting"),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
    )
    op.create_index("ix_bookings_client_citizen", "bookings", ["client", "citizen"])
    op.create_index("ix_bookings_meeting", "bookings", ["meeting"])
    op.create_index("ix_bookings_state_expires", "bookings", ["state", "expires"])


def _answers_and_audit() -> None:
    op.create_table(
        "idempotency",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("booking", sa.Text(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name="pk_idempotency"),
    )
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=True),
        sa.Column("meeting", sa.Text(), nullable=True),
        sa.Column("citizen", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_booking", "audit", ["booking"])
    op.create_index("ix_audit_citizen", "audit", ["citizen"])
