"""Commands about the past: what was on offer then, and statements for an outage."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, between, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.model.evidence import Evidence
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts

supply = typer.Typer(no_args_is_help=True, help="What was on offer when, as evidence.")

STANDS = {
    "open": "There were times.",
    "fully-booked": "Every calendar was known, and there was no time.",
    "temporarily-closed": "Closed: calendars could not be trusted.",
    "withdrawn": "The rules no longer had this offer.",
}


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(supply, name="supply")


def show_as_of(parts: Parts, offer: str, at: datetime, window: Interval, *, as_json: bool) -> None:
    """Print what could have been booked as seen at an instant."""
    with parts.store.read() as tx:
        found = tx.evidence.seen(offer, at, window)
    if as_json:
        screen.print_json(told(found))
        return
    zone = zone_of(parts.config)
    screen.say(_headline(found, zone))
    days: dict[tuple[str, str], list[str]] = {}
    for form, starts in found.times.items():
        for start in starts:
            local = wall_clock(start, zone)
            days.setdefault((local.strftime("%a %Y-%m-%d"), form.value), []).append(local.strftime("%H:%M"))
    if days:
        rows = [(day, form, " ".join(times)) for (day, form), times in days.items()]
        screen.table(f"{offer} as seen at {screen.local(at, zone)}", ("day", "form", "times"), rows)


def _headline(found: Evidence, zone: str) -> str:
    if not found.watched:
        return (
            f"Nothing is on record for {screen.local(found.at, zone)}: syncd was not running then, and nothing could "
            "be booked through it. See: syncd supply statement"
        )
    if found.since is None:
        return f"The offer '{found.offer}' was not in force at {screen.local(found.at, zone)}."
    number = sum(len(starts) for starts in found.times.values())
    return f"{STANDS[found.since.standing]} {number} times in the range; rules {found.since.rules}."


def told(found: Evidence) -> dict[str, object]:
    """Evidence as JSON."""
    return {
        "offer": found.offer,
        "as_of": screen.iso(found.at),
        "from": screen.iso(found.window.start),
        "to": screen.iso(found.window.end),
        "on_record": found.watched,
        "status": found.since.standing if found.since else None,
        "rules": found.since.rules if found.since else None,
        "times": [
            {"form": form, "start": screen.iso(start)} for form, starts in found.times.items() for start in starts
        ],
    }


@supply.command("statement")
def statement(
    start: Annotated[str, typer.Option("--from", help="Beginning of the period.")],
    end: Annotated[str | None, typer.Option("--to", help="Its end; now if left out.")] = None,
    offer: Annotated[list[str] | None, typer.Option(help="Only this offer; may be given more than once.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page to be printed, in Danish.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """When offers could not be booked (driftsforstyrrelser): which, from when to when, why, and what was on offer."""
    from syncd.publish.statement import disturbances
    from syncd.web.statement import statement_page

    now = SystemClock().now()
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        window = between(moment(start, zone), min(now.replace(microsecond=0), moment(end, zone) if end else now))
        with parts.store.read() as tx:
            book = parts.rulebook.within(tx)
            found = disturbances(tx, book, window, tuple(offer or ()))
        if html is not None:
            html.write_text(statement_page(found, parts.directory, book, window, zone, now), encoding="utf-8")
            screen.say(f"Written: {html}")
            return
    if as_json:
        screen.print_json([one.told() for one in found])
        return
    rows = [
        (
            one.offer,
            screen.local(one.span.start, zone),
            screen.local(one.span.end, zone),
            _length(one.span.duration),
            one.kind,
            str(one.before),
        )
        for one in found
    ]
    title = f"{len(rows)} disturbance(s) from {screen.local(window.start, zone)} to {screen.local(window.end, zone)}"
    screen.table(title, ("offer", "from", "to", "length", "why", "times before"), rows)


def _length(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60:02} min"
