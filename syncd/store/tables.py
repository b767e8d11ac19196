"""The tables, the same on SQLite and PostgreSQL; instants are whole epoch seconds (UTC).

The overlap rule on ``claims`` (an exclusion constraint on PostgreSQL, triggers on SQLite) is made by the
migrations; it is the last word on double booking, whatever the code above does.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


# SQLite counts rowids by itself only in a column declared INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables; every integer is 64 bits."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger, str: Text}


class Setting(Base):
    """Single values of the installation: ``installation`` (random id), ``generation`` (see publish)."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class MailboxRow(Base):
    """A watched calendar and how far it was read; its row is the lock of that person's or room's time."""

    __tablename__ = "mailboxes"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    account: Mapped[str]
    token: Mapped[str | None]
    covered_start: Mapped[int | None]
    covered_end: Mapped[int | None]
    as_of: Mapped[int | None]
    """When the last completed pass began."""
    full_at: Mapped[int | None]
    """When the last completed full listing began."""
    problem: Mapped[str | None]
    """Why the last pass did not complete; None when it did."""
    problem_since: Mapped[int | None]
    refused: Mapped[str | None]
    """Set when an unbelievable loss was refused and waits for a person."""
    retry_at: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(default="")
    """Which calendar this is (account, address, URL, zone): another one is read from the beginning."""
    revision: Mapped[int] = mapped_column(default=0)
    """Grows with each completed pass; a pass that began on another revision is void."""


class GroupRow(Base):
    """One CalDAV object, series or item of a mailbox, with the adapter's opaque memory of it."""

    __tablename__ = "groups"
    mailbox: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    memory: Mapped[bytes] = mapped_column(LargeBinary)
    first: Mapped[int]
    last: Mapped[int | None]


class OccurrenceRow(Base):
    """One dated instance inside the covered window: times, busy type and ids, never a subject or body."""

    __tablename__ = "occurrences"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    mailbox: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"))
    key: Mapped[str]
    uid: Mapped[str]
    original_start: Mapped[int | None]
    start: Mapped[int]
    end: Mapped[int]
    busy: Mapped[str] = mapped_column(String(20))
    all_day: Mapped[bool]
    recurring: Mapped[bool]
    categories: Mapped[str]
    """Category names joined by newlines; usually empty."""
    stamp: Mapped[str | None]
    guest: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        Index(None, "mailbox", "start"),
        Index(None, "mailbox", "key"),
        # The few entries that say something by a category, found among very many without looking at those.
        Index(
            "ix_occurrences_marked",
            "end",
            sqlite_where=text("categories != ''"),
            postgresql_where=text("categories != ''"),
        ),
    )


class UnreadableRow(Base):
    """An object that could not be understood; closes the mailbox's offers unless acknowledged for its digest."""

    __tablename__ = "unreadable"
    mailbox: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    digest: Mapped[str]
    reason: Mapped[str]
    seen: Mapped[int]
    acknowledged: Mapped[bool] = mapped_column(default=False)


class RevisionRow(Base):
    """One numbered revision of the rules, as the TOML text it was applied from."""

    __tablename__ = "revisions"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    text: Mapped[str]
    applied: Mapped[int]
    actor: Mapped[str]


BESIDE, LACKING = text("beside IS NOT NULL"), text("room_state = 'missing'")


class MeetingRow(Base):
    """What should stand in the calendars (desired) and what was last seen there (applied)."""

    __tablename__ = "meetings"
    id: Mapped[str] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    offer: Mapped[str]
    form: Mapped[str]
    caseworker: Mapped[str]
    room: Mapped[str | None]
    room_state: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]
    zone: Mapped[str]
    wall_start: Mapped[str]
    """Local wall time (ISO, no offset) at booking, and the tzdata that turned it into ``start``."""
    tzdata: Mapped[str]
    before: Mapped[int]
    after: Mapped[int]
    wanted: Mapped[bool]
    desired_generation: Mapped[int]
    applied_generation: Mapped[int]
    attempts: Mapped[int]
    due: Mapped[int | None]
    """When reconcile looks next; None when settled and quiet. Set to 0 to look at once."""
    owed_since: Mapped[int | None]
    """Since when the calendars lag behind what is desired; None when settled. Tells when a person must hear of it."""
    rewrites_day: Mapped[int]
    """Days since the epoch on which ``rewrites`` were counted: bounds a write war."""
    rewrites: Mapped[int]
    attention: Mapped[str | None]
    conflict: Mapped[bool]
    partners: Mapped[str] = mapped_column(default="")
    """Ids of further people who hold it, joined by newlines."""
    created: Mapped[int]
    beside: Mapped[str | None]
    """UID of the caseworker's own event that this one stands beside; NULL for a booked meeting."""
    asks: Mapped[str | None]
    """What it asks of a room (JSON) when that is not its offer's to say."""
    note: Mapped[str | None]
    """What could not be had, as its entry tells it."""
    link: Mapped[str | None]
    """Where it is held by video, when the calendar server made a link."""
    leased_by: Mapped[str | None]
    """The node that looks at it, or looked last; empty where one node serves."""
    lease: Mapped[int] = mapped_column(server_default="0")
    """Another number at each look: a look with an older one records nothing."""

    __table_args__ = (
        Index(None, "due"),
        Index(None, "caseworker", "start"),
        Index(None, "room", "start"),
        Index(None, "start"),
        # The few that stand beside caseworkers' own events, and the few that lack a room, among very many.
        Index("ix_meetings_beside", "end", sqlite_where=BESIDE, postgresql_where=BESIDE),
        Index("ix_meetings_lacking", "end", sqlite_where=LACKING, postgresql_where=LACKING),
    )


