"""What is done about a request that was turned away: other times are named, and a want of rooms is counted."""

from __future__ import annotations

from datetime import datetime

from syncd.booking.alternatives import alternatives
from syncd.errors import NoRoom, SlotGone
from syncd.model.directory import Directory
from syncd.model.offer import Form
from syncd.publish import Publisher
from syncd.publish.inforce import Rules
from syncd.store import Store, Tx


def explain(store: Store, publisher: Publisher, directory: Directory, gone: SlotGone, now: datetime) -> None:
    """Add alternatives to a refusal; count it if only a room was missing."""
    if isinstance(gone, NoRoom):
        count(store, publisher.rules, directory, gone, now)
    if "offer" in gone.facts and "alternatives" not in gone.facts:
        gone.facts["alternatives"] = alternatives(publisher, gone, now)


def count(store: Store, rules: Rules, directory: Directory, gone: NoRoom, now: datetime) -> None:
    """Count one refusal by site, offer and time, for whoever plans rooms; who asked is not kept."""

    def work(tx: Tx) -> None:
        offer = rules.within(tx).offers.get(str(gone.facts.get("offer", "")))
        if offer is None:
            return
        asked = str(gone.facts.get("caseworker") or next(iter(offer.caseworkers), ""))
        person = directory.caseworkers.get(asked)
        if person is not None:
            start, form = datetime.fromisoformat(str(gone.facts["start"])), Form(str(gone.facts["form"]))
            tx.rooms.turned_away(person.site, offer.name, start, offer.minutes[form], now)

    store.run(work)
