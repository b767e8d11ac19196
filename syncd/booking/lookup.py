"""A citizen's bookings with one client, and holds that the client gives back."""

from __future__ import annotations

from datetime import datetime

from syncd.booking.allowed import BOOKED
from syncd.booking.desk import Desk
from syncd.booking.results import Appointment
from syncd.errors import UnknownHold
from syncd.store import Store, Tx


def bookings_of(store: Store, client: str, citizen: str, now: datetime) -> list[Appointment]:
    """What *client* booked for the citizen, the earliest meeting first; the look-up is audited, also when empty.

    Holds are no bookings and are left out.

    :param citizen: the client's reference.
    """

    def work(tx: Tx) -> list[Appointment]:
        tx.audit.add(f"client:{client}", "citizen.searched", citizen=citizen, now=now)
        found: list[Appointment] = []
        for booking in tx.bookings.of_citizen(client, citizen):
            meeting = tx.meetings.get(booking.meeting)
            # Generation 0: held and given back, but never booked.
            if meeting is not None and meeting.desired_generation > 0:
                found.append(Appointment(booking, meeting))
        return sorted(found, key=lambda one: one.meeting.interval)

    return store.run(work)


def release(store: Store, desk: Desk, client: str, hold_id: str, now: datetime) -> None:
    """Give a hold back, so that its time is free at once; what has ended already stays as it is.

    :raises UnknownHold: this client has no hold of that id; a booking is not given back but cancelled.
    """

    def work(tx: Tx) -> None:
        hold = tx.bookings.get(hold_id, client)
        meeting = tx.meetings.get(hold.meeting) if hold else None
        if meeting is not None:
            # Booking takes this lock too: what is a hold afterwards stays one until we commit.
            tx.mailboxes.lock(*meeting.people)
            hold = tx.bookings.get(hold_id, client, lock=True)
        if hold is None or hold.state in BOOKED:
            raise UnknownHold("There is no hold of this id, or it belongs to another client. Nothing was changed.")
        desk.cancel(client, hold_id, now, tx=tx)

    store.run(work)
