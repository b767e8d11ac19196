"""Which calendars are looked at in a round: all; in the cloud, where each look is a request, those that matter."""

from __future__ import annotations

from datetime import datetime

from syncd.daemon.parts import Parts, pace_of
from syncd.model.directory import MailboxId
from syncd.sync.timing import poll_is_due


def due(parts: Parts, account: str, now: datetime) -> list[MailboxId]:
    """Mailboxes of *account* to be read at *now*.

    In Microsoft 365 those of people whose time can be booked, and rooms, in office hours each time, all others and
    the nights every few minutes. A hold looks at its caseworker's calendar itself.
    """
    boxes = [box for box in parts.directory.mailboxes.values() if box.account == account]
    known = parts.config.calendars.get(account)
    if known is None or known.adapter != "graph" or not boxes:
        return [box.id for box in boxes]
    with parts.store.read() as tx:
        statuses = tx.mailboxes.statuses([box.id for box in boxes])
    offered = {person for offer in parts.rulebook().offers.values() for person in offer.caseworkers}
    offered |= parts.directory.rooms.keys()
    pace = pace_of(parts.config)

    def is_due(box: MailboxId, zone: str) -> bool:
        status = statuses.get(box)
        seen = status.as_of if status is not None and not status.problem else None
        return poll_is_due(seen, now, zone, pace, offered=box in offered)

    return [box.id for box in boxes if is_due(box.id, box.zone)]
