"""Graph's events → our words; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from syncd.adapters.caldav.ics.windows_names import iana
from syncd.adapters.graph.rows import Moment, Row
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.interval import Interval
from syncd.model.marks import kept_categories
from syncd.model.zones import instant, whole_days

BUSY = {
    "free": BusyType.FREE,
    "tentative": BusyType.TENTATIVE,
    "busy": BusyType.BUSY,
    "oof": BusyType.OUT_OF_OFFICE,
    "workingElsewhere": BusyType.WORKING_ELSEWHERE,
}
"""freeBusyStatus; what is not in it counts as `BLOCKS`."""
BLOCKS = BusyType.BUSY
"""Of events that say something unknown, or nothing at all (named here, for Python 3.11 looks members up slowly)."""

MASTER = "seriesMaster"
OURS = "syncd:"
"""How the transactionId of an entry of ours begins: delta rounds show it, but no extended property."""

BEYOND = "its time lies before the first year or after the last one"


class Unusable(ValueError):
    """An event whose time cannot be told; the text says why, without its content."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Who an entry of ours is: the UID we chose, and the stamp as it stands now."""

    uid: str
    stamp: Stamp | None


def transaction_id(uid: str, generation: int) -> str:
    """The transactionId under which an entry is created: the same for each try of the same wish."""
    return f"{OURS}{generation}:{uid}"


def own_uid(row: Row) -> str | None:
    """The UID that we gave an entry of ours; None for everybody else's."""
    if row.transaction_id is None or not row.transaction_id.startswith(OURS):
        return None
    return row.transaction_id.removeprefix(OURS).partition(":")[2] or None


def occurrence(row: Row, zone: str, obeyed: Collection[str], ours: Ours | None, uid: str = "") -> Occurrence | None:
    """The dated instance that *row* is; None when it takes no time (zero minutes long, or called off).

    :param zone: the mailbox's, whose days whole days are.
    :param obeyed: names of the categories that mean something to us, folded; all others are dropped.
    :param ours: when we wrote it.
    :param uid: of its series; empty for a single event.
    :raises Unusable: its times are missing or contradict each other.
    """
    span = interval_of(row, zone)
    if span is None or row.is_cancelled:
        return None
    recurring = bool(row.series_master_id)
    categories = kept_categories(row.categories, obeyed) if row.categories else ()
    return Occurrence(
        uid=ours.uid if ours else uid or row.i_cal_u_id or row.id,
        original_start=(_offset(row.original_start) or span.start) if recurring else None,
        interval=span,
        busy=BUSY.get(row.show_as or "", BLOCKS),
        all_day=bool(row.is_all_day),
        recurring=recurring,
        categories=categories,
        stamp=ours.stamp if ours else None,
        guest=bool(categories) and row.is_organizer is False,
    )


def interval_of(row: Row, zone: str) -> Interval | None:
    """The time it takes; None when that is nothing.

    :raises Unusable: its times are missing or contradict each other.
    """
    if row.broken:
        raise Unusable("it has a form that Graph's documents do not know")
    if row.start is None or row.end is None:
        raise Unusable("the server gives no start or end for it")
    if row.is_all_day:
        return _whole_days(row.start, row.end, zone)
    start, end = moment(row.start), moment(row.end)
    if start > end:
        raise Unusable("it ends before it begins")
    return Interval(start, end) if start < end else None


def moment(value: Moment) -> datetime:
    """A dateTimeTimeZone in UTC; an offset inside the text wins over the zone beside it.

    :raises Unusable: it cannot be read, or its zone has no name that anybody knows (tzone://Microsoft/Custom).
    """
    text = value.date_time or ""
    try:
        found = datetime.fromisoformat(f"{text}Z" if value.time_zone == "UTC" else text)
    except ValueError:
        found = _parsed(text)  # it has an offset of its own, or is no time
    if found.tzinfo is UTC:
        return found
    try:
        return _in_utc(found, value.time_zone)
    except OverflowError:
        raise Unusable(BEYOND) from None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unusable("its time cannot be read") from None


def _in_utc(found: datetime, name: str | None) -> datetime:
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if name in ("UTC", "Etc/GMT", None, ""):
        return found.replace(tzinfo=UTC)
    zone = iana(name)
    if zone is None:
        raise Unusable("its time zone has no known name")
    return instant(found.date(), found.time(), zone)


def fingerprint(key: str, version: str, reason: str) -> str:
    """Stands for content that could not be read; changes when the event does."""
    return sha256(f"{key} {version} {reason}".encode()).hexdigest()


def _whole_days(start: Moment, end: Moment, zone: str) -> Interval:
    """Whole days: the dates count and no zone does, whatever is written beside them."""
    first, after = _date(start), _date(end)
    if after < first:
        raise Unusable("it ends before it begins")
    try:
        return whole_days(first, max(first, after - timedelta(days=1)), zone)
    except OverflowError:
        raise Unusable(BEYOND) from None


def _date(value: Moment) -> date:
    try:
        return date.fromisoformat((value.date_time or "")[:10])
    except ValueError:
        raise Unusable("its day cannot be read") from None


def _offset(text: str | None) -> datetime | None:
    """An Edm.DateTimeOffset; None when there is none that can be read."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
