"""Staff say whose a meeting is that they made themselves: only then does DFDG hear of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from syncd.booking.desk import new_id
from syncd.config.jobnet import CLIENT
from syncd.cpr import Cpr, CprKey
from syncd.dfdg.ledger import Ledger
from syncd.errors import BadRequest, NotAllowed, UnknownBooking
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.dfdg import About, Class
from syncd.model.jobnet import Link, Origin
from syncd.store import Store, Tx

BOOKED = (BookingState.PENDING, BookingState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose a meeting is.

    :param kind: type of talk; None for that of the meeting's offer. :param purpose: why, for the audit log.
    :param barred: staff say that she is exempted or deprived, so that figures leave the talk out.
    """

    meeting: str
    cpr: Cpr
    kind: int | None
    purpose: str
    barred: bool = False


class Linker:
    """Links citizens to meetings.

    :param key: makes references of numbers, and seals them for the report.
    """

    def __init__(self, store: Store, ledger: Ledger, key: CprKey) -> None:
        self._store, self._ledger, self._key = store, ledger, key

    def reference(self, cpr: Cpr) -> str:
        """By what a citizen is known everywhere else."""
        return self._key.reference(cpr)

    def link(self, wish: Wish, actor: str, now: datetime, *, tx: Tx | None = None) -> Link:
        """Link a citizen to a meeting and owe DFDG its creation; the same again changes nothing.

        It is never flagged self-booked (META): a caseworker made it.

        :param actor: ``cli:USER``, ``client:NAME`` or ``staff:SUBJECT``, who must be allowed to.
        :raises UnknownBooking: there is no such meeting. :raises NotAllowed: it is over, or is somebody else's.
        :raises BadRequest: its type of talk is not known.
        """
        return (
            self._linked(tx, wish, actor, now) if tx else self._store.run(lambda tx: self._linked(tx, wish, actor, now))
        )

    def _linked(self, tx: Tx, wish: Wish, actor: str, now: datetime) -> Link:
        meeting = self._meeting(tx, wish, now)
        citizen = self._key.reference(wish.cpr)
        seats = [one for one in tx.bookings.of(meeting.id) if one.state in BOOKED]
        known = [link for one in seats if (link := tx.jobnet.link_of(one.id)) is not None]
        if mine := [link for link in known if link.citizen == citizen]:
            return mine[0]
        if known:
            raise NotAllowed("Another citizen is linked to this meeting. Nothing was changed.")
        kind = wish.kind if wish.kind is not None else self._ledger.words.kind(meeting.offer)
        if kind is None:
            raise BadRequest("The meeting's type of talk is not known; say which (kind). Nothing was changed.")
        tx.jobnet.see(citizen, (self._key.name, self._key.seal(wish.cpr)), now)
        booking = seats[0] if seats else self._seat(tx, meeting, citizen, now)
        link = Link(str(uuid.uuid4()), booking.id, booking.client, citizen, Origin.STAFF, False, now)
        tx.jobnet.link(link)
        record = self._ledger.begun(tx, link, meeting.offer, now, about=About(kind, False))
        record = replace(record, class_=Class.BARRED) if wish.barred else record
        tx.dfdg.save(replace(record, generation=0, owed_since=now), due=now)
        about = {"booking": booking.id, "meeting": meeting.id, "citizen": citizen}
        tx.audit.add(actor, "citizen.linked", purpose=wish.purpose, detail=link.indkaldelse, now=now, **about)
        return link

    def _meeting(self, tx: Tx, wish: Wish, now: datetime) -> Meeting:
        known = tx.meetings.get(wish.meeting)
        if known is not None:
            tx.mailboxes.lock(*known.people)
        meeting = tx.meetings.get(wish.meeting, lock=True)
        if meeting is None:
            raise UnknownBooking("There is no meeting of this id. Nothing was changed.")
        if not meeting.wanted or meeting.interval.start <= now:
            raise NotAllowed("The meeting has begun or is cancelled. Nothing was changed.")
        return meeting

    def _seat(self, tx: Tx, meeting: Meeting, citizen: str, now: datetime) -> Booking:
        """A booking for a meeting that a caseworker made herself."""
        state = BookingState.CONFIRMED if meeting.settled else BookingState.PENDING
        booking = Booking(new_id(), meeting.id, CLIENT, state, now, citizen)
        tx.bookings.add(booking)
        return booking
