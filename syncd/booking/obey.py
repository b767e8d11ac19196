"""Does what caseworkers ask for by categories in their own calendars, again and again; each answer is one transaction.

`syncd.booking.wishes` decides; what stands beside an event is carried into calendars by `syncd.booking.reconcile`,
like a booked meeting. Lock order as in `syncd.booking.desk`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from syncd.booking.announce import tell_if_due
from syncd.booking.beside import beside_of, id_of, lacking, no_room
from syncd.booking.desire import cancelled, desire, unsettle
from syncd.booking.follow import Ground, placed
from syncd.booking.options import options
from syncd.booking.sight import Limits
from syncd.booking.take import lock_site_days
from syncd.booking.wishes import Ends, Wish, changes, wishes
from syncd.model.booking import BookingState, Meeting, RoomState, advance
from syncd.model.directory import Directory
from syncd.model.marks import Marks
from syncd.model.offer import Form, Rulebook
from syncd.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Obeyed:
    """What one look did.

    :param begun: wishes taken up or changed; :param ended: those whose event or mark was gone.
    :param told: meetings without a room whose caseworkers are told now what comes nearest.
    :param missed: no-shows noted, or taken back.
    """

    begun: int = 0
    ended: int = 0
    told: int = 0
    missed: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was done."""
        return bool(self.begun or self.ended or self.told or self.missed)


class MarkKeeper:
    """Obeys marks; safe to be called at any time and to be interrupted.

    :param directory, rulebook: the ones in force now.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        rulebook: Callable[[], Rulebook],
        marks: Marks,
        limits: Limits | None = None,
    ) -> None:
        self._store, self._directory, self._rulebook = store, directory, rulebook
        self._marks, self._limits = marks, limits or Limits()

    def obey(self, now: datetime) -> Obeyed:
        """Look at all marks once.

        :raises StoreError: the database cannot be used.
        """
        ground = Ground(self._directory(), self._rulebook(), self._limits, now)
        with self._store.read() as tx:
            wanted = wishes(tx.marks.seen(now), self._marks, ground.directory, ground.rulebook)
            todo = changes(wanted, tx.marks.beside(now), partial(_readable, tx, ground.directory))
            missed, attended = tx.marks.missed(now), tx.marks.attended(now)
        begun = sum(self._store.run(partial(begin, wish=one, ground=ground)) for one in todo if isinstance(one, Wish))
        ended = sum(self._store.run(partial(end, row=one.row, now=now)) for one in todo if isinstance(one, Ends))
        noted = sum(self._store.run(partial(no_show, meeting_id=one, ground=ground)) for one in missed)
        noted += sum(self._store.run(partial(came_after_all, meeting_id=one, ground=ground)) for one in attended)
        return Obeyed(begun, ended, self._tell(ground), noted)

    def _tell(self, ground: Ground) -> int:
        """Tell caseworkers whose meetings got no room what comes nearest, each once."""
        with self._store.read() as tx:
            told = {one.id: (one, _nearest(tx, one, ground)) for one in tx.marks.lacking(ground.now)}
        return sum(self._store.run(partial(tell, meeting=one, note=note, ground=ground)) for one, note in told.values())


def _readable(tx: Tx, directory: Directory, row: Meeting) -> bool:
    """Whether the mirror says for certain what is at the row's time; whose calendar is not watched has left."""
    if row.caseworker not in directory.caseworkers:
        return True
    status = tx.mailboxes.status(row.caseworker)
    if status is None or status.covered is None:
        return False
    return not status.refused and (row.asks is None or status.covered.contains(row.interval))


def begin(tx: Tx, wish: Wish, ground: Ground) -> bool:
    """Take a wish up, or change what stands there already to what is wished now; whether anything was changed."""
    person = ground.directory.caseworkers[wish.mailbox]
    name = id_of(tx.settings.installation(), wish.mailbox, wish.mark, wish.uid)
    tx.mailboxes.lock(wish.mailbox)
    row = tx.meetings.get(name)
    lock_site_days(tx, ground.directory, {wish.mailbox}, [wish.interval, *([row.interval] if row else [])])
    row = tx.meetings.get(name, lock=True)
    if row is not None and wish.met_by(row):
        return False
    if row is None:
        row = _fresh(wish, name, ground.directory.sites[person.site].zone)
        tx.meetings.add(row, ground.now)
    wished = replace(
        row,
        caseworker=wish.mailbox,
        beside=beside_of(wish.mark, wish.uid),
        interval=wish.interval,
        asks=wish.asks,
        note=wish.note,
        room=row.room if row.wanted and wish.asks else None,
        room_state=RoomState.NONE,
        wanted=True,
        attention=None,
    )
    meeting = desire(tx, placed(tx, wished, ground), ground.now)
    tell_if_due(tx, ground.directory, ground.rulebook, meeting, ground.now)
    what = "mark.room" if wish.asks else "mark.answered"
    tx.audit.add(f"calendar:{wish.mailbox}", what, meeting=name, now=ground.now)
    tx.settings.bump()
    return True


