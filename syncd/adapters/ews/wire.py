"""Exchange's calendar items ↔ our words; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from syncd.adapters.caldav.ics.windows_names import iana
from syncd.adapters.ews.answer import Element, M, Message, T, text
from syncd.adapters.properties import STAMP_PROPERTY, UID_PROPERTY
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.entry import Entry, digest
from syncd.model.interval import Interval
from syncd.model.marks import kept_categories
from syncd.model.zones import wall_clock, whole_days

BUSY = {
    "Free": BusyType.FREE,
    "Tentative": BusyType.TENTATIVE,
    "Busy": BusyType.BUSY,
    "OOF": BusyType.OUT_OF_OFFICE,
    "WorkingElsewhere": BusyType.WORKING_ELSEWHERE,
}
"""LegacyFreeBusyStatus; what is not in it (NoData) counts as busy."""

STATUS = {busy: name for name, busy in BUSY.items()} | {BusyType.UNAVAILABLE: "OOF"}

ANSWERS = {
    "Accept": "ACCEPTED",
    "Decline": "DECLINED",
    "Tentative": "TENTATIVE",
    "Organizer": "ACCEPTED",
    "Unknown": "NEEDS-ACTION",
    "NoResponseReceived": "NEEDS-ACTION",
}
"""ResponseType of a resource, in iCalendar's words (PARTSTAT)."""

GUEST = frozenset({"Accept", "Tentative", "Decline", "NoResponseReceived"})
"""MyResponseType of somebody who was invited."""

MASTER = "RecurringMaster"
SINGLE = "Single"


class Unusable(ValueError):
    """An item whose time cannot be told; the text says why, without its content."""


@dataclass(frozen=True, slots=True)
class Item:
    """One calendar item, as much of it as we ask for.

    :param uid: of the server (iCalendar UID, the same for all instances of a series); empty when it has none.
    :param start, end: instants as the server gave them; None when it did not.
    :param own_uid: our own property: the UID that we chose when we wrote it.
    :param zone: the Windows name of the zone it was made in.
    :param guest: the owner of the calendar was invited by somebody else.
    :param rooms: addresses and answers of invited resources (only asked for of our own entries).
    :param body, html: only asked for of an entry of ours that is about to be written; never kept.
    """

    id: str
    change_key: str
    kind: str
    uid: str
    start: datetime | None
    end: datetime | None
    original: datetime | None
    all_day: bool
    busy: BusyType
    cancelled: bool
    categories: tuple[str, ...]
    own_uid: str | None
    stamp: Stamp | None
    zone: str | None
    guest: bool = False
    subject: str = ""
    location: str = ""
    rooms: tuple[tuple[str, str], ...] = ()
    body: str = field(default="", repr=False)
    html: bool = False


def items_of(message: Message) -> Iterator[Item]:
    """The calendar items in a response message of FindItem or GetItem."""
    for container in (f"{M}Items", f"{M}RootFolder/{T}Items"):
        found = message.element.find(container)
        for element in found if found is not None else ():
            if element.tag == f"{T}CalendarItem":
                yield read_item(element)


def read_item(element: Element) -> Item:
    """One ``t:CalendarItem``; a full calendar has thousands, so its children are walked once."""
    parts: dict[str, Element] = {}
    ours: dict[str, str] = {}
    for child in element:
        if child.tag == f"{T}ExtendedProperty":
            ours |= _own_property(child)
        elif isinstance(child.tag, str):
            parts[child.tag] = child

    def said(name: str) -> str | None:
        found = parts.get(f"{T}{name}")
        return None if found is None else found.text

    body = parts.get(f"{T}Body")
    identity, zone = parts.get(f"{T}ItemId"), parts.get(f"{T}StartTimeZone")
    return Item(
        id=identity.get("Id", "") if identity is not None else "",
        change_key=identity.get("ChangeKey", "") if identity is not None else "",
        kind=said("CalendarItemType") or SINGLE,
        uid=said("UID") or "",
        start=_instant(said("Start")),
        end=_instant(said("End")),
        original=_instant(said("OriginalStart") or said("RecurrenceId")),
        all_day=said("IsAllDayEvent") == "true",
        busy=BUSY.get(said("LegacyFreeBusyStatus") or "", BusyType.BUSY),
        cancelled=said("IsCancelled") == "true",
        categories=tuple(one.text or "" for one in parts.get(f"{T}Categories", ())),
        own_uid=ours.get(UID_PROPERTY),
        stamp=Stamp.decode(ours[STAMP_PROPERTY]) if STAMP_PROPERTY in ours else None,
        zone=zone.get("Id") if zone is not None else None,
        guest=said("MyResponseType") in GUEST,
        subject=said("Subject") or "",
        location=said("Location") or "",
        rooms=tuple(_rooms(parts.get(f"{T}Resources", ()))),
        body=said("Body") or "",
        html=body is not None and body.get("BodyType") == "HTML",
    )


