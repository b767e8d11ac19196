"""What DFDG's record says, made true here; each function is one transaction's work.

Lock order as in `syncd.booking.desk`: people, site-day, then rows of bookings and meetings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from syncd.booking.away import given
from syncd.booking.desire import booked, cancelled, desire, unsettle
from syncd.booking.desk import new_id
from syncd.booking.follow import Ground, placed
from syncd.booking.rooms import needs_room
from syncd.booking.seats import leave, others
from syncd.booking.take import lock_site_days
from syncd.booking.texts import reference, shift
from syncd.config.jobnet import CLIENT
from syncd.dfdg.compare import Followed, compare
from syncd.dfdg.ledger import Ledger, Linked
from syncd.dfdg.owing import refuse, weigh, when
from syncd.model.booking import Booking, BookingState, Meeting, RoomState, advance
from syncd.model.dfdg import Said
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.jobnet import Link, Origin
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.ports import Read
from syncd.store import Tx

ACTOR = "dfdg"
BOOKED = (BookingState.PENDING, BookingState.CONFIRMED)
OWN_EVENT = (
    "Fagsystemet har ændret mødet, men det er medarbejderens egen aftale i kalenderen: flyt eller slet aftalen i "
    "kalenderen, eller ret fagsystemet."
)
OTHERS_STAY = "Fagsystemet har flyttet én borgers møde, men andre har plads i samme møde. Flyt borgeren i fagsystemet."


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a record, and whose it is.

    :param read: None when DFDG has no such record. :param citizen: reference; empty when nobody told.
    """

    id: str
    read: Read | None
    citizen: str = ""


def follow(tx: Tx, ledger: Ledger, seen: Seen, ground: Ground) -> str:
    """Do what follows from a look at one record; returns in one word what was done."""
    _lock(tx, ledger, seen, ground)
    found = ledger.linked(tx, seen.id)
    if found is None:
        return _unknown(tx, ledger, seen, ground)
    if seen.citizen and found.link.citizen and seen.citizen != found.link.citizen:
        _renumber(tx, found.link.citizen, seen.citizen, ground.now)
        tx.audit.add(ACTOR, "citizen.renumbered", booking=found.booking.id, citizen=seen.citizen, now=ground.now)
        found = ledger.linked(tx, seen.id)
    if found is None:
        return "unknown"
    theirs = seen.read.said if seen.read is not None else _annulled(found)
    if theirs is None:
        return "not yet there"
    return _compared(tx, ledger, found, theirs, ground)


def _renumber(tx: Tx, old: str, new: str, now: datetime) -> None:
    """The citizen has another number: everything of hers moves to the new reference (FRI)."""
    sealed = tx.jobnet.sealed(new)
    if sealed is not None:
        tx.jobnet.rename(old, new, sealed, now)


def _compared(tx: Tx, ledger: Ledger, found: Linked, theirs: Said, ground: Ground) -> str:
    record, meeting = found.record, found.meeting
    ours = ledger.said(tx, meeting, found.booking, record.known)
    sent = record.sent if record.request is not None else None
    verdict = compare(record.known, sent, ours, theirs)
    arrived = sent is not None and verdict.known == sent
    record = replace(record, known=verdict.known, seen=True, generation=meeting.desired_generation)
    if arrived:
        record = replace(record, sent=None, request=None)
    if not isinstance(verdict, Followed):
        tx.dfdg.note(record)
        weigh(tx, ledger, record.id, ground.now)
        return "agreed" if verdict.known == ours else "owed"
    tx.dfdg.save(replace(record, sent=None, request=None))
    done = _carried_out(tx, ledger, replace(found, record=record), verdict.merged, ground)
    if done and verdict.clash:
        facts = {"reference": reference(meeting.id), "when": when(found)}
        tx.tasks.raise_(TaskKind.RECORD_CLASH, f"record:{record.id}", facts, ground.now)
    if done:
        weigh(tx, ledger, record.id, ground.now)
    return "followed" if done else "asked"


def _carried_out(tx: Tx, ledger: Ledger, found: Linked, wanted: Said, ground: Ground) -> bool:
    """Move, give away or cancel the meeting; False when only a person can."""
    meeting, booking = found.meeting, found.booking
    caseworker = ledger.words.inside(wanted.caseworker)
    elsewhere = caseworker not in ground.directory.caseworkers
    changed = (wanted.start, wanted.end, caseworker) != (*_times(meeting), meeting.caseworker)
    if meeting.beside is not None and (wanted.gone or changed):
        _refuse(tx, ledger, found, OWN_EVENT, ground.now)
        return False
    if wanted.gone or elsewhere:
        _cancel(tx, found, ground, "annulled" if wanted.gone else "given to somebody else")
        if elsewhere and not wanted.gone:  # it goes on without us; should it come back, it is taken over anew
            tx.jobnet.unlink(found.record.id)
            tx.dfdg.save(found.record, alive=False)
        return True
    if changed and others(tx, meeting, booking):
        _refuse(tx, ledger, found, OTHERS_STAY, ground.now)
        return False
    form = ledger.words.form(wanted.form) or meeting.form
    if changed or form is not meeting.form:
        _move(tx, meeting, Interval(wanted.start, wanted.end), caseworker, form, ground)
    return True


def _refuse(tx: Tx, ledger: Ledger, found: Linked, why: str, now: datetime) -> None:
    """Leave both sides as they are until a person has decided."""
    ours = ledger.said(tx, found.meeting, found.booking, found.record.known)
    refuse(tx, found, replace(found.record, sent=ours, owed_since=now), why, now)


