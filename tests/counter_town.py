"""The town of the pages with a day that needs people: somebody away, a room lacking, a citizen to call, a history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from syncd.booking.contacts import Contacts
from syncd.booking.handover import Choice, Handover
from syncd.booking.homeless import Houses, tell_people
from syncd.booking.proposals import Remedy
from syncd.booking.sealing import Seal
from syncd.booking.watch import Watch
from syncd.model.contact import Contact
from syncd.model.task import TaskKind
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.web.deps import Deps
from tests.page_town import NOW, TABLES, PageTown, Size

SEAL = Seal(b"0" * 32)


@dataclass
class CounterTown:
    """A town whose counter has something to do.

    :param away: who is out of office tomorrow, with meetings then. :param moved: a meeting with a history.
    :param lacking: a meeting without a room. :param free: a meeting nobody has touched.
    """

    town: PageTown
    away: str = ""
    moved: str = ""
    lacking: str = ""
    free: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, store: Store, size: Size | None = None) -> CounterTown:
        """A town in that database."""
        made = cls(PageTown(store, size or Size()))
        made._tomorrow()
        made._history()
        made._troubles()
        return made

    def deps(self) -> Deps:
        """What the daemon would hand over."""
        return replace(self.town.deps(), contacts=Contacts(SEAL))

    def _tomorrow(self) -> None:
        """Untouched meetings of tomorrow that are booked and written."""
        meetings, bookings = TABLES["meetings"], TABLES["bookings"]
        begin = epoch(NOW + timedelta(hours=30))
        with self.town.store.read() as tx:
            question = (
                meetings.select()
                .join(bookings, bookings.c.meeting == meetings.c.id)
                .where(meetings.c.start > begin, meetings.c.start < begin + 86_400, bookings.c.state == "confirmed")
                .order_by(meetings.c.start, meetings.c.id)
            )
            rows = tx.session.execute(question).all()
        self.free = [row.id for row in rows]
        self.away = rows[0].caseworker

    def _history(self) -> None:
        """A meeting booked by a citizen, looked at, moved by a caseworker, and given to a colleague."""
        self.moved = self.free.pop()
        at, desk = NOW - timedelta(days=3), Contacts(SEAL)
        with self.town.store.begin() as tx:
            meeting = tx.meetings.get(self.moved)
            assert meeting is not None
            [seat] = tx.bookings.of(self.moved)
            about = {"booking": seat.id, "meeting": meeting.id, "citizen": seat.citizen}
            tx.audit.add("client:portal", "hold.made", now=at, **about)
            tx.audit.add("client:portal", "booking.made", now=at + timedelta(minutes=2), **about)
            tx.audit.add("client:portal", "booking.read", now=at + timedelta(minutes=3), **about)
            shift = f"{(meeting.interval.start - timedelta(hours=26)).isoformat()} {meeting.caseworker} > "
            shift += f"{meeting.interval.start.isoformat()} {meeting.caseworker}"
            who = f"calendar:{meeting.caseworker}"
            tx.audit.add(who, "meeting.moved", meeting=meeting.id, detail=shift, now=at + timedelta(days=1))
            desk.keep(tx, seat.id, Contact(name="Ada Berg", phone="+45 12 34 56 78"), at)

    def _troubles(self) -> None:
        """Somebody out of office, a meeting without a room, and one that was changed so late that one must call."""
        self.lacking = self.free.pop()
        with self.town.store.begin() as tx:
            meeting = tx.meetings.get(self.lacking)
            assert meeting is not None
            assert meeting.room is not None
            tx.meetings.release(self.lacking, meeting.room)
            rows = TABLES["meetings"]
            change = rows.update().where(rows.c.id == self.lacking)
            tx.session.execute(change.values(room=None, room_state="missing"))
            out = {"mailbox": self.away, "key": "fri", "uid": "fri@outlook", "original_start": None, "all_day": False}
            start = epoch(NOW + timedelta(hours=22))
            more = {"start": start, "end": start + 10 * 3600, "busy": "out-of-office", "recurring": False}
            last = {"categories": "", "stamp": None, "guest": False}
            tx.session.execute(TABLES["occurrences"].insert(), [out | more | last])
            tx.settings.bump()
            tell_people(tx, Houses(self.town.directory, self.town.rules.within(tx), NOW, timedelta(hours=4)), {})
        self._late()
        Watch(self.town.store, lambda: self.town.directory).look(NOW)

    def _late(self) -> None:
        """A meeting of today is cancelled, so that its citizen must be called."""
        meetings = TABLES["meetings"]
        with self.town.store.begin() as tx:
            soon = meetings.select().where(
                meetings.c.start > epoch(NOW + timedelta(hours=2)), meetings.c.wanted, meetings.c.beside.is_(None)
            )
            first = tx.session.execute(soon.order_by(meetings.c.start, meetings.c.id).limit(1)).one()
            [seat] = tx.bookings.of(first.id)
            Contacts(SEAL).keep(tx, seat.id, Contact(name="Carl Dahl", phone="+45 87 65 43 21"), NOW)
        handover = Handover(self.town.store, self.town.publisher, lambda: self.town.directory)
        handover.carry_out([Choice(first.id, Remedy.CANCEL)], "staff:vera", NOW)
        with self.town.store.read() as tx:
            assert tx.tasks.waiting(TaskKind.CALL_CITIZEN)
