"""Our own meetings in a calendar that is read: what should stand there, and what is looked up anew."""

from __future__ import annotations

from datetime import datetime

from syncd.model.directory import MailboxId
from syncd.store import Tx
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
