"""Commands about reports on supply that are sent by schedule."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError

reports = typer.Typer(no_args_is_help=True, help="Reports on supply that are sent by schedule.")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(reports, name="reports")


@reports.command("list")
def listed(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Which reports were sent to whom, the newest first, and what the last try met."""
    from syncd.store.reports import Reports

    with parts_of(path) as parts, parts.store.read() as tx:
        zone, found = zone_of(parts.config), Reports(tx.session).newest()
    heads = ("report", "period", "recipient", "state", "since", "tries", "problem")
    rows = [
        (
            one.name,
            one.period,
            one.recipient,
            str(one.standing),
            screen.local(one.at, zone),
            str(one.attempts),
            one.problem or "",
        )
        for one in found
    ]
    if as_json:
        screen.print_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    screen.table(f"{len(rows)} report(s)", heads, rows)
    if any(one.standing == "unknown" for one in found):
        screen.say("unknown: it may have arrived; ask, and if not: syncd reports again NAME PERIOD")


@reports.command("again")
def again(
    name: Annotated[str, typer.Argument(help="Name of the table in `supply.reports`.")],
    period: Annotated[str, typer.Argument(help="As the list shows it: 2026-W49 or 2026-12.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Send a report again to those of whom it is not known whether they got it; the service does it within a minute."""
    from syncd.store.reports import Reports

    actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
    with parts_of(path) as parts, parts.store.begin() as tx:
        number = Reports(tx.session).again(name, period)
        if number:
            tx.audit.add(actor, "report.again", detail=f"{name} {period}", now=now)
    if not number:
        raise SyncdError(
            f"Nothing of {name} {period} waits or is unknown. Nothing was changed; see: syncd reports list"
        )
    screen.say(f"It will be sent again to {number} recipient(s), as long as {period} is the newest.")
