"""Entries that syncd itself writes into calendars."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from syncd.model.busy import BusyType, Stamp
from syncd.model.delta import GroupKey, Version
from syncd.model.interval import Interval


@dataclass(frozen=True, slots=True)
class Resource:
    """A room named on a meeting: its mail address and the name people read.

    :param invited: it is asked and answers for itself; else it is ours, and nobody must be mailed.
    """

    address: str
    name: str
    invited: bool = False


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What should stand in one calendar for one of our meetings.

    :param uid: chosen by us, the same for every try; also names the CalDAV object.
    :param zone: IANA zone whose wall clock the entry is written in.
    :param summary, description, location: from templates that cannot leak a citizen's data.
    :param room: invited as a resource (CUTYPE=ROOM); None in the room's own calendar and without a room.
    :param private: sensitivity private (CLASS:PRIVATE).
    :param online: it wants a link to meet by, which a server may make (Teams); others pass over it.
    """

    uid: str
    interval: Interval
    zone: str
    summary: str
    description: str
    location: str
    stamp: Stamp
    room: Resource | None = None
    categories: tuple[str, ...] = ()
    private: bool = True
    busy: BusyType = BusyType.BUSY
    online: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One of our entries as it stands on the server now.

    :param key, version: the server's identity and change mark, needed to change or delete it.
    :param interval: None when the server's copy has no usable time.
    :param digest: `digest` over what stands there now, to tell a human's hand.
    :param cancelled: STATUS:CANCELLED was set on it.
    :param room_answer: PARTSTAT / ResponseType of the invited room where a booking attendant answers.
    :param rooms: addresses (lower case) of the invited rooms, each with its answer in iCalendar's words.
    :param series: somebody made it repeat; its interval is the first one's, and what became of each is not told.
    :param copy: it was surely not written by us, but copied from what we wrote, for it has another UID.
    :param link: to meet by; empty when the server was asked for one and has not made it, None when it makes none.
    """

    key: GroupKey
    version: Version
    uid: str
    interval: Interval | None
    location: str
    stamp: Stamp | None
    digest: str
    categories: tuple[str, ...] = ()
    cancelled: bool = False
    room_answer: str | None = None
    rooms: tuple[tuple[str, str], ...] = ()
    link: str | None = None
    series: bool = False
    copy: bool = False


def digest(interval: Interval | None, summary: str, location: str) -> str:
    """A short hash of what a person would notice in an entry, equal for draft and read-back.

    Its first half stands for the time, its second for the texts (`same_time`, `same_text`): a move is a human's
    decision that the booking follows, another wording is not. Servers rewrite texts (line ends, blanks), so only
    collapsed text counts.
    """
    times = f"{interval.start.isoformat()}/{interval.end.isoformat()}" if interval else "-"
    texts = "\n".join((" ".join(summary.split()), " ".join(location.split())))
    return _half(times) + _half(texts)


def same_time(one: str, other: str) -> bool:
    """Whether two digests stand for the same time."""
    return one[:8] == other[:8]


def same_text(one: str, other: str) -> bool:
    """Whether two digests stand for the same texts."""
    return one[8:] == other[8:]


def _half(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def stamped(draft: EntryDraft) -> EntryDraft:
    """The draft with the digest of its own content in its stamp."""
    content = digest(draft.interval, draft.summary, draft.location)
    return replace(draft, stamp=replace(draft.stamp, digest=content))
