"""Times kept for Jobnet's citizens between the details of a meeting and its creation, and what becomes of them.

A reservation is a hold of the desk with an id that details, creation and rebooking share (reference, E639).
A citizen has one at a time: choosing another time gives the first one back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from syncd.booking.allowed import BOOKED, may_move
from syncd.booking.desk import Desk
from syncd.booking.results import Appointment
from syncd.errors import (
    BadRequest,
    BookingError,
    HoldExpired,
    NotAllowed,
    NotThisCitizen,
    UnknownBooking,
    UnknownHold,
)
from syncd.model.booking import BookingState
from syncd.model.directory import MailboxId
from syncd.model.eligibility import STAFF, Whom
from syncd.model.jobnet import Link, Origin, Reservation
from syncd.model.offer import Form, Rulebook
from syncd.publish.inforce import Rules
from syncd.store import Store, Tx, locks

UNKNOWN = "There is no such reservation. Nothing was changed; choose a time again."
RAN_OUT = "The reservation has run out. Nothing was booked; choose a time again."
KEPT_ANEW = "The reservation had run out. The time is still free and is kept anew; nothing is booked yet."
SUMMONED = "A summons from the case system cannot be changed by the citizen. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Chosen:
    """The time a citizen chose.

    :param citizen: her reference. :param caseworker: None for anybody.
    :param indkaldelse: the booking that is to be moved there; None for a new one.
    """

    citizen: str
    offer: str
    start: datetime
    form: Form
    caseworker: MailboxId | None = None
    whom: Whom = STAFF
    indkaldelse: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A reservation and the hold behind it."""

    reservation: Reservation
    held: Appointment


