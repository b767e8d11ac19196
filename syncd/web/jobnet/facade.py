"""What the planner does when DFDG calls, whichever generation it speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from syncd.booking.reservations import Chosen, Kept, Reservations
from syncd.booking.results import Appointment
from syncd.clock import Clock
from syncd.config.jobnet import CLIENT, JobnetSection
from syncd.cpr import CprKey
from syncd.errors import BadRequest, BookingError, UnknownCaseworker, UnknownOffer
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import STAFF, Traits, Whom
from syncd.model.interval import Interval
from syncd.model.jobnet import Standing, Told
from syncd.model.offer import Answer, Form, Offer, Rulebook
from syncd.model.zones import instant, wall_clock
from syncd.publish import Publisher
from syncd.store import Store, Tx
from syncd.web.jobnet import matching
from syncd.web.jobnet.call import Call
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.messages import KnownBooking, OffersQuestion, TimesQuestion
from syncd.web.jobnet.refusals import Kind, Refused

TOLD_FOR = timedelta(hours=12)
"""How long what was told with a question about offers is used for the calls that follow it."""
ZONE = "Europe/Copenhagen"
"""Of times without a zone, and of those we write."""
YEARS = range(1970, 2200)

Freshen = Callable[[str, datetime, MailboxId | None, datetime], None]


@dataclass(frozen=True, slots=True)
class Wished:
    """A time asked for, in our words.

    :param code: of the talk form; None for the present or the offer's first.
    """

    start: datetime
    caseworker: str | None
    code: int | None
    latest: date | None
    immediate: bool


@dataclass(frozen=True)
class Facade:
    """The planner's side of the contract.

    :param freshen: looks live at the calendars a time rests on, just before it is reserved.
    """

    section: JobnetSection
    mapping: MappingFile
    key: CprKey
    store: Store
    publisher: Publisher
    reservations: Reservations
    directory: Callable[[], Directory]
    freshen: Freshen
    clock: Clock
    identifiers: Mapping[str, str] = field(default_factory=dict)
    ids: matching.Ids = field(default_factory=matching.Ids)

    def offers(self, call: Call, asked: OffersQuestion) -> list[tuple[str, Offer]]:
        """E1: the offers for this citizen, each with its MoedetilbudId.

        :raises Refused: there are none, or she may not book by herself.
        """
        told = _told(asked)
        with self.store.begin() as tx:
            standing = tx.jobnet.see(call.citizen, call.sealed, call.now, told)
            self.note(tx, call)
            book = self.publisher.rules.within(tx)
            coming = self._coming(tx, call, book, asked.bookings or ())
            ids = self.ids.ids(book, tx.settings.installation)
        absent = {str(one.identifier) for one in asked.absences or ()} & self.mapping.codes.exempting.keys()
        if standing is not Standing.OPEN or absent:
            raise Refused(Kind.NO_OPTIONS, "The citizen does not book by herself now; staff may book for her.", 409)
        found = matching.matched(book, self.mapping.codes, self.section.jobcentres, told, coming)
        if not found:
            raise Refused(Kind.NO_OPTIONS, "No offer of this planner is for this citizen now.", 409)
        return [(ids[one.name], one) for one in found]

    def times(
        self, call: Call, offer_id: str, asked: TimesQuestion
    ) -> tuple[Offer, Interval, MailboxId | None, Answer]:
        """E2: the free times of an offer, of one caseworker when one is named.

        :raises Refused: the interval is inverted or too long, or the offer is not the citizen's.
        """
        interval = self._interval(asked.start, asked.end)
        with self.noted(call) as (tx, about):
            offer = self._offer(tx, call, offer_id)
            about.append(offer.name)
        caseworker = self._caseworker(offer, asked.caseworker)
        whom = replace(STAFF, immediate=bool(asked.immediate), latest=asked.latest)
        found = self.publisher.answer(offer.name, interval, call.now, caseworker, whom=whom)
        return offer, interval, caseworker, found

    def reserve(self, call: Call, offer_id: str | None, booking: str | None, wished: Wished) -> Kept:
        """E3 and E4: keep a time, for a new booking or for one that moves.

        :raises BookingError: it cannot be kept. :raises Refused: the offer is not the citizen's.
        """
        start = self.moment(wished.start, "start")
        with self.noted(call) as (tx, _):
            moving = booking if booking and (offer_id is None or tx.jobnet.linked(booking)) else None
            offer, form = self._moving(tx, moving) if moving else (self._offer(tx, call, offer_id or ""), None)
            if moving and offer_id and self.offer_id(tx, offer) != offer_id.lower():
                raise BadRequest("A booking can be moved within its own offer only. Nothing was changed.")
            traits = self._traits(tx, call)
        chosen = Chosen(
            citizen=call.citizen,
            offer=offer.name,
            start=start,
            form=matching.known_form(self.mapping.codes, offer, wished.code, form),
            caseworker=self._caseworker(offer, wished.caseworker),
            whom=Whom(traits, wished.immediate, wished.latest, staff=moving is not None),
            indkaldelse=moving,
        )
        self.freshen(chosen.offer, chosen.start, chosen.caseworker, call.now)
        return self.reservations.reserve(chosen, call.now)

    def create(
        self, call: Call, booking: str, reservation: str, agreed: Wished | None, offer_id: str | None
    ) -> Appointment:
        """E5, and E6 after E4: book what was reserved, or move the booking to it.

        :param agreed: what the call repeats of the reserved time; it must be the same.
        :raises BookingError: it cannot be booked; see `Reservations.create`.
        """
        with self.noted(call) as (tx, _):
            self._agrees(tx, reservation, agreed, offer_id)
            # Whose a booking is must be known by number, too: later changes of ours are reported with it.
            if tx.jobnet.see(call.citizen, call.sealed, call.now) is not Standing.OPEN:
                raise Refused(Kind.NO_OPTIONS, "The citizen does not book by herself now.", 409)
        return self.reservations.create(call.citizen, booking.lower(), reservation.lower(), call.now)

    def move(self, call: Call, booking: str, start: datetime, caseworker: str | None) -> Appointment:
        """E6: move a booking without a reservation."""
        at = self.moment(start, "start")
        with self.noted(call) as (tx, _):
            link = tx.jobnet.linked(booking)
            offer = self._moving(tx, booking)[0] if link is not None and link.citizen == call.citizen else None
        who = self._caseworker(offer, caseworker) if offer else None
        if offer is not None:
            self.freshen(offer.name, at, who, call.now)
        return self.reservations.move(call.citizen, booking.lower(), at, who, call.now)

    def cancel(self, call: Call, booking: str) -> Appointment:
        """E6: cancel a booking."""
        with self.store.begin() as tx:
            self.note(tx, call)
        return self.reservations.cancel(call.citizen, booking.lower(), call.now)

    def accept(self, call: Call, booking: str) -> Appointment:
        """E6: the citizen says that she will come."""
        with self.store.begin() as tx:
            self.note(tx, call)
        return self.reservations.accept(call.citizen, booking.lower(), call.now)

    @contextmanager
    def noted(self, call: Call) -> Iterator[tuple[Tx, list[str]]]:
        """A transaction whose call is written down, also when it is refused; put into the list what it was about."""
        about: list[str] = []
        refused: Refused | BookingError | None = None
        with self.store.begin() as tx:
            try:
                yield tx, about
            except (Refused, BookingError) as error:
                refused = error
            self.note(tx, call, " ".join(about))
        if refused is not None:
            raise refused

    def note(self, tx: Tx, call: Call, detail: str = "") -> None:
        """Write down who asked about whom, and what for."""
        facts = call.origin.facts()
        said = f"{facts['authority']} {facts['user']}" + (f" {detail}" if detail else "")
        tx.audit.add(
            f"client:{CLIENT}",
            f"jobnet.{call.operation}",
            citizen=call.citizen,
            purpose=facts["purpose"],
            detail=said,
            now=call.now,
        )

    def offer_id(self, tx: Tx, offer: Offer) -> str:
        """The MoedetilbudId of an offer in force."""
        return self.ids.ids(self.publisher.rules.within(tx), tx.settings.installation)[offer.name]

    def moment(self, value: datetime, field: str) -> datetime:
        """A moment in UTC, whole seconds.

        :raises Refused: it has no zone where one is demanded, or lies beyond all calendars.
        """
        if value.year not in YEARS:
            raise Refused(Kind.NOT_VALIDATED, "The time lies beyond every calendar.", field=field)
        if value.tzinfo is None:
            if self.mapping.times.without_zone == "refuse":
                raise Refused(Kind.NOT_VALIDATED, "The time has no zone; add Z or +01:00.", field=field)
            value = _danish(value)
        return value.astimezone(UTC).replace(microsecond=0)

    def told(self, value: datetime) -> datetime:
        """A moment as answers write it."""
        return value if self.mapping.times.answered == "utc" else wall_clock(value, ZONE)

    def _interval(self, start: datetime, end: datetime) -> Interval:
        begin, until = self.moment(start, "start"), self.moment(end, "end")
        if begin >= until:
            raise Refused(Kind.NOT_VALIDATED, "The interval ends before it begins.", field="end")
        if until - begin > timedelta(days=self.section.longest_days):
            text = f"The interval may have at most {self.section.longest_days} days."
            raise Refused(Kind.NOT_VALIDATED, text, field="end")
        return Interval(begin, until)

    def _offer(self, tx: Tx, call: Call, offer_id: str) -> Offer:
        """The offer of that id, when it is for this citizen.

        :raises UnknownOffer: there is none, or not for her; which of the two is not told.
        """
        book = self.publisher.rules.within(tx)
        offer = self.ids.offers(book, tx.settings.installation).get(offer_id.lower())
        standing, told = tx.jobnet.known(call.citizen, call.now - TOLD_FOR)
        if offer is not None and self._theirs(book, offer, told) and standing in (None, Standing.OPEN):
            return offer
        raise UnknownOffer("There is no such offer for this citizen. Ask for the offers again; nothing was changed.")

    def _theirs(self, book: Rulebook, offer: Offer, told: Told | None) -> bool:
        """Whether an offer is for a citizen of whom this was told; nothing told opens only what is open to all."""
        jobcentres = self.section.jobcentres
        if told is None:
            told = Told("", "")
            return any(
                offer.name in matching.served(book, self.mapping.codes, jobcentres, one) for one in jobcentres
            ) and matching.lets_in(offer, told)
        names = matching.served(book, self.mapping.codes, jobcentres, told.jobcentre)
        return offer.name in names and matching.lets_in(offer, told)

    def _traits(self, tx: Tx, call: Call) -> Traits:
        told = tx.jobnet.told(call.citizen, call.now - TOLD_FOR)
        return matching.traits_of(told or Told("", ""))

    def _moving(self, tx: Tx, booking: str) -> tuple[Offer, Form | None]:
        """The offer and form of a booking that is to be moved; whose it is is looked at later, under its lock."""
        link = tx.jobnet.linked(booking)
        found = tx.bookings.get(link.booking, link.client) if link else None
        meeting = tx.meetings.get(found.meeting) if found else None
        offer = self.publisher.rules.within(tx).offers.get(meeting.offer) if meeting else None
        if meeting is None or offer is None:
            raise Refused(Kind.NOT_THIS_CITIZEN, "There is no such booking here. Nothing was changed.", 404)
        return offer, meeting.form

    def _caseworker(self, offer: Offer, identifier: str | None) -> MailboxId | None:
        """Our id of a caseworker the case system names.

        :raises UnknownCaseworker: nobody of the offer is called so.
        """
        if identifier is None:
            return None
        people = self.directory().caseworkers
        for one in offer.caseworkers:
            if one in people and self.identifiers.get(one, one) == identifier:
                return one
        raise UnknownCaseworker("No caseworker of this id serves the offer. Nothing was changed.")

    def _coming(
        self, tx: Tx, call: Call, book: Rulebook, told: tuple[KnownBooking, ...] | list[KnownBooking]
    ) -> set[int]:
        """Types of the talks the citizen has to come, by DFDG's list and ours."""
        codes = self.mapping.codes
        types = {one.talk_type for one in told if self.moment(one.start, "bookings") > call.now}
        for own in self.reservations.coming(tx, call.citizen, tuple(book.offers), call.now):
            code = matching.talk_code(codes, book.offers[own.meeting.offer])
            types |= {code} if code is not None else set()
        return types

    def _agrees(self, tx: Tx, reservation: str, agreed: Wished | None, offer_id: str | None) -> None:
        """:raises BadRequest: the call repeats another time than was reserved."""
        kept = tx.jobnet.reservation(reservation)
        if kept is None or agreed is None:
            return
        offer = self.publisher.rules.within(tx).offers.get(kept.offer)
        same = (
            (agreed.code is None or self.mapping.codes.form_of(agreed.code) is kept.form)
            and (agreed.caseworker in (None, self.identifiers.get(kept.caseworker, kept.caseworker)))
            and (agreed.start is _NO_TIME or self.moment(agreed.start, "start") == kept.start)
            and (offer_id is None or offer is None or self.offer_id(tx, offer) == offer_id.lower())
        )
        if not same:
            raise BadRequest("The call says another time, form, caseworker or offer than was reserved.")


_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a start that was not repeated."""


def repeated(start: datetime | None, caseworker: str | None, code: int | None) -> Wished:
    """What a call repeats of a reserved time."""
    return Wished(_NO_TIME if start is None else start, caseworker, code, None, immediate=False)


def _told(asked: OffersQuestion) -> Told:
    category = str(asked.category.type) if asked.category and asked.category.type is not None else ""
    groups = frozenset(one.lower() for one in asked.groups or ())
    return Told(asked.jobcentre, str(asked.contact_group), category, groups)


def _danish(value: datetime) -> datetime:
    """A wall-clock time in Denmark as an instant (RFC 5545 3.3.5)."""
    return instant(value.date(), value.time(), ZONE)
