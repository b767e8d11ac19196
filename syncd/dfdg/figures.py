"""The share of self-booked talks as the authority counts it, with rule, period and coverage of each figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.model.dfdg import Class, Record
from syncd.model.interval import Interval
from syncd.model.zones import zulu
from syncd.store import Tx

JOINT = 17
"""Type of talk held together with the unemployment fund (FRI)."""


class Rule(StrEnum):
    """By which rule a group is counted."""

    OF_2016 = "2016"
    """Unemployment benefit: walk-ins and joint talks are left out."""
    OF_2020 = "2020"
    """Groups from 2020 on: first talks, and those of exempted and deprived citizens, are left out, too."""


RULES = {
    Rule.OF_2016: "self-booked x 100 / (self-booked + summoned); walk-ins and joint talks left out",
    Rule.OF_2020: "self-booked x 100 / (self-booked + summoned); walk-ins, joint talks, first talks, and talks of "
    "exempted or deprived citizens left out",
}


class LeftOut(StrEnum):
    """Why a talk is not counted."""

    JOINT = "joint"
    WALK_IN = "walk-in"
    FIRST = "first"
    BARRED = "exempted or deprived"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a figure rests on.

    :param summonses: whether the case system's summonses are seen, so that what is summoned is whole.
    :param since: when the first record was registered that is known; None when there is none.
    :param last_message: when DFDG's last message came.
    """

    summonses: bool
    since: datetime | None
    last_message: datetime | None

    @property
    def says(self) -> str:
        """The coverage in a sentence."""
        seen = (
            "The case system's summonses are seen by messages."
            if self.summonses
            else "The case system's summonses are NOT seen: what is summoned is too low, and the share too high."
        )
        begun = f" Records are known since {self.since:%Y-%m-%d}." if self.since else " No record is known."
        return seen + begun


@dataclass(frozen=True, slots=True)
class Figure:
    """One group's share.

    :param group: kontaktgruppe; empty where nobody told. :param left_out: how many talks were not counted, and why.
    """

    group: str
    rule: Rule
    period: Interval
    self_booked: int
    summoned: int
    coverage: Coverage
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    @property
    def share(self) -> float | None:
        """Per cent, to one decimal; None when nothing was counted."""
        total = self.self_booked + self.summoned
        return None if total == 0 else round(self.self_booked * 100 / total, 1)


def figures(records: Iterable[Record], period: Interval, benefit: Collection[str], coverage: Coverage) -> list[Figure]:
    """The figures of talks that begin in *period*, by group. Pure.

    :param records: annulled ones left out. :param benefit: groups that are counted by the rule of 2016.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.about.group, []).append(record)
    found = []
    for group, talks in sorted(groups.items()):
        rule = Rule.OF_2016 if group in benefit else Rule.OF_2020
        reasons = [left_out(one, rule) for one in talks]
        counted = [one for one, why in zip(talks, reasons, strict=True) if why is None]
        booked = sum(one.about.self_booked for one in counted)
        why = Counter(reason for reason in reasons if reason is not None)
        found.append(Figure(group, rule, period, booked, len(counted) - booked, coverage, why))
    return found


def left_out(record: Record, rule: Rule) -> LeftOut | None:
    """Why a talk is not counted by this rule; None when it is."""
    if record.about.kind == JOINT:
        return LeftOut.JOINT
    if record.known is not None and record.registered >= record.known.start:
        return LeftOut.WALK_IN
    if rule is Rule.OF_2016:
        return None
    if record.first:
        return LeftOut.FIRST
    return LeftOut.BARRED if record.class_ is Class.BARRED else None


def counted(tx: Tx, period: Interval, benefit: Collection[str], *, summonses: bool) -> list[Figure]:
    """The figures of what is known. :param summonses: whether messages about summonses are received at all."""
    last = tx.dfdg.last_message()
    coverage = Coverage(summonses and last is not None, tx.dfdg.earliest(), last)
    return figures(tx.dfdg.starting(period.start, period.end), period, benefit, coverage)


COLUMNS = (
    "contact_group",
    "self_booked",
    "summoned",
    "share_percent",
    "left_out_joint",
    "left_out_walk_in",
    "left_out_first",
    "left_out_exempted_or_deprived",
    "from",
    "to",
    "rule",
    "coverage",
)


def row(figure: Figure) -> tuple[str, ...]:
    """One line of the export; harmless in a spreadsheet."""
    cells = (
        figure.group,
        figure.self_booked,
        figure.summoned,
        "" if figure.share is None else figure.share,
        *(figure.left_out[why] for why in LeftOut),
        figure.period.start.isoformat(),
        figure.period.end.isoformat(),
        f"{figure.rule}: {RULES[figure.rule]}",
        figure.coverage.says,
    )
    return tuple(harmless(str(cell)) for cell in cells)


def told(figure: Figure) -> dict[str, object]:
    """A figure as JSON."""
    return {
        "contact_group": figure.group,
        "self_booked": figure.self_booked,
        "summoned": figure.summoned,
        "share_percent": figure.share,
        "left_out": {why.value: number for why, number in sorted(figure.left_out.items())},
        "from": zulu(figure.period.start),
        "to": zulu(figure.period.end),
        "rule": f"{figure.rule}: {RULES[figure.rule]}",
        "coverage": figure.coverage.says,
    }


def harmless(cell: str) -> str:
    """*cell* so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
