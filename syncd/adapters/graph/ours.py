"""Which events are ours: our extended properties, and the copies that rooms make of our meetings.

A delta round shows our transactionId, but neither extended property; whoever wants the stamp must ask for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from threading import Lock
from urllib.parse import quote

import msgspec

from syncd.adapters import properties
from syncd.adapters.graph.client import Client
from syncd.adapters.graph.faults import Absent
from syncd.adapters.graph.rounds import bounds, listed, user
from syncd.adapters.graph.rows import SELECT, Row
from syncd.adapters.graph.wire import MASTER, Ours, own_uid
from syncd.errors import AccessDenied, CalendarNotFound, Rejected, TokenExpired
from syncd.model.busy import Stamp
from syncd.model.interval import Interval

UID_PROPERTY = properties.graph_id(properties.UID_PROPERTY)
STAMP_PROPERTY = properties.graph_id(properties.STAMP_PROPERTY)
PASSED_PROPERTY = properties.graph_id(properties.PASSED_PROPERTY)
_ANY_OF_OURS = " or ".join(f"id eq '{one}'" for one in (UID_PROPERTY, STAMP_PROPERTY, PASSED_PROPERTY))
EXPAND = f"singleValueExtendedProperties($filter={_ANY_OF_OURS})"
FEW = 4
"""So many stamps are asked for one by one; more at once by a listing of the whole span."""
REMEMBERED = 20_000
"""Copies of which we know whose they are; one takes some 200 bytes."""
CLOSED = 3600.0
"""Seconds for which an organiser who is out of our reach is not asked again: a room meets her many times a day."""

_ROW = msgspec.json.Decoder(Row)


def event_path(mailbox: str, key: str) -> str:
    """The path of one event."""
    return f"{user(mailbox)}/events/{quote(key, safe='')}"


def look(client: Client, mailbox: str, key: str) -> Row | None:
    """One event as it stands now, with our properties; None when Graph says that it is not there."""
    params = {"$select": SELECT, "$expand": EXPAND}
    try:
        return client.read(event_path(mailbox, key), mailbox, _ROW, params=params)
    except Absent:
        return None


def ours_of(row: Row) -> Ours | None:
    """Who an entry is that was read with our properties; None for somebody else's."""
    uid = _value(row, UID_PROPERTY) or own_uid(row)
    return Ours(uid, Stamp.decode(_value(row, STAMP_PROPERTY))) if uid else None


def passed_mark(generation: int, room: str) -> str:
    """What is written beside a meeting when *room* was passed over: it says nothing of a later generation."""
    return f"{generation} {room.lower()}"


def passed_over(row: Row, stamp: Stamp | None) -> str:
    """Address of the room that was passed over when the meeting was written as it stands; empty when none was."""
    generation, _, room = _value(row, PASSED_PROPERTY).partition(" ")
    return room if stamp is not None and generation == str(stamp.generation) else ""


def _value(row: Row, name: str) -> str:
    """One of our properties; Graph writes their names in letters of its own choice."""
    wanted = name.casefold()
    return next((one.value or "" for one in row.properties or () if one.id.casefold() == wanted), "")


def stamps(client: Client, mailbox: str, rows: Collection[Row], span: Interval) -> dict[str, Ours]:
    """Who these entries of ours are, by id."""
    found: dict[str, Ours] = {}
    rest = [row.id for row in rows]
    if len(rest) > FEW:
        wanted = set(rest)
        seen = listed(client, mailbox, f"{user(mailbox)}/calendarView", _stamps(span))
        found = {row.id: ours for row in seen if row.id in wanted and (ours := ours_of(row))}
        rest = [row.id for row in rows if row.id not in found]
    for key in rest:
        row = look(client, mailbox, key)
        if row is not None and (ours := ours_of(row)):
            found[key] = ours
    return found


def arrived(client: Client, mailbox: str) -> dict[str, Ours]:
    """Entries of ours in a calendar that is read for the first time, by id.

    Those that were written over another interface, before the mailbox moved here, have no transactionId to tell them.
    """
    asked = {"$filter": f"singleValueExtendedProperties/Any(ep: ep/id eq '{UID_PROPERTY}' and ep/value ne null)"}
    rows = listed(client, mailbox, f"{user(mailbox)}/events", {**asked, "$select": SELECT, "$expand": EXPAND})
    return {row.id: ours for row in rows if (ours := ours_of(row))}


def _stamps(span: Interval) -> dict[str, str]:
    return {"$select": "id,transactionId", "$expand": EXPAND, **bounds(span)}


class Copies:
    """Whose meetings stand in rooms: a copy has the organiser's iCalUId, and no property of ours; thread-safe.

    :param elapsed: a clock that only runs forward, in seconds.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._lock = Lock()
        self._elapsed = elapsed
        self._known: dict[str, Ours | None] = {}
        self._closed: dict[str, float] = {}

    def learn(self, row: Row, ours: Ours | None) -> None:
        """Remember whose the meeting in *row* is."""
        if row.i_cal_u_id:
            with self._lock:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[row.i_cal_u_id] = ours

    def of(self, client: Client, room: str, rows: Iterable[Row]) -> dict[str, Ours]:
        """Those of *rows* in the calendar of *room* that are copies of our meetings, by id.

        What is not known yet is asked of the organiser's calendar; who is out of our reach has no meetings of ours.

        :raises Transient: it cannot be told now.
        """
        found: dict[str, Ours] = {}
        for row in rows:
            asked = row.organizer.address if row.organizer else ""
            if row.is_cancelled or row.type == MASTER or not row.i_cal_u_id or asked in ("", room.lower()):
                continue
            with self._lock:
                known = row.i_cal_u_id in self._known
            if not known:
                self._ask(client, asked, row)
            if (ours := self._known.get(row.i_cal_u_id)) is not None:
                found[row.id] = ours
        return found

    def _ask(self, client: Client, organizer: str, row: Row) -> None:
        """Learn whose a meeting is, of its organiser; one who is out of our reach is left alone for a while.

        Rooms are read side by side and meet the same organisers: each of these is asked one question at a time.
        """
        if self._closed.get(organizer, float("-inf")) > self._elapsed():
            return
        try:
            with client.call(f"meetings of {organizer}"):
                self.learn(row, _organised(client, organizer, row.i_cal_u_id or ""))
        except (AccessDenied, CalendarNotFound):
            client.gate.demand(organizer)  # all the same when it is the application that was refused
            with self._lock:
                if len(self._closed) >= REMEMBERED:
                    self._closed.clear()
                self._closed[organizer] = self._elapsed() + CLOSED
        except (Rejected, TokenExpired):
            return


def _organised(client: Client, organizer: str, uid: str) -> Ours | None:
    """Whose the meeting *uid* in the calendar of *organizer* is."""
    params = {"$filter": f"iCalUId eq '{uid.replace(chr(39), chr(39) * 2)}'", "$select": SELECT, "$expand": EXPAND}
    rows = listed(client, organizer, f"{user(organizer)}/events", params)
    return next((ours for row in rows if (ours := ours_of(row))), None)
