"""Writes to citizens without Jobnet: receipts and reminders, each at most once, by whichever node takes it first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from syncd.adapters.handing import Away, MaybeSent, NotSent, Refused
from syncd.booking.announce import site_of
from syncd.booking.texts import reference
from syncd.clock import Clock
from syncd.daemon.letterbox import Draft, Letterbox, channels, drafted, silent_clients
from syncd.daemon.parts import Parts
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.contact import Contact
from syncd.model.directory import Directory
from syncd.model.message import Channel, Concerned, Kind, Message, Progress, Said
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.model.zones import wall_clock
from syncd.notify.owing import FRESH, Quiet, Stands, due, outdated, owed
from syncd.observe import metrics
from syncd.observe.logs import log
from syncd.store import Tx
from syncd.store.chunks import chunks
from syncd.store.citizen_messages import CitizenMessages, Outcome

SECONDS = 20.0
PORTION = 200
"""Most messages of one round."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 20, 60, 180, 360, 720))
"""Between tries; after the last one it is given up."""
LAST_CALL = timedelta(hours=1)
"""So long before the meeting at the latest staff are asked to call, if messages do not get through."""
WHAT = {
    Kind.BOOKED: ("mødet er booket", "it is booked"),
    Kind.MOVED: ("mødet har fået en ny tid eller et nyt sted", "it has a new time or place"),
    Kind.CANCELLED: ("mødet er aflyst", "it is cancelled"),
    Kind.REMINDER: ("mødet er nær (påmindelse)", "it is near (reminder)"),
}


