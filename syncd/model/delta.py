"""What a calendar server said since we last asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from syncd.model.busy import Occurrence
from syncd.model.interval import Interval

GroupKey: TypeAlias = str
"""The server's name of what changes together: a CalDAV href, a series, a single item."""

Version: TypeAlias = str
"""Opaque; changes whenever the group does (ETag, ChangeKey)."""

ChangeToken: TypeAlias = str
"""Opaque; marks a point in a mailbox's history (sync-token, SyncState, deltaLink)."""


@dataclass(frozen=True, slots=True)
class Group:
    """One CalDAV object, series or single item: replaced whole, never patched.

    :param occurrences: all its instances that touch the delta's window; empty when none does.
    :param memory: what the adapter wants back later (a privacy-reduced master), opaque to everybody else.
    :param first: no instance begins before (UTC); :param last: none ends after, None for an endless series.
    """

    key: GroupKey
    version: Version
    occurrences: tuple[Occurrence, ...]
    memory: bytes
    first: datetime
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An object that could not be understood; the mailbox fails closed until it is mended or acknowledged.

    :param digest: SHA-256 (hex) of its bytes; an acknowledgement holds for exactly these bytes.
    :param reason: one sentence, without the object's content.
    """

    key: GroupKey
    version: Version
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class Delta:
    """The answer of `CalendarPort.changes`.

    :param groups: new and changed groups, and groups expanded anew because the window moved.
    :param gone: keys the server reported as deleted (tombstones).
    :param present: every key on the server when the answer is a snapshot of identities; None otherwise.
        What we hold and is not in it is gone.
    :param covers: the window inside which all occurrences are known; outside nothing may be offered.
    :param token: where to go on next time; None when the server has no token.
    :param unreadable: objects among the changed ones that could not be understood.
    :param requests: HTTP requests this answer cost.
    :param moved: None as long as the calendar is where it was; else it stands on another server since it was last
        read, this is a full listing of it, and these keys of before are known to be those keys now.
    """

    groups: tuple[Group, ...]
    gone: tuple[GroupKey, ...]
    present: frozenset[GroupKey] | None
    covers: Interval
    token: ChangeToken | None
    unreadable: tuple[Unreadable, ...] = ()
    requests: int = 0
    moved: Mapping[GroupKey, GroupKey] | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """Where the last completed pass ended: its token (None: server has none) and its window."""

    token: ChangeToken | None
    covered: Interval
