"""A meeting changes hands: its caseworker is away, or a colleague takes it; staff decide, the rules only propose.

Lock order as in `syncd.booking.desk`: offer, people, site-day, then rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from syncd.booking.away import by_phone as as_phone_talk
from syncd.booking.away import for_staff, given
from syncd.booking.collide import collision
from syncd.booking.desire import cancelled, desire, end_holds, unsettle
from syncd.booking.follow import with_room
from syncd.booking.proposals import Proposal, Remedy, near
from syncd.booking.rooms import give_room
from syncd.booking.take import Wish, lock_site_days, moved_meeting, take, with_buffers
from syncd.booking.texts import reference, shift
from syncd.errors import (
    BadRequest,
    BookingError,
    CalendarUnknown,
    ChangedMeanwhile,
    Contention,
    NotAllowed,
    SlotGone,
    UnknownBooking,
    UnknownCaseworker,
)
from syncd.model.booking import BookingState, Meeting, advance
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.mirror import TOO_FAR, trust
from syncd.model.task import TaskKind
from syncd.model.zones import wall_clock
from syncd.publish import Publisher
from syncd.store import Store, Tx, locks

TAKEN = "The colleague is not free at that time. Nothing was changed; choose another one."
UNKNOWN = (
    "The colleague's calendar is not known for that time ({reason}), so nobody can tell whether it is free. "
    "Nothing was changed; try again when the calendar was read, choose another colleague, "
    "let the same caseworker hold the meeting by telephone, or cancel it."
)
MEANWHILE = "Somebody else has changed the meeting meanwhile. Nothing was changed; look again."
OVER = "The meeting is over or cancelled, so it cannot be changed. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided for one meeting.

    :param to: who holds it; needed unless it is cancelled.
    :param start: the new time (UTC), for `Remedy.NEW_TIME`.
    :param seen: the meeting's desired generation that the person saw; None when nobody looked before.
    """

    meeting: str
    remedy: Remedy
    to: MailboxId | None = None
    start: datetime | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a choice.

    :param error: why nothing was changed; None when it was carried out.
    :param call: the meeting was, or is now, so near that the citizen must be called; a task says so.
    """

    choice: Choice
    error: BookingError | None
    call: bool

    @property
    def refused(self) -> str | None:
        """Why nothing was changed, as a sentence."""
        return None if self.error is None else str(self.error)


def accepted(proposal: Proposal) -> Choice:
    """The choice that takes a proposal as it is."""
    return Choice(proposal.meeting.id, proposal.remedy, proposal.to, proposal.start)


class Handover:
    """Gives meetings to others, moves and cancels them for staff.

    :param directory: everybody and everything as configured now.
    """

    def __init__(self, store: Store, publisher: Publisher, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._publisher = publisher
        self._directory = directory

    def carry_out(self, choices: Sequence[Choice], actor: str, now: datetime, *, tx: Tx | None = None) -> list[Done]:
        """Carry out what was decided, in one transaction; what cannot be done is said, and only that is left.

        Doing the same again changes nothing.

        :param actor: ``cli:USER`` or ``client:NAME``.
        :param tx: a transaction to work in; one of its own when None.
        """

        def work(tx: Tx) -> list[Done]:
            self._lock_all(tx, choices)
            return [self._carried_out(tx, choice, actor, now) for choice in choices]

        return work(tx) if tx is not None else self._store.run(work)

    def hand_over(
        self, meeting_id: str, to: MailboxId, actor: str, now: datetime, *, by_phone: bool = False
    ) -> Meeting:
        """Give a meeting to a colleague, or (the same caseworker) turn it into a talk by telephone.

        :raises SlotGone: the colleague is not free. :raises CalendarUnknown: nobody can tell.
        :raises UnknownCaseworker: there is nobody of that id. :raises NotAllowed: it is over or cancelled.
        """
        choice = Choice(meeting_id, Remedy.PHONE if by_phone else Remedy.COLLEAGUE, to)

        def work(tx: Tx) -> Meeting:
            self._lock_all(tx, [choice])
            return self._deed(tx, choice, actor, now)

        return self._store.run(work)

    def _carried_out(self, tx: Tx, choice: Choice, actor: str, now: datetime) -> Done:
        before = tx.meetings.get(choice.meeting)
        try:
            with tx.session.begin_nested():
                after = self._deed(tx, choice, actor, now)
        except BookingError as error:
            return Done(choice, error, call=False)
        if before is None or after == before or not near(now, before.interval.start, after.interval.start):
            return Done(choice, None, call=False)
        self._ask_to_call(tx, before, choice, now)
        return Done(choice, None, call=True)

    def _deed(self, tx: Tx, choice: Choice, actor: str, now: datetime) -> Meeting:
        if choice.remedy is Remedy.CANCEL:
            return self._cancel(tx, choice, actor, now)
        if choice.to is None or choice.to not in self._directory().caseworkers:
            raise UnknownCaseworker(f"There is no caseworker {choice.to!r}. Nothing was changed.")
        if choice.remedy is Remedy.NEW_TIME:
            return self._move(tx, choice, choice.to, actor, now)
        return self._hand_over(tx, choice, choice.to, actor, now)

    def _hand_over(self, tx: Tx, choice: Choice, to: MailboxId, actor: str, now: datetime) -> Meeting:
        meeting = self._locked(tx, choice, now)
        phone = choice.remedy is Remedy.PHONE
        handed = as_phone_talk(given(meeting, to)) if phone else given(meeting, to)
        if handed == meeting:
            return meeting
        if to != meeting.caseworker:
            self._prove_known(tx, handed, now)
        rules = self._publisher.rules.within(tx)
        if collision(tx, rules, self._directory(), handed, away=to != meeting.caseworker):
            raise SlotGone(TAKEN)
        tx.meetings.release(meeting.id, *{meeting.caseworker, *([meeting.room] if phone and meeting.room else [])})
        try:
            tx.meetings.claim(meeting.id, to, with_buffers(meeting.interval, meeting.before, meeting.after))
        except IntegrityError as error:
            raise SlotGone(TAKEN) from error
        handed = desire(tx, self._housed(tx, handed, now), now)
        unsettle(tx, handed, now)
        form = " by phone" if phone else ""
        tx.audit.add(
            actor, "meeting.handed-over", meeting=meeting.id, detail=f"{meeting.caseworker} > {to}{form}", now=now
        )
        tx.settings.bump()
        return handed

    def _prove_known(self, tx: Tx, handed: Meeting, now: datetime) -> None:
        """Unknown is never free: the calendar of whoever gets the meeting is known for all the time that it takes."""
        span = with_buffers(handed.interval, handed.before, handed.after)
        known = trust(tx.mailboxes.status(handed.caseworker), now, self._publisher.max_age, span)
        if known.window != span:
            raise CalendarUnknown(UNKNOWN.format(reason=known.reason or TOO_FAR), known.since)

    def _housed(self, tx: Tx, meeting: Meeting, now: datetime) -> Meeting:
        """The room stays, unless the new caseworker works in another house: then it gets one there, or is flagged."""
        directory = self._directory()
        room = directory.rooms.get(meeting.room) if meeting.room else None
        if room is None or room.site == directory.caseworkers[meeting.caseworker].site:
            return meeting
        tx.meetings.release(meeting.id, room.id)
        rules = self._publisher.rules.within(tx)
        return with_room(meeting, give_room(tx, directory, rules, meeting, now=now, max_age=self._publisher.max_age))

    def _move(self, tx: Tx, choice: Choice, to: MailboxId, actor: str, now: datetime) -> Meeting:
        meeting = self._locked(tx, choice, now)
        wish = self._wish(tx, meeting, choice)
        if (meeting.interval, meeting.caseworker) == (wish.interval, to):
            return meeting
        tx.meetings.release(meeting.id)
        taken = take(tx, self._publisher, self._directory(), wish, [to], now)
        moved = desire(tx, moved_meeting(self._directory(), meeting, wish, taken), now)
        taken.claim(tx, meeting.id)
        unsettle(tx, moved, now)
        tx.audit.add(actor, "meeting.rebooked", meeting=meeting.id, detail=shift(meeting, moved), now=now)
        tx.settings.bump()
        return moved

    def _wish(self, tx: Tx, meeting: Meeting, choice: Choice) -> Wish:
        offer = self._publisher.rules.within(tx).offers.get(meeting.offer)
        if offer is None or choice.start is None:
            raise BadRequest("A new time needs its start, and an offer that is in force. Nothing was changed.")
        interval = Interval.at(choice.start, offer.minutes[meeting.form])
        return Wish(for_staff(offer), meeting.form, interval, meeting.id, replaces=meeting)

    def _cancel(self, tx: Tx, choice: Choice, actor: str, now: datetime) -> Meeting:
        known = tx.meetings.get(choice.meeting, lock=True)
        if known is not None and not known.wanted and known.desired_generation > 0:
            return known
        meeting = self._locked(tx, choice, now)
        for booking in tx.bookings.of(meeting.id):
            if booking.state in (BookingState.PENDING, BookingState.CONFIRMED):
                tx.bookings.save(advance(booking, BookingState.CANCELLED), now)
                about = {"booking": booking.id, "meeting": meeting.id, "citizen": booking.citizen}
                tx.audit.add(actor, "booking.cancelled", now=now, **about)
        end_holds(tx, meeting, now)
        tx.settings.bump()
        return cancelled(tx, meeting, now)

    def _lock_all(self, tx: Tx, choices: Sequence[Choice]) -> None:
        """Everybody's time whom the choices concern, in the one order, before anything is decided."""
        known = {choice.meeting: tx.meetings.get(choice.meeting) for choice in choices}
        meetings = [one for one in known.values() if one is not None]
        people = {person for one in meetings for person in one.people} | {choice.to for choice in choices if choice.to}
        people |= self._helpers(tx, {one.offer for one in meetings})
        starts = [(choice.start, known[choice.meeting]) for choice in choices]
        spans = [one.interval for one in meetings]
        spans += [Interval(start, start + one.interval.duration) for start, one in starts if start and one]
        locks.take(tx.session, [locks.offer(one.offer) for one in meetings])
        tx.mailboxes.lock(*sorted(people))
        lock_site_days(tx, self._directory(), people, spans)
        if any(now_held(tx, one) != one.caseworker for one in meetings):
            raise Contention("A meeting was just given to somebody else; nothing was changed. Try again.")

    def _helpers(self, tx: Tx, names: set[str]) -> set[MailboxId]:
        """Everybody who may be taken along when meetings of these offers get another time."""
        offers = self._publisher.rules.within(tx).offers
        return {one for name in names & offers.keys() for role in offers[name].partners for one in role}

    def _locked(self, tx: Tx, choice: Choice, now: datetime) -> Meeting:
        """The meeting, which nobody else changes from now on."""
        meeting = tx.meetings.get(choice.meeting, lock=True)
        if meeting is None:
            raise UnknownBooking("There is no meeting of this id. Nothing was changed.")
        if not meeting.wanted or meeting.interval.end <= now:
            raise NotAllowed(OVER)
        if choice.seen not in (None, meeting.desired_generation):
            raise ChangedMeanwhile(MEANWHILE)
        return meeting

    def _ask_to_call(self, tx: Tx, before: Meeting, choice: Choice, now: datetime) -> None:
        """Reception calls the citizen, because no letter comes in time."""
        facts = {
            "reference": reference(before.id),
            "when": f"{wall_clock(before.interval.start, before.zone):%d.%m.%Y %H:%M}",
            **self._changed(before, choice),
        }
        tx.tasks.raise_(TaskKind.CALL_CITIZEN, f"meeting:{before.id}", facts, now)

    def _changed(self, before: Meeting, choice: Choice) -> dict[str, str]:
        person = self._directory().caseworkers.get(choice.to or "")
        name = person.name if person is not None else ""
        if choice.remedy is Remedy.CANCEL:
            return {"change": "er aflyst", "change_en": "is cancelled"}
        if choice.remedy is Remedy.COLLEAGUE:
            return {"change": f"holdes nu af {name}", "change_en": f"is held by {name} now"}
        if choice.remedy is Remedy.PHONE:
            return {
                "change": f"holdes nu som telefonsamtale med {name}",
                "change_en": f"is held by telephone with {name} now",
            }
        start = wall_clock(choice.start or before.interval.start, before.zone)
        return {
            "change": f"er flyttet til {start:%d.%m.%Y %H:%M} hos {name}",
            "change_en": f"is moved to {start:%d.%m.%Y %H:%M} with {name}",
        }


def now_held(tx: Tx, meeting: Meeting) -> MailboxId | None:
    """Who holds the meeting now; None when it is gone."""
    found = tx.meetings.get(meeting.id)
    return None if found is None else found.caseworker
