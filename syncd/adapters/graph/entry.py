"""One of our own entries as Graph shows it, in full; its body is read to be written back, and never kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from syncd.adapters.graph.ours import EXPAND, ours_of, passed_over
from syncd.adapters.graph.rows import SELECT, EmailAddress, Row
from syncd.adapters.graph.wire import MASTER, Unusable, interval_of, moment
from syncd.errors import Transient
from syncd.model.busy import Stamp
from syncd.model.entry import Entry, digest
from syncd.model.interval import Interval

WHOLE = {
    "$select": f"{SELECT},subject,location,attendees,sensitivity,isOnlineMeeting,onlineMeeting,body",
    "$expand": EXPAND,
}
"""Query of an entry of ours."""

ANSWERS = {
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
    "tentativelyAccepted": "TENTATIVE",
    "organizer": "ACCEPTED",
}
"""responseType of a resource, in iCalendar's words (PARTSTAT); all else has not answered."""


class _Status(msgspec.Struct):
    response: str | None = None


class _Attendee(msgspec.Struct, rename="camel"):
    type: str | None = None
    email_address: EmailAddress | None = None
    status: _Status | None = None


class _Location(msgspec.Struct, rename="camel"):
    display_name: str | None = None
    location_email_address: str | None = None
    unique_id: str | None = None
    unique_id_type: str | None = None

    @property
    def address(self) -> str:
        """Lower case; empty when none is shown, which does not mean that none was given."""
        shown = self.location_email_address or (self.unique_id if self.unique_id_type == "directory" else None)
        return (shown or "").lower()


class _Body(msgspec.Struct, rename="camel"):
    content_type: str | None = None
    content: str | None = None


class _Meeting(msgspec.Struct, rename="camel"):
    join_url: str | None = None


class Whole(Row, rename="camel"):
    """An event of ours with everything we write."""

    subject: str | None = None
    location: _Location | None = None
    attendees: list[msgspec.Raw] | None = None
    sensitivity: str | None = None
    is_online_meeting: bool | None = None
    online_meeting: _Meeting | None = None
    body: _Body | None = None


class Wholes(msgspec.Struct):
    """A page of them."""

    value: list[Whole]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


WHOLE_DECODER = msgspec.json.Decoder(Whole)
WHOLES_DECODER = msgspec.json.Decoder(Wholes)
_ATTENDEE = msgspec.json.Decoder(_Attendee)


@dataclass(frozen=True, slots=True)
class Item:
    """One of our entries as it stands.

    :param uid, stamp: of our properties.
    :param start, end: instants; None when they cannot be told. :param span: the time it takes.
    :param location_address: of the place; empty when Graph does not show it.
    :param rooms: addresses of invited resources, each with its answer in iCalendar's words.
    :param passed: address of the room that was named but not invited, because it was taken.
    :param people: the other attendees, as Graph wants them back, without their answers.
    :param online: it has a Teams link; :param link: that link. :param series: somebody made it repeat.
    """

    id: str
    etag: str
    uid: str
    stamp: Stamp | None
    start: datetime | None
    end: datetime | None
    span: Interval | None
    all_day: bool
    cancelled: bool
    show_as: str
    sensitivity: str
    categories: tuple[str, ...]
    subject: str
    location: str
    location_address: str
    rooms: tuple[tuple[str, str], ...]
    people: tuple[dict[str, Any], ...]
    online: bool
    link: str
    series: bool = False
    passed: str = ""
    body: str = field(default="", repr=False)
    html: bool = False


def item_of(row: Whole, zone: str) -> Item:
    """*row* with its own times read in *zone* where they have none.

    :raises Transient: its attendees cannot be read.
    """
    ours, place = ours_of(row), row.location or _Location()
    stamp = ours.stamp if ours else None
    start, end, span = _times(row, zone)
    rooms, people = _attendees(row.attendees or ())
    return Item(
        id=row.id,
        etag=row.etag,
        uid=ours.uid if ours else "",
        stamp=stamp,
        start=start,
        end=end,
        span=span,
        all_day=bool(row.is_all_day),
        cancelled=bool(row.is_cancelled),
        show_as=row.show_as or "",
        sensitivity=row.sensitivity or "",
        categories=tuple(row.categories or ()),
        subject=row.subject or "",
        location=place.display_name or "",
        location_address=place.address,
        rooms=rooms,
        people=people,
        online=bool(row.is_online_meeting),
        link=(row.online_meeting.join_url or "") if row.online_meeting else "",
        series=row.type == MASTER,
        passed=passed_over(row, stamp),
        body=(row.body.content or "") if row.body else "",
        html=row.body is not None and (row.body.content_type or "").lower() == "html",
    )


def entry_of(item: Item, *, teams: bool = False) -> Entry:
    """*item* as the core knows it; a room that was passed over has declined, as its attendant would have.

    :param teams: links to meet by are made here.
    """
    rooms = item.rooms
    if item.passed and item.passed not in dict(rooms):
        rooms = (*rooms, (item.passed, "DECLINED"))
    verdict = _verdict([answer for _, answer in rooms]) if rooms else None
    return Entry(
        key=item.id,
        version=item.etag,
        uid=item.uid,
        interval=item.span,
        location=item.location,
        stamp=item.stamp,
        digest=digest(item.span, item.subject, item.location),
        categories=item.categories,
        cancelled=item.cancelled,
        # A place that nobody is asked for has nothing to answer; whether it is a room, Graph seldom shows.
        room_answer=verdict or ("ACCEPTED" if item.location else None),
        rooms=rooms,
        link=item.link if teams else None,
        series=item.series,
    )


def _times(row: Row, zone: str) -> tuple[datetime | None, datetime | None, Interval | None]:
    try:
        span = interval_of(row, zone)
        start = moment(row.start) if row.start else None
        end = moment(row.end) if row.end else None
    except Unusable:
        return None, None, None
    return start, end, span


def _attendees(rows: Collection[msgspec.Raw]) -> tuple[tuple[tuple[str, str], ...], tuple[dict[str, Any], ...]]:
    """Resources with their answers, and everybody else as they came, without theirs.

    :raises Transient: somebody is not as Graph's documents have it; writing the list back would send them away.
    """
    rooms: list[tuple[str, str]] = []
    people: list[dict[str, Any]] = []
    for raw in rows:
        try:
            one = _ATTENDEE.decode(raw)
        except msgspec.ValidationError as error:
            raise Transient("An attendee of an entry of ours cannot be read; it is tried again later.") from error
        if one.type == "resource":
            address = ((one.email_address.address if one.email_address else None) or "").lower()
            response = (one.status.response if one.status else None) or ""
            rooms.append((address, ANSWERS.get(response, "NEEDS-ACTION")))
        else:
            whole: dict[str, Any] = msgspec.json.decode(raw)
            people.append({name: value for name, value in whole.items() if name in ("type", "emailAddress")})
    return tuple(rooms), tuple(people)


def _verdict(answers: Collection[str]) -> str:
    """One answer for all rooms: none may decline, all must accept."""
    if "DECLINED" in answers:
        return "DECLINED"
    return "ACCEPTED" if set(answers) == {"ACCEPTED"} else "NEEDS-ACTION"
