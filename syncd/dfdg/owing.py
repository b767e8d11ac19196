"""Finds what we owe DFDG: compares a meeting with what DFDG was last known to hold; each is one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncd.booking.texts import reference
from syncd.dfdg.ledger import Ledger, Linked
from syncd.model.dfdg import Record, Said
from syncd.model.jobnet import Origin
from syncd.model.task import TaskKind
from syncd.model.zones import wall_clock
from syncd.store import Tx


def weigh(tx: Tx, ledger: Ledger, record_id: str, now: datetime) -> bool:
    """Compare one record with its meeting; whether a report is owed.

    While the outcome of a report is not known, the next one waits: two on their way could arrive in the wrong order.
    """
    found = ledger.linked(tx, record_id)
    if found is None:
        return False
    ours = ledger.said(tx, found.meeting, found.booking, found.record.known)
    record = replace(found.record, generation=found.meeting.desired_generation)
    if record.request is not None:
        tx.dfdg.note(record)
        return True
    if settled(record.known, ours):
        tx.dfdg.save(replace(record, sent=None, owed_since=None, refused=None), alive=not ours.gone)
        tx.tasks.settle(TaskKind.REPORT_REFUSED, f"record:{record.id}", now)
        return False
    if record.refused is not None and record.sent == ours:
        tx.dfdg.note(record)
        return False
    if lost_mark(found, ours):
        refuse(tx, found, replace(record, sent=ours, owed_since=record.owed_since or now), UNMARKED, now)
        return False
    _about_deadline(tx, found, ours, now)
    owed = replace(record, refused=None, sent=None, attempts=0, owed_since=record.owed_since or now)
    tx.dfdg.save(owed, due=now)
    return True


UNMARKED = (
    "Medarbejderens egen aftale er ikke længere mærket, så mødet kendes ikke mere. Er det aflyst, så aflys det i "
    "fagsystemet."
)


def settled(known: Said | None, ours: Said) -> bool:
    """Whether there is nothing to report: both say the same, or it was over before DFDG heard of it."""
    if known is None:
        return ours.gone
    return known == ours or (known.gone and ours.gone)


def lost_mark(found: Linked, ours: Said) -> bool:
    """Whether a caseworker's own event lost its mark: that is no cancellation, so a person decides."""
    return found.meeting.beside is not None and ours.gone


def refuse(tx: Tx, found: Linked, record: Record, why: str, now: datetime) -> None:
    """Do not go on by ourselves: keep *why* with the record, and what was refused (its `sent`), and ask a person."""
    tx.dfdg.save(replace(record, refused=why, request=None))
    facts = {"reference": reference(found.meeting.id), "when": when(found), "record": found.record.id, "says": why}
    tx.tasks.raise_(TaskKind.REPORT_REFUSED, f"record:{found.record.id}", facts, now)


def when(found: Linked) -> str:
    """The meeting's time on the clocks of its site."""
    return f"{wall_clock(found.meeting.interval.start, found.meeting.zone):%d.%m.%Y %H:%M}"


def _about_deadline(tx: Tx, found: Linked, ours: Said, now: datetime) -> None:
    """Ask staff to move the deadline, where a change of ours would let the citizen miss it."""
    known, record = found.record.known, found.record
    if known is None or known.gone:
        return
    deadline = tx.dfdg.deadline_of(record.citizen, record.about.kind) if record.citizen else None
    latest = record.latest or (deadline.latest if deadline is not None else None)
    late = latest is not None and wall_clock(ours.start, found.meeting.zone).date() > latest
    cancelled = ours.gone and (found.link.origin is Origin.JOBNET or deadline is not None)
    if cancelled or (late and not ours.gone):
        facts = {
            "reference": reference(found.meeting.id),
            "when": when(found),
            "deadline": deadline.id if deadline is not None else "-",
            "latest": latest.isoformat() if latest is not None else "-",
        }
        tx.tasks.raise_(TaskKind.DEADLINE_TO_MOVE, f"meeting:{found.meeting.id}", facts, now)
