"""Keeps every meeting in a room: puts right what closures and foreign bookings upset, and rearranges by night.

Lock order as in `syncd.booking.desk`: the site and day, then the meetings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain

from syncd.booking.announce import site_of
from syncd.booking.desire import desire, unsettle
from syncd.booking.follow import with_room
from syncd.booking.homeless import Houses, tell_people
from syncd.booking.relocate import relocate
from syncd.booking.rooms import give_room, requirement_of
from syncd.booking.take import lock_site_days
from syncd.errors import SlotGone, UnknownBooking, UnknownRoom
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory, MailboxId, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement, Rulebook
from syncd.model.task import TaskKind
from syncd.model.zones import days, wall_clock, whole_days
from syncd.observe.logs import log
from syncd.publish.moving import policy_of
from syncd.publish.roomday import MAX_AGE, rooms_of
from syncd.roomalloc import rank
from syncd.roomalloc.allocate import Move
from syncd.roomalloc.day import Day, Standing
from syncd.roomalloc.explain import Reason, why
from syncd.roomalloc.rebuild import Rebuilt, rebuild
from syncd.roomalloc.timetable import ask_of
from syncd.roomalloc.upset import settle
from syncd.store import Store, Tx, locks
from syncd.store.overview import meeting_named
from syncd.store.rooms import Placed

FOR_GOOD = timedelta(days=3650)
"""As far ahead as any meeting."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one look did. :param told: of the moves those of announced meetings. :param missing: left to people."""

    moves: tuple[Move, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def told(self) -> int:
        """How many people must be told of another room."""
        return sum(move.told for move in self.moves)


class RoomKeeper:
    """Repairs and rearranges; each site-day is one transaction.

    :param directory, rulebook: the ones in force now.
    :param max_age: how old the mirror of a room's calendar may be (``sync.max_age_seconds``).
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        rulebook: Callable[[], Rulebook],
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._store, self._directory, self._rulebook = store, directory, rulebook
        self._max_age = max_age
        self._looked_at: tuple[Directory, int] | None = None

    def repair(self, now: datetime) -> Kept:
        """Give other rooms to meetings whose own was closed, taken away, or booked by somebody else.

        After the configuration or the rules changed, everybody's room is looked at anew. Who has none, and who is
        pinned to a room that cannot be had, becomes a task for a person.
        """
        with self._store.read() as tx:
            hit, ground = tx.rooms.upset(now), self._ground()
            fresh = self._looked_at is None or self._looked_at[0] is not ground[0] or self._looked_at[1] != ground[1]
            if fresh:
                hit += self._misfits(tx, Interval(now, now + FOR_GOOD))
            settled = not hit and not tx.rooms.lacking(now) and not tx.tasks.waiting(TaskKind.ROOM_NEEDED)
            strays = self._strays(tx, now)
        done = [self._repaired(site, day, now) for site, day in self._site_days(hit)]
        homeless = [self._store.run(partial(self._rehouse, meeting=m, now=now)) for m in strays]
        if fresh or not settled or homeless:
            self._store.run(partial(self._tell, now=now))
        self._looked_at = ground
        moves = chain.from_iterable(kept.moves for kept in (*done, *homeless))
        return Kept(tuple(moves), tuple(chain.from_iterable(kept.missing for kept in (*done, *homeless))))

    def _ground(self) -> tuple[Directory, int]:
        """What everybody's room depends on besides calendars."""
        return self._directory(), self._rulebook().number

    def _site_days(self, hit: Iterable[Placed]) -> list[tuple[Site, date]]:
        rooms, sites = self._directory().rooms, self._directory().sites
        found = {(rooms[room].site, start) for _, room, start in hit if room in rooms}
        return sorted(
            {(sites[site], wall_clock(start, sites[site].zone).date()) for site, start in found},
            key=lambda one: (one[0].id, one[1]),
        )

    def _repaired(self, site: Site, day: date, now: datetime) -> Kept:
        """One site-day; what another transaction takes meanwhile is looked at again next time."""
        try:
            return self._store.run(partial(self._repair, site=site, day=day, now=now))
        except SlotGone:
            log.warning("rooms.repair_postponed", site=site.id, day=day.isoformat())
            return Kept()

    def _repair(self, tx: Tx, site: Site, day: date, now: datetime) -> Kept:
        locks.take(tx.session, [locks.site_day(site.id, day)])
        directory = self._directory()
        rooms = self._day(tx, site, day, now)
        whole = whole_days(day, day, site.zone)
        misfits = self._misfits(tx, Interval(max(now, whole.start), whole.end))
        upset = {meeting for meeting, _, _ in (*tx.rooms.upset(now), *misfits)}
        pinned = tx.rooms.pinned(upset)
        hit = [meeting for meeting in sorted(upset) if meeting in rooms.seats and meeting not in pinned]
        if not hit:
            return Kept()
        settled = settle(rooms, hit, policy_of(site))
        relocate(tx, directory, settled.moves, now)
        for task in settled.tasks:
            self._give_up(tx, task.meeting, now)
        tx.settings.bump()
        return Kept(settled.moves, tuple(task.meeting for task in settled.tasks))

    def _misfits(self, tx: Tx, window: Interval) -> list[Placed]:
        """Meetings in rooms that are too small or not open for them: the configuration, or rules, changed.

        Never because a calendar cannot be read: what is not known drives nobody out.
        """
        directory, rulebook = self._directory(), self._rulebook()
        found = [one for one in tx.meetings.in_rooms(window) if _misfit(directory, rulebook, one)]
        return [(meeting.id, meeting.room or "", meeting.interval.start) for meeting in found]

    def _strays(self, tx: Tx, now: datetime) -> list[str]:
        """Meetings to come in rooms that the configuration does not know any more."""
        unknown = tx.rooms.occupied(now) - self._directory().rooms.keys()
        return tx.rooms.inside(unknown, now) if unknown else []

    def _rehouse(self, tx: Tx, meeting: str, now: datetime) -> Kept:
        """A room for a meeting whose own is not there any more."""
        found = tx.meetings.get(meeting)
        if found is None or found.room is None:
            return Kept()
        lock_site_days(tx, self._directory(), {found.caseworker}, [found.interval])
        found = tx.meetings.get(meeting, lock=True)
        if found is None or found.room is None or found.room in self._directory().rooms:
            return Kept()
        tx.meetings.release(found.id, found.room)
        tx.rooms.unpin(found.id)
        room = give_room(tx, self._directory(), self._rulebook(), found, now=now, max_age=self._max_age)
        desire(tx, with_room(found, room), now)
        unsettle(tx, found, now)
        tx.audit.add("syncd", "meeting.room-gone", meeting=found.id, detail=f"{found.room} > {room or '-'}", now=now)
        tx.settings.bump()
        return Kept((Move(found.id, found.room, room),)) if room else Kept(missing=(found.id,))

    def _tell(self, tx: Tx, now: datetime) -> None:
        pinned = tx.rooms.pinned({meeting for meeting, _, _ in tx.rooms.upset(now)})
        tell_people(tx, Houses(self._directory(), self._rulebook(), now, self._max_age), pinned)

    def _day(self, tx: Tx, site: Site, day: date, now: datetime, ignoring: str | None = None) -> Day:
        return rooms_of(tx, self._directory(), self._rulebook(), site, day, now, self._max_age, ignoring)

    def _give_up(self, tx: Tx, meeting_id: str, now: datetime) -> None:
        """No room is left: a person is told, and `reconcile` goes on looking for one."""
        meeting = tx.meetings.get(meeting_id, lock=True)
        if meeting is None or meeting.room is None:
            return
        tx.meetings.release(meeting.id, meeting.room)
        desire(tx, with_room(meeting, None), now)
        unsettle(tx, meeting, now)
        tx.audit.add("syncd", "meeting.room-lost", meeting=meeting.id, detail=meeting.room, now=now)

    def block(self, room: MailboxId, span: Interval, reason: str, actor: str, now: datetime) -> Kept:
        """Close a room for a while and give its meetings other rooms.

        :param actor: who asked, for the audit: ``staff:SUBJECT``, or a user at the command line.
        """

        def work(tx: Tx) -> None:
            tx.rooms.close(room, span, reason)
            tx.audit.add(_whole(actor), "room.closed", detail=room, now=now)
            tx.settings.bump()

        self._store.run(work)
        return self.repair(now)

    def unblock(self, room: MailboxId, span: Interval, actor: str, now: datetime) -> int:
        """Open a room again: closures that touch *span* are removed; returns how many."""

        def work(tx: Tx) -> int:
            number = tx.rooms.open_again(room, span)
            if number:
                tx.audit.add(_whole(actor), "room.opened", detail=room, now=now)
                tx.settings.bump()
            return number

        return self._store.run(work)

    def pin(
        self, name: str, room: MailboxId | None, actor: str, now: datetime, expecting: MailboxId | None = None
    ) -> MailboxId:
        """Keep a meeting in the room it has, or in *room*, until it is unpinned; returns that room.

        A person may choose a room that does not suit, but not one that is taken.

        :param name: the booking's id or the meeting's. :param actor: as for `block`.
        :param expecting: the room that whoever decided saw the meeting in.
        :raises UnknownBooking: there is none, or it has no room. :raises UnknownRoom: its site has no such room.
        :raises SlotGone: *room* is taken or closed then, or the meeting is not in *expecting* any more.
        """
        return self._store.run(partial(self._pin, name=name, room=room, actor=actor, now=now, expecting=expecting))

    def _pin(
        self, tx: Tx, name: str, room: MailboxId | None, actor: str, now: datetime, expecting: MailboxId | None
    ) -> MailboxId:
        directory = self._directory()
        meeting, site, day = self._place(tx, name)
        locks.take(tx.session, [locks.site_day(site.id, day)])
        meeting = tx.meetings.get(meeting.id, lock=True) or meeting
        if expecting not in (None, meeting.room or "") or not meeting.wanted:
            raise SlotGone("Somebody has moved or cancelled the meeting meanwhile. Nothing was changed; look again.")
        target, origin = room or meeting.room or "", meeting.room or ""
        if target not in directory.rooms or directory.rooms[target].site != site.id:
            raise UnknownRoom(f"There is no room '{target}' at {site.id}. Nothing was changed.")
        if target != origin:
            rooms = self._day(tx, site, day, now, ignoring=meeting.id)
            seat = rooms.seat(ask_of(site, day, meeting.id, meeting.interval, RoomRequirement(0)))
            if not rooms.free(seat.first, seat.last, seat.eligible) >> rooms.layout.number[target] & 1:
                raise SlotGone(f"{target} is taken or closed at that time. Nothing was changed.")
            relocate(tx, directory, [Move(meeting.id, origin, target)], now)
        tx.rooms.pin(meeting.id, target, actor, now)
        tx.audit.add(_whole(actor), "room.pinned", meeting=meeting.id, detail=target, now=now)
        tx.settings.bump()
        return target

    def unpin(self, name: str, actor: str, now: datetime) -> bool:
        """Let the program move the meeting again; whether it was pinned."""

        def work(tx: Tx) -> bool:
            meeting, _, _ = self._place(tx, name)
            was = tx.rooms.unpin(meeting.id)
            if was:
                tx.audit.add(_whole(actor), "room.unpinned", meeting=meeting.id, now=now)
                tx.settings.bump()
            return was

        return self._store.run(work)

    def why(self, name: str, now: datetime) -> tuple[Reason, ...]:
        """The reason for a meeting's room, and for the next two; *name* is the booking's id or the meeting's.

        :raises UnknownBooking: there is none of that id, or it has no room.
        """
        with self._store.read() as tx:
            meeting, site, day = self._place(tx, name)
            rooms = self._day(tx, site, day, now)
        if meeting.id not in rooms.seats:
            raise UnknownBooking(f"The booking '{name}' is not in its room any more.")
        return why(rooms, meeting.id)

    def _place(self, tx: Tx, name: str) -> tuple[Meeting, Site, date]:
        """The meeting of a booking's or meeting's id, or of the code in the calendar; its site and its local day."""
        meeting = tx.meetings.get(meeting_named(tx.session, name) or name)
        lacks = meeting is not None and meeting.room is None and meeting.room_state is not RoomState.MISSING
        site = None if meeting is None or lacks else site_of(self._directory(), meeting.caseworker, meeting.room)
        if meeting is None or site is None:
            raise UnknownBooking(f"There is no booking '{name}' that has a room, or lacks one.")
        return meeting, site, wall_clock(meeting.interval.start, site.zone).date()

    def preview(self, site: Site, day: date, now: datetime) -> Rebuilt | None:
        """What a rearrangement of the day would do; None when nobody may, or need, be moved."""
        with self._store.read() as tx:
            return self._better(tx, site, day, now)

    def rearrange(self, now: datetime, horizon: timedelta = timedelta(days=60)) -> Kept:
        """Rearrange all days nobody was told of, for less waste and walking."""
        moves: list[Move] = []
        for site in self._directory().sites.values():
            for day in days(Interval(now, now + horizon), site.zone):
                moves += self._store.run(partial(self._rearrange, site=site, day=day, now=now))
        return Kept(tuple(moves))

    def _rearrange(self, tx: Tx, site: Site, day: date, now: datetime) -> tuple[Move, ...]:
        locks.take(tx.session, [locks.site_day(site.id, day)])
        better = self._better(tx, site, day, now)
        if better is None:
            return ()
        relocate(tx, self._directory(), better.moves, now)
        tx.settings.bump()
        return better.moves

    def _better(self, tx: Tx, site: Site, day: date, now: datetime) -> Rebuilt | None:
        rooms = self._day(tx, site, day, now)
        return rebuild(rooms) if rooms.standing is Standing.TENTATIVE else None


def _whole(actor: str) -> str:
    """The actor as the audit has it: a plain name is a user at the command line."""
    return actor if ":" in actor else f"cli:{actor}"


def _misfit(directory: Directory, rulebook: Rulebook, meeting: Meeting) -> bool:
    room = directory.rooms.get(meeting.room or "")
    if room is None:
        return False  # a stray
    need = requirement_of(directory, rulebook, meeting)
    return not rank.suits(room, need) or not rank.is_open(room, meeting.interval, directory.sites[room.site])
