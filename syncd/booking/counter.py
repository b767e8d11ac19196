"""Staff book for citizens who do not book themselves: exempted or deprived, or summoned; never self-booked.

What staff do with a booking afterwards, whoever made it, is `syncd.booking.handover`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.booking.contacts import Contacts
from syncd.booking.desk import Desk
from syncd.booking.results import Appointment
from syncd.errors import BadRequest
from syncd.model.contact import Contact
from syncd.model.directory import MailboxId
from syncd.model.offer import Form
from syncd.store import Store, Tx

CLIENT = "staff:counter"
"""Whose bookings these are where there is no Jobnet. No client of the configuration can be called so."""
MADE = "booking.made-by-staff"


class Ground(StrEnum):
    """Why staff book, and not the citizen (BEK om en aktiv beskæftigelsesindsats §§ 45-46, LAB § 35)."""

    EXEMPT = "exempt"
    """Fritaget: on her request, as booking is not for her."""
    DEPRIVED = "deprived"
    """Frataget the right to book."""
    SUMMONED = "summoned"
    """Indkaldt: such as a first talk."""
    AGREED = "agreed"
    """She stood at the counter or called, and the time was agreed with her."""


BARRED = (Ground.EXEMPT, Ground.DEPRIVED)
"""Grounds that say of the citizen that booking is not for her."""


@dataclass(frozen=True, slots=True)
class Order:
    """What staff book for a citizen.

    :param citizen: her reference. :param client: whose booking it becomes.
    :param caseworker: None for whoever is free and has least to do.
    """

    citizen: str
    offer: str
    start: datetime
    caseworker: MailboxId | None
    form: Form
    ground: Ground
    contact: Contact = field(default_factory=Contact)
    topic: str = ""
    client: str = CLIENT


class Counter:
    """Books for citizens.

    :param desk: does it, by the offer's rules. :param contacts: keeps how she can be reached.
    """

    def __init__(self, store: Store, desk: Desk, contacts: Contacts) -> None:
        self._store, self._desk, self._contacts = store, desk, contacts

    def book(self, order: Order, actor: str, now: datetime, *, tx: Tx | None = None) -> Appointment:
        """Hold and book in one transaction; nothing is left behind when either is refused.

        :param actor: ``staff:SUBJECT``; the audit log has it beside the client.
        :raises BadRequest: the citizen is not named. :raises SlotGone, NotAllowed, TemporarilyClosed: see `Desk`.
        """
        if not order.citizen.strip():
            raise BadRequest("A booking needs the citizen's reference. Nothing was booked.")
        return (
            self._book(tx, order, actor, now) if tx else self._store.run(lambda tx: self._book(tx, order, actor, now))
        )

    def _book(self, tx: Tx, order: Order, actor: str, now: datetime) -> Appointment:
        held = self._desk.hold(
            order.client, order.offer, order.start, order.caseworker, order.form, order.citizen, now, tx=tx
        )
        made = self._desk.book(order.client, held.booking.id, order.citizen, now, topic=order.topic, tx=tx)
        self._contacts.keep(tx, made.booking.id, order.contact, now)
        about = {"booking": made.booking.id, "meeting": made.meeting.id, "citizen": order.citizen}
        tx.audit.add(actor, MADE, purpose=order.ground.value, now=now, **about)
        return made
