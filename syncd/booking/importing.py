"""Takes over the future bookings of another planner: each is tried, kept or refused with a reason, never twice.

Citizens were promised these times, so the offer's hours, notice and caps do not count; our own meetings do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.booking.desire import booked
from syncd.booking.follow import claimed, overlapped, with_room
from syncd.booking.rooms import give_room, needs_room
from syncd.booking.take import lock_site_days, with_buffers
from syncd.errors import BadRequest, BookingError, SlotGone, UnknownCaseworker, UnknownOffer
from syncd.model.booking import Booking, BookingState, Meeting, RoomState
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Rulebook
from syncd.publish.roomday import MAX_AGE
from syncd.store import Store, Tx

PORTION = 25
"""Rows taken over in one transaction, so that nobody waits long."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One booking as the other planner knows it.

    :param line: where it stands in the file, for the report.
    :param source: what names it there; the same source is never taken over twice.
    :param end: None for the offer's own length.
    :param citizen: the client's reference; None when the file does not say.
    :param room: the room it had; kept if it suits and is free.
    """

    line: int
    source: str
    offer: str
    caseworker: MailboxId
    form: Form
    start: datetime
    end: datetime | None = None
    citizen: str | None = None
    room: MailboxId | None = None


class Outcome(StrEnum):
    """What became of a row."""

    TAKEN_OVER = "taken over"
    WITHOUT_ROOM = "taken over, no room is free"
    BESIDE = "taken over, something else stands at that time in the calendar"
    """Most often the other planner's own entry, which can go then."""
    KNOWN = "was taken over before"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reported:
    """One row's outcome. :param why: the reason of a refusal; empty otherwise."""

    row: Foreign
    outcome: Outcome
    why: str = ""


class _Rehearsed(Exception):
    """Ends a rehearsal, so that nothing of it is kept."""


class Importer:
    """Takes bookings over for one API client.

    :param directory, rulebook: the ones in force now. :param max_age: how old the mirror of a room's calendar may be.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        rulebook: Callable[[], Rulebook],
        client: str,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._store = store
        self._directory = directory
        self._rulebook = rulebook
        self._client = client
        self._max_age = max_age

    def run(self, rows: Sequence[Foreign], actor: str, now: datetime, *, rehearse: bool) -> list[Reported]:
        """Take *rows* over, or only say what would become of each.

        :param rehearse: nothing is kept; rows of the file that overlap each other are told all the same.
        :raises StoreError: the database cannot be used; what was taken over before stays, and is known next time.
        """
        rulebook, clashing = self._rulebook(), _overlapping(rows)
        reports: list[Reported] = []
        for first in range(0, len(rows), PORTION):
            some = [one for one in rows[first : first + PORTION] if one.line not in clashing]
            reports += self._portion(some, rulebook, actor, now, rehearse)
        reports += [Reported(one, Outcome.REFUSED, clashing[one.line]) for one in rows if one.line in clashing]
        return sorted(reports, key=lambda one: one.row.line)

    def _portion(
        self, rows: Sequence[Foreign], rulebook: Rulebook, actor: str, now: datetime, rehearse: bool
    ) -> list[Reported]:
        reports: list[Reported] = []

        def work(tx: Tx) -> None:
            reports[:] = [self._tried(tx, row, rulebook, actor, now) for row in rows]
            if rehearse:
                raise _Rehearsed

        with suppress(_Rehearsed):
            self._store.run(work)
        return reports

    def _tried(self, tx: Tx, row: Foreign, rulebook: Rulebook, actor: str, now: datetime) -> Reported:
        try:
            with tx.session.begin_nested():
                return Reported(row, self._taken_over(tx, row, rulebook, actor, now))
        except BookingError as error:
            return Reported(row, Outcome.REFUSED, str(error))

    def _taken_over(self, tx: Tx, row: Foreign, rulebook: Rulebook, actor: str, now: datetime) -> Outcome:
        name = tx.audit.citizen_digest(f"import\n{self._client}\n{row.source}")
        if tx.bookings.get(name[:20], self._client) is not None:
            return Outcome.KNOWN
        meeting = self._meeting(row, rulebook, name[20:40], now)
        tx.mailboxes.lock(meeting.caseworker)
        lock_site_days(tx, self._directory(), {meeting.caseworker}, [meeting.interval])
        tx.meetings.add(meeting, now)
        span = with_buffers(meeting.interval, meeting.before, meeting.after)
        tx.bookings.expire(now, [meeting.caseworker], span)
        if not claimed(tx, meeting, span) and not claimed(tx, meeting, meeting.interval):
            raise SlotGone("Another meeting of ours takes this time.")
        beside = overlapped(tx, meeting, rulebook)
        meeting = self._housed(tx, replace(meeting, conflict=beside), rulebook, now)
        booked(tx, meeting, now)
        tx.bookings.add(Booking(name[:20], meeting.id, self._client, BookingState.PENDING, now, row.citizen))
        about = {"booking": name[:20], "meeting": meeting.id, "citizen": row.citizen}
        tx.audit.add(actor, "booking.imported", now=now, **about)
        tx.settings.bump()
        if beside:
            return Outcome.BESIDE
        return Outcome.WITHOUT_ROOM if meeting.room_state is RoomState.MISSING else Outcome.TAKEN_OVER

    def _meeting(self, row: Foreign, rulebook: Rulebook, meeting_id: str, now: datetime) -> Meeting:
        directory, offer = self._directory(), rulebook.offers.get(row.offer)
        if offer is None:
            raise UnknownOffer(f"There is no offer {row.offer!r} in force.")
        if row.caseworker not in directory.caseworkers:
            raise UnknownCaseworker(f"There is no caseworker {row.caseworker!r}.")
        if row.start <= now:
            raise BadRequest("It is not in the future.")
        return Meeting(
            id=meeting_id,
            uid=f"{meeting_id}@syncd",
            offer=offer.name,
            form=row.form,
            caseworker=row.caseworker,
            room=row.room if row.room in directory.rooms else None,
            room_state=RoomState.NONE,
            interval=_span(row, offer),
            zone=directory.sites[directory.caseworkers[row.caseworker].site].zone,
            before=offer.before,
            after=offer.after,
            wanted=False,
            desired_generation=0,
            applied_generation=0,
        )

    def _housed(self, tx: Tx, meeting: Meeting, rulebook: Rulebook, now: datetime) -> Meeting:
        directory = self._directory()
        if not needs_room(directory, rulebook, meeting):
            return replace(meeting, room=None)
        return with_room(meeting, give_room(tx, directory, rulebook, meeting, now=now, max_age=self._max_age))


def _span(row: Foreign, offer: Offer) -> Interval:
    if row.end is not None:
        if row.end <= row.start:
            raise BadRequest("Its end is not later than its start.")
        return Interval(row.start, row.end)
    if row.form not in offer.minutes:
        raise BadRequest(f"The offer {offer.name!r} is not held in the form {row.form.value!r}, so its end is needed.")
    return Interval.at(row.start, offer.minutes[row.form])


def _overlapping(rows: Sequence[Foreign]) -> dict[int, str]:
    """Rows of one file that begin together for one caseworker: only the first of them can be right."""
    seen: dict[tuple[MailboxId, datetime], int] = {}
    clashing = {}
    for row in rows:
        first = seen.setdefault((row.caseworker, row.start), row.line)
        if first != row.line:
            clashing[row.line] = f"Line {first} has the same caseworker at the same time."
    return clashing
