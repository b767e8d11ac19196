"""Instants in the database: whole epoch seconds, so that both databases compare them alike."""

from __future__ import annotations

from datetime import UTC, datetime

from syncd.model.interval import Interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch(at: datetime) -> int:
    """Whole seconds since 1970 (UTC); fractions are cut off towards the past."""
    since = at - EPOCH
    return since.days * 86_400 + since.seconds


def moment(seconds: int) -> datetime:
    """The UTC instant of `epoch`."""
    return datetime.fromtimestamp(seconds, UTC)


def optional(at: datetime | None) -> int | None:
    """`epoch`, keeping None."""
    return None if at is None else epoch(at)


def maybe(seconds: int | None) -> datetime | None:
    """`moment`, keeping None."""
    return None if seconds is None else moment(seconds)


def span(start: int, end: int) -> Interval:
    """The interval between two stored instants."""
    return Interval(moment(start), moment(end))
