"""Meetings, entries and bookings as rows: conversions, and the statements that run all day.

Statements are built once, for making one costs more than running it.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, and_, bindparam, insert, or_, select, update

from syncd.model.booking import Booking, BookingState, EntryRecord, Meeting, RoomState
from syncd.model.offer import Form, RoomRequirement
from syncd.model.zones import tzdata, wall_clock
from syncd.store.instants import epoch, maybe, moment, optional, span
from syncd.store.prepared import prepared
from syncd.store.tables import AuditRow, BookingRow, ClaimRow, EntryRow, MeetingRow

_MEETINGS, _ENTRIES = cast(Table, MeetingRow.__table__), cast(Table, EntryRow.__table__)
_BOOKINGS = cast(Table, BookingRow.__table__)

MEETING = prepared(select(*_MEETINGS.c).where(_MEETINGS.c.id == bindparam("id")))
MEETING_LOCKED = prepared(MEETING.with_for_update())
ADD_MEETING = prepared(insert(_MEETINGS))
_UNCHANGING = {"id", "uid", "created", "leased_by", "lease"}
SAVE_MEETING = prepared(
    update(_MEETINGS)
    .where(_MEETINGS.c.id == bindparam("which"))
    .values({column.name: bindparam(column.name) for column in _MEETINGS.c if column.name not in _UNCHANGING})
)

ENTRIES = prepared(select(*_ENTRIES.c).where(_ENTRIES.c.meeting == bindparam("id")).order_by(_ENTRIES.c.mailbox))
ADD_ENTRY = prepared(insert(_ENTRIES))
_FACTS = ("wanted", "key", "version", "generation", "digest", "missing_since")
SAVE_ENTRY = prepared(
    update(_ENTRIES)
    .where(_ENTRIES.c.meeting == bindparam("of_meeting"), _ENTRIES.c.mailbox == bindparam("of_mailbox"))
    .values({name: bindparam(name) for name in _FACTS})
)

FORGET_ENTRIES = prepared(
    update(_ENTRIES)
    .where(
        _ENTRIES.c.mailbox == bindparam("of"),
        _ENTRIES.c.wanted,
        _ENTRIES.c.meeting.in_(select(_MEETINGS.c.id).where(_MEETINGS.c.wanted, _MEETINGS.c.end > bindparam("now"))),
    )
    .values(generation=0, digest=None, key=None, version=None, missing_since=None)
    .returning(_ENTRIES.c.meeting)
)
ADD_CLAIM = prepared(insert(cast(Table, ClaimRow.__table__)).inline())

BOOKING = prepared(
    select(*_BOOKINGS.c).where(_BOOKINGS.c.id == bindparam("id"), _BOOKINGS.c.client == bindparam("client"))
)
BOOKING_LOCKED = prepared(BOOKING.with_for_update())
SEAT = prepared(
    select(*_BOOKINGS.c, *_MEETINGS.c)
    .join(_MEETINGS, _MEETINGS.c.id == _BOOKINGS.c.meeting)
    .where(_BOOKINGS.c.id == bindparam("id"), _BOOKINGS.c.client == bindparam("client"))
)
"""A booking and its meeting, the columns of the one after those of the other (`seat`)."""
SEAT_LOCKED = prepared(SEAT.with_for_update())
_named = cast(Any, namedtuple)  # noqa: PYI024 - the tables name the fields
_Booked = _named("_Booked", [column.name for column in _BOOKINGS.c])
_Met = _named("_Met", [column.name for column in _MEETINGS.c])
OF_MEETING = prepared(
    select(*_BOOKINGS.c).where(_BOOKINGS.c.meeting == bindparam("id")).order_by(_BOOKINGS.c.created, _BOOKINGS.c.id)
)
ADD_BOOKING = prepared(insert(_BOOKINGS))
SAVE_BOOKING = prepared(
    update(_BOOKINGS)
    .where(_BOOKINGS.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("meeting", "state", "citizen", "expires", "moves", "topic", "changed")})
)

FUTURE = (
    select(*_BOOKINGS.c)
    .select_from(_BOOKINGS.join(_MEETINGS, _MEETINGS.c.id == _BOOKINGS.c.meeting))
    .where(
        _BOOKINGS.c.client == bindparam("client"),
        _BOOKINGS.c.citizen == bindparam("citizen"),
        _BOOKINGS.c.id != bindparam("ignoring"),
        _MEETINGS.c.offer.in_(bindparam("offers", expanding=True)),
        _MEETINGS.c.end > bindparam("now"),
        or_(
            _BOOKINGS.c.state.in_((BookingState.PENDING.value, BookingState.CONFIRMED.value)),
            and_(_BOOKINGS.c.state == BookingState.HELD.value, _BOOKINGS.c.expires > bindparam("now")),
        ),
    )
    .order_by(_MEETINGS.c.start)
    .limit(1)
)
"""The citizen's next live booking or hold of some offers."""

