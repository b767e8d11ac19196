"""What a new revision of the rules would change in the slots on offer, before it goes live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.publish.inforce import Proposed, Rules, RulesInForce
from syncd.publish.publisher import Publisher, PublishSettings
from syncd.store import Store


@dataclass(frozen=True, slots=True)
class Change:
    """Slots of one offer with one caseworker, under the rules in force and under the proposed ones."""

    offer: str
    caseworker: MailboxId
    now: int
    then: int


def preview(
    store: Store,
    directory: Callable[[], Directory],
    settings: PublishSettings,
    proposed: Rulebook,
    window: Interval,
    now: datetime,
) -> list[Change]:
    """The slots of everybody whom either rules let serve, sorted by offer and caseworker; nothing is changed."""
    before = _numbers(store, directory, settings, RulesInForce(store, directory), window, now)
    after = _numbers(store, directory, settings, Proposed(proposed), window, now)
    return [Change(*key, before.get(key, 0), after.get(key, 0)) for key in sorted(before.keys() | after.keys())]


def _numbers(
    store: Store,
    directory: Callable[[], Directory],
    settings: PublishSettings,
    rules: Rules,
    window: Interval,
    now: datetime,
) -> dict[tuple[str, MailboxId], int]:
    publisher = Publisher(store, directory, settings, rules)
    with store.read() as tx:
        rulebook = rules.within(tx)
    numbers: dict[tuple[str, MailboxId], int] = {}
    for name, offer in rulebook.offers.items():
        found = publisher.answer(name, window, now).by_caseworker()
        numbers |= {(name, person): found.get(person, 0) for person in offer.caseworkers}
    return numbers
