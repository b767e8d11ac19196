"""Which times a class of citizens could have booked, as seen at an instant that has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncd.model.directory import Directory
from syncd.model.eligibility import Traits, entitled
from syncd.model.evidence import Evidence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.rulebook import parse
from syncd.store import Tx


@dataclass(frozen=True, slots=True)
class Past:
    """What the record says.

    :param entitled: whether the class of citizens asked about could book the offer by the rules in force then;
        None when no class was asked about, or nothing is on record.
    """

    seen: Evidence
    entitled: bool | None

    @property
    def times(self) -> dict[Form, tuple[datetime, ...]]:
        """The starts (UTC) by form that could have been booked; none for those who were not entitled."""
        return {} if self.entitled is False else self.seen.times


def past(
    tx: Tx, directory: Directory, offer: str, at: datetime, window: Interval, traits: Traits | None = None
) -> Past:
    """Read the record, and the rules that were in force at *at*.

    :param traits: the class of citizens; None for everybody.
    """
    seen = tx.evidence.seen(offer, at, window)
    if traits is None or seen.since is None or not seen.watched:
        return Past(seen, None)
    text = tx.rules.text(seen.since.rules) or ""
    then = parse(text, directory, seen.since.rules, f"revision {seen.since.rules}", leavers=True)
    return Past(seen, offer in then.offers and entitled(then.offers[offer].open_to, traits))
