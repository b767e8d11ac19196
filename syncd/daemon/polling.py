"""Which calendars are looked at in a round: all; in the cloud, where each look is a request, those that matter.

Many nodes take shares of an account's calendars; a single one takes them all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from syncd.daemon.node import SINGLE
from syncd.daemon.parts import Parts, pace_of
from syncd.model.directory import MailboxId
from syncd.sync.timing import poll_is_due

SHARE = 16
"""Calendars that one node reads in one go, a few at a time: about as many as a server answers in a second or two."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some of the calendars of an account, always the same ones: number *number* of *of*."""

    account: str
    number: int = 0
    of: int = 1

    @property
    def name(self) -> str:
        """The account, and which share if there are several."""
        return self.account if self.of == 1 else f"{self.account}/{self.number + 1}of{self.of}"

    def holds(self, mailbox: MailboxId) -> bool:
        """Whether this calendar is one of them."""
        return self.of == 1 or int.from_bytes(sha256(mailbox.encode()).digest()[:8]) % self.of == self.number


def shares(parts: Parts) -> list[Share]:
    """Which together are all calendars."""
    found = []
    for account in sorted({box.account for box in parts.directory.mailboxes.values()}):
        boxes = sum(box.account == account for box in parts.directory.mailboxes.values())
        of = 1 if parts.node is SINGLE else -(-boxes // SHARE)
        found += [Share(account, number, of) for number in range(of)]
    return found


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
