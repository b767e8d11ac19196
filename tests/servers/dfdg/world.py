"""DFDG's own books: citizens, their deadlines and summonses, the messages about both, and the rules it keeps."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.servers.dfdg import names

OPEN, MET, CLOSED = "aaben", "opfyldt", "administrativt lukket"
KEPT = timedelta(days=7)
"""A IND2: how long ids of requests are known."""


class Refused(Exception):
    """A rule of DFDG's forbids it. :param code: the number of the error."""

    def __init__(self, status: int, code: int, text: str) -> None:
        self.status, self.code = status, code
        super().__init__(text)


@dataclass(frozen=True)
class Citizen:
    """Somebody in contact with a jobcentre.

    :param group: kontaktgruppe. :param category: klientkategori. :param markings: persongrupper, as GUIDs.
    :param absence: of the types that touch self-booking: 56 exempted, 57 deprived, 75 with the a-kasse (B FRI).
    """

    cpr: str
    group: int = 1
    jobcentre: str = "10101"
    category: int | None = None
    markings: tuple[str, ...] = ()
    absence: int | None = None

    @property
    def may_book(self) -> bool:
        """Whether the citizen may book (KanSelvbooke, B JK)."""
        return self.absence is None


@dataclass(frozen=True)
class Record:
    """An Indkaldelse: a summons or a self-booked talk.

    :param system: who registered it last (`names.JOBNET`, `PLANNER`, `CASE_SYSTEM`).
    :param selfbooked: True for what a citizen booked herself.
    """

    id: str
    cpr: str
    type: int
    form: int
    start: datetime
    end: datetime
    caseworker: str
    place: str = ""
    selfbooked: bool = False
    link: str = ""
    status: str = names.ACTIVE
    system: int = names.CASE_SYSTEM
    accepted: bool = False

    @property
    def active(self) -> bool:
        """Whether it is still to be held."""
        return self.status == names.ACTIVE


@dataclass(frozen=True)
class Deadline:
    """A Frist for booking a talk oneself. :param latest: SidsteAfholdelsesdato. :param immediate: straksbooking."""

    id: str
    cpr: str
    type: int
    until: date
    latest: date
    immediate: bool = False
    status: str = OPEN


@dataclass(frozen=True)
class Message:
    """A WSB message, as it is queued."""

    id: str
    entity: int
    change: int
    about: str
    cpr: str
    at: datetime


