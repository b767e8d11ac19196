"""What teams in shadow would have done, beside the planner that serves them still; reads only, writes nothing.

The other planner's bookings cannot be told from other meetings by name. What is looked at is every single, dated, busy
entry as long as a form of an offer that its caseworker serves: those syncd would have booked too, those it would
have refused (and why), and whatever overlaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from syncd.model.busy import Occurrence
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Rulebook
from syncd.model.policy import DEFAULT_POLICY, Mode
from syncd.model.verdict import Reason
from syncd.model.zones import zulu
from syncd.publish.publisher import Publisher
from syncd.slots.blocking import Event, blocks
from syncd.store import Store
from syncd.store.instants import epoch

TAKEN = frozenset({Reason.EVENT, Reason.BOOKED, Reason.HELD, Reason.OFFERED, Reason.NOTICE, Reason.PAST})
"""Verdicts that do not speak against the time itself: it is taken, by the entry that is asked about, or too near."""


@dataclass(frozen=True, slots=True)
class Met:
    """An entry of the other planner's length. :param says: why syncd would have refused it; None when it would not."""

    caseworker: MailboxId
    offer: str
    interval: Interval
    says: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Collision:
    """Two entries that take one person's or one room's time at once."""

    mailbox: MailboxId
    interval: Interval


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """What would have been offered, booked and refused in *window*, and every double booking seen.

    :param people: caseworkers in shadow.
    :param offered: how many times would be on offer, by offer.
    :param unread: caseworkers whose calendar cannot be trusted, each with a reason: nothing is said of them.
    """

    window: Interval
    people: tuple[MailboxId, ...]
    offered: Mapping[str, int]
    unread: Mapping[MailboxId, str]
    met: tuple[Met, ...]
    collisions: tuple[Collision, ...]

    @property
    def booked(self) -> list[Met]:
        """Entries that syncd would have booked too."""
        return [one for one in self.met if one.says is None]

    @property
    def refused(self) -> list[Met]:
        """Entries that syncd would have refused."""
        return [one for one in self.met if one.says is not None]


def report(store: Store, publisher: Publisher, directory: Directory, window: Interval, now: datetime) -> ShadowReport:
    """Look at the teams in shadow; *window* should begin now or later."""
    with store.read() as tx:
        book = publisher.rules.within(tx)
        people = [one for one in sorted(directory.caseworkers) if book.policy(one).mode is Mode.SHADOW]
        events = tx.mailboxes.occurrences([*people, *directory.rooms], window)
    offers = [offer for offer in book.offers.values() if set(people) & set(offer.caseworkers)]
    offered: dict[str, int] = {}
    unread: dict[MailboxId, str] = {}
    for offer in offers:
        answer = publisher.answer(offer.name, window, now, shadow=True)
        starts = {(slot.interval.start, slot.form) for slot in answer.slots if slot.caseworker in people}
        offered[offer.name] = len(starts)
        unread |= {one: reason for one, reason in answer.closed.items() if one in people}
    met = [
        one for person in people if person not in unread for one in _met(publisher, offers, person, events[person], now)
    ]
    shared = [one for mailbox in (*people, *directory.rooms) for one in _collisions(book, mailbox, events[mailbox])]
    return ShadowReport(window, tuple(people), offered, unread, tuple(met), tuple(shared))


def _met(
    publisher: Publisher, offers: Sequence[Offer], person: MailboxId, events: Iterable[Occurrence], now: datetime
) -> Iterator[Met]:
    serving = [offer for offer in offers if person in offer.caseworkers]
    for event in events:
        if event.all_day or event.recurring or event.stamp is not None or event.interval.start < now:
            continue
        fitting = [(offer, form) for offer in serving for form in _forms(offer, event.interval)]
        verdicts = [
            publisher.why(offer.name, person, event.interval.start, now, form, shadow=True) for offer, form in fitting
        ]
        if verdicts:
            kind = next((one for one in verdicts if one.reason in TAKEN), None)
            best = kind or verdicts[0]
            yield Met(person, best.offer, event.interval, None if kind else best.says)


def _forms(offer: Offer, interval: Interval) -> list[Form]:
    length = interval.duration.total_seconds() / 60
    return [form for form, minutes in offer.minutes.items() if minutes == length]


def _collisions(book: Rulebook, mailbox: MailboxId, events: Sequence[Occurrence]) -> Iterator[Collision]:
    """Neighbours, by start, of which the second begins before the first ends."""
    policy = book.policies.get(mailbox, DEFAULT_POLICY)
    blocking = [one for one in events if not one.all_day and blocks(_event(one), policy, Form.IN_PERSON)]
    latest: Occurrence | None = None
    for before, after in pairwise(sorted(blocking, key=lambda one: one.interval)):
        latest = before if latest is None or before.interval.end > latest.interval.end else latest
        if after.interval.start < latest.interval.end:
            yield Collision(mailbox, Interval(after.interval.start, min(after.interval.end, latest.interval.end)))


def _event(one: Occurrence) -> Event:
    at = one.interval
    return Event(epoch(at.start), epoch(at.end), one.busy, one.all_day, one.recurring, tuple(one.categories))


def told(found: ShadowReport) -> dict[str, object]:
    """The report as JSON."""
    return {
        "from": zulu(found.window.start),
        "to": zulu(found.window.end),
        "caseworkers": list(found.people),
        "offered": dict(found.offered),
        "unread": dict(found.unread),
        "booked": [_row(one) for one in found.booked],
        "refused": [_row(one) | {"says": dict(one.says or {})} for one in found.refused],
        "double_bookings": [{"mailbox": one.mailbox, **_when(one.interval)} for one in found.collisions],
    }


def _row(one: Met) -> dict[str, object]:
    return {"caseworker": one.caseworker, "offer": one.offer, **_when(one.interval)}


def _when(interval: Interval) -> dict[str, str]:
    return {"start": zulu(interval.start), "end": zulu(interval.end)}
