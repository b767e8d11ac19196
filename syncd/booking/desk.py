"""The use cases of a client: hold, book, look up, move and cancel a meeting.

Lock order, in every transaction here and in `syncd.booking.follow`: citizen, offer, people, site-day, then rows of
bookings and meetings. Nothing here waits for a network; what calendars must hear is owed and done by reconcile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from syncd.booking import limits
from syncd.booking.allowed import BOOKED, admitted, in_time, known_topic, may_cancel, may_move, one_future
from syncd.booking.announce import tell_if_due
from syncd.booking.collide import collision
from syncd.booking.desire import desire
from syncd.booking.refused import explain
from syncd.booking.results import Appointment, Reply
from syncd.booking.seats import join_or_open, leave, only_one_each, reseated, take_seat
from syncd.booking.take import Wish, about, by_load, moved_meeting, new_meeting, take
from syncd.booking.texts import shift
from syncd.errors import (
    BadRequest,
    Contention,
    HoldExpired,
    KeyMissing,
    SlotGone,
    UnknownBooking,
    UnknownCaseworker,
    UnknownHold,
    UnknownOffer,
)
from syncd.model.booking import Booking, BookingState, Meeting, advance
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import STAFF, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Rulebook
from syncd.publish import Publisher
from syncd.store import Store, Tx
from syncd.store.idempotency import Stored

T = TypeVar("T")

LONGEST_KEY = 255
_LEGIBLE = bytes(b"0123456789abcdefghjkmnpqrstvwxyz"[byte % 32] for byte in range(256))
"""Five bits of each byte, as a letter or digit."""


def new_id() -> str:
    """An id nobody can guess: 100 bits in letters and digits that read well aloud."""
    return secrets.token_bytes(20).translate(_LEGIBLE).decode("ascii")


class Desk:
    """Bookings for API clients; each sees its own only.

    Every method runs in a transaction of its own, or inside *tx* when one is given (see `once`).
    All raise `Contention` or another `StoreError` when the database cannot be used.

    :param directory: everybody and everything as configured now. :param ids: makes new ids.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        directory: Callable[[], Directory],
        ids: Callable[[], str] = new_id,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._directory = directory
        self._ids = ids

    def once(
        self, client: str, key: str | None, request_digest: str, action: Callable[[Tx], Reply], now: datetime
    ) -> Reply:
        """Run *action* once for this client and Idempotency-Key; a repeated request gets the same bytes again.

        Action and stored answer are one transaction. Only answers are stored, never errors.

        :param request_digest: hash of method, path and body.
        :raises KeyMissing: there is no key.
        :raises KeyReused: the key came before with another digest.
        :raises KeyInProgress: the first request with it still runs.
        """
        if not key:
            raise KeyMissing("This request needs an Idempotency-Key header with a value of your own choosing.")
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise BadRequest(f"The Idempotency-Key must be printable and at most {LONGEST_KEY} characters long.")

        def work(tx: Tx) -> Reply:
            stored = tx.idempotency.claim(client, key, request_digest, now)
            if stored is not None:
                tx.audit.add(f"client:{client}", "answer.replayed", booking=stored.booking, now=now)
                return Reply(stored.status, stored.body, stored.booking, replayed=True)
            reply = action(tx)
            tx.idempotency.store(client, key, Stored(reply.status, reply.body, reply.booking))
            return reply

        return self._run(work, now, None)

    def hold(
        self,
        client: str,
        offer: str,
        start: datetime,
        caseworker: MailboxId | None,
        form: Form,
        citizen: str | None,
        now: datetime,
        *,
        whom: Whom = STAFF,
        tx: Tx | None = None,
    ) -> Appointment:
        """Reserve a time for the offer's ``hold_minutes``: person, buffers, room, caps, and the citizen's one meeting.

        :param start: UTC.
        :param caseworker: None lets the desk choose a free one, the least burdened that week.
        :param citizen: the client's reference, where it is known already.
        :param whom: what is known of the citizen, where the offer's rules ask for it.
        :raises SlotGone: the time is not on offer (any more); with alternatives.
        :raises NotAllowed: the citizen may not book the offer, or has a future meeting of its kind already.
        :raises TemporarilyClosed: the calendars are too old to be trusted.
        """
        return self._run(lambda tx: self._hold(tx, client, offer, start, caseworker, form, citizen, whom, now), now, tx)

    def book(
        self, client: str, hold_id: str, citizen: str, now: datetime, *, topic: str = "", tx: Tx | None = None
    ) -> Appointment:
        """Turn a hold into a booking, allocating nothing new; the calendars are written soon after.

        Booking the same hold again for the same citizen returns the booking.

        :param topic: what the citizen wants to talk about, one of the offer's topics; empty for none.
        :raises HoldExpired: it ran out.
        :raises SlotGone: an event has landed on the held time meanwhile; with alternatives.
        """
        if not citizen.strip():
            raise BadRequest("A booking needs the citizen's reference.")
        return self._run(lambda tx: self._book(tx, client, hold_id, citizen, topic, now), now, tx)

    def booking(
        self, client: str, booking_id: str, now: datetime, *, purpose: str | None = None, tx: Tx | None = None
    ) -> Appointment:
        """Look a booking up; the look-up is audited.

        :raises UnknownBooking: this client has none of that id.
        """

        def work(tx: Tx) -> Appointment:
            found = self._find(tx, client, booking_id)
            self._audit(tx, "booking.read", found, now, purpose=purpose)
            return found

        return self._run(work, now, tx)

    def reschedule(
        self,
        client: str,
        booking_id: str,
        start: datetime,
        caseworker: MailboxId | None,
        form: Form | None,
        now: datetime,
        *,
        whom: Whom = STAFF,
        tx: Tx | None = None,
    ) -> Appointment:
        """Move a booking to another time, in one transaction that frees its own time first; all or nothing.

        :param caseworker: None keeps the one it has.
        :param form: None keeps the one it has.
        :param whom: for which time of the reserve, and until when; who may book was asked when it was booked.
        :raises SlotGone: the new time is not on offer; the booking stays as it was.
        :raises NotAllowed: it is too late, moved too often, or not booked any more.
        """
        return self._run(
            lambda tx: self._reschedule(tx, client, booking_id, start, caseworker, form, whom, now), now, tx
        )

    def cancel(
        self, client: str, booking_id: str, now: datetime, *, reason: str | None = None, tx: Tx | None = None
    ) -> Appointment:
        """Cancel a booking, or give a hold back; the calendars are cleaned soon after. Cancelling twice is no error.

        :param reason: one word for the audit, never a citizen's words.
        :raises NotAllowed: it is too late.
        """
        return self._run(lambda tx: self._cancel(tx, client, booking_id, reason, now), now, tx)

    def _hold(
        self,
        tx: Tx,
        client: str,
        name: str,
        start: datetime,
        caseworker: MailboxId | None,
        form: Form,
        citizen: str | None,
        whom: Whom,
        now: datetime,
    ) -> Appointment:
        offer = self._offer(tx, name)
        wish = Wish(offer, form, self._interval(offer, form, start), self._ids(), whom=whom)
        people = self._people(wish, caseworker)
        if citizen is not None:
            one_future(tx, client, citizen, self._rules(tx), offer, now)
        opened = lambda: self._new_meeting(tx, wish, self._ranked(tx, wish, people, now), now)  # noqa: E731 - short
        meeting = join_or_open(tx, self._publisher, wish, people, now, opened)
        if citizen is not None and offer.seats > 1:
            only_one_each(tx, meeting, client, citizen)
        expires = now + timedelta(minutes=wish.offer.hold_minutes)
        hold = Booking(self._ids(), meeting.id, client, BookingState.HELD, now, citizen, expires)
        tx.bookings.add(hold)
        tx.settings.bump()
        self._audit(tx, "hold.made", made := Appointment(hold, meeting), now)
        return made

    def _new_meeting(self, tx: Tx, wish: Wish, candidates: Sequence[MailboxId], now: datetime) -> Meeting:
        """A meeting that claims the wished time; no calendar should hold it yet."""
        taken = take(tx, self._publisher, self._directory(), wish, candidates, now)
        meeting = new_meeting(self._directory(), wish, taken)
        tx.meetings.add(meeting, now)
        taken.claim(tx, meeting.id)
        return meeting

    def _book(self, tx: Tx, client: str, hold_id: str, citizen: str, topic: str, now: datetime) -> Appointment:
        hold, meeting = self._pair(tx, client, hold_id, UnknownHold)
        known_topic(offer := self._offer(tx, meeting.offer), topic)
        one_future(tx, client, citizen, self._rules(tx), offer, now, ignoring=hold_id)
        tx.mailboxes.lock(*meeting.people)
        hold, meeting = self._locked(tx, client, hold, meeting)
        if hold.citizen not in (None, citizen):
            raise BadRequest("This hold was made for another citizen. Nothing was booked.")
        if hold.state in BOOKED:
            return Appointment(hold, meeting)
        if hold.state is not BookingState.HELD or hold.expires is None or hold.expires <= now:
            raise HoldExpired("The reservation has run out. Choose a time again.", **about(meeting))
        if collision(tx, self._rules(tx), self._directory(), meeting):
            raise SlotGone("Something was put into the calendar at this time meanwhile.", **about(meeting))
        only_one_each(tx, meeting, client, citizen, ignoring=hold_id)
        booking = replace(advance(hold, BookingState.PENDING), citizen=citizen, expires=None, topic=topic)
        made = Appointment(booking, take_seat(tx, meeting, now))
        tx.bookings.save(booking, now)
        tell_if_due(tx, self._directory(), self._rules(tx), made.meeting, now)
        tx.settings.bump()
        self._audit(tx, "booking.made", made, now)
        limits.report(tx, self._rules(tx), booking, made.meeting, now)
        return made

    def _reschedule(
        self,
        tx: Tx,
        client: str,
        booking_id: str,
        start: datetime,
        caseworker: MailboxId | None,
        form: Form | None,
        whom: Whom,
        now: datetime,
    ) -> Appointment:
        booking, meeting = self._pair(tx, client, booking_id, UnknownBooking)
        offer = self._offer(tx, meeting.offer)
        target = form or meeting.form
        wish = Wish(offer, target, self._interval(offer, target, start), meeting.id, replaces=meeting, whom=whom)
        person = self._serving(offer, caseworker or meeting.caseworker)
        in_time(self._directory(), wish)
        wish.lock(tx, self._directory(), person)
        booking, meeting = self._locked(tx, client, booking, meeting)
        may_move(booking, meeting, offer, now)
        if (meeting.interval, meeting.caseworker, meeting.form) == (wish.interval, person, target):
            return Appointment(booking, meeting)
        anew = replace(wish, meeting=self._ids(), replaces=None)
        seated = reseated(
            tx, self._publisher, booking, meeting, wish, person, now, lambda: self._new_meeting(tx, anew, [person], now)
        )
        changed = seated or self._moved(tx, meeting, wish, person, now)
        if changed.id == meeting.id and changed == meeting:
            return Appointment(booking, meeting)
        booking = replace(booking, meeting=changed.id, moves=booking.moves + 1)
        if booking.state is BookingState.CONFIRMED:
            booking = advance(booking, BookingState.PENDING)
        tx.bookings.save(booking, now)
        tx.settings.bump()
        tell_if_due(tx, self._directory(), self._rules(tx), changed, now)
        made = Appointment(booking, changed)
        self._audit(tx, "booking.moved", made, now, detail=shift(meeting, changed))
        return made

    def _moved(self, tx: Tx, meeting: Meeting, wish: Wish, person: MailboxId, now: datetime) -> Meeting:
        """The whole meeting at the wished time; its own time is freed first."""
        tx.meetings.release(meeting.id)
        taken = take(tx, self._publisher, self._directory(), wish, [person], now)
        changed = desire(tx, moved_meeting(self._directory(), meeting, wish, taken), now)
        taken.claim(tx, meeting.id)
        return changed

    def _cancel(self, tx: Tx, client: str, booking_id: str, reason: str | None, now: datetime) -> Appointment:
        booking, meeting = self._pair(tx, client, booking_id, UnknownBooking)
        tx.mailboxes.lock(*meeting.people)
        booking, meeting = self._locked(tx, client, booking, meeting)
        if booking.state in (BookingState.CANCELLED, BookingState.EXPIRED):
            return Appointment(booking, meeting)
        if booking.state is not BookingState.HELD:
            may_cancel(booking, meeting, self._rules(tx).offers.get(meeting.offer), now)
        ended = advance(booking, BookingState.CANCELLED)
        made = Appointment(ended, leave(tx, meeting, booking, now))
        tx.bookings.save(ended, now)
        tx.settings.bump()
        self._audit(tx, "booking.cancelled", made, now, detail=reason)
        return made

    def _rules(self, tx: Tx) -> Rulebook:
        return self._publisher.rules.within(tx)

    def _offer(self, tx: Tx, name: str) -> Offer:
        offer = self._rules(tx).offers.get(name)
        if offer is None:
            raise UnknownOffer(f"There is no offer {name!r} in force. Nothing was changed.")
        return offer

    def _interval(self, offer: Offer, form: Form, start: datetime) -> Interval:
        if form not in offer.minutes:
            known = ", ".join(sorted(offer.forms))
            raise BadRequest(f"The offer {offer.name!r} is not held in the form {form.value!r}; it knows {known}.")
        return Interval.at(start, offer.minutes[form])

    def _serving(self, offer: Offer, caseworker: MailboxId) -> MailboxId:
        if caseworker not in offer.caseworkers or caseworker not in self._directory().caseworkers:
            raise UnknownCaseworker(f"No caseworker {caseworker!r} serves the offer {offer.name!r}.")
        return caseworker

    def _people(self, wish: Wish, caseworker: MailboxId | None) -> list[MailboxId]:
        """Whom the citizen may have the meeting with, her own caseworker first where the offer says so."""
        if caseworker is not None:
            self._serving(wish.offer, caseworker)
        admission = admitted(wish.offer, wish.whom, caseworker)
        in_time(self._directory(), wish)
        if admission.only is not None:
            return [self._serving(wish.offer, admission.only)]
        known = (one for one in wish.offer.caseworkers if one in self._directory().caseworkers)
        return sorted(known, key=lambda one: one != admission.first)

    def _ranked(self, tx: Tx, wish: Wish, people: Sequence[MailboxId], now: datetime) -> list[MailboxId]:
        """Those of *people* who seem to be free, her own caseworker first, then the least burdened."""
        if len(people) == 1:
            return list(people)
        ranked = by_load(tx, self._rules(tx), self._directory(), people, wish.interval, now)
        first = admitted(wish.offer, wish.whom, None).first
        return sorted(ranked, key=lambda one: one != first)

    def _pair(
        self, tx: Tx, client: str, booking_id: str, missing: type[UnknownHold | UnknownBooking]
    ) -> tuple[Booking, Meeting]:
        found = tx.bookings.seat(booking_id, client)
        if found is None:
            raise missing("There is nothing of this id, or it belongs to another client. Nothing was changed.")
        return found

    def _locked(self, tx: Tx, client: str, booking: Booking, meeting: Meeting) -> tuple[Booking, Meeting]:
        """Both rows again, now locked; another transaction may have changed them since (not on SQLite's one writer)."""
        if self._store.sqlite:
            return booking, meeting
        found = tx.bookings.seat(booking.id, client, lock=True)
        if found is None or (found[1].id, found[1].caseworker) != (meeting.id, meeting.caseworker):
            raise Contention("The booking changed meanwhile; nothing was changed. Try again.")
        return found

    def _find(self, tx: Tx, client: str, booking_id: str) -> Appointment:
        return Appointment(*self._pair(tx, client, booking_id, UnknownBooking))

    def _audit(self, tx: Tx, action: str, about: Appointment, now: datetime, **more: str | None) -> None:
        booking = about.booking
        whose = {"booking": booking.id, "meeting": about.meeting.id, "citizen": booking.citizen}
        tx.audit.add(f"client:{booking.client}", action, now=now, **whose, **more)

    def _run(self, work: Callable[[Tx], T], now: datetime, tx: Tx | None) -> T:
        """Inside *tx*, or in a transaction of its own; alternatives are looked for after that has ended."""
        if tx is not None:
            return work(tx)
        try:
            return self._store.run(work)
        except SlotGone as gone:
            explain(self._store, self._publisher, self._directory(), gone, now)
            raise
