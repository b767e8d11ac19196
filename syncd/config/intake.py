"""A list of people or rooms from elsewhere compared with those there are: who joins, who leaves, who is there twice."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from syncd.config.first import short

Cells = Mapping[str, str]
"""One row of a CSV file, as text."""
FOREIGN = ("rid", "guid")
"""Columns with what a case system or directory calls somebody; they tell people apart and are not ours to keep."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking a list over would do.

    :param joiners: rows that are new. :param stay: rows that stay, with what the list says of them now.
    :param changed: ids of those of `stay` that are other than before. :param leavers: rows the list no longer has.
    :param twice: sentences about rows that name somebody a second time; the first one counts.
    :param problems: sentences about rows that cannot be used.
    :param foreign: what others call them (RID or GUID), by our id.
    """

    joiners: tuple[Cells, ...] = ()
    stay: tuple[Cells, ...] = ()
    changed: tuple[str, ...] = ()
    leavers: tuple[Cells, ...] = ()
    twice: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)


def compare(before: Sequence[Cells], listed: Iterable[tuple[int, Cells]], site: str, taken: Collection[str]) -> Intake:
    """Compare *listed* (line and cells) with the rows *before*; people are known again by their mail address.

    :param site: for rows that name none; empty when there are several to choose from.
    :param taken: ids and addresses that belong to somebody else.
    """
    known = {row["address"].casefold(): row for row in before if row.get("address")}
    ids = {row["id"].casefold() for row in before if row.get("id")} | {one.casefold() for one in taken}
    seen: dict[str, int] = {}
    joiners, stay, changed, twice, problems, foreign = [], [], [], [], [], {}
    for line, cells in listed:
        address = cells.get("address", "").strip().casefold()
        marks = [address, *(f"{name} {cells[name]}" for name in FOREIGN if cells.get(name))]
        if problem := _problem(cells, site, address in {one.casefold() for one in taken}):
            problems.append(f"line {line}: {problem}")
            continue
        if again := next((mark for mark in marks if mark in seen), None):
            twice.append(f"line {line}: {again} is in line {seen[again]} already")
            continue
        seen |= dict.fromkeys(marks, line)
        row = _completed(cells, known.get(address), site, ids)
        ids.add(row["id"].casefold())
        if code := cells.get("rid") or cells.get("guid"):
            foreign[row["id"]] = code
        if address not in known:
            joiners.append(row)
            continue
        stay.append(row)
        changed += [row["id"]] if row != known[address] else []
    leavers = tuple(row for address, row in known.items() if address not in seen)
    return Intake(tuple(joiners), tuple(stay), tuple(changed), leavers, tuple(twice), tuple(problems), foreign)


def _problem(cells: Cells, site: str, taken: bool) -> str | None:
    if "@" not in cells.get("address", ""):
        return "has no mail address (column address)"
    if not (cells.get("site") or site):
        return "has no site, and there are several; add a column site, or give --site"
    return f"{cells['address']} is in the configuration itself or is a room already" if taken else None


def _completed(cells: Cells, before: Cells | None, site: str, ids: Collection[str]) -> dict[str, str]:
    """A whole row: what the list says, else what was known, else what follows from the address."""
    told = {name: text.strip() for name, text in cells.items() if text.strip() and name not in FOREIGN}
    if before is not None:
        return {**before, **told, "id": before["id"]}
    address = told["address"].lower()
    name = address.partition("@")[0].replace(".", " ").title()
    return {"id": _free(told.get("id") or short(address), ids), "name": name, "site": site} | {
        key: text for key, text in (told | {"address": address}).items() if key != "id"
    }


def _free(wanted: str, ids: Collection[str]) -> str:
    """*wanted*, or the next number of it that nobody has."""
    numbered = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(ids) + 2))
    return next(one for one in numbered if one.casefold() not in ids)


def written(rows: Sequence[Cells], first: Sequence[str]) -> str:
    """The rows as a CSV file; the columns *first*, then whatever else is filled in anywhere."""
    columns = list(first) + sorted({name for row in rows for name, text in row.items() if text} - set(first))
    text = StringIO()
    lines = csv.DictWriter(text, columns, delimiter=";", lineterminator="\n", extrasaction="ignore", restval="")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue()


def rows_of(text: str) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of each row of a CSV text; comma, semicolon or tab; headings in small letters.

    :raises ValueError: it is no table.
    """
    heading = text.partition("\n")[0]
    reader = csv.DictReader(StringIO(text), delimiter=max(",;\t", key=heading.count), restkey="", restval="")
    found = []
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        for cells in reader:
            row = {name: (text or "").strip() for name, text in cells.items() if name and isinstance(text, str)}
            if any(row.values()):
                found.append((reader.line_num, row))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    return found
