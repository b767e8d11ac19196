"""Bookings of another planner, as its files list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncd.adapters.caldav.ics import Unparsable, read_object
from syncd.booking.importing import Foreign
from syncd.config import table_rows
from syncd.errors import SyncdError
from syncd.model.busy import BusyType
from syncd.model.directory import Directory
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.observe.logs import CPR

NEEDED = ("caseworker", "start")
COLUMNS = frozenset({"source", "offer", "caseworker", "form", "start", "end", "citizen", "room"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say themselves; all that a calendar file can be told."""

    offer: str | None = None
    caseworker: str | None = None
    form: Form | None = None


def in_table(
    file: Path, defaults: Defaults, directory: Directory, moment: Callable[[str], datetime]
) -> tuple[list[Foreign], dict[int, str]]:
    """The bookings of a CSV file, and by line why others cannot be read.

    :param moment: reads a time as people write it.
    :raises SyncdError: the file cannot be read, or has columns nobody knows.
    """
    try:
        rows = table_rows(file, str(file))
    except ValueError as error:
        raise SyncdError(f"{error}. Nothing was changed.") from None
    if unknown := sorted({name for row in rows for name in row.values} - COLUMNS):
        raise SyncdError(f"{file} has unknown columns: {', '.join(unknown)}. Known: {', '.join(sorted(COLUMNS))}.")
    found: list[Foreign] = []
    broken: dict[int, str] = {}
    for row in rows:
        values = {name: str(value) for name, value in row.values.items()}
        try:
            found.append(_row(row.line, values, defaults, directory, moment))
        except (SyncdError, ValueError) as error:
            broken[row.line] = str(error)
    return found, broken


def _row(
    line: int,
    values: Mapping[str, str],
    defaults: Defaults,
    directory: Directory,
    moment: Callable[[str], datetime],
) -> Foreign:
    who = values.get("caseworker") or defaults.caseworker
    offer = values.get("offer") or defaults.offer
    if not (who and offer and "start" in values):
        raise SyncdError("It needs offer, caseworker and start.")
    person, start = _person(who, directory), moment(values["start"])
    form = Form(values["form"]) if "form" in values else defaults.form or Form.IN_PERSON
    source = values.get("source") or f"{person} {start.isoformat()} {values.get('citizen', '')}"
    if CPR.fullmatch(values.get("citizen", "")):
        raise SyncdError("The citizen is a civil registration number (CPR); put the client's own reference there.")
    end = moment(values["end"]) if "end" in values else None
    return Foreign(line, source, offer, person, form, start, end, values.get("citizen"), values.get("room"))


def _person(name: str, directory: Directory) -> str:
    """The caseworker of this id or mail address; what nobody knows is refused later, with the rest."""
    for person in directory.caseworkers.values():
        if name.lower() in (person.id.lower(), person.mailbox.address):
            return person.id
    return name


def in_calendar(file: Path, defaults: Defaults, zone: str, window: Interval) -> list[Foreign]:
    """The single busy events of an iCalendar file inside *window*; who the citizen is, such a file does not say.

    :raises SyncdError: the file cannot be read or understood, or offer or caseworker are not named.
    """
    if not defaults.offer or not defaults.caseworker:
        raise SyncdError("A calendar file needs --offer and --caseworker. Nothing was changed.")
    try:
        found = read_object(file.read_bytes(), zone, window).occurrences
    except OSError as error:
        raise SyncdError(f"{file} cannot be read: {error.strerror}.") from None
    except Unparsable as error:
        raise SyncdError(f"{file} cannot be understood: {error}. Nothing was changed.") from None
    single = [one for one in found if not one.recurring and not one.all_day and one.busy is not BusyType.FREE]
    form = defaults.form or Form.IN_PERSON
    return [
        Foreign(number, one.uid, defaults.offer, defaults.caseworker, form, one.interval.start, one.interval.end)
        for number, one in enumerate(single, 1)
    ]
