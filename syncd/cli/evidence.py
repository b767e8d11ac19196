"""Commands about the past: what was on offer then, and statements for an outage."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, between, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.model.eligibility import Traits
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock
from syncd.publish.past import Past, past

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


def show_as_of(
    parts: Parts, offer: str, at: datetime, window: Interval, traits: Traits | None, *, as_json: bool
) -> None:
    """Print what could have been booked as seen at an instant."""
    with parts.store.read() as tx:
        found = past(tx, parts.directory, offer, at, window, traits)
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


def _headline(found: Past, zone: str) -> str:
    seen = found.seen
    if not seen.watched:
        return (
            f"Nothing is on record for {screen.local(seen.at, zone)}: syncd was not running then, and nothing could "
            "be booked through it. See: syncd supply statement"
        )
    if seen.since is None:
        return f"The offer '{seen.offer}' was not in force at {screen.local(seen.at, zone)}."
    if found.entitled is False:
        return f"The offer was not for these citizens, by the rules then in force ({seen.since.rules})."
    number = sum(len(starts) for starts in found.times.values())
    return f"{STANDS[seen.since.standing]} {number} times in the range; rules {seen.since.rules}."


def told(found: Past) -> dict[str, object]:
    """What the record says, as JSON."""
    seen = found.seen
    return {
        "offer": seen.offer,
        "as_of": screen.iso(seen.at),
        "from": screen.iso(seen.window.start),
        "to": screen.iso(seen.window.end),
        "on_record": seen.watched,
        "status": seen.since.standing if seen.since else None,
        "rules": seen.since.rules if seen.since else None,
        "entitled": found.entitled,
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
