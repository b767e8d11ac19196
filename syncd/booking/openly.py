"""Citizens book with their own hands, without signing in: a personal link stands for who they are.

The road is that of every client: the same desk, the same rules. What is added here is the link, and that a time which
ran out while somebody wrote slowly is taken again if it is still free.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.booking.contacts import Contacts
from syncd.booking.desk import Desk
from syncd.booking.extend import LENGTHS, extend
from syncd.booking.results import Appointment
from syncd.errors import BookingError, HoldExpired, UnknownBooking
from syncd.model.booking import BookingState
from syncd.model.contact import Contact
from syncd.model.eligibility import Own, Whom
from syncd.model.offer import Form, Offer, Rulebook
from syncd.store import Store, Tx
from syncd.store.booking_links import BookingLinks

CLIENT = "citizens:page"
"""Whose bookings these are. No client of the configuration can be called so."""
NOBODY = Whom()
"""Nothing is known of who asks."""


class TooManyHeld(BookingError):
    """So many people fill in the form that no further time is kept for now; nothing was changed."""

    status, type = 429, "too-many-requests"


class KeptLongEnough(BookingError):
    """A time was kept for one form as long as it may be; it can still be booked while it is free."""

    status, type = 409, "hold-expired"


def open_offers(rules: Rulebook, chosen: tuple[str, ...] = ()) -> dict[str, Offer]:
    """The offers that somebody may book of whom nothing is known. :param chosen: of these only; empty for all."""
    return {
        name: offer
        for name, offer in rules.offers.items()
        if name in (chosen or (name,)) and not offer.open_to and offer.own is not Own.ONLY
    }


class OpenDesk:
    """Books for whoever has the link.

    :param desk: does it, by the offer's rules. :param contacts: keeps how the citizen can be reached, under seal.
    """

    def __init__(self, store: Store, desk: Desk, contacts: Contacts) -> None:
        self._store, self._desk, self._contacts = store, desk, contacts

    def hold(self, offer: str, start: datetime, form: Form, most: int, language: str, now: datetime) -> str:
        """Keep a time, with whoever is free; returns the secret of the link to it.

        :param language: of the page, for what is sent to her later.
        :param most: times kept at once for everybody together.
        :raises TooManyHeld: more are kept already. :raises SlotGone, TemporarilyClosed: see `Desk.hold`.
        """

        def work(tx: Tx) -> str:
            if BookingLinks(tx.session).held(CLIENT, now) >= most:
                raise TooManyHeld("Many people are booking just now. Nothing was changed; try again in some minutes.")
            made = self._desk.hold(CLIENT, offer, start, None, form, None, now, whom=NOBODY, tx=tx)
            return BookingLinks(tx.session).add(made.booking.id, language, now)

        return self._store.run(work)

    def find(self, secret: str, now: datetime, *, tx: Tx | None = None) -> Appointment:
        """What the link leads to; the look-up is audited.

        :raises UnknownBooking: it leads nowhere, or the meeting is over.
        """
        if tx is None:
            return self._store.run(lambda tx: self.find(secret, now, tx=tx))
        booking = BookingLinks(tx.session).open(secret, now)
        if booking is None:
            raise UnknownBooking("The link leads nowhere, or the meeting is over.")
        return self._desk.booking(CLIENT, booking, now, purpose="own link", tx=tx)

    def contact(self, secret: str, now: datetime) -> Contact:
        """How the citizen said that she can be reached; empty when nothing is kept."""
        with self._store.read() as tx:
            booking = BookingLinks(tx.session).open(secret, now)
            return (self._contacts.of(tx, booking) if booking else None) or Contact()

    def more(self, secret: str, minutes: int, now: datetime) -> Appointment:
        """Keep the time longer, taking it again if it ran out and is free.

        :raises SlotGone: somebody else has it.
        :raises KeptLongEnough: it was asked for too often, counted from when the link was made.
        """

        def work(tx: Tx) -> Appointment:
            held = self.find(secret, now, tx=tx)
            if held.booking.state not in (BookingState.HELD, BookingState.EXPIRED):
                return held
            began = BookingLinks(tx.session).began(secret)
            if began is None or now >= began + timedelta(minutes=LENGTHS * minutes):
                raise KeptLongEnough("The time was kept as long as it may be. Nothing was changed; it may be booked.")
            try:
                return extend(tx, CLIENT, held.booking.id, minutes, now)
            except HoldExpired:
                return self._again(tx, secret, held, now)

        return self._store.run(work)

    def book(self, secret: str, contact: Contact, topic: str, now: datetime) -> Appointment:
        """Book what is held, taking it again if it ran out and is free; booking twice is the same booking.

        :raises SlotGone: the time is somebody else's by now. :raises NotAllowed: she has such a meeting already.
        """
        citizen = self._contacts.reference(contact)

        def work(tx: Tx) -> Appointment:
            held = self.find(secret, now, tx=tx)
            try:
                made = self._desk.book(CLIENT, held.booking.id, citizen, now, topic=topic, tx=tx)
            except HoldExpired:
                if held.booking.citizen is not None:
                    raise
                anew = self._again(tx, secret, held, now)
                made = self._desk.book(CLIENT, anew.booking.id, citizen, now, topic=topic, tx=tx)
            if held.booking.state in (BookingState.HELD, BookingState.EXPIRED):
                self._contacts.keep(tx, made.booking.id, contact, now)
            return made

        return self._store.run(work)

    def move(self, secret: str, start: datetime, now: datetime) -> Appointment:
        """Move it to another time with the same person.

        :raises SlotGone, NotAllowed: see `Desk.reschedule`; the booking stays as it was.
        """

        def work(tx: Tx) -> Appointment:
            found = self.find(secret, now, tx=tx)
            return self._desk.reschedule(CLIENT, found.booking.id, start, None, None, now, whom=NOBODY, tx=tx)

        return self._store.run(work)

    def cancel(self, secret: str, now: datetime) -> Appointment:
        """Give it up, or give a held time back; doing so twice is no error.

        :raises NotAllowed: it is too late.
        """

        def work(tx: Tx) -> Appointment:
            found = self.find(secret, now, tx=tx)
            return self._desk.cancel(CLIENT, found.booking.id, now, tx=tx)

        return self._store.run(work)

    def _again(self, tx: Tx, secret: str, lost: Appointment, now: datetime) -> Appointment:
        """The same time with the same person, held anew."""
        was = lost.meeting
        made = self._desk.hold(
            CLIENT, was.offer, was.interval.start, was.caseworker, was.form, None, now, whom=NOBODY, tx=tx
        )
        BookingLinks(tx.session).point(secret, made.booking.id)
        return made