class Reservations:
    """Reserve, create, move, cancel and accept for Jobnet's citizens.

    :param rules: those in force. :param client: whose bookings these are. :param life: how long a time is kept.
    :param alone: the offers of which a citizen may have one booking to come, together with a given one.
    :param agreed: notes, in the same transaction, that DFDG itself writes this record as the booking is now: id, and
        the last day on which the talk may be held.
    """

    def __init__(
        self,
        store: Store,
        desk: Desk,
        rules: Rules,
        client: str,
        life: timedelta,
        alone: Callable[[Rulebook, str], Collection[str]] = lambda _book, _offer: (),
        agreed: Callable[[Tx, str, datetime, date | None], None] = lambda _tx, _id, _now, _latest: None,
    ) -> None:
        self._store = store
        self._desk = desk
        self._rules = rules
        self._client = client
        self._life = life
        self._alone = alone
        self._agreed = agreed

    def reserve(self, chosen: Chosen, now: datetime) -> Kept:
        """Keep the time; the same choice again gives the same reservation, another one gives the former back.

        :raises SlotGone, NotAllowed, NotEntitled, TemporarilyClosed: see `Desk.hold`.
        :raises UnknownBooking, NotThisCitizen: the booking to be moved is not known, or another's.
        """
        return self._store.run(lambda tx: self._reserve(tx, chosen, now))

    def create(self, citizen: str, indkaldelse: str, reservation: str, now: datetime) -> Appointment:
        """Turn a reservation into the booking *indkaldelse*, or move that booking to it; again changes nothing.

        :raises UnknownHold: no such reservation. :raises NotThisCitizen: it, or the booking, is another citizen's.
        :raises HoldExpired: it ran out; ``facts["kept"]`` is a new `Kept` when the time was still free.
        """
        try:
            return self._store.run(lambda tx: self._create(tx, citizen, indkaldelse, reservation, now))
        except HoldExpired as expired:
            raise self._anew(citizen, reservation, now) from expired

    def move(
        self, citizen: str, indkaldelse: str, start: datetime, caseworker: MailboxId | None, now: datetime
    ) -> Appointment:
        """Move a booking without a reservation, all or nothing.

        :raises SlotGone, NotAllowed: see `Desk.reschedule`.
        """

        def work(tx: Tx) -> Appointment:
            link = self._own(tx, citizen, indkaldelse)
            moved = self._desk.reschedule(link.client, link.booking, start, caseworker, None, now, tx=tx)
            self._agreed(tx, link.indkaldelse, now, None)
            return moved

        return self._store.run(work)

    def cancel(self, citizen: str, indkaldelse: str, now: datetime) -> Appointment:
        """Cancel a booking; twice is no error.

        :raises NotAllowed: it is too late, or was made in the case system.
        """

        def work(tx: Tx) -> Appointment:
            link = self._own(tx, citizen, indkaldelse)
            ended = self._desk.cancel(link.client, link.booking, now, reason="citizen", tx=tx)
            self._agreed(tx, link.indkaldelse, now, None)
            return ended

        return self._store.run(work)

    def accept(self, citizen: str, indkaldelse: str, now: datetime) -> Appointment:
        """Note that the citizen will come; twice is no error."""

        def work(tx: Tx) -> Appointment:
            link = self._known(tx, citizen, indkaldelse)
            tx.jobnet.accept(link.indkaldelse, now)
            about = {"booking": link.booking, "citizen": citizen}
            tx.audit.add(f"client:{self._client}", "booking.accepted", now=now, **about)
            return self._desk.booking(link.client, link.booking, now, purpose="accept", tx=tx)

        return self._store.run(work)

    def _reserve(self, tx: Tx, chosen: Chosen, now: datetime) -> Kept:
        locks.take(tx.session, [locks.citizen(self._client, chosen.citizen)])
        link = self._own(tx, chosen.citizen, chosen.indkaldelse) if chosen.indkaldelse else None
        for former in tx.jobnet.reserved(chosen.citizen, now):
            if _same(former, chosen) and (held := self._alive(tx, former, now)) is not None:
                return Kept(former, held)
            self._give_back(tx, former, now)
        if link is not None:
            self._may_move(tx, link, chosen, now)
        else:
            self._only_one(tx, chosen.citizen, chosen.offer, now)
        # A booking that is to be moved is itself the citizen's one to come: the hold must not be told whose it is.
        whose = chosen.citizen if link is None else None
        made = self._desk.hold(
            *(self._client, chosen.offer, chosen.start, chosen.caseworker, chosen.form, whose, now),
            whom=chosen.whom,
            tx=tx,
        )
        expires = (now + self._life).replace(microsecond=0)
        hold = replace(made.booking, expires=expires)
        tx.bookings.save(hold, now)
        reservation = Reservation(
            id=str(uuid.uuid4()),
            hold=hold.id,
            citizen=chosen.citizen,
            offer=chosen.offer,
            form=chosen.form,
            caseworker=made.meeting.caseworker,
            start=made.meeting.interval.start,
            expires=expires,
            made=now,
            indkaldelse=chosen.indkaldelse,
            immediate=chosen.whom.immediate,
            latest=chosen.whom.latest,
        )
        tx.jobnet.reserve(reservation)
        return Kept(reservation, Appointment(hold, made.meeting))

    def _create(self, tx: Tx, citizen: str, indkaldelse: str, id: str, now: datetime) -> Appointment:
        locks.take(tx.session, [locks.citizen(self._client, citizen)])
        reservation = self._reservation(tx, citizen, id)
        link = tx.jobnet.linked(indkaldelse)
        if link is not None and link.citizen != citizen:
            raise NotThisCitizen("This booking belongs to another citizen. Nothing was changed.")
        if reservation.used is not None:
            if reservation.used != indkaldelse or link is None:
                raise BadRequest("This reservation was used for another booking. Nothing was changed.")
            return self._desk.booking(link.client, link.booking, now, purpose="create", tx=tx)
        if reservation.indkaldelse not in (None, indkaldelse):
            raise BadRequest("This reservation was made to move another booking. Nothing was changed.")
        tx.jobnet.use(id, indkaldelse)
        if link is not None:
            return self._moved(tx, link, reservation, now)
        if reservation.indkaldelse is not None:
            raise UnknownBooking("There is no such booking here. Nothing was changed.")
        self._only_one(tx, citizen, reservation.offer, now, ignoring=reservation.hold)
        made = self._desk.book(self._client, reservation.hold, citizen, now, tx=tx)
        tx.jobnet.link(
            Link(indkaldelse, made.booking.id, self._client, citizen, Origin.JOBNET, self_booked=True, created=now)
        )
        self._agreed(tx, indkaldelse, now, reservation.latest)
        return made

    def _only_one(self, tx: Tx, citizen: str, offer: str, now: datetime, ignoring: str = "") -> None:
        kinds = self._alone(self._rules.within(tx), offer)
        if kinds and any(one.booking.id != ignoring for one in self.coming(tx, citizen, kinds, now)):
            raise NotAllowed("The citizen already has a meeting of this kind to come. Move or cancel that one.")

    def coming(self, tx: Tx, citizen: str, offers: Collection[str], now: datetime) -> list[Appointment]:
        """The citizen's bookings of these offers that are not over, whoever made them."""
        own = tx.bookings.future(self._client, citizen, offers, now)
        known = [(one.client, one.booking) for one in tx.jobnet.links_of(citizen)]
        pairs = dict.fromkeys([*([(own.client, own.id)] if own else []), *known])
        found: list[Appointment] = []
        for client, id in pairs:
            booking = tx.bookings.get(id, client)
            meeting = tx.meetings.get(booking.meeting) if booking else None
            if booking is None or meeting is None or meeting.offer not in offers or meeting.interval.end <= now:
                continue
            if booking.state in BOOKED:
                found.append(Appointment(booking, meeting))
        return found

    def _moved(self, tx: Tx, link: Link, reservation: Reservation, now: datetime) -> Appointment:
        """The booking at its reserved time: the hold gives the time back and the booking takes it, both or neither."""
        if link.origin is Origin.SUMMONS:
            raise NotAllowed(SUMMONED)
        if self._alive(tx, reservation, now) is None:
            raise HoldExpired(RAN_OUT)
        self._desk.cancel(self._client, reservation.hold, now, reason="moved", tx=tx)
        whom = replace(STAFF, immediate=reservation.immediate, latest=reservation.latest)
        target = (reservation.start, reservation.caseworker, reservation.form)
        moved = self._desk.reschedule(link.client, link.booking, *target, now, whom=whom, tx=tx)
        self._agreed(tx, link.indkaldelse, now, reservation.latest)
        return moved

    def _anew(self, citizen: str, id: str, now: datetime) -> HoldExpired:
        """Try to keep the time of a reservation that ran out once more."""
        with self._store.read() as tx:
            former = self._reservation(tx, citizen, id)
        whom = replace(STAFF, immediate=former.immediate, latest=former.latest)
        again = Chosen(citizen, former.offer, former.start, former.form, former.caseworker, whom, former.indkaldelse)
        try:
            return HoldExpired(KEPT_ANEW, kept=self.reserve(again, now))
        except BookingError:
            return HoldExpired(RAN_OUT)

    def _reservation(self, tx: Tx, citizen: str, id: str) -> Reservation:
        found = tx.jobnet.reservation(id)
        if found is None:
            raise UnknownHold(UNKNOWN)
        if found.citizen != citizen:
            raise NotThisCitizen("This reservation belongs to another citizen. Nothing was changed.")
        return found

    def _alive(self, tx: Tx, reservation: Reservation, now: datetime) -> Appointment | None:
        """The hold behind a reservation, while it lasts."""
        hold = tx.bookings.get(reservation.hold, self._client)
        meeting = tx.meetings.get(hold.meeting) if hold else None
        if hold is None or meeting is None or hold.state is not BookingState.HELD:
            return None
        return Appointment(hold, meeting) if hold.expires is not None and hold.expires > now else None

    def _give_back(self, tx: Tx, reservation: Reservation, now: datetime) -> None:
        if self._alive(tx, reservation, now) is not None:
            self._desk.cancel(self._client, reservation.hold, now, reason="another time", tx=tx)
        tx.jobnet.forget_reservation(reservation.id)

    def _may_move(self, tx: Tx, link: Link, chosen: Chosen, now: datetime) -> None:
        found = self._desk.booking(link.client, link.booking, now, purpose="rebook", tx=tx)
        offer = self._rules.within(tx).offers.get(found.meeting.offer)
        if offer is None or offer.name != chosen.offer:
            raise BadRequest("A booking can be moved within its own offer only. Nothing was changed.")
        may_move(found.booking, found.meeting, offer, now)

    def _known(self, tx: Tx, citizen: str, indkaldelse: str) -> Link:
        """DFDG's booking, when it is this citizen's."""
        link = tx.jobnet.linked(indkaldelse)
        if link is None:
            raise UnknownBooking("There is no such booking here. Nothing was changed.")
        if link.citizen != citizen:
            raise NotThisCitizen("This booking belongs to another citizen. Nothing was changed.")
        return link

    def _own(self, tx: Tx, citizen: str, indkaldelse: str) -> Link:
        """The same, when the citizen may change it."""
        link = self._known(tx, citizen, indkaldelse)
        if link.origin is Origin.SUMMONS:
            raise NotAllowed(SUMMONED)
        return link


def _same(former: Reservation, chosen: Chosen) -> bool:
    """Whether a reservation is what is chosen now: a repeated request."""
    return (former.offer, former.start, former.form, former.indkaldelse) == (
        chosen.offer,
        chosen.start,
        chosen.form,
        chosen.indkaldelse,
    ) and chosen.caseworker in (None, former.caseworker)
