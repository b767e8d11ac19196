"""One change to the text of rules at a time, as coordinators make them on a page; comments are not kept.

Each function takes the text in force and returns the text proposed; what the text would mean is checked by `parse`.
Entries of a list are named by their place, which holds for the revision they were read from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from syncd.errors import ConfigError
from syncd.rulebook.export import export
from syncd.rulebook.parse import read
from syncd.rulebook.sections import RulesFile
from syncd.section import complaints

Tables = dict[str, Any]
LISTED = ("closings", "exceptions", "hours")
"""Lists whose entries can be dropped."""


def with_closing(text: str, first: date, last: date, why: str, sites: Sequence[str] = ()) -> str:
    """Close sites (all when none is named) from *first* to *last*.

    :raises ConfigError: the rules cannot be so; likewise in all the others.
    """
    entry = {"first": first, "last": last, "why": why} | ({"sites": tuple(sites)} if sites else {})
    return _appended(text, "closings", entry)


def with_suspension(text: str, who: Sequence[str], first: date, last: date, why: str) -> str:
    """Offer nothing of these people's from *first* to *last*: an exception without hours."""
    return _appended(text, "exceptions", {"who": tuple(who), "first": first, "last": last, "why": why})


def with_hours(text: str, who: Sequence[str], days: Sequence[str], starts: str, ends: str, breaks: str = "") -> str:
    """Add weekly hours. :param starts, ends: like ``09:00``. :param breaks: like ``12:00-12:30``; empty for none."""
    entry: Tables = {"who": tuple(who), "days": tuple(days), "from": starts, "to": ends}
    return _appended(text, "hours", entry | ({"breaks": (breaks,)} if breaks else {}))


def without(text: str, listed: str, place: int) -> str:
    """Drop the entry at *place* of ``closings``, ``exceptions`` or ``hours``."""

    def change(tables: Tables) -> None:
        entries = list(tables.get(listed, ()))
        if listed not in LISTED or not 0 <= place < len(entries):
            raise ConfigError("rules", [f"{listed}[{place}]: there is no such entry"])
        tables[listed] = tuple(entry for number, entry in enumerate(entries) if number != place)

    return _changed(text, change)


def with_who(text: str, offer: str, who: Iterable[str]) -> str:
    """Let these people serve an offer, and nobody else."""
    return _offer(text, offer, lambda entry: entry.update(who=tuple(who)))


def with_topics(text: str, offer: str, topics: Iterable[str]) -> str:
    """What citizens may choose to talk about; none takes the choice away."""
    return _offer(text, offer, lambda entry: entry.update(topics=tuple(topics)))


def with_matching(text: str, offer: str, ways: Iterable[tuple[Sequence[str], Sequence[str]]]) -> str:
    """Who may book an offer: each way is contact groups and client categories; no way at all lets everybody.

    Person groups of a way that stays are kept.
    """

    def change(entry: Tables) -> None:
        kept = list(entry.get("open_to", ()))
        made = []
        for place, (groups, categories) in enumerate(ways):
            former = dict(kept[place]) if place < len(kept) else {}
            way = former | {"contact_groups": frozenset(groups), "categories": frozenset(categories)}
            made.append({name: value for name, value in way.items() if value})
        entry["open_to"] = tuple(way for way in made if way)
        if not entry["open_to"]:
            del entry["open_to"]

    return _offer(text, offer, change)


def _offer(text: str, name: str, change: Callable[[Tables], None]) -> str:
    def changed(tables: Tables) -> None:
        offers = dict(tables["offers"])
        if name not in offers:
            raise ConfigError("rules", [f"offers.{name}: there is no such offer"])
        offers[name] = dict(offers[name])
        change(offers[name])
        tables["offers"] = offers

    return _changed(text, changed)


def _appended(text: str, listed: str, entry: Tables) -> str:
    return _changed(text, lambda tables: tables.update({listed: (*tables.get(listed, ()), entry)}))


def _changed(text: str, change: Callable[[Tables], None]) -> str:
    tables = read(text).model_dump(by_alias=True, exclude_unset=True)
    change(tables)
    try:
        return export(RulesFile.model_validate(tables))
    except ValidationError as error:
        raise ConfigError("rules", complaints(error, RulesFile)) from None
