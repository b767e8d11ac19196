"""The human at the calendar: what people do in Outlook, without any client in between.

Items are named by mailbox and UID, dates of a series by their original start.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from tests.servers.exchange.changes import change_item
from tests.servers.exchange.inbound import Draft, whole_days
from tests.servers.exchange.meetings import cancel, invite, remove_date
from tests.servers.exchange.model import Attendee, Entry, Sight, utc
from tests.servers.exchange.recurrence import Recurrence
from tests.servers.exchange.wire import EwsError
from tests.servers.exchange.world import CALENDAR, Mailbox, World
from tests.servers.exchange.writing import respond
from tests.servers.exchange.zones import from_wall, wall

_CATEGORY = '<category name={name} color="{n}" keyboardShortcut="0" usageCount="0" guid="{{{n}}}"/>'
TELL = "SendToAllAndSaveCopy"


class Outlook:
    """Somebody's hand in any mailbox."""

    def __init__(self, world: World) -> None:
        self.world = world

    def book(
        self,
        email: str,
        start: datetime,
        end: datetime,
        *,
        recurrence: Recurrence | None = None,
        rooms: tuple[str, ...] = (),
        people: tuple[str, ...] = (),
        **values: Any,
    ) -> str:
        """A new entry, with invitations if anybody is invited; its UID.

        :param values: by the schema's names, such as Subject, Categories, LegacyFreeBusyStatus or IsAllDayEvent.
        """
        with self.world.lock:
            box = self.world.box(email)
            zone = values.setdefault("StartTimeZone", box.zone)
            start, end = utc(start), utc(end)
            if values.get("IsAllDayEvent"):
                start, end = whole_days(start, end, zone)
            invited = [Attendee(self.world.named(one), "Resources") for one in rooms]
            invited += [Attendee(self.world.named(one), "RequiredAttendees") for one in people]
            base = {"Start": start, "End": end, "EndTimeZone": zone, "Organizer": box.address, "Subject": "Privat"}
            busy = {"LegacyFreeBusyStatus": "Busy", "Attendees": tuple(invited)}
            entry = self.world.add(box, CALENDAR, "CalendarItem", base | busy | values)
            entry.recurrence = recurrence
            if invited:
                invite(self.world, box, entry, invited)
            self.world.settle()
            return entry.uid

    def change(
        self, email: str, uid: str, original: datetime | None = None, *, tell: str = TELL, **values: Any
    ) -> None:
        """Edit an entry, or one date of a series; people invited are told as *tell* says.

        :raises EwsError: there is none; an occurrence would pass its neighbour.
        """
        with self.world.lock:
            box, seen = self._seen(email, uid, original)
            recurrence = values.pop("Recurrence", None)
            draft = Draft(values=values, recurrence=recurrence)
            change_item(self.world, box, seen, draft, tell)
            self.world.settle()

    def move(
        self, email: str, uid: str, start: datetime, end: datetime | None = None, original: datetime | None = None
    ) -> None:
        """Drag to another time; the length stays unless *end* is given."""
        _, seen = self._seen(email, uid, original)
        stop = utc(end) if end else utc(start) + (seen.end - seen.start)
        self.change(email, uid, original, Start=utc(start), End=stop)

    def shorten(self, email: str, uid: str, minutes: int, original: datetime | None = None) -> None:
        """Pull the lower edge so that it lasts so many minutes."""
        _, seen = self._seen(email, uid, original)
        self.change(email, uid, original, End=seen.start + timedelta(minutes=minutes))

    def categorize(self, email: str, uid: str, *names: str, original: datetime | None = None) -> None:
        """Set the coloured categories; none removes them. Nobody else is told."""
        self.change(email, uid, original, tell="SendToNone", Categories=names)

    def change_zone(self, email: str, uid: str, zone: str, keep_clock: bool = True) -> None:
        """Give an entry another time zone; its clock time stays, or else the instant."""
        with self.world.lock:
            _, seen = self._seen(email, uid, None)
            start, end = seen.start, seen.end
            if keep_clock:
                start, end = (from_wall(wall(one, seen.entry.zone), zone) for one in (start, end))
            self.change(email, uid, Start=start, End=end, StartTimeZone=zone, EndTimeZone=zone)

    def change_series(self, email: str, uid: str, **changes: Any) -> None:
        """Change the recurrence's pattern or range; exceptions are lost, as Outlook warns."""
        with self.world.lock:
            _, seen = self._seen(email, uid, None)
            assert seen.entry.recurrence
            self.change(email, uid, Recurrence=replace(seen.entry.recurrence, **changes))

    def delete(self, email: str, uid: str, original: datetime | None = None, tell: bool = True) -> None:
        """Delete an entry or one date of a series; as organiser people are told, unless *tell* is False."""
        with self.world.lock:
            box, seen = self._seen(email, uid, original)
            if tell and seen.attendees and seen.entry.organizer == box.address:
                cancel(self.world, box, seen.entry, seen.attendees, original)
            if original is not None:
                remove_date(self.world, box, seen.entry, original)
            else:
                self.world.remove(box, seen.entry, "deleteditems")
            self.world.settle()

    def answer(self, email: str, uid: str, response: str, original: datetime | None = None) -> None:
        """Accept, Tentative or Decline by hand, as an invited person or a room's delegate."""
        with self.world.lock:
            box, seen = self._seen(email, uid, original)
            respond(self.world, box, seen, response)
            self.world.settle()

    def calendar(self, email: str, start: datetime, end: datetime) -> list[Sight]:
        """What the calendar shows in a span, series expanded, in order."""
        with self.world.lock:
            self.world.settle()
            box = self.world.box(email)
            found = [seen for one in box.folder(CALENDAR) for seen in one.between(utc(start), utc(end))]
            return sorted(found, key=lambda seen: (seen.start, seen.entry.number))

    def entry(self, email: str, uid: str) -> Entry | None:
        """The calendar item of a UID."""
        with self.world.lock:
            self.world.settle()
            return self.world.box(email).by_uid(uid)

    def category_list(self, email: str, *names: str) -> list[str]:
        """Names in the mailbox's master list of categories; with *names*, that is the list from now on.

        The list lies in the calendar folder as Outlook writes it at its first start (MS-OXOCFG 2.2.5.2.1).
        """
        with self.world.lock:
            kept = self.world.box(email).configurations
            if names:
                rows = "".join(_CATEGORY.format(name=quoteattr(one), n=n) for n, one in enumerate(names))
                text = f'<categories default="" lastSavedSession="5" xmlns="CategoryList.xsd">{rows}</categories>'
                kept[CALENDAR, "CategoryList"] = {"XmlData": b64encode(text.encode()).decode()}
            stored = kept.get((CALENDAR, "CategoryList"), {}).get("XmlData", "")
        root = etree.fromstring(b64decode(stored)) if stored else None
        return [] if root is None else [str(one.get("name")) for one in root.iter("{*}category")]

    def _seen(self, email: str, uid: str, original: datetime | None) -> tuple[Mailbox, Sight]:
        with self.world.lock:
            self.world.settle()
            box = self.world.box(email)
            entry = box.by_uid(uid)
            seen = None if entry is None else entry.occurrence(utc(original)) if original else entry.whole()
            if seen is None:
                raise EwsError("ErrorItemNotFound", f"{email} has no {uid}" + (f" at {original}" if original else ""))
            return box, seen
