"""Rooms that are invited and answer for themselves: their word stands on the caseworker's own meeting.

Nothing is written into such a room's calendar. Its answer to what is wanted now is the sighting; an answer to an
earlier time or to an earlier generation says nothing (architecture, decision 8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncd.booking.sight import Sighting
from syncd.errors import Transient
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Entry
from syncd.ports import CalendarPort, Inviting

ANSWERS = ("ACCEPTED", "DECLINED")


def inviting(ports: Mapping[str, CalendarPort], mailbox: Mailbox) -> Inviting | None:
    """The port through which *mailbox* is invited; None when it is a person's, or a room that is written to."""
    if mailbox.kind is not MailboxKind.ROOM:
        return None
    port = ports[mailbox.account]
    return port if isinstance(port, Inviting) and port.answers(mailbox) else None


def answered(room: Sighting, mailbox: Mailbox, people: Sequence[Sighting]) -> Sighting:
    """The sighting of an invited room, told from the calendars of *people*; unread while it has not answered."""
    return replace(room, entries=_entries(room, mailbox.address, people))


def waiting(port: Inviting, mailbox: Mailbox) -> Transient:
    """Why a room that was invited does not count as given yet."""
    return Transient(port.silence(mailbox))


def _entries(room: Sighting, address: str, people: Sequence[Sighting]) -> tuple[Entry, ...] | None:
    if any(person.entries is None for person in people):
        return None
    naming = [
        entry
        for person in people
        for entry in person.entries or ()
        if address in dict(entry.rooms) and not entry.cancelled
    ]
    if not naming:
        return ()
    if room.draft is None:
        return None  # still invited; the next write to the meeting takes the invitation back
    latest = max(naming, key=lambda entry: entry.stamp.generation if entry.stamp else 0)
    wanted, says = room.draft, dict(latest.rooms)[address]
    current = latest.stamp is None or latest.stamp.generation == wanted.stamp.generation
    if not current or latest.interval != wanted.interval or says not in ANSWERS:
        return None
    return (
        Entry(
            key=f"invited:{address}",
            version=says,
            uid=wanted.uid,
            interval=wanted.interval,
            location=wanted.location,
            stamp=wanted.stamp,
            digest=wanted.stamp.digest,
            room_answer=says,
        ),
    )