class EntryRow(Base):
    """Where a meeting stands, or must be cleaned from: one row per meeting and mailbox.

    Rows of a former caseworker or room stay (``wanted`` false) until that calendar was seen without it.
    """

    __tablename__ = "entries"
    meeting: Mapped[str] = mapped_column(ForeignKey("meetings.id"), primary_key=True)
    mailbox: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"), primary_key=True)
    wanted: Mapped[bool]
    key: Mapped[str | None]
    version: Mapped[str | None]
    generation: Mapped[int]
    """Generation last seen there as ours; 0 when never seen."""
    digest: Mapped[str | None]
    missing_since: Mapped[int | None]
    """First look that missed it after it had been seen; a second look confirms a human's deletion."""

    __table_args__ = (Index(None, "mailbox"),)


HERS = and_(~EntryRow.wanted, EntryRow.missing_since.is_not(None), EntryRow.generation == 0)
"""See `syncd.model.booking.EntryRecord.hers`."""


class ClaimRow(Base):
    """A span of a person's or room's time that one meeting takes, buffers included. Active claims never overlap."""

    __tablename__ = "claims"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    meeting: Mapped[str] = mapped_column(ForeignKey("meetings.id"))
    mailbox: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"))
    start: Mapped[int]
    end: Mapped[int]
    active: Mapped[bool]
    """False for released time and for a conflict a human caused, which may overlap."""

    # By end: the past of a mailbox is long, what ends after now is short.
    __table_args__ = (
        Index(None, "mailbox", "end"),
        Index(None, "meeting"),
        CheckConstraint('start < "end"', name="order"),
    )


class BookingRow(Base):
    """A citizen's seat in a meeting; in state ``held`` it is the hold."""

    __tablename__ = "bookings"
    id: Mapped[str] = mapped_column(primary_key=True)
    meeting: Mapped[str] = mapped_column(ForeignKey("meetings.id"))
    client: Mapped[str]
    state: Mapped[str]
    citizen: Mapped[str | None]
    expires: Mapped[int | None]
    moves: Mapped[int]
    topic: Mapped[str] = mapped_column(default="")
    created: Mapped[int]
    changed: Mapped[int]

    __table_args__ = (Index(None, "meeting"), Index(None, "state", "expires"), Index(None, "client", "citizen"))


class IdempotencyRow(Base):
    """The stored answer to a POST, per client and key (draft-ietf-httpapi-idempotency-key-header)."""

    __tablename__ = "idempotency"
    client: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    booking: Mapped[str | None]
    created: Mapped[int]


class AuditRow(Base):
    """One look-up or change of a citizen's or a booking's data, in the transaction of the fact itself."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    at: Mapped[int]
    actor: Mapped[str]
    """``client:NAME``, ``cli:USER``, ``calendar:MAILBOX`` (a human's hand) or ``syncd``."""
    action: Mapped[str]
    booking: Mapped[str | None]
    meeting: Mapped[str | None]
    citizen: Mapped[str | None]
    """Keyed digest of the citizen reference, never the reference itself."""
    purpose: Mapped[str | None]
    detail: Mapped[str | None]

    __table_args__ = (Index(None, "booking"), Index(None, "meeting"), Index(None, "citizen"), Index(None, "at"))


class ClosureRow(Base):
    """A span in which a room cannot be used."""

    __tablename__ = "room_closures"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("mailboxes.id"))
    start: Mapped[int]
    end: Mapped[int]
    reason: Mapped[str]


class RoomPinRow(Base):
    """Staff want a meeting to keep the room it has: the program never moves it."""

    __tablename__ = "room_pins"
    meeting: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str]
    actor: Mapped[str]
    at: Mapped[int]


class RoomNoticeRow(Base):
    """The room of a meeting that people were told; whoever finds another one there has to tell them."""

    __tablename__ = "room_notices"
    meeting: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str | None]
    """None: that there is none any more."""
    previous: Mapped[str | None]
    """What they had been told before."""
    changes: Mapped[int]
    """How often they were told of another one."""
    at: Mapped[int]


class RoomShortageRow(Base):
    """A time that would have been on offer had there been a room; names nobody, and is counted once."""

    __tablename__ = "room_shortages"
    site: Mapped[str] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    minutes: Mapped[int]
    seen: Mapped[int]
    refused: Mapped[int] = mapped_column(default=0, server_default="0")
    """Requests for it that were turned away for want of a room."""


class TaskRow(Base):
    """Something that waits for a person, or did; its sentence comes from ``kind`` and ``facts``."""

    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    kind: Mapped[str]
    about: Mapped[str]
    facts: Mapped[str]
    """JSON with sorted keys, so that the same facts are the same text."""
    since: Mapped[int]
    raised: Mapped[int]
    """How often its cause was seen."""
    done: Mapped[int | None]
    actor: Mapped[str | None]

    __table_args__ = (UniqueConstraint("kind", "about"),)


class AbsenceRow(Base):
    """A span in which a caseworker holds no meetings; nothing of theirs is offered in it."""

    __tablename__ = "absences"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    caseworker: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]
    reachable: Mapped[bool]
    """Whether they can be reached by telephone and could hold a talk that way."""
    actor: Mapped[str]
    at: Mapped[int]

    __table_args__ = (Index(None, "end"),)


class ContactRow(Base):
    """Contact data of a booking's citizen, sealed with a key that is neither here nor in any backup."""

    __tablename__ = "contacts"
    booking: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key: Mapped[str]
    """Which key sealed it: the first digits of its digest."""
    at: Mapped[int]
