"""What a complete reading repairs that the polls before it did not see: the measure of how far delta may be trusted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.kept import recalled
from syncd.adapters.graph.rounds import Token, next_round
from syncd.errors import CalendarError
from syncd.model.busy import Occurrence
from syncd.model.delta import Group, GroupKey
from syncd.model.interval import Interval
from syncd.ports import Remembered


def announced(client: Client, mailbox: str, last: Token | None) -> frozenset[GroupKey] | None:
    """Groups that delta itself would have told of by now; None when it cannot be asked."""
    if last is None:
        return None
    try:
        rows = next_round(client, mailbox, last.link).rows.values()
    except CalendarError:
        return None
    return frozenset(row.series_master_id or row.id for row in rows)


def drift(
    held: Mapping[GroupKey, Remembered], groups: Mapping[GroupKey, Group], told: Collection[GroupKey], span: Interval
) -> int:
    """How many groups differ between the mirror and a complete reading, though delta had not told of them.

    :param span: where both have read everything.
    """
    keys = (held.keys() | groups.keys()) - frozenset(told)
    return sum(
        _within(held[key].memory if key in held else b"", span)
        != _within(groups[key].memory if key in groups else b"", span)
        for key in keys
    )


def _within(memory: bytes, span: Interval) -> frozenset[Occurrence]:
    kept = recalled(memory)
    return (
        frozenset(one for one in kept.occurrences if one.interval.overlaps(span)) if kept is not None else frozenset()
    )