def send_messages(
    parts: Parts, clock: Clock, beat: Callable[[], None] = lambda: None, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Owe what citizens should be told, and send what is due; nothing while it is switched off."""
    if not (ways := set(channels(parts.config))):
        return
    owe(parts, clock.now())
    if lost := parts.store.run(lambda tx: _broken_off(tx, clock.now())):
        log.warning("messages.unknown", count=lost)
    letterbox = Letterbox(parts.config)
    for _ in range(PORTION):
        if stopping() or not ways:
            break
        taken = parts.store.run(partial(_taken, parts, ways=ways, now=clock.now()))
        if taken is None:
            break
        if isinstance(taken, Draft) and not _send(parts, letterbox, taken, clock):
            ways.discard(taken.message.channel)  # its server is away: the others would only wait for it, too
        beat()


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to change in the list of a booking's messages. :param kind: None when nothing new is owed."""

    about: Concerned
    stands: Stands
    told: Sequence[Message]
    kind: Kind | None
    withdrawn: Sequence[Message]


def owe(parts: Parts, now: datetime) -> None:
    """Note what each citizen should be told by now, and take back what is not so any more."""
    with parts.store.read() as tx:
        messages = CitizenMessages(tx.session)
        concerned, told = messages.concerned(now, silent_clients(parts.config)), messages.told(now)
    found = [one for about in concerned if (one := _compared(parts, about, told.get(about.booking, ()), now))]
    for some in chunks(found):
        parts.store.run(partial(_note, parts, some=some, now=now))


def _compared(parts: Parts, about: Concerned, told: Sequence[Message], now: datetime) -> Owed | None:
    ahead = timedelta(hours=parts.config.messages.reminder_hours)
    stands = Stands(about.cancelled, about.created, said_of(about, parts.directory))
    kind = owed(stands, told, ahead, quiet_of(parts, about.zone), now)
    old = outdated(kind, stands, told)
    waits = any(one.progress is Progress.WAITING and one not in old for one in told)
    return Owed(about, stands, told, None if waits else kind, old) if old or (kind and not waits) else None


def said_of(about: Concerned, directory: Directory) -> Said:
    """What there is to say of a booking's meeting."""
    site = site_of(directory, about.caseworker, about.room) if about.form is Form.IN_PERSON else None
    return Said(about.start, about.form, site.id if site else "")


def quiet_of(parts: Parts, zone: str) -> Quiet:
    """When nobody is to be woken there."""
    section = parts.config.messages
    return Quiet(section.quiet_from, section.quiet_to, zone)


def _note(parts: Parts, tx: Tx, some: Iterable[Owed], now: datetime) -> None:
    messages = CitizenMessages(tx.session)
    for one in some:
        for message in one.withdrawn:
            messages.withdraw(message, now)
        if one.kind is not None:
            _owe(parts, tx, one, one.kind, now)


def _owe(parts: Parts, tx: Tx, one: Owed, kind: Kind, now: datetime) -> None:
    messages, about = CitizenMessages(tx.session), one.about
    channel = channel_of(channels(parts.config), parts.contacts.of(tx, about.booking) or Contact(), kind)
    late = kind is Kind.BOOKED and about.created < now - FRESH
    progress = Progress.SKIPPED if late or channel is None else Progress.WAITING
    number = max((before.number for before in one.told), default=0) + 1
    message = Message(about.booking, number, kind, channel or Channel.MAIL, one.stands.said, progress, now)
    wakes = channel is Channel.SMS or kind is Kind.REMINDER
    known = [before for before in one.told if before not in one.withdrawn]
    when = due(kind, message.said, known, quiet_of(parts, about.zone), now) if wakes else now
    messages.owe(message, when)


def channel_of(ways: frozenset[Channel], contact: Contact, kind: Kind) -> Channel | None:
    """Receipts by mail and reminders by text message, or else the other way; None when there is neither."""
    there = {Channel.MAIL: contact.mail, Channel.SMS: contact.phone}
    order = (Channel.SMS, Channel.MAIL) if kind is Kind.REMINDER else (Channel.MAIL, Channel.SMS)
    return next((way for way in order if way in ways and there[way]), None)


def _broken_off(tx: Tx, now: datetime) -> int:
    lost = CitizenMessages(tx.session).give_up(now)
    for message in lost:
        _ask_staff(tx, message, now)
    return len(lost)


def _taken(parts: Parts, tx: Tx, ways: Collection[Channel], now: datetime) -> Draft | Message | None:
    """The next message that is due and still true; a `Message` when it is not to be sent, None when none is due."""
    messages = CitizenMessages(tx.session)
    if (message := messages.take(now, ways)) is None:
        return None
    seat, contact = messages.seat(message.booking), parts.contacts.of(tx, message.booking)
    if seat is None or contact is None or not _true(parts, message, *seat, now=now):
        messages.stand(message, Outcome(Progress.WITHDRAWN), now)
        return message
    booking, meeting = seat
    if booking.client in silent_clients(parts.config) or messages.silent(booking.client, booking.citizen or ""):
        messages.stand(message, Outcome(Progress.SKIPPED), now)
        return message
    return drafted(parts, tx, message, booking, meeting, contact, now)


def _true(parts: Parts, message: Message, booking: Booking, meeting: Meeting, now: datetime) -> bool:
    """Whether it still says how things are; nothing is said of what has begun."""
    gone = booking.state is BookingState.CANCELLED
    if meeting.interval.start <= now or gone is not (message.kind is Kind.CANCELLED):
        return False
    where = (meeting.interval.start, meeting.form, meeting.zone, meeting.caseworker, meeting.room)
    return gone or message.said == said_of(Concerned(booking.id, gone, booking.created, *where), parts.directory)


def _send(parts: Parts, letterbox: Letterbox, draft: Draft, clock: Clock) -> bool:
    """Hand it over, and note how it came out, in that order; False when its server takes nothing from anybody now."""
    message, there = draft.message, True
    try:
        letterbox.hand_over(draft, clock.now())
        outcome = Outcome(Progress.SENT)
    except Refused as error:
        outcome = Outcome(Progress.FAILED, error.reason)
    except NotSent as error:
        outcome, there = _later(message, error.reason, clock.now()), not isinstance(error, Away)
    except MaybeSent as error:
        outcome = Outcome(Progress.UNKNOWN, error.reason)
    parts.store.run(partial(_noted, draft=draft, outcome=outcome, now=clock.now()))
    told = {"kind": message.kind.value, "channel": message.channel.value}
    metrics.MESSAGES.labels(**told, outcome=outcome.progress.value).inc()
    if outcome.progress is Progress.SENT:
        log.info("messages.sent", **told)
    else:
        log.warning("messages.not_sent", **told, outcome=outcome.progress.value, reason=outcome.problem)
    return there


def _later(message: Message, reason: str, now: datetime) -> Outcome:
    """Try again after a pause, while staff would still have the time to call."""
    pause = PAUSES[message.attempts - 1] if message.attempts <= len(PAUSES) else None
    if pause is None or now + pause > message.said.start - LAST_CALL:
        return Outcome(Progress.FAILED, reason)
    return Outcome(Progress.WAITING, reason, now + pause)


def _noted(tx: Tx, draft: Draft, outcome: Outcome, now: datetime) -> None:
    message, booking = draft.message, draft.found.booking
    CitizenMessages(tx.session).stand(message, outcome, now)
    if outcome.progress is Progress.WAITING:
        return
    about = {"booking": booking.id, "meeting": booking.meeting, "citizen": booking.citizen}
    tx.audit.add("syncd", f"message.{outcome.progress.value}", now=now, detail=_named(message), **about)
    if outcome.progress is Progress.SENT:
        tx.tasks.settle(TaskKind.CITIZEN_NOT_TOLD, f"booking:{booking.id}", now)
    else:
        _ask_staff(tx, message, now)


def _named(message: Message) -> str:
    return f"{message.kind.value} {message.channel.value}"


def _ask_staff(tx: Tx, message: Message, now: datetime) -> None:
    """Somebody should call the citizen; a task that tells when and what, never who."""
    seat = CitizenMessages(tx.session).seat(message.booking)
    if seat is None:
        return
    when = wall_clock(message.said.start, seat[1].zone)
    what, what_en = WHAT[message.kind]
    facts = {"when": f"{when:%d.%m.%Y %H:%M}", "reference": reference(seat[1].id), "what": what, "what_en": what_en}
    tx.tasks.raise_(TaskKind.CITIZEN_NOT_TOLD, f"booking:{message.booking}", facts, now)