def _fresh(wish: Wish, name: str, zone: str) -> Meeting:
    return Meeting(
        id=name,
        uid=f"{name}@syncd",
        offer="",
        form=Form.IN_PERSON,
        caseworker=wish.mailbox,
        room=None,
        room_state=RoomState.NONE,
        interval=wish.interval,
        zone=zone,
        before=0,
        after=0,
        wanted=False,
        desired_generation=0,
        applied_generation=0,
        beside=beside_of(wish.mark, wish.uid),
    )


def end(tx: Tx, row: Meeting, now: datetime) -> bool:
    """Give the room back and take the note away, because the event or its mark is gone."""
    tx.mailboxes.lock(row.caseworker)
    found = tx.meetings.get(row.id, lock=True)
    if found is None or found.desired_generation != row.desired_generation:
        return False
    forgotten = replace(found, asks=None, note=None)
    if not found.wanted:
        tx.meetings.save(forgotten, now)  # dismissed before; the same mark set anew is a new wish
        return True
    cancelled(tx, forgotten, now)
    tx.audit.add(f"calendar:{row.caseworker}", "mark.ended", meeting=row.id, now=now)
    tx.settings.bump()
    return True


def _nearest(tx: Tx, meeting: Meeting, ground: Ground) -> str | None:
    found = options(tx, ground.directory, ground.rulebook, meeting, ground.now, ground.limits.max_age)
    if found is None:
        return None
    return no_room(ground.directory.language, found.asked, found.instead, found.times, meeting.zone)


def tell(tx: Tx, meeting: Meeting, note: str | None, ground: Ground) -> bool:
    """Let the entry say what comes nearest to the room that could not be had."""
    found = tx.meetings.get(meeting.id, lock=True)
    if note is None or found is None or not lacking(found):
        return False
    if found.desired_generation != meeting.desired_generation:
        return False
    desire(tx, replace(found, note=note), ground.now)
    unsettle(tx, found, ground.now)
    return True


def no_show(tx: Tx, meeting_id: str, ground: Ground) -> bool:
    """Note that the citizen did not come, and free the room for what is left of the time."""
    meeting = _locked(tx, meeting_id, ground)
    if meeting is None or not meeting.wanted:
        return False
    seats = [one for one in tx.bookings.of(meeting.id) if one.state in (BookingState.PENDING, BookingState.CONFIRMED)]
    for booking in seats:
        tx.bookings.save(advance(booking, BookingState.NO_SHOW), ground.now)
        about = {"booking": booking.id, "meeting": meeting.id, "citizen": booking.citizen}
        tx.audit.add(f"calendar:{meeting.caseworker}", "booking.no-show", now=ground.now, **about)
    if seats and meeting.room is not None and meeting.interval.end > ground.now:
        tx.meetings.release(meeting.id, meeting.room)
        desire(tx, replace(meeting, room=None, room_state=RoomState.NONE, note=None), ground.now)
    tx.settings.bump()
    return bool(seats)


def came_after_all(tx: Tx, meeting_id: str, ground: Ground) -> bool:
    """Take a no-show back, because the mark is gone; what is left of the meeting gets a room again."""
    meeting = _locked(tx, meeting_id, ground)
    if meeting is None or not meeting.wanted:
        return False
    goes_on = meeting.interval.end > ground.now
    seats = [one for one in tx.bookings.of(meeting.id) if one.state is BookingState.NO_SHOW]
    for booking in seats:
        to = BookingState.PENDING if goes_on else BookingState.CONFIRMED
        tx.bookings.save(advance(booking, to), ground.now)
        about = {"booking": booking.id, "meeting": meeting.id, "citizen": booking.citizen}
        tx.audit.add(f"calendar:{meeting.caseworker}", "booking.attended", now=ground.now, **about)
    if seats and goes_on:
        desire(tx, placed(tx, meeting, ground), ground.now)
    tx.settings.bump()
    return bool(seats)


def _locked(tx: Tx, meeting_id: str, ground: Ground) -> Meeting | None:
    before = tx.meetings.get(meeting_id)
    if before is None:
        return None
    tx.mailboxes.lock(before.caseworker)
    lock_site_days(tx, ground.directory, {before.caseworker}, [before.interval])
    return tx.meetings.get(meeting_id, lock=True)