@dataclass
class World:
    """Everything DFDG knows; used under `lock`.

    :param clock: what time it is (UTC). :param dice: makes ids, so that a seed makes the same world.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    seed: int = 0
    citizens: dict[str, Citizen] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    queue: list[Message] = field(default_factory=list)
    receipts: list[tuple[str, str]] = field(default_factory=list)
    """Mails to citizens: about which record, and why (A IND24)."""
    history: list[tuple[str, str, Record]] = field(default_factory=list)
    requests: dict[str, datetime] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._records_by: dict[str, dict[str, None]] = {}
        self._deadlines_by: dict[str, dict[str, None]] = {}
        """Ids by the citizen's number; one who got another number keeps her ids under both."""

    def guid(self) -> str:
        """A new id."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def citizen(self, cpr: str, **facts: Any) -> Citizen:
        """A new citizen."""
        with self.lock:
            made = self.citizens[cpr] = Citizen(cpr, **facts)
            return made

    def repeated(self, request: str) -> bool:
        """Whether this id of a request came within seven days; from now on it did (A IND2)."""
        now = self.clock()
        known = self.requests.get(request)
        self.requests[request] = now
        return known is not None and now - known < KEPT

    def save(self, record: Record, change: int, why: str) -> Record:
        """Create, update or annul a record, after DFDG's rules, and tell everybody.

        :param why: ``jobnet``, ``planner`` or ``kss``.
        :raises Refused: a rule forbids it; nothing was changed.
        """
        with self.lock:
            before = self.records.get(record.id)
            self._judge(record, before, change)
            if before == record:
                return record
            self.records[record.id] = record
            self._records_by.setdefault(record.cpr, {})[record.id] = None
            self.history.append((why, str(change), record))
            if change == names.UPDATED or why == "jobnet":
                self.receipts.append((record.id, why))
            self.tell(names.SUMMONS, change, record.id, record.cpr)
            self.settle(record.cpr)
            return record

    def annul(self, record: str, why: str, system: int) -> Record:
        """Annul a record; twice is no error.

        :raises Refused: there is none of that id.
        """
        with self.lock:
            known = self.records.get(record)
            if known is None:
                raise Refused(404, 4001, "Ukendt indkaldelse.")
            if not known.active:
                return known
            return self.save(replace(known, status=names.GONE, system=system), names.ANNULLED, why)

    def deadline(self, cpr: str, kind: int, until: date, latest: date, *, immediate: bool = False) -> Deadline:
        """The case system sets a deadline, or a new date of the one that is open."""
        with self.lock:
            known = next((one for one in self.open_deadlines(cpr) if one.type == kind), None)
            made = Deadline(known.id if known else self.guid(), cpr, kind, until, latest, immediate)
            self.deadlines[made.id] = made
            self._deadlines_by.setdefault(cpr, {})[made.id] = None
            self.tell(names.DEADLINE, names.UPDATED if known else names.CREATED, made.id, cpr)
            self.settle(cpr)
            return self.deadlines[made.id]

    def open_deadlines(self, cpr: str) -> list[Deadline]:
        """The citizen's deadlines that are still to be met."""
        return [one for one in self._deadlines_of(cpr) if one.status == OPEN]

    def settle(self, cpr: str) -> None:
        """A deadline is met by a fitting booking, open again without one, closed for those who may not book (B FRI)."""
        for one in [one for one in self._deadlines_of(cpr) if one.status != CLOSED]:
            fits = any(record.type == one.type for record in self.coming(cpr))
            barred = cpr in self.citizens and not self.citizens[cpr].may_book
            status = CLOSED if barred else MET if fits else OPEN
            if status != one.status:
                self.deadlines[one.id] = replace(one, status=status)
                self.tell(names.DEADLINE, names.UPDATED, one.id, cpr)

    def coming(self, cpr: str) -> list[Record]:
        """The citizen's talks that are still to come, the earliest first."""
        now = self.clock()
        mine = (self.records[one] for one in self._records_by.get(cpr, ()) if one in self.records)
        coming = (one for one in mine if one.cpr == cpr and one.active and one.end > now)
        return sorted(coming, key=lambda one: one.start)

    def _deadlines_of(self, cpr: str) -> list[Deadline]:
        mine = (self.deadlines[one] for one in self._deadlines_by.get(cpr, ()) if one in self.deadlines)
        return [one for one in mine if one.cpr == cpr]

    def absent(self, cpr: str, kind: int) -> None:
        """Register an absence that closes self-booking (B FRI: 56, 57, 75)."""
        with self.lock:
            self.citizens[cpr] = replace(self.citizens[cpr], absence=kind)
            self.settle(cpr)

    def change_cpr(self, old: str, new: str) -> None:
        """The citizen has another number: data move from the old to the current one (B FRI)."""
        with self.lock:
            self.citizens[new] = replace(self.citizens.pop(old), cpr=new)
            for record in [one for one in self.records.values() if one.cpr == old]:
                self.records[record.id] = replace(record, cpr=new)
                self._records_by.setdefault(new, {})[record.id] = None
                self.tell(names.SUMMONS, names.UPDATED, record.id, new)
            for deadline in [one for one in self.deadlines.values() if one.cpr == old]:
                self.deadlines[deadline.id] = replace(deadline, cpr=new)
                self._deadlines_by.setdefault(new, {})[deadline.id] = None
                self.tell(names.DEADLINE, names.UPDATED, deadline.id, new)

    def tell(self, entity: int, change: int, about: str, cpr: str) -> None:
        """Queue a message to the subscriber."""
        self.queue.append(Message(self.guid(), entity, change, about, cpr, self.clock()))

    def books(self) -> Iterator[dict[str, Any]]:
        """Every active record, as plain values, for whoever compares books."""
        for record in sorted(self.records.values(), key=lambda one: one.id):
            if record.active:
                yield asdict(record)

    def _judge(self, record: Record, before: Record | None, change: int) -> None:
        if record.cpr not in self.citizens:
            raise Refused(404, 1010, "Ukendt CPR-nummer.")
        if change == names.CREATED and before is not None:
            raise Refused(409, 4002, "Indkaldelsen findes allerede.")
        if change != names.CREATED and before is None:
            raise Refused(404, 4001, "Ukendt indkaldelse.")
        if before is not None and before.cpr != record.cpr:
            raise Refused(409, 8107, "Indkaldelsen hører ikke til dette CPR-nummer.")
        if change == names.ANNULLED:
            return
        if before is not None and not before.active:
            raise Refused(409, 4003, "Indkaldelsen er annulleret.")
        if record.end <= record.start:
            raise Refused(400, 1014, "Meddelelsen kunne ikke valideres: slut før start.")
        if record.form == names.DIGITAL and not record.link:
            raise Refused(400, 1014, "Meddelelsen kunne ikke valideres: digitaltMoedelink mangler.")
        if record.type == names.CV_TALK and record.start.year >= 2024:
            raise Refused(409, 4004, "CV-samtale kan ikke oprettes eller ændres.")
        if record.type in names.ONE_FUTURE and record.start > self.clock():
            others = [one for one in self.coming(record.cpr) if one.type == record.type and one.id != record.id]
            if others:
                raise Refused(409, 4005, "Borgeren har allerede en fremtidig samtale af denne type.")
