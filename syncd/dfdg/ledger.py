"""Notes in the transaction of the fact itself what DFDG knows of a booking: it never hears what it did itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from syncd.dfdg.saying import saying
from syncd.model.booking import Booking, Meeting
from syncd.model.dfdg import About, Class, Record, Said, Words
from syncd.model.directory import Directory
from syncd.model.jobnet import Link, Standing
from syncd.store import Tx

TOLD_FOR = timedelta(days=30)
"""How long what Jobnet told of a citizen's group may be believed."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A record, and what of ours it is about."""

    record: Record
    link: Link
    booking: Booking
    meeting: Meeting


class Ledger:
    """What DFDG was told, or did itself.

    :param directory, words: everybody, and what stands for what, as configured now.
    """

    def __init__(self, directory: Callable[[], Directory], words: Callable[[], Words]) -> None:
        self._directory, self._words = directory, words

    @property
    def words(self) -> Words:
        """What stands for what now."""
        return self._words()

    def agreed(self, tx: Tx, indkaldelse: str, now: datetime, *, latest: date | None = None) -> None:
        """DFDG writes, moves or annuls this record itself, as our booking is now: nothing of it is reported.

        :param latest: last day on which the talk may be held, when it was told.
        """
        link = tx.jobnet.linked(indkaldelse)
        found = None if link is None else self._ours(tx, link)
        if link is None or found is None:
            return
        booking, meeting = found
        known = tx.dfdg.get(link.indkaldelse, lock=True)
        record = known or self.begun(tx, link, meeting.offer, now)
        said = self.said(tx, meeting, booking, record.known)
        record = replace(
            record,
            known=said,
            sent=None,
            request=None,
            generation=meeting.desired_generation,
            attempts=0,
            owed_since=None,
            refused=None,
            latest=latest or record.latest,
        )
        tx.dfdg.save(record, alive=not said.gone)

    def noted(self, tx: Tx, indkaldelse: str, now: datetime, latest: date | None) -> None:
        """`agreed`, as the planner facade calls it."""
        self.agreed(tx, indkaldelse, now, latest=latest)

    def begun(
        self, tx: Tx, link: Link, offer: str, now: datetime, *, about: About | None = None, known: Said | None = None
    ) -> Record:
        """A record that is new to us. :param about: what DFDG says of it; else what we know ourselves."""
        told = tx.jobnet.told(link.citizen, now - TOLD_FOR) if link.citizen else None
        own = About(self.words.kind(offer) or 0, link.self_booked, told.contact_group if told is not None else "")
        about = own if about is None else replace(about, group=about.group or own.group)
        first = bool(link.citizen) and not tx.dfdg.known_before(link.citizen, link.indkaldelse)
        standing = tx.jobnet.standing(link.citizen) if link.citizen else None
        class_ = {None: Class.UNKNOWN, Standing.OPEN: Class.OPEN}.get(standing, Class.BARRED)
        return Record(
            link.indkaldelse,
            about,
            known,
            now,
            citizen=link.citizen,
            seen=known is not None,
            class_=class_,
            first=first,
        )

    def linked(self, tx: Tx, record_id: str) -> Linked | None:
        """A record with what it is about, the record locked; None when it is not about a booking of ours."""
        link = tx.jobnet.linked(record_id)
        found = None if link is None else self._ours(tx, link)
        record = tx.dfdg.get(record_id, lock=True)
        return None if link is None or found is None or record is None else Linked(record, link, *found)

    def said(self, tx: Tx, meeting: Meeting, booking: Booking | None, known: Said | None) -> Said:
        """What DFDG should hold of a meeting now."""
        return saying(tx, self._directory(), self.words, meeting, booking, known)

    def _ours(self, tx: Tx, link: Link) -> tuple[Booking, Meeting] | None:
        booking = tx.bookings.get(link.booking, link.client)
        meeting = tx.meetings.get(booking.meeting) if booking is not None else None
        return None if booking is None or meeting is None else (booking, meeting)
