"""E2: free times in the contract's form, made once as long as the publisher's answer is the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple

from syncd.model.directory import Caseworker, MailboxId
from syncd.model.offer import Answer, Form, Offer
from syncd.slots.table import SlotTable, Time
from syncd.web.jobnet.mapping import CodesSection
from syncd.web.jobnet.matching import cancellable, codes_of, movable, name_parts
from syncd.web.jobnet.messages import CaseWorkerToBook, Slot, Supervisor, TimesAnswer
from syncd.web.jobnet.shapes import Makes

REMEMBERED = 256


class Asked(NamedTuple):
    """What an answer's bytes differ by, beside the publisher's answer itself."""

    offer: str
    start: datetime
    end: datetime
    caseworker: MailboxId | None
    immediate: bool
    latest: str
    minute: int


class Remembered:
    """The last answers written out, each with the publisher's answer it was made from; thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Asked, tuple[Answer, bytes]] = OrderedDict()
        self._lock = Lock()

    def of(self, asked: Asked, answer: Answer, make: Callable[[], bytes]) -> bytes:
        """The bytes of *answer*, made when they are not known."""
        with self._lock:
            kept = self._kept.get(asked)
        if kept is not None and kept[0] is answer:
            return kept[1]
        made = make()
        with self._lock:
            self._kept[asked] = (answer, made)
            self._kept.move_to_end(asked)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return made


class Writer:
    """Turns times into messages of one generation.

    :param identifiers: what the case system calls a caseworker, by our id.
    :param told: writes a moment as the mapping says.
    """

    def __init__(
        self, shapes: Makes, codes: CodesSection, identifiers: Mapping[str, str], told: Callable[[datetime], datetime]
    ) -> None:
        self._shapes = shapes
        self._codes = codes
        self._identifiers = identifiers
        self._told = told

    def answer(self, offer: Offer, found: Answer, people: Mapping[MailboxId, Caseworker], now: datetime) -> TimesAnswer:
        """The times; each with the forms and the caseworkers that go together."""
        if not isinstance(found.slots, SlotTable):
            raise TypeError("the publisher answers with a SlotTable")
        grouped: dict[tuple[int, tuple[MailboxId, ...]], list[Time]] = {}
        for time in found.slots.times(named=True):
            if time.servers:
                grouped.setdefault((time.start, time.servers), []).append(time)
        used = sorted({name for _, servers in grouped for name in servers})
        numbers = {name: number for number, name in enumerate(used, 1)}
        ids = {servers: [numbers[name] for name in servers] for servers in {servers for _, servers in grouped}}
        codes = {forms: codes_of(self._codes, forms) for forms in {_forms(times) for times in grouped.values()}}
        slots = [
            self._slot(offer, times, codes[_forms(times)], ids[servers], now) for (_, servers), times in grouped.items()
        ]
        shape = self._shapes[CaseWorkerToBook]
        listed = [
            shape(id=number, supervisor=self.supervisor(name, people.get(name))) for name, number in numbers.items()
        ]
        return self._shapes[TimesAnswer](caseworkers=listed or None, slots=slots or None)

    def supervisor(self, id: MailboxId, person: Caseworker | None) -> Supervisor:
        """A caseworker as the citizen sees her; without a name when she is not configured any more."""
        given, middle, surname = name_parts(person.name if person else "")
        identifier = self._identifiers.get(id, id)
        shape = self._shapes[Supervisor]
        return shape(given_name=given, middle_name=middle, surname=surname, identifier=identifier)

    def _slot(self, offer: Offer, times: list[Time], forms: list[int], who: list[int], now: datetime) -> Slot:
        start = datetime.fromtimestamp(times[0].start, UTC)
        group = offer.seats > 1
        return self._shapes[Slot](
            start=self._told(start),
            forms=forms,
            rebooking=movable(offer, start, now)[0],
            cancellation=cancellable(offer, start, now)[0],
            most=offer.seats if group else None,
            seats=times[0].seats if group else None,
            caseworkers=who,
        )


def _forms(times: Sequence[Time]) -> tuple[Form, ...]:
    return tuple(one.form for one in times)
