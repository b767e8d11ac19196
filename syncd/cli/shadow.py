"""The report of teams in shadow."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, window_of, zone_of
from syncd.clock import SystemClock


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(name="shadow")(shadow)


def shadow(
    start: Annotated[str | None, typer.Option("--from", help="Beginning; now if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End; two weeks later if left out.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What teams in shadow would have offered, booked and refused, and every double booking seen; writes nothing."""
    from syncd.publish.shadow import report, told

    now = SystemClock().now()
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        window = window_of(start, end, zone, now, days=14)
        found = report(parts.store, parts.publisher, parts.directory, window, now)
    if as_json:
        screen.print_json(told(found))
        return
    if not found.people:
        screen.say('No team is in shadow. Write mode = "shadow" into a team\'s rules, then: syncd offers apply FILE')
        return
    period = f"{screen.local(window.start, zone)} – {screen.local(window.end, zone)}"
    screen.table(
        f"{len(found.people)} caseworker(s) in shadow, {period}",
        ("offer", "times on offer"),
        [(name, str(number)) for name, number in found.offered.items()],
    )
    for who, reason in found.unread.items():
        screen.out.print(f"  [yellow]not known[/] {screen.escape(who)}: {screen.escape(reason)}", soft_wrap=True)
    screen.say(f"{len(found.booked)} entries as long as a meeting would have been booked here too.")
    rows = [
        (screen.local(one.interval.start, zone), one.caseworker, one.offer, (one.says or {})["en"])
        for one in found.refused
    ]
    screen.table(f"{len(rows)} would have been refused", ("when", "caseworker", "offer", "why"), rows)
    clashes = [
        (screen.local(one.interval.start, zone), screen.local(one.interval.end, zone), one.mailbox)
        for one in found.collisions
    ]
    screen.table(f"{len(clashes)} double booking(s)", ("from", "to", "calendar"), clashes)
