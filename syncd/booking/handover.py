"""A meeting changes hands: its caseworker is away, or a colleague takes it; the room and the time stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from syncd.booking.collide import collision
from syncd.booking.desire import cancelled, desire, unsettle
from syncd.booking.take import by_load, lock_site_days, with_buffers
from syncd.errors import BookingError, NotAllowed, SlotGone, TemporarilyClosed, UnknownBooking, UnknownCaseworker
from syncd.model.booking import BookingState, Meeting, RoomState, advance
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.publish import Publisher
from syncd.store import Store, Tx

SHORT_NOTICE = timedelta(hours=24)
"""Changes nearer than this reach the citizen by telephone, not by letter: reception gets a list."""
TAKEN = "The colleague is not free at that time. Nothing was changed; choose another one."


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could be done with one meeting of somebody who is away.

    :param colleagues: who could take it as it is, the least burdened first.
    :param phone: whether it could be held by telephone instead (by whoever is chosen).
    :param call: it is so near that the citizen must be called.
    """

    meeting: Meeting
    colleagues: tuple[MailboxId, ...]
    phone: bool
    call: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided for one meeting: a colleague takes it, maybe by telephone; or it is cancelled.

    :param to: None cancels it.
    """

    meeting: str
    to: MailboxId | None
    by_phone: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a choice. :param refused: why nothing was changed; None when it was carried out."""

    meeting: str
    refused: str | None
    call: bool


