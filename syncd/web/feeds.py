"""Feeds for calendar programs: free slots as .ics, busy time as VFREEBUSY (RFC 5545 3.6.4); read-only.

The address is the key: unguessable, revocable, and never logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter, HTTPException, Request, Response
from icalendar import Calendar, Event, FreeBusy, vDuration, vPeriod

from syncd.booking.room_board import Look, boards
from syncd.model.busy import BusyType
from syncd.model.directory import Caseworker
from syncd.model.interval import merge
from syncd.model.mirror import trust
from syncd.model.offer import Form
from syncd.publish.feeds import FreeTime, Taken, free_times, people_of, taken, unknown, window_of
from syncd.store.feeds import Feed, FeedKind
from syncd.web.deps import Deps, Service

REFRESH = timedelta(minutes=15)
FBTYPE = {
    BusyType.BUSY: "BUSY",
    BusyType.TENTATIVE: "BUSY-TENTATIVE",
    BusyType.OUT_OF_OFFICE: "BUSY-UNAVAILABLE",
    BusyType.UNAVAILABLE: "BUSY-UNAVAILABLE",
    BusyType.WORKING_ELSEWHERE: "BUSY",
}
FORMS = {Form.IN_PERSON: "fremmøde", Form.PHONE: "telefon", Form.VIDEO: "video"}
HEADERS = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"}


router = APIRouter(include_in_schema=False)


@router.api_route("/feeds/{secret}.ics", methods=["GET", "HEAD"])
def free(service: Service, request: Request, secret: str) -> Response:
    """The bookable times, each an event that blocks nothing."""
    feed = _opened(service, secret)
    now, directory = service.clock.now(), service.directory()
    if feed.kind is FeedKind.SITE:
        raise HTTPException(404)
    if feed.kind is FeedKind.ROOM:
        return _calendar(request, _room(service, feed, now), now)
    people = people_of(directory, feed.kind, feed.subject)
    times = free_times(service.publisher, service.rulebook(), people, now)
    return _calendar(request, _slots(times, feed, directory.organisation), now)


@router.api_route("/feeds/{secret}.ifb", methods=["GET", "HEAD"])
def busy(service: Service, request: Request, secret: str) -> Response:
    """When each caseworker is not free."""
    feed = _opened(service, secret)
    if feed.kind in (FeedKind.ROOM, FeedKind.SITE):
        raise HTTPException(404)
    now = service.clock.now()
    people = people_of(service.directory(), feed.kind, feed.subject)
    with service.store.read() as tx:
        found = taken(tx, people, now, service.publisher.max_age)
    return _calendar(request, _busy(found, now), now)


def _opened(deps: Deps, secret: str) -> Feed:
    with deps.store.read() as tx:
        feed = tx.feeds.open(secret)
    if feed is None:
        raise HTTPException(404)
    return feed


def _calendar(request: Request, content: Calendar, now: datetime) -> Response:
    """The calendar with an entity tag that changes with what it says, not with when it was made."""
    plain = content.to_ical()
    etag = f'"{hashlib.sha256(plain).hexdigest()[:20]}"'
    headers = HEADERS | {"ETag": etag}
    if request.headers.get("if-none-match") in (etag, f"W/{etag}"):
        return Response(None, 304, headers=headers)
    for part in content.subcomponents:
        part.add("DTSTAMP", now.replace(microsecond=0))
    return Response(content.to_ical(), media_type="text/calendar; charset=utf-8", headers=headers)


def _new(name: str) -> Calendar:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//syncd//feed//DA")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH))
    return calendar


def _slots(times: Sequence[FreeTime], feed: Feed, organisation: str) -> Calendar:
    calendar = _new(f"Ledige tider: {feed.subject} · {organisation}")
    for time in times:
        event = Event()
        name = f"{time.offer} {time.interval.start.isoformat()} {feed.subject}"
        event.add("UID", f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@syncd")
        event.add("DTSTART", time.interval.start)
        event.add("DTEND", time.interval.end)
        forms = ", ".join(FORMS[form] for form in time.forms)
        event.add("SUMMARY", f"Ledig: {time.titles.get('da', time.offer)} ({forms})")
        event.add("TRANSP", "TRANSPARENT")
        calendar.add_component(event)
    return calendar


def _room(service: Deps, feed: Feed, now: datetime) -> Calendar:
    """When a room is taken, and nothing else; unknown time is told as taken."""
    directory, window = service.directory(), window_of(now)
    room = directory.rooms.get(feed.subject)
    if room is None:
        raise HTTPException(404)
    with service.store.read() as tx:
        (board,) = boards(Look(tx, directory, now, service.publisher.max_age), [room], window)
        trusted = trust(tx.mailboxes.statuses([room.id]).get(room.id), now, service.publisher.max_age, window).window
    calendar = _new(f"{room.name} · {directory.sites[room.site].name}")
    for span in merge([*board.taken, *unknown(trusted, window)]):
        event = Event()
        event.add(
            "UID", f"{hashlib.sha256(f'room {room.id} {span.start.isoformat()}'.encode()).hexdigest()[:32]}@syncd"
        )
        event.add("DTSTART", span.start)
        event.add("DTEND", span.end)
        event.add("SUMMARY", "Optaget")
        calendar.add_component(event)
    return calendar


def _busy(found: Sequence[Taken], now: datetime) -> Calendar:
    calendar = _new("Optaget tid")
    window = window_of(now)
    for one in found:
        part = FreeBusy()
        part.add("UID", f"{_digest(one.caseworker)}@syncd")
        part.add("ORGANIZER", f"mailto:{one.caseworker.mailbox.address}")
        part.add("DTSTART", window.start)
        part.add("DTEND", window.end)
        for kind, spans in one.spans.items():
            periods = [vPeriod((span.start, span.end)) for span in spans]
            part.add("FREEBUSY", periods, parameters={"FBTYPE": FBTYPE[kind]})
        calendar.add_component(part)
    return calendar


def _digest(person: Caseworker) -> str:
    return hashlib.sha256(f"free-busy {person.id}".encode()).hexdigest()[:32]
