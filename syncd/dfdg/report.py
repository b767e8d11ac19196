"""Brings owed reports to DFDG: each with an id of its own, repeated under it until the outcome is known."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from syncd.booking.texts import reference
from syncd.cpr import Cpr, CprKey
from syncd.dfdg.compare import like
from syncd.dfdg.ledger import Ledger, Linked
from syncd.dfdg.owing import refuse, settled, weigh, when
from syncd.errors import CalendarError
from syncd.model.dfdg import Record, Said
from syncd.model.task import TaskKind
from syncd.ports import Caller, DfdgPort, Handed, HandedOver
from syncd.store import Store, Tx

LEASE = timedelta(minutes=2)
"""Longer than any call takes: after a crash another one begins then, with the same id."""
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900))
LATE = timedelta(hours=1)
"""So long a report may be owed before a person hears that DFDG does not answer."""
PORTION = 50
DFDG = "dfdg"
"""What the task about a silent DFDG is about."""
NO_NUMBER = "CPR-nummeret kan ikke åbnes: nøglen er en anden, eller borgeren er slettet her. Ret det i fagsystemet."


@dataclass(frozen=True, slots=True)
class Report:
    """One report on its way. :param create: DFDG has no such record yet."""

    record: str
    said: Said
    request: str
    create: bool
    found: Linked
    cpr: Cpr


class Reporter:
    """Owes and sends reports; safe to be killed at any point and to run in several threads.

    :param key: opens citizens' numbers for the one call that needs them.
    """

    def __init__(self, store: Store, port: DfdgPort, ledger: Ledger, key: CprKey) -> None:
        self._store, self._port, self._ledger, self._key = store, port, ledger, key

    def weigh_changed(self, now: datetime) -> int:
        """Compare every record whose meeting changed; returns how many reports are owed by that.

        :raises StoreError: the database cannot be used; what was found is found again.
        """
        with self._store.read() as tx:
            changed = tx.dfdg.changed(PORTION)
        return sum(self._store.run(partial(weigh, ledger=self._ledger, record_id=one, now=now)) for one in changed)

    def send_due(self, now: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> int:
        """Send what is due, until nothing is or DFDG does not answer; returns how many reports it took."""
        taken = 0
        for _ in range(PORTION):
            if stopping() or not self._waiting(now()):
                break
            report = self._store.run(lambda tx: self._leased(tx, now()))
            if report is None:
                continue
            outcome = self._sent(report)
            self._store.run(partial(self._noted, report=report, outcome=outcome, now=now()))
            taken += outcome.how is Handed.TAKEN
            if outcome.how is Handed.LATER:
                break
        return taken

    def _waiting(self, now: datetime) -> bool:
        with self._store.read() as tx:
            return tx.dfdg.anything_due(now)

    def _leased(self, tx: Tx, now: datetime) -> Report | None:
        """The next report with its content and id, both durable before anything is sent."""
        leased = tx.dfdg.lease(now, now + LEASE)
        found = None if leased is None else self._ledger.linked(tx, leased.id)
        if leased is None:
            return None
        if found is None:
            tx.dfdg.save(leased, alive=False)
            return None
        record = found.record
        said = record.sent if record.request is not None else None
        said = said or self._ledger.said(tx, found.meeting, found.booking, record.known)
        if record.request is None and settled(record.known, said):
            tx.dfdg.save(replace(record, owed_since=None, refused=None), alive=not said.gone)
            return None
        sealed = tx.jobnet.sealed(found.link.citizen)
        cpr = None if sealed is None else self._key.open(sealed[1], found.link.citizen)
        if cpr is None:
            refuse(tx, found, replace(record, sent=said), NO_NUMBER, now)
            return None
        request = record.request or str(uuid.uuid4())
        tx.dfdg.save(replace(record, sent=said, request=request), due=now + LEASE)
        purpose = {"booking": found.booking.id, "meeting": found.meeting.id, "citizen": found.link.citizen}
        tx.audit.add("syncd", "record.reported", purpose="indberetning", detail=request, now=now, **purpose)
        return Report(record.id, said, request, record.known is None, found, cpr)

    def _sent(self, report: Report) -> HandedOver:
        caller, about = Caller("report"), report.found.record.about
        if report.said.gone:
            outcome = self._port.annul(report.record, report.cpr, report.request, caller)
        elif report.create:
            outcome = self._port.create(report.record, report.cpr, report.said, about, report.request, caller)
        else:
            outcome = self._port.update(report.record, report.cpr, report.said, about, report.request, caller)
        if outcome.how is Handed.MISSING:
            return HandedOver(Handed.TAKEN if report.said.gone else Handed.REFUSED, outcome.says, outcome.code)
        return self._looked_up(report, outcome) if outcome.how is Handed.REPEATED else outcome

    def _looked_up(self, report: Report, outcome: HandedOver) -> HandedOver:
        """A repeated id says that the first request was received, not that it was carried out: read what is there."""
        try:
            held = self._port.read(report.record, Caller("verify"))
        except CalendarError:
            return HandedOver(Handed.TAKEN, outcome.says)  # the contract's own reading of 412
        known = report.found.record.known
        untouched = held is None if known is None else held is not None and like(known, held.said) == known
        undone = untouched and not (report.said.gone and (known is None or known.gone))
        return HandedOver(Handed.MISSING if undone else Handed.TAKEN, outcome.says)

    def _noted(self, tx: Tx, report: Report, outcome: HandedOver, now: datetime) -> None:
        found = self._ledger.linked(tx, report.record)
        if found is None or found.record.request != report.request:
            return  # a message settled it meanwhile
        record = found.record
        if outcome.how is Handed.TAKEN:
            self._taken(tx, found, report.said, now)
        elif outcome.how is Handed.REFUSED:
            refuse(tx, found, record, outcome.says, now)
        elif outcome.how is Handed.MISSING:  # received, but never carried out: once more, under a new id
            tx.dfdg.save(replace(record, sent=None, request=None), due=now + _pause(record, outcome))
        else:
            tx.dfdg.save(record, due=now + _pause(record, outcome))
            if record.owed_since is not None and now - record.owed_since >= LATE:
                tx.tasks.raise_(TaskKind.REPORT_LATE, DFDG, {"since": f"{record.owed_since:%d.%m.%Y}"}, now)

    def _taken(self, tx: Tx, found: Linked, said: Said, now: datetime) -> None:
        tx.tasks.settle(TaskKind.REPORT_REFUSED, f"record:{found.record.id}", now)
        tx.tasks.settle(TaskKind.REPORT_LATE, DFDG, now)
        record = replace(found.record, known=said, sent=None, request=None, attempts=0, refused=None, seen=True)
        tx.dfdg.save(replace(record, owed_since=None), alive=not said.gone)
        tx.audit.add("syncd", "record.confirmed", booking=found.booking.id, meeting=found.meeting.id, now=now)
        if not said.gone:
            weigh(tx, self._ledger, record.id, now)

    def retry(self, record: str, actor: str, now: datetime) -> bool:
        """Report again what DFDG refused; False when nothing of that id was refused.

        :raises StoreError: the database cannot be used.
        """

        def work(tx: Tx) -> bool:
            known = tx.dfdg.get(record, lock=True)
            if known is None or known.refused is None:
                return False
            tx.audit.add(actor, "record.retried", detail=known.id, now=now)
            tx.dfdg.save(replace(known, refused=None, sent=None))
            return weigh(tx, self._ledger, known.id, now)

        return self._store.run(work)

    def look_for_unseen(self, now: datetime, patience: timedelta, *, create: bool) -> int:
        """Ask DFDG for records of Jobnet bookings it should have written itself; returns how many it lacks.

        :param patience: since they were made. :param create: report those that are missing; else a task tells.
        """
        with self._store.read() as tx:
            unseen = tx.dfdg.unseen(now - patience, PORTION)
        return sum(self._missing(one, now, create=create) for one in unseen)

    def _missing(self, record_id: str, now: datetime, *, create: bool) -> bool:
        try:
            held = self._port.read(record_id, Caller("verify"))
        except CalendarError:
            return False

        def work(tx: Tx) -> bool:
            found = self._ledger.linked(tx, record_id)
            if found is None or found.record.seen or found.record.known is None:
                return False
            if held is not None:
                tx.dfdg.save(replace(found.record, seen=True))
                return False
            if create:
                tx.dfdg.save(replace(found.record, known=None, seen=True, owed_since=now), due=now)
                return True
            tx.dfdg.save(replace(found.record, seen=True))
            facts = {"reference": reference(found.meeting.id), "when": when(found), "record": record_id}
            tx.tasks.raise_(TaskKind.RECORD_MISSING, f"record:{record_id}", facts, now)
            return True

        return self._store.run(work)


def _pause(record: Record, outcome: HandedOver) -> timedelta:
    pause = PAUSES[min(max(record.attempts, 1), len(PAUSES)) - 1]
    return max(pause, timedelta(seconds=outcome.retry_after or 0))
