"""One calendar object in, its dated occurrences inside a window out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import recurring_ical_events

from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.interval import Interval, merge
from syncd.model.zones import clock

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = (
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "TRANSP", "STATUS",
    "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS", "X-SYNCD-STAMP", "X-SYNCD-CATEGORY",
    "X-SYNCD-PARTSTAT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadObject:
    """What one calendar object means for its owner's time.

    :param uid: UID of the object; empty when it has none.
    :param occurrences: its instances that touch the window.
    :param memory: a privacy-reduced form for `recall_object`.
    :param first: no instance begins before (UTC); 1970 when there is none at all.
    :param last: none ends after (UTC); None for an endless series.
    """

    uid: str
    occurrences: tuple[Occurrence, ...]
    memory: bytes
    first: datetime
    last: datetime | None


def read_object(
    data: bytes, zone: str, window: Interval, *, owner: str = "", obeyed: Collection[str] = ()
) -> ReadObject:
    """The occurrences of a calendar object that touch *window*.

    :param zone: IANA zone of the mailbox, for floating times and dates.
    :param owner: mail address of the calendar's owner; its PARTSTAT counts.
    :param obeyed: names of the categories to keep; all others are dropped.
    :raises Unparsable: it cannot be understood.
    """
    try:
        reduced = _reduce(icalendar.Calendar.from_ical(data), owner.lower(), set(obeyed))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Unparsable("the object is not a readable iCalendar text") from error
    return _expand(reduced, zone, window)


def recall_object(memory: bytes, zone: str, window: Interval) -> ReadObject:
    """The same from our own *memory* of the object, for another *window*.

    :raises Unparsable: the memory was written by another version; fetch the object again.
    """
    return _expand(icalendar.Calendar.from_ical(memory), zone, window)


def busy(
    data: bytes, zone: str, window: Interval, merged: bool = False, *, owner: str = ""
) -> list[tuple[Interval, BusyType]]:
    """The spans of *data* clipped to *window*, in order; with *merged*, one disjoint cover per busy type.

    :raises Unparsable: it cannot be understood.
    """
    spans = [
        (part, o.busy)
        for o in read_object(data, zone, window, owner=owner).occurrences
        if (part := o.interval.clip(window))
    ]
    if merged:
        kinds = {kind for _, kind in spans}
        spans = [(span, kind) for kind in kinds for span in merge(s for s, k in spans if k is kind)]
    return sorted(spans)


def _reduce(calendar: Any, owner: str, obeyed: set[str]) -> Any:
    reduced = icalendar.Calendar()
    for zone in calendar.walk("VTIMEZONE"):
        reduced.add_component(zone)
    for event in calendar.walk("VEVENT"):
        copy = icalendar.Event()
        for name in KEPT:
            if name in event:
                copy[name] = event[name]
        categories = event.get("CATEGORIES", [])
        for names in categories if isinstance(categories, list) else [categories]:
            for name in names.cats:
                if str(name) in obeyed:
                    copy.add("X-SYNCD-CATEGORY", str(name))
        attendees = event.get("ATTENDEE", [])
        for attendee in attendees if isinstance(attendees, list) else [attendees]:
            if owner and str(attendee).lower().removeprefix("mailto:") == owner:
                copy["X-SYNCD-PARTSTAT"] = attendee.params.get("PARTSTAT", "NEEDS-ACTION")
        reduced.add_component(copy)
    return reduced


def _expand(reduced: Any, zone: str, window: Interval) -> ReadObject:
    events = reduced.walk("VEVENT")
    tz = clock(zone)
    start = window.start.astimezone(tz) - timedelta(days=1)
    try:
        found = recurring_ical_events.of(reduced, keep_recurrence_attributes=True).between(
            start, window.end.astimezone(tz) + timedelta(days=1)
        )
        occurrences = tuple(sorted(_occurrences(found, zone, window), key=lambda o: o.interval))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise Unparsable("the object's times or its recurrence rule cannot be read") from error
    endless = any("RRULE" in event for event in events)
    starts = [_utc(event["DTSTART"].dt, zone) for event in events]
    ends = [_utc(event["DTEND"].dt if "DTEND" in event else event["DTSTART"].dt, zone) for event in events]
    edges = [o.interval for o in occurrences]
    return ReadObject(
        uid=str(events[0].get("UID", "")) if events else "",
        occurrences=occurrences,
        memory=reduced.to_ical(),
        first=min([*starts, *(i.start for i in edges)], default=NEVER),
        last=None if endless else max([*ends, *(i.end for i in edges)], default=NEVER),
    )


def _occurrences(found: list[Any], zone: str, window: Interval) -> Iterator[Occurrence]:
    for event in found:
        kind = _busy_type(event)
        start, end = _utc(event["DTSTART"].dt, zone), _utc(event["DTEND"].dt, zone)
        if kind is None or start >= end or not (start < window.end and window.start < end):
            continue
        recurring = any(name in event for name in ("RRULE", "RDATE"))
        categories = event.get("X-SYNCD-CATEGORY", [])
        yield Occurrence(
            uid=str(event.get("UID", "")),
            original_start=_utc(event["RECURRENCE-ID"].dt, zone) if recurring else None,
            interval=Interval(start, end),
            busy=kind,
            all_day=not isinstance(event["DTSTART"].dt, datetime),
            recurring=recurring,
            categories=tuple(str(c) for c in (categories if isinstance(categories, list) else [categories])),
            stamp=Stamp.decode(str(event.get("X-SYNCD-STAMP", ""))),
        )


def _busy_type(event: Any) -> BusyType | None:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    partstat = str(event.get("X-SYNCD-PARTSTAT", "")).upper()
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT" or partstat == "DECLINED":
        return BusyType.FREE
    if str(event.get("STATUS", "")).upper() == "TENTATIVE" or partstat in ("TENTATIVE", "NEEDS-ACTION"):
        return BusyType.TENTATIVE
    return {
        "FREE": BusyType.FREE,
        "TENTATIVE": BusyType.TENTATIVE,
        "OOF": BusyType.OUT_OF_OFFICE,
        "WORKINGELSEWHERE": BusyType.WORKING_ELSEWHERE,
    }.get(str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper(), BusyType.BUSY)


def _utc(moment: date | datetime, zone: str) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=clock(zone))
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=clock(zone))
    return moment.astimezone(UTC)
