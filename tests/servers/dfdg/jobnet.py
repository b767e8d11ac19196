"""Jobnet's pages as a script walks through them: offers, times, reserve, create; move, cancel, accept.

DFDG stands between: it sends the citizen's facts along, calls the planner, and writes its own books when the planner
has said yes (B PLN: both register a self-booking at the same time).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from tests.servers.dfdg import names
from tests.servers.dfdg.world import Citizen, Record, Refused, World

T = TypeVar("T")


class PlannerRefused(Exception):
    """The planner's business answer. :param code: as in the contract's table of errors, 0 when it gave none."""

    def __init__(self, code: int, text: str, status: int = 0) -> None:
        self.code, self.status = code, status
        super().__init__(f"{code}: {text}")


class PlannerSilent(Exception):
    """No answer, or none that can be understood: Jobnet shows 4769 + 9018, or 9303 + 9329."""


@dataclass(frozen=True)
class Shown:
    """An offer on the citizen's page."""

    id: str
    type: int
    forms: tuple[int, ...]
    title: str = ""


@dataclass(frozen=True)
class Time:
    """A time on the citizen's page. :param caseworkers: who could hold it."""

    start: datetime
    forms: tuple[int, ...]
    caseworkers: tuple[str, ...]
    movable: bool = True
    cancellable: bool = True


@dataclass(frozen=True)
class Choice:
    """What a citizen chose."""

    offer: Shown
    start: datetime
    form: int
    caseworker: str | None = None


@dataclass(frozen=True)
class Reserved:
    """A reserved time, as the planner told its details."""

    id: str
    start: datetime
    end: datetime
    caseworker: str
    place: str = ""


class Planner(Protocol):
    """A planner, whichever generation it speaks.

    :raises PlannerRefused: it said no. :raises PlannerSilent: it said nothing of use.
    """

    def offers(self, citizen: Citizen, coming: Sequence[Record]) -> list[Shown]:
        """What this citizen may book; *coming* is what she has (E1)."""
        ...

    def times(self, citizen: Citizen, offer: Shown, start: datetime, end: datetime, whom: str | None) -> list[Time]:
        """Free times of an offer (E2)."""
        ...

    def reserve(self, citizen: Citizen, choice: Choice, record: str | None) -> Reserved:
        """Details of a chosen time, which is reserved by that; *record* when it is to be moved (E3, E4)."""
        ...

    def create(self, citizen: Citizen, choice: Choice, reserved: Reserved, record: str, request: str) -> None:
        """Book what was reserved (E5)."""
        ...

    def move(self, citizen: Citizen, choice: Choice, reserved: Reserved, record: str, request: str) -> None:
        """Move a booking to what was reserved (E6)."""
        ...

    def cancel(self, citizen: Citizen, record: str, request: str) -> None:
        """Cancel a booking (E8)."""
        ...

    def accept(self, citizen: Citizen, record: str, request: str) -> None:
        """The citizen confirms that she will come (E7)."""
        ...


@dataclass
class Jobnet:
    """What citizens do on Jobnet.

    :param tries: how often DFDG calls the planner when it gets no answer.
    :param same_request: whether it does so with the same id of the request.
    """

    world: World
    planner: Planner
    tries: int = 3
    same_request: bool = True
    shown: list[tuple[str, str]] = field(default_factory=list)
    """What went wrong on the pages: the citizen's number, and what Jobnet told her."""

    def offers(self, cpr: str) -> list[Shown]:
        """Her page of offers; none for who may not book (JK: KanSelvbooke)."""
        citizen = self.world.citizens[cpr]
        if not citizen.may_book:
            return []
        return self.planner.offers(citizen, self.world.coming(cpr))

    def times(self, cpr: str, offer: Shown, days: int = 14, whom: str | None = None) -> list[Time]:
        """Times of the coming days, or until the last day the talk may be held on (C: FRI)."""
        now = self.world.clock()
        return self.planner.times(self.world.citizens[cpr], offer, now, now + timedelta(days=days), whom)

    def book(self, cpr: str, choice: Choice) -> Record:
        """Choose, reserve, create; DFDG writes its record when the planner has said yes.

        :raises PlannerRefused: it said no. :raises PlannerSilent: no answer at any try. :raises Refused: DFDG's rule.
        """
        citizen, record = self.world.citizens[cpr], self.world.guid()
        self._one_future(cpr, choice.offer.type)
        reserved = self._asked(lambda _request: self.planner.reserve(citizen, choice, None))
        made = self._record(cpr, record, choice, reserved)
        self._asked(lambda request: self.planner.create(citizen, choice, reserved, record, request))
        return self.world.save(made, names.CREATED, "jobnet")

    def move(self, cpr: str, record: str, choice: Choice) -> Record:
        """Choose another time for a booking.

        :raises PlannerRefused: it said no. :raises PlannerSilent: no answer at any try.
        """
        citizen = self.world.citizens[cpr]
        reserved = self._asked(lambda _request: self.planner.reserve(citizen, choice, record))
        self._asked(lambda request: self.planner.move(citizen, choice, reserved, record, request))
        made = self._record(cpr, record, choice, reserved)
        return self.world.save(made, names.UPDATED, "jobnet")

    def cancel(self, cpr: str, record: str) -> Record:
        """Cancel a booking.

        :raises PlannerRefused: it said no. :raises PlannerSilent: no answer at any try.
        """
        citizen = self.world.citizens[cpr]
        self._asked(lambda request: self.planner.cancel(citizen, record, request))
        return self.world.annul(record, "jobnet", names.JOBNET)

    def accept(self, cpr: str, record: str) -> Record:
        """Confirm a summons."""
        citizen = self.world.citizens[cpr]
        self._asked(lambda request: self.planner.accept(citizen, record, request))
        with self.world.lock:
            made = replace(self.world.records[record], accepted=True)
            return self.world.save(made, names.UPDATED, "jobnet")

    def _asked(self, call: Callable[[str], T]) -> T:
        """Call the planner, again when it is silent; what an answer that was lost did is found by the request's id."""
        request = self.world.guid()
        for attempt in range(self.tries):
            try:
                return call(request if self.same_request else f"{request[:36]}-{attempt}")
            except PlannerSilent as silent:
                last = silent
        raise last

    def _one_future(self, cpr: str, kind: int) -> None:
        if kind in names.ONE_FUTURE and any(one.type == kind for one in self.world.coming(cpr)):
            raise Refused(409, 4005, "Borgeren har allerede en fremtidig samtale af denne type.")

    def _record(self, cpr: str, record: str, choice: Choice, reserved: Reserved) -> Record:
        link = "https://video.example.dk/moede" if choice.form == names.DIGITAL else ""
        return Record(
            id=record,
            cpr=cpr,
            type=choice.offer.type,
            form=choice.form,
            start=reserved.start,
            end=reserved.end,
            caseworker=reserved.caseworker,
            place=reserved.place,
            selfbooked=True,
            link=link,
            system=names.JOBNET,
        )
