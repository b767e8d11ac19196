"""Keeps the record of what was on offer, and says which offers have other times now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import monotonic

from syncd.model.event import EventKind
from syncd.model.evidence import DAY, Page, Since, Standing, packed, unpacked
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Offer, Rulebook
from syncd.publish.publisher import Publisher
from syncd.slots.bounds import earliest
from syncd.slots.table import SlotTable
from syncd.store import Store, Tx
from syncd.store.instants import epoch

CONFIRM = timedelta(minutes=1)
"""How often it is confirmed that the record is as things are, when nothing changed."""

SHARE = 20
"""A recording is followed by a rest of so many times its length: keeping evidence takes 5 % of a processor at most."""


class Recorder:
    """Compares what is on offer with what was recorded last. Used by one thread at a time."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._generation: int | None = None
        self._again = datetime.min.replace(tzinfo=UTC)
        self._confirmed = self._again
        self._rest = 0.0

    def record(self, now: datetime) -> Mapping[str, list[date]]:
        """Record what changed since the last call; returns the UTC days with other times, by offer.

        Cheap when nothing can have changed. What time alone takes away (the notice) is not recorded: it follows.

        :raises StoreError: nothing was recorded; the next call does it.
        """
        with self._store.read() as tx:
            generation = tx.settings.generation()
            rulebook = self._publisher.rules.within(tx)
        if generation == self._generation and now < self._again:
            if now - self._confirmed >= CONFIRM:
                self._store.run(lambda tx: tx.evidence.watch(now))
                self._confirmed = now
            return {}
        began = monotonic()
        if began < self._rest:
            return {}
        answers = {name: self._answer(offer, now) for name, offer in rulebook.offers.items()}
        told = generation != self._generation
        changed = self._store.run(lambda tx: _record(tx, rulebook, answers, now, told=told))
        self._again = min((answer.valid_until for answer in answers.values()), default=now + CONFIRM)
        self._generation, self._confirmed = generation, now
        self._rest = began + SHARE * (monotonic() - began)
        return changed

    def _answer(self, offer: Offer, now: datetime) -> Answer:
        window = Interval(now, now + timedelta(days=offer.horizon_days + 2))
        return self._publisher.answer(offer.name, window, now)


def _record(
    tx: Tx, rulebook: Rulebook, answers: Mapping[str, Answer], now: datetime, *, told: bool
) -> dict[str, list[date]]:
    known = tx.evidence.pages(epoch(now) // DAY)
    fresh = {page: starts for name, answer in answers.items() for page, starts in pages(name, answer).items()}
    for page in list(known):
        offer = rulebook.offers.get(page.offer)
        if offer is not None:
            first = earliest(offer, now)
            known[page] = packed(at for at in unpacked(page.day, known[page]) if at >= first)
    changed = {
        page: fresh.get(page, b"")
        for page in known.keys() | fresh.keys()
        if known.get(page, b"") != fresh.get(page, b"")
    }
    tx.evidence.add(changed, now)
    _stand(tx, rulebook, answers, now)
    tx.evidence.watch(now)
    days: dict[str, list[date]] = {}
    for page in sorted(changed):
        listed = days.setdefault(page.offer, [])
        day = datetime.fromtimestamp(page.day * DAY, UTC).date()
        if day not in listed:
            listed.append(day)
    if days and told:
        facts = {"offers": {name: [str(day) for day in sorted(found)] for name, found in days.items()}}
        generation = max((answer.generation for answer in answers.values()), default=0)
        tx.events.emit(EventKind.SLOTS_CHANGED, now, cause="syncd", facts=facts | {"generation": generation})
    return days


def _stand(tx: Tx, rulebook: Rulebook, answers: Mapping[str, Answer], now: datetime) -> None:
    known = tx.evidence.standings(now)
    for name, offer in rulebook.offers.items():
        since = Since(now, standing(answers[name]), offer.notice, rulebook.number, _closed(answers[name]))
        before = known.get(name)
        if before is None or replace(before, at=now) != since:
            tx.evidence.stand(name, since)
    for name, before in known.items():
        if name not in rulebook.offers and before.standing is not Standing.WITHDRAWN:
            gone = replace(before, at=now, standing=Standing.WITHDRAWN, rules=rulebook.number, closed=())
            tx.evidence.stand(name, gone)


def standing(answer: Answer) -> Standing:
    """How an offer stands, by its answer for the whole horizon."""
    if answer.slots:
        return Standing.OPEN
    return Standing.TEMPORARILY_CLOSED if answer.closed else Standing.FULLY_BOOKED


def _closed(answer: Answer) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(answer.closed.values()).items()))


def pages(offer: str, answer: Answer) -> dict[Page, bytes]:
    """The starts on offer, by form and UTC day."""
    if not isinstance(answer.slots, SlotTable):
        raise TypeError("the publisher answers with a SlotTable")
    found: dict[Page, list[int]] = {}
    for time in answer.slots.times():
        found.setdefault(Page(offer, time.form, time.start // DAY), []).append(time.start)
    return {page: packed(starts) for page, starts in found.items()}