def _move(tx: Tx, meeting: Meeting, interval: Interval, caseworker: MailboxId, form: Form, ground: Ground) -> None:
    target = replace(given(meeting, caseworker), interval=interval, form=form)
    if not needs_room(ground.directory, ground.rulebook, target) or _another_site(meeting, caseworker, ground):
        target = replace(target, room=None, room_state=RoomState.NONE)
    moved = desire(tx, placed(tx, target, ground), ground.now)
    unsettle(tx, moved, ground.now)
    if meeting.interval != interval:
        what, told = "meeting.moved", shift(meeting, moved)
    else:
        what, told = "meeting.handed-over", f"{meeting.caseworker} > {caseworker}"
    tx.audit.add(ACTOR, what, meeting=meeting.id, detail=told, now=ground.now)
    tx.settings.bump()


def _another_site(meeting: Meeting, caseworker: MailboxId, ground: Ground) -> bool:
    people = ground.directory.caseworkers
    return meeting.caseworker not in people or people[meeting.caseworker].site != people[caseworker].site


def _cancel(tx: Tx, found: Linked, ground: Ground, why: str) -> None:
    meeting, booking = found.meeting, found.booking
    if booking.state in BOOKED:
        ended = advance(booking, BookingState.CANCELLED)
        if others(tx, meeting, booking):
            leave(tx, meeting, booking, ground.now)
        else:
            cancelled(tx, meeting, ground.now)
        tx.bookings.save(ended, ground.now)
        about = {"booking": booking.id, "meeting": meeting.id, "citizen": booking.citizen}
        tx.audit.add(ACTOR, "booking.cancelled", detail=why, now=ground.now, **about)
    tx.settings.bump()


def _unknown(tx: Tx, ledger: Ledger, seen: Seen, ground: Ground) -> str:
    """A record that is about no booking of ours: a summons made elsewhere becomes a meeting here."""
    if seen.read is None:
        return "unknown"
    said, about = seen.read.said, seen.read.about
    caseworker = ledger.words.inside(said.caseworker)
    origin = Origin.JOBNET if about.self_booked else Origin.SUMMONS
    ours = caseworker in ground.directory.caseworkers and said.end > ground.now and not said.gone
    link = Link(seen.id, "", CLIENT, seen.citizen, origin, about.self_booked, ground.now)
    known = tx.dfdg.get(seen.id, lock=True)
    record = known or ledger.begun(tx, link, "", ground.now, about=about, known=said)
    record = replace(record, known=said, seen=True)
    if not ours:
        tx.dfdg.save(record, alive=False)
        return "counted"
    meeting, booking = _taken_over(tx, ledger, seen, said, caseworker, about.kind, ground)
    tx.jobnet.link(replace(link, booking=booking.id))
    tx.dfdg.save(replace(record, generation=meeting.desired_generation))
    return "taken over"


def _taken_over(
    tx: Tx, ledger: Ledger, seen: Seen, said: Said, caseworker: MailboxId, kind: int, ground: Ground
) -> tuple[Meeting, Booking]:
    """The meeting, which takes the caseworker's time whatever lies there: the case system's time stands."""
    name = new_id()
    offer = next(iter(ledger.words.offers.get(kind, ())), "")
    meeting = Meeting(
        id=name,
        uid=f"{name}@syncd",
        offer=offer,
        form=ledger.words.form(said.form) or Form.IN_PERSON,
        caseworker=caseworker,
        room=None,
        room_state=RoomState.NONE,
        interval=Interval(said.start, said.end),
        zone=ground.directory.sites[ground.directory.caseworkers[caseworker].site].zone,
        before=0,
        after=0,
        wanted=False,
        desired_generation=0,
        applied_generation=0,
    )
    tx.meetings.add(meeting, ground.now)
    wanted = booked(tx, placed(tx, meeting, ground), ground.now)
    booking = Booking(new_id(), name, CLIENT, BookingState.PENDING, ground.now, seen.citizen or None)
    tx.bookings.add(booking)
    about = {"booking": booking.id, "meeting": name, "citizen": booking.citizen}
    tx.audit.add(ACTOR, "summons.taken-over", purpose="indkaldelse", now=ground.now, **about)
    tx.settings.bump()
    return wanted, booking


def _annulled(found: Linked) -> Said | None:
    """What a record says that is gone altogether; None when DFDG never had it."""
    known = found.record.known
    return None if known is None or not found.record.seen else replace(known, gone=True)


def _times(meeting: Meeting) -> tuple[datetime, datetime]:
    return meeting.interval.start, meeting.interval.end


def _lock(tx: Tx, ledger: Ledger, seen: Seen, ground: Ground) -> None:
    """Everybody's time that may be concerned, in the one order, before anything is decided."""
    people: set[MailboxId] = set()
    spans: list[Interval] = []
    link = tx.jobnet.linked(seen.id)
    meeting_id = tx.bookings.meeting_of(link.booking) if link is not None else None
    meeting = tx.meetings.get(meeting_id) if meeting_id is not None else None
    if meeting is not None:
        people |= set(meeting.people)
        spans.append(meeting.interval)
    if seen.read is not None:
        people.add(ledger.words.inside(seen.read.said.caseworker))
        spans.append(Interval(seen.read.said.start, seen.read.said.end))
    known = {one for one in people if one in ground.directory.caseworkers}
    tx.mailboxes.lock(*sorted(known))
    lock_site_days(tx, ground.directory, known, spans)
    if meeting is not None:
        tx.meetings.get(meeting.id, lock=True)
