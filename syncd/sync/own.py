"""Our own meetings in a calendar that is read: what should stand there, and what is looked up anew."""

from __future__ import annotations

from datetime import datetime

from syncd.model.delta import Delta
from syncd.model.directory import Mailbox, MailboxId
from syncd.model.interval import Interval
from syncd.ports import CalendarPort, Crossing, Inviting
from syncd.store import Store, Tx
from syncd.sync.copies import owned
from syncd.sync.plan import OwnEntry


def own_entries(tx: Tx, mailbox: MailboxId, now: datetime) -> tuple[OwnEntry, ...]:
    """What stands, or must not stand, in this mailbox by our own doing."""
    return tuple(OwnEntry(*fields) for fields in tx.mailboxes.own(mailbox, now))


def owed_anew(tx: Tx, mailbox: MailboxId, now: datetime) -> list[str]:
    """Another calendar than before, or one on another server: what it lacks of ours was not deleted by anybody.

    Our meetings to come are looked up there by their UID, and written where they are missing.
    """
    owed = tx.meetings.forget_entries(mailbox, now)
    if owed:
        tx.meetings.touch(owed, now)
        tx.audit.add("syncd", "calendar.moved", detail=f"{mailbox}: {len(owed)} meeting(s) looked up again", now=now)
    return owed


def recognised(store: Store, port: CalendarPort, mailbox: Mailbox, delta: Delta, now: datetime) -> Delta:
    """The delta, with copies of our meetings in a room that answers for itself known as ours."""
    if not (delta.groups and isinstance(port, Inviting) and port.answers(mailbox)):
        return delta
    with store.read() as tx:
        standing = _standing(tx, mailbox.id, now) if isinstance(port, Crossing) else None
        return owned(delta, tx.settings.installation(), standing)


def _standing(tx: Tx, mailbox: MailboxId, now: datetime) -> dict[Interval, str]:
    """Meetings that should stand in this calendar, by their time."""
    return {entry.interval: entry.meeting for entry in own_entries(tx, mailbox, now) if entry.wanted}
