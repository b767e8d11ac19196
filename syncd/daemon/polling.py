"""Which calendars are looked at in a round: all; in the cloud, where each look is a request, those that matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.daemon.parts import Parts, pace_of
from syncd.model.directory import Mailbox, MailboxId
from syncd.sync.timing import poll_is_due


def due(parts: Parts, boxes: Sequence[Mailbox], now: datetime) -> list[MailboxId]:
    """Those of *boxes*, all of one account, that are to be read at *now*.

    In Microsoft 365 those of people whose time can be booked, and rooms, in office hours each time, all others and
    the nights every few minutes. A hold looks at its caseworker's calendar itself.
    """
    known = parts.config.calendars.get(boxes[0].account) if boxes else None
    if known is None or known.adapter != "graph":
        return [box.id for box in boxes]
    ids = {box.id for box in boxes}
    with parts.store.read() as tx:
        statuses = tx.mailboxes.statuses(sorted(ids))
    offers = parts.rulebook().offers.values()
    offered = {person for offer in offers for person in ids.intersection(offer.caseworkers)}
    offered |= ids & parts.directory.rooms.keys()
    pace = pace_of(parts.config)

    def is_due(box: MailboxId, zone: str) -> bool:
        status = statuses.get(box)
        seen = status.as_of if status is not None and not status.problem else None
        return poll_is_due(seen, now, zone, pace, offered=box in offered)

    return [box.id for box in boxes if is_due(box.id, box.zone)]
