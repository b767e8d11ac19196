"""The outward brake: when calendars cause more moves and cancellations than is believable, all writing stops.

Somebody's script, a broken server or a restored backup can look like thirty caseworkers cancelling at once
(architecture, decision 4). Nothing is lost by waiting for a person; thirty wrong cancellations are not undone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.booking.sight import Limits
from syncd.store import Tx
from syncd.store.instants import epoch, moment

STOPPED = "writes_stopped"
"""Setting: the sentence for the operator, while all writing stands still."""
RELEASED = "writes_released"
"""Setting: when a person last let writing go on; what happened before does not count again."""
OUTWARD = ("meeting.moved", "meeting.withdrawn", "meeting.room-taken")
"""Audit actions that calendars cause and nobody asked for."""


def stopped(tx: Tx) -> str | None:
    """Why nothing is written to calendars now; None when all is well."""
    return tx.settings.value(STOPPED)


def allows(tx: Tx, meeting: str, limits: Limits, now: datetime) -> bool:
    """Whether calendars may move or cancel this meeting now; with too many others lately, the brake is pulled.

    One meeting that is moved again and again (two programs at odds) waits alone and stops nobody else.
    """
    released = tx.settings.value(RELEASED)
    since = now - limits.outward_window + timedelta(seconds=1)
    if released is not None:
        since = max(since, moment(int(released)))
    lately = tx.audit.meetings(OUTWARD, since)
    if lately.get(meeting, 0) >= limits.outward:
        return False
    if meeting in lately or len(lately) < limits.outward:
        return True
    minutes = limits.outward_window // timedelta(minutes=1)
    tx.settings.put(
        STOPPED,
        f"More than {limits.outward} meetings were moved or removed in calendars within {minutes} minutes. "
        f"Since {now:%Y-%m-%d %H:%M} UTC nothing is written to calendars and nothing more is followed; bookings are "
        "kept. Look at the calendars; if it is right, let syncd go on.",
    )
    tx.audit.add("syncd", "writes.stopped", now=now)
    return False


def release(tx: Tx, actor: str, now: datetime) -> bool:
    """Let writing go on, because a person looked; returns whether it had stopped.

    :param actor: ``cli:USER``.
    """
    if stopped(tx) is None:
        return False
    tx.settings.put(STOPPED, None)
    tx.settings.put(RELEASED, str(epoch(now)))
    tx.audit.add(actor, "writes.released", now=now)
    return True
