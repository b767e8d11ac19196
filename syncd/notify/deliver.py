"""Brings owed deliveries to one receiver, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from syncd.clock import Clock
from syncd.model.event import Delivery
from syncd.notify.patience import Again, GivenUp, Taken, judge
from syncd.notify.relay import Receiver
from syncd.notify.signing import headers
from syncd.ports import Courier
from syncd.store import Store, Tx

LEASE = timedelta(minutes=2)
"""Longer than any attempt takes: after a crash another one begins then, with the same id."""
PORTION = 50


def deliver(
    store: Store,
    courier: Courier,
    receiver: Receiver,
    clock: Clock,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
) -> int:
    """Send what is due to *receiver*, until nothing is or an attempt fails; returns how many it took.

    At least once, and almost always in order; the id is the same at each attempt. After a failure the others wait
    for the next round, so that a receiver in trouble is not pressed.
    """
    count = 0
    while count < PORTION and not stopping():
        now = clock.now()
        leased = _lease(store, receiver, now)
        if leased is None:
            break
        receipt = courier.post(receiver.url, leased.body, headers(leased.event, leased.body, receiver.keys, now))
        verdict = judge(receipt, leased.attempts)
        store.run(partial(_note, leased, verdict, clock.now()))
        beat()
        if not isinstance(verdict, Taken):
            break
        count += 1
    return count


def _lease(store: Store, receiver: Receiver, now: datetime) -> Delivery | None:
    with store.read() as tx:
        if not tx.events.anything_due(receiver.name, now):
            return None
    return store.run(lambda tx: tx.events.lease(receiver.name, now, now + LEASE))


def _note(delivery: Delivery, verdict: Taken | Again | GivenUp, now: datetime, tx: Tx) -> None:
    match verdict:
        case Taken():
            tx.events.taken(delivery.id)
        case Again(pause):
            tx.events.again(delivery.id, now + pause)
        case GivenUp(why):
            tx.events.bury(delivery.id, why)
