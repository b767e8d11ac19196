"""Contact data of citizens: kept under seal, shown to those who must call, and needed for talks by telephone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime

from syncd.booking.sealing import Seal
from syncd.errors import BadRequest
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.contact import Contact
from syncd.model.offer import Form, Offer
from syncd.store import Tx

NO_KEY = "This installation keeps no contact data (no key is configured). Leave contact out; nothing was changed."
NO_NUMBER = "A talk by telephone needs the citizen's number in citizen.contact.phone. Nothing was changed."


class Contacts:
    """Keeps contact data when there is a key to seal them with; refuses them otherwise.

    :param seal: None when no key is configured.
    """

    def __init__(self, seal: Seal | None = None) -> None:
        self._seal = seal

    def keep(self, tx: Tx, booking: str, contact: Contact, now: datetime) -> None:
        """Store *contact* for a booking; what it leaves out stays as it was.

        :raises BadRequest: there is no key to seal it with.
        """
        if contact.empty:
            return
        if self._seal is None:
            raise BadRequest(NO_KEY)
        known = self.of(tx, booking) or Contact()
        merged = Contact(
            contact.name or known.name,
            contact.birth_date or known.birth_date,
            contact.phone or known.phone,
            contact.mail or known.mail,
        )
        key, sealed = self._seal.close(_packed(merged), booking)
        tx.contacts.put(booking, key, sealed, now)

    def reference(self, contact: Contact) -> str:
        """By which a citizen is known who said no more than how she can be reached; by her number if she gave one.

        The rules on one meeting at a time rest on it; another key, or another number, makes a stranger of her.

        :raises BadRequest: there is no key, or nothing to know her by.
        """
        if self._seal is None:
            raise BadRequest(NO_KEY)
        known = contact.phone or contact.mail
        if not known:
            raise BadRequest("A booking needs a telephone number or a mail address. Nothing was booked.")
        return f"own-{self._seal.reference(known)}"

    def of(self, tx: Tx, booking: str) -> Contact | None:
        """What is kept of a booking's citizen; None when nothing is, or its key is gone."""
        found = tx.contacts.get(booking)
        if found is None or self._seal is None:
            return None
        opened = self._seal.open(*found, booking)
        return None if opened is None else _unpacked(opened)

    def of_meeting(
        self, tx: Tx, meeting: str, actor: str, now: datetime, purpose: str | None = None
    ) -> dict[str, Contact]:
        """What is kept of a meeting's citizens, by booking; each look is audited.

        :param actor: who looks (``cli:USER``, ``client:NAME``).
        """
        found: dict[str, Contact] = {}
        for booking in tx.bookings.of(meeting):
            contact = self.of(tx, booking.id)
            if contact is not None:
                found[booking.id] = contact
                about = {"booking": booking.id, "meeting": meeting, "citizen": booking.citizen}
                tx.audit.add(actor, "contact.read", now=now, purpose=purpose, **about)
        return found

    def numbers(self, tx: Tx, bookings: Sequence[str]) -> str:
        """The numbers to call for these bookings, as one text; empty when none is kept."""
        found = (self.of(tx, booking) for booking in bookings)
        return ", ".join(one.phone for one in found if one is not None and one.phone)

    def callable_(self, tx: Tx, offer: Offer, meeting: Meeting) -> bool:
        """Whether the citizens of a meeting could be called: their numbers are known to staff, or are kept here."""
        if offer.number == "known":
            return True
        seats = [one for one in tx.bookings.of(meeting.id) if one.state in _BOOKED]
        return all((found := self.of(tx, one.id)) is not None and found.phone for one in seats)

    def need_number(self, tx: Tx, offer: Offer | None, meeting: Meeting, booking: Booking) -> None:
        """Insist on a number for a talk by telephone, where the offer says that it is asked for.

        :raises BadRequest: there is none.
        """
        if offer is None or offer.number == "known" or meeting.form is not Form.PHONE:
            return
        found = self.of(tx, booking.id)
        if found is None or not found.phone:
            raise BadRequest(NO_NUMBER)


_BOOKED = (BookingState.PENDING, BookingState.CONFIRMED)


def _packed(contact: Contact) -> bytes:
    day = contact.birth_date.isoformat() if contact.birth_date else None
    return json.dumps([contact.name, day, contact.phone, contact.mail], ensure_ascii=False).encode()


def _unpacked(content: bytes) -> Contact:
    name, day, phone, mail = json.loads(content)
    return Contact(name, date.fromisoformat(day) if day else None, phone, mail)
