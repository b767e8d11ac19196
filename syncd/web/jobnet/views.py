"""Answers about one meeting, and the list of offers, as messages of one generation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.booking.announce import site_of
from syncd.booking.reservations import Kept
from syncd.booking.results import Appointment
from syncd.model.booking import BookingState, Meeting
from syncd.model.directory import Directory
from syncd.model.jobnet import Link, Origin
from syncd.model.offer import Form
from syncd.model.offer import Offer as Rules
from syncd.publish.standing import announced
from syncd.web.jobnet import matching
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.messages import BookingAnswer, Details, Offer, OffersAnswer, Place, ReservedAnswer
from syncd.web.jobnet.shapes import Makes
from syncd.web.jobnet.times import Writer

LIVE = (BookingState.HELD, BookingState.PENDING, BookingState.CONFIRMED)
"""States in which a citizen may still change her mind."""


class Views:
    """Writes what the facade found in one generation's shapes."""

    def __init__(self, facade: Facade, shapes: Makes) -> None:
        self._facade = facade
        self._shapes = shapes
        self._known: dict[str, tuple[Rules, Directory, Offer]] = {}
        self.times = Writer(shapes, facade.mapping.codes, facade.identifiers, facade.told)

    def offers(self, found: Sequence[tuple[str, Rules]]) -> OffersAnswer:
        """E1."""
        directory = self._facade.directory()
        return self._shapes[OffersAnswer](offers=[self._listed(id, one, directory) for id, one in found])

    def _listed(self, id: str, offer: Rules, directory: Directory) -> Offer:
        """An offer as citizens see it; made once as long as rules and people are the same."""
        kept = self._known.get(id)
        if kept is not None and kept[0] is offer and kept[1] is directory:
            return kept[2]
        codes = self._facade.mapping.codes
        made = self._shapes[Offer](
            id=id,
            talk_type=matching.talk_code(codes, offer) or 0,
            meeting_group=matching.group_code(codes, offer),
            forms=matching.codes_of(codes, offer.forms),
            place=self._place(matching.place_of(offer, directory)),
            title=offer.title["da"][:500],
            minutes=max(offer.minutes.values()),
        )
        self._known[id] = (offer, directory, made)
        return made

    def reserved(self, kept: Kept, now: datetime) -> ReservedAnswer:
        """E3 and E4."""
        return self._shapes[ReservedAnswer](
            reservation=kept.reservation.id,
            until=self._facade.told(kept.reservation.expires),
            details=self.details(kept.held, None, now),
        )

    def booking(self, found: Appointment, indkaldelse: str, now: datetime) -> BookingAnswer:
        """E5 and E6."""
        with self._facade.store.read() as tx:
            link = tx.jobnet.linked(indkaldelse)
        return self._shapes[BookingAnswer](indkaldelse=indkaldelse, details=self.details(found, link, now))

    def details(self, found: Appointment, link: Link | None, now: datetime) -> Details:
        """What the citizen sees of a meeting; never flagged self-booked when staff booked it (reference 5.2)."""
        meeting, told = found.meeting, self._facade.told
        book, directory = self._facade.publisher.rules, self._facade.directory()
        with self._facade.store.read() as tx:
            offer = book.within(tx).offers.get(meeting.offer)
        summons = link is not None and link.origin is Origin.SUMMONS
        start, theirs = meeting.interval.start, found.booking.state in LIVE and not summons
        moves, move_by = matching.movable(offer, start, now, found.booking.moves) if offer else (False, start)
        ends, cancel_by = matching.cancellable(offer, start, now) if offer else (theirs, start)
        moves, ends = moves and theirs, ends and theirs
        return self._shapes[Details](
            # A booking outlives its offer, and its caseworker the configuration.
            talk_type=(matching.talk_code(self._facade.mapping.codes, offer) if offer else None) or 0,
            form=self._facade.mapping.codes.form(meeting.form),
            start=told(meeting.interval.start),
            end=told(meeting.interval.end),
            title=offer.title["da"][:500] if offer else "Samtale",
            place=self._place(self._where(meeting, now)),
            link=(directory.video(meeting.caseworker) or meeting.link) if meeting.form is Form.VIDEO else None,
            caseworker=self.times.supervisor(meeting.caseworker, directory.caseworkers.get(meeting.caseworker)),
            compulsory=True,
            should_accept=summons and link is not None and link.accepted is None,
            accepted=link is not None and link.accepted is not None,
            rebooking=moves,
            rebooking_deadline=told(move_by) if moves else None,
            cancellation=ends,
            cancellation_deadline=told(cancel_by) if ends else None,
            self_booked=link.self_booked if link is not None else True,
        )

    def _place(self, described: str | None) -> Place | None:
        return None if described is None else self._shapes[Place](description=described[:500])

    def _where(self, meeting: Meeting, now: datetime) -> str | None:
        """The house and where to report; the room once it is announced, for until then it may be another."""
        if meeting.form is not Form.IN_PERSON:
            return None
        directory = self._facade.directory()
        house = site_of(directory, meeting.caseworker, meeting.room)
        if house is None:
            return None
        with self._facade.store.read() as tx:
            book = self._facade.publisher.rules.within(tx)
        room = directory.rooms.get(meeting.room) if meeting.room else None
        if room is not None and announced(house, meeting.interval, book, now):
            return f"{matching.described(house)}. {room.name}"
        return matching.described(house)