class Handover:
    """Hands meetings over; staff decide, the offer's rules only propose.

    :param directory: everybody and everything as configured now.
    """

    def __init__(self, store: Store, publisher: Publisher, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._publisher = publisher
        self._directory = directory

    def proposals(self, caseworker: MailboxId, away: Interval, now: datetime) -> list[Proposal]:
        """One for each meeting of *caseworker* that is not over and touches *away*, the earliest first.

        No colleague is proposed for two meetings at the same time.
        """
        given: list[tuple[MailboxId, Interval]] = []
        proposals = []
        with self._store.read() as tx:
            for meeting in tx.meetings.of_caseworker(caseworker, away, now):
                proposal = self._proposal(tx, meeting, given, now)
                given += [(proposal.colleagues[0], meeting.interval)] if proposal.colleagues else []
                proposals.append(proposal)
        return proposals

    def carry_out(self, choices: Sequence[Choice], actor: str, now: datetime) -> list[Done]:
        """Carry out what was decided, each in a transaction of its own; what cannot be done is said and left.

        :param actor: ``cli:USER`` or ``page:USER``.
        """
        return [self._carried_out(choice, actor, now) for choice in choices]

    def hand_over(
        self, meeting_id: str, to: MailboxId, actor: str, now: datetime, *, by_phone: bool = False
    ) -> Meeting:
        """Give a meeting to a colleague, or (the same caseworker) turn it into a telephone meeting.

        :raises SlotGone: the colleague is not free.
        :raises UnknownCaseworker: there is nobody of that id. :raises NotAllowed: it is over or cancelled.
        """
        if to not in self._directory().caseworkers:
            raise UnknownCaseworker(f"There is no caseworker {to!r}. Nothing was changed.")
        return self._store.run(lambda tx: self._hand_over(tx, meeting_id, to, actor, now, by_phone))

    def cancel(self, meeting_id: str, actor: str, now: datetime) -> Meeting:
        """Cancel a meeting and all its bookings, because its caseworker cannot hold it."""
        return self._store.run(lambda tx: self._cancel(tx, meeting_id, actor, now))

    def _proposal(
        self, tx: Tx, meeting: Meeting, given: Sequence[tuple[MailboxId, Interval]], now: datetime
    ) -> Proposal:
        rules = self._publisher.rules.within(tx)
        offer = rules.offers.get(meeting.offer)
        people = [one for one in (offer.caseworkers if offer else ()) if one != meeting.caseworker]
        known = [one for one in people if one in self._directory().caseworkers]
        taken = {one for one, interval in given if interval.overlaps(meeting.interval)}
        ranked = by_load(
            tx, rules, self._directory(), [one for one in known if one not in taken], meeting.interval, now
        )
        free = tuple(one for one in ranked if self._can_take(tx, meeting, one, now))
        phone = offer is not None and Form.PHONE in offer.minutes and meeting.form is not Form.PHONE
        return Proposal(meeting, free, phone, _near(meeting, now))

    def _can_take(self, tx: Tx, meeting: Meeting, colleague: MailboxId, now: datetime) -> bool:
        """Whether the offer's rules let this colleague have the meeting; its own room and time count as free."""
        offer = self._publisher.rules.within(tx).offers[meeting.offer]
        slot = Slot(Interval.at(meeting.interval.start, offer.minutes[meeting.form]), colleague, meeting.form)
        try:
            self._publisher.still_free(tx, offer, slot, now, ignoring_meeting=meeting.id)
        except (SlotGone, TemporarilyClosed):
            return False
        return not collision(tx, self._publisher.rules.within(tx), self._directory(), _given(meeting, colleague))

    def _carried_out(self, choice: Choice, actor: str, now: datetime) -> Done:
        try:
            if choice.to is None:
                meeting = self.cancel(choice.meeting, actor, now)
            else:
                meeting = self.hand_over(choice.meeting, choice.to, actor, now, by_phone=choice.by_phone)
        except BookingError as error:
            return Done(choice.meeting, str(error), call=False)
        return Done(choice.meeting, None, call=_near(meeting, now))

    def _hand_over(self, tx: Tx, meeting_id: str, to: MailboxId, actor: str, now: datetime, by_phone: bool) -> Meeting:
        meeting = self._locked(tx, meeting_id, to, now)
        handed = _given(meeting, to)
        if by_phone:
            handed = replace(handed, form=Form.PHONE, room=None, room_state=RoomState.NONE)
        if handed == meeting:
            return meeting
        if collision(tx, self._publisher.rules.within(tx), self._directory(), handed):
            raise SlotGone(TAKEN)
        tx.meetings.release(meeting.id, *{meeting.caseworker, *([meeting.room] if by_phone and meeting.room else [])})
        try:
            tx.meetings.claim(meeting.id, to, with_buffers(meeting.interval, meeting.before, meeting.after))
        except IntegrityError as error:
            raise SlotGone(TAKEN) from error
        handed = desire(tx, handed, now)
        unsettle(tx, handed, now)
        form = " by phone" if by_phone else ""
        tx.audit.add(
            actor, "meeting.handed-over", meeting=meeting.id, detail=f"{meeting.caseworker} > {to}{form}", now=now
        )
        tx.settings.bump()
        return handed

    def _cancel(self, tx: Tx, meeting_id: str, actor: str, now: datetime) -> Meeting:
        meeting = self._locked(tx, meeting_id, None, now)
        for booking in tx.bookings.of(meeting.id):
            if booking.state in (BookingState.PENDING, BookingState.CONFIRMED):
                tx.bookings.save(advance(booking, BookingState.CANCELLED), now)
                about = {"booking": booking.id, "meeting": meeting.id, "citizen": booking.citizen}
                tx.audit.add(actor, "booking.cancelled", now=now, **about)
        tx.settings.bump()
        return cancelled(tx, meeting, now)

    def _locked(self, tx: Tx, meeting_id: str, to: MailboxId | None, now: datetime) -> Meeting:
        """The meeting, with everybody's time locked whom the change concerns."""
        before = tx.meetings.get(meeting_id)
        if before is None:
            raise UnknownBooking("There is no meeting of this id. Nothing was changed.")
        people = {before.caseworker} | ({to} if to else set())
        tx.mailboxes.lock(*sorted(people))
        lock_site_days(tx, self._directory(), people, [before.interval])
        meeting = tx.meetings.get(meeting_id, lock=True)
        if meeting is None or not meeting.wanted or meeting.interval.end <= now:
            raise NotAllowed("The meeting is over or cancelled, so it cannot be changed. Nothing was changed.")
        if meeting.caseworker != before.caseworker:
            raise SlotGone("The meeting was just given to somebody else. Nothing was changed; look again.")
        return meeting


def _given(meeting: Meeting, to: MailboxId) -> Meeting:
    """The meeting with another caseworker; what was wrong with the first one's time is over."""
    return meeting if to == meeting.caseworker else replace(meeting, caseworker=to, conflict=False)


def _near(meeting: Meeting, now: datetime) -> bool:
    return meeting.interval.start - now < SHORT_NOTICE