def occurrence(item: Item, zone: str, obeyed: Collection[str]) -> Occurrence | None:
    """The dated instance that *item* is; None when it takes no time (zero minutes long, or called off).

    :param zone: the mailbox's, in which whole days are read when the item's own is not known.
    :param obeyed: names of the categories that mean something to us, folded; all others are dropped.
    :raises Unusable: its times are missing or contradict each other.
    """
    span = interval_of(item, zone)
    if span is None or item.cancelled:
        return None
    recurring = item.kind not in (SINGLE, MASTER)
    categories = kept_categories(item.categories, obeyed)
    return Occurrence(
        uid=item.own_uid or item.uid or item.id,
        original_start=(item.original or span.start) if recurring else None,
        interval=span,
        busy=item.busy,
        all_day=item.all_day,
        recurring=recurring,
        categories=categories,
        stamp=item.stamp,
        guest=item.guest and bool(categories),
    )


def name_of(series: Item) -> str:
    """What a series and its occurrences go by: its UID; of one that has none, its id."""
    return series.uid or series.id


def interval_of(item: Item, zone: str) -> Interval | None:
    """The time it takes; None when that is nothing.

    :raises Unusable: its times are missing or contradict each other.
    """
    if item.start is None or item.end is None:
        raise Unusable("the server gives no start or end for it")
    if item.start > item.end:
        raise Unusable("it ends before it begins")
    if item.all_day:
        try:
            return _whole_days(item.start, item.end, item.zone, zone)
        except OverflowError:
            raise Unusable("its time lies before the first year or after the last one") from None
    return Interval(item.start, item.end) if item.start < item.end else None


def entry(item: Item, zone: str) -> Entry:
    """One of our own entries as it stands on the server."""
    try:
        span = interval_of(item, zone)
    except Unusable:
        span = None
    rooms = tuple((address, ANSWERS.get(answer, "NEEDS-ACTION")) for address, answer in item.rooms)
    return Entry(
        key=item.id,
        version=item.change_key,
        uid=item.own_uid or item.uid,
        interval=span,
        location=item.location,
        stamp=item.stamp,
        digest=digest(span, item.subject, item.location),
        categories=item.categories,
        cancelled=item.cancelled,
        room_answer=_verdict([answer for _, answer in rooms]) if rooms else None,
        rooms=rooms,
        series=item.kind == MASTER,
        copy=bool(item.own_uid) and item.uid != item.own_uid,
    )


def fingerprint(key: str, version: str, reason: str) -> str:
    """Stands for content that could not be read; changes when the item does."""
    return sha256(f"{key} {version} {reason}".encode()).hexdigest()


def _whole_days(start: datetime, end: datetime, made_in: str | None, mailbox: str) -> Interval:
    """The days that an all-day entry means, as whole days of the mailbox's zone.

    Exchange keeps instants: midnight to midnight where it was made. Where that was is told by its zone; when that
    name means nothing, by the mailbox's zone, where the nearest midnight is taken: asking what the machine's own
    zone is (as exchangelib does) moves it by a day on a host in UTC.
    """
    zone = iana(made_in)
    if zone is None or not _at_midnight(start, zone):
        zone = mailbox
    first, after = _nearest_day(start, zone), _nearest_day(end, zone)
    return whole_days(first, max(first, after - timedelta(days=1)), mailbox)


def _at_midnight(moment: datetime, zone: str) -> bool:
    return wall_clock(moment, zone).time() == time()


def _nearest_day(moment: datetime, zone: str) -> date:
    """The day whose beginning is nearest."""
    return wall_clock(moment + timedelta(hours=12), zone).date()


def _verdict(answers: Collection[str]) -> str:
    """One answer for all rooms: none may decline, all must accept."""
    if "DECLINED" in answers:
        return "DECLINED"
    return "ACCEPTED" if set(answers) == {"ACCEPTED"} else "NEEDS-ACTION"


def _rooms(resources: Iterable[Element]) -> Iterator[tuple[str, str]]:
    for attendee in resources:
        address = text(attendee, f"{T}Mailbox/{T}EmailAddress") or ""
        yield address.lower(), text(attendee, f"{T}ResponseType") or "Unknown"


def _own_property(one: Element) -> dict[str, str]:
    uri, value = one.find(f"{T}ExtendedFieldURI"), text(one, f"{T}Value")
    return {uri.get("PropertyName", ""): value} if uri is not None and value else {}


def _instant(value: str | None) -> datetime | None:
    """An xs:dateTime in UTC; what cannot be read counts as missing.

    Without a zone it is UTC: that is what a request without TimeZoneContext is answered in.
    """
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