_HELD = (
    select(*_BOOKINGS.c)
    .join(_MEETINGS, _MEETINGS.c.id == _BOOKINGS.c.meeting)
    .where(_BOOKINGS.c.state == BookingState.HELD.value, _BOOKINGS.c.expires <= bindparam("now"))
    # With its meeting: whoever takes another seat there has that row, and his hold is not seen yet.
    .with_for_update(skip_locked=True)
)
_CLAIMS = cast(Table, ClaimRow.__table__)
RUN_OUT = prepared(_HELD.order_by(_BOOKINGS.c.expires, _BOOKINGS.c.id).limit(bindparam("limit")))
RUN_OUT_THERE = prepared(
    _HELD.where(
        _BOOKINGS.c.meeting.in_(
            select(_CLAIMS.c.meeting).where(
                _CLAIMS.c.mailbox.in_(bindparam("some", expanding=True)),
                _CLAIMS.c.start < bindparam("until"),
                _CLAIMS.c.end > bindparam("begin"),
            )
        )
    ).order_by(_BOOKINGS.c.id)
)

ADD_AUDIT = prepared(insert(cast(Table, AuditRow.__table__)).inline())


def meeting_values(meeting: Meeting) -> dict[str, object]:
    """The columns that follow from the meeting's value, but for its id and UID."""
    wall = wall_clock(meeting.interval.start, meeting.zone).replace(tzinfo=None)
    return {
        "offer": meeting.offer,
        "form": meeting.form.value,
        "caseworker": meeting.caseworker,
        "room": meeting.room,
        "room_state": meeting.room_state.value,
        "start": epoch(meeting.interval.start),
        "end": epoch(meeting.interval.end),
        "zone": meeting.zone,
        "wall_start": wall.isoformat(timespec="minutes"),
        "tzdata": tzdata(),
        "before": meeting.before,
        "after": meeting.after,
        "wanted": meeting.wanted,
        "desired_generation": meeting.desired_generation,
        "applied_generation": meeting.applied_generation,
        "attempts": meeting.attempts,
        "attention": meeting.attention,
        "conflict": meeting.conflict,
        "owed_since": optional(meeting.owed_since),
        "rewrites_day": meeting.rewrites_day,
        "rewrites": meeting.rewrites,
        "partners": "\n".join(meeting.partners),
        "beside": meeting.beside,
        "asks": asked(meeting.asks),
        "note": meeting.note,
        "link": meeting.link,
    }


def meeting(row: Row[Any]) -> Meeting:
    """The meeting of a row."""
    return Meeting(
        id=row.id,
        uid=row.uid,
        offer=row.offer,
        form=Form(row.form),
        caseworker=row.caseworker,
        room=row.room,
        room_state=RoomState(row.room_state),
        interval=span(row.start, row.end),
        zone=row.zone,
        before=row.before,
        after=row.after,
        wanted=row.wanted,
        desired_generation=row.desired_generation,
        applied_generation=row.applied_generation,
        attempts=row.attempts,
        attention=row.attention,
        conflict=row.conflict,
        owed_since=maybe(row.owed_since),
        rewrites_day=row.rewrites_day,
        rewrites=row.rewrites,
        partners=tuple(row.partners.split("\n")) if row.partners else (),
        beside=row.beside,
        asks=asks(row.asks),
        note=row.note,
        link=row.link,
    )


def seat(row: Sequence[Any]) -> tuple[Booking, Meeting]:
    """Booking and meeting of a row of `SEAT`."""
    width = len(_Booked._fields)
    return booking(_Booked._make(row[:width])), meeting(_Met._make(row[width:]))


def asked(requirement: RoomRequirement | None) -> str | None:
    """A room requirement as one column."""
    if requirement is None:
        return None
    return json.dumps([requirement.seats, sorted(requirement.features), requirement.step_free])


def asks(told: str | None) -> RoomRequirement | None:
    """The room requirement of a column."""
    if told is None:
        return None
    seats, features, step_free = json.loads(told)
    return RoomRequirement(seats, frozenset(features), step_free)


def entry_values(record: EntryRecord) -> dict[str, object]:
    """What is known of an entry, as columns."""
    return {
        "wanted": record.wanted,
        "key": record.key,
        "version": record.version,
        "generation": record.generation,
        "digest": record.digest,
        "missing_since": optional(record.missing_since),
    }


def entry(row: Row[Any]) -> EntryRecord:
    """What is known of an entry."""
    return EntryRecord(
        row.mailbox, row.wanted, row.key, row.version, row.generation, row.digest, maybe(row.missing_since)
    )


def booking_values(booking: Booking, changed: datetime) -> dict[str, object]:
    """The columns of a booking that change."""
    return {
        "meeting": booking.meeting,
        "state": booking.state.value,
        "citizen": booking.citizen,
        "expires": optional(booking.expires),
        "moves": booking.moves,
        "topic": booking.topic,
        "changed": epoch(changed),
    }


def booking(row: Row[Any] | BookingRow) -> Booking:
    """The booking of a row."""
    return Booking(
        id=row.id,
        meeting=row.meeting,
        client=row.client,
        state=BookingState(row.state),
        created=moment(row.created),
        citizen=row.citizen,
        expires=maybe(row.expires),
        moves=row.moves,
        topic=row.topic,
    )
