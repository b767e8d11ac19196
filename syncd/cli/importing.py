"""The command that takes over bookings of another planner."""

from __future__ import annotations

import getpass
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.desk import booked
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.interval import Interval
from syncd.model.offer import Form

YEAR = timedelta(days=366)
"""How far ahead bookings are looked for."""


def add_to(_app: typer.Typer) -> None:
    """Add this module's command; it stands below ``syncd bookings``."""
    booked.command("import")(import_)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .ics file.")],
    client: Annotated[str, typer.Option("--client", help="The API client whose bookings these become.")],
    rehearse: Annotated[
        bool, typer.Option("--dry-run/--for-good", help="Only say what would become of each; this is the default.")
    ] = True,
    offer: Annotated[str | None, typer.Option("--offer", help="For rows that name none.")] = None,
    caseworker: Annotated[str | None, typer.Option("--caseworker", help="For rows that name none.")] = None,
    form: Annotated[Form | None, typer.Option("--form", help="For rows that name none; in-person if unset.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Take over future bookings of another planner. A second run knows what the first one took.

    Columns of a CSV file: caseworker (id or mail address), start, and where known offer, form, end, citizen, room and
    source (the other planner's id). Of a calendar file, single busy events are taken, for one caseworker.
    """
    from syncd.booking.importing import Importer, Outcome, Reported
    from syncd.daemon.foreign import Defaults, in_calendar, in_table

    now = SystemClock().now()
    with parts_of(path) as parts:
        if client not in parts.config.clients:
            raise SyncdError(f"There is no client {client!r} in the configuration. Nothing was changed.")
        zone, defaults = zone_of(parts.config), Defaults(offer, caseworker, form)
        broken: dict[int, str] = {}
        if file.suffix.lower() == ".ics":
            rows = in_calendar(
                file, defaults, zone, Interval(now.replace(microsecond=0), now.replace(microsecond=0) + YEAR)
            )
        else:
            rows, broken = in_table(file, defaults, parts.directory, lambda text: moment(text, zone))
        importer = Importer(parts.store, lambda: parts.directory, parts.rulebook, client, parts.publisher.max_age)
        reports: list[Reported] = importer.run(rows, f"cli:{getpass.getuser()}", now, rehearse=rehearse)
    told: list[dict[str, object]] = [
        {
            "line": one.row.line,
            "caseworker": one.row.caseworker,
            "start": screen.iso(one.row.start),
            "outcome": str(one.outcome),
            "why": one.why,
        }
        for one in reports
    ]
    told += [
        {"line": line, "caseworker": "", "start": "", "outcome": str(Outcome.REFUSED), "why": why}
        for line, why in broken.items()
    ]
    _report(sorted(told, key=lambda one: int(str(one["line"]))), rehearse, as_json)
    raise typer.Exit(1 if any(one["outcome"] == Outcome.REFUSED for one in told) else 0)


def _report(told: list[dict[str, object]], rehearse: bool, as_json: bool) -> None:
    if as_json:
        screen.print_json({"kept": not rehearse, "rows": told})
        return
    rows = [tuple(str(one[name]) for name in ("line", "start", "caseworker", "outcome", "why")) for one in told]
    screen.table("", ("line", "start (UTC)", "caseworker", "outcome", ""), rows)
    counted = Counter(str(one["outcome"]) for one in told)
    screen.say("; ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items())) or "No bookings found.")
    if rehearse:
        screen.say("This was a rehearsal; nothing was kept. Run it again with --for-good.")
