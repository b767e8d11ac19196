"""Commands of daily life: doctor, maintenance, log."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.pause import DA, EN, Pause

maintenance = typer.Typer(no_args_is_help=True, help="Close all offers for a while, with a reason shown to citizens.")
logging = typer.Typer(no_args_is_help=True, help="How much the running service logs.")
LEVELS = ("debug", "info", "warning", "error", "configured")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(name="doctor")(doctor)
    app.add_typer(maintenance, name="maintenance")
    app.add_typer(logging, name="log")


def doctor(
    named: Annotated[str, typer.Argument(metavar="BOOKING|MAILBOX", help="A booking's, caseworker's or room's id.")],
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Tell everything that is known of a booking or a mailbox, with people masked, ready to paste into a ticket."""
    from syncd.daemon.doctor import examine

    with parts_of(path, fresh=False) as parts:
        found = examine(parts, named, SystemClock().now())
    if as_json:
        screen.print_json(found)
        return
    for title, facts in found.items():
        screen.say(f"## {title}")
        for line in _lines(facts):
            screen.say(line)


def _lines(facts: Mapping[str, Any], indent: str = "") -> Sequence[str]:
    """One line per fact; lists below their name."""
    lines: list[str] = []
    for name, value in facts.items():
        if isinstance(value, list):
            lines.append(f"{indent}{name}: {len(value)}")
            lines += [f"{indent}  - " + ", ".join(f"{k}: {_plain(v)}" for k, v in one.items()) for one in value]
        elif isinstance(value, Mapping):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return screen.iso(value) or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


@maintenance.command("on")
def begin(
    reason: Annotated[str, typer.Option("--reason", help="Danish sentence for citizens.")] = DA,
    reason_en: Annotated[str, typer.Option("--reason-en", help="English sentence for citizens.")] = EN,
    until: Annotated[str | None, typer.Option("--until", help="When it is meant to end, for colleagues.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Close all offers now. Bookings stay, times held may still be booked, calendars are read and written as always."""
    from syncd.store.pauses import pause

    now = SystemClock().now()
    with parts_of(path) as parts:
        end = moment(until, zone_of(parts.config)) if until else None
        with parts.store.begin() as tx:
            pause(tx, Pause(now, reason, reason_en, end, f"cli:{getpass.getuser()}"))
    screen.say("All offers are closed. Open them again with: syncd maintenance off")


@maintenance.command("off")
def end(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Open the offers again."""
    from syncd.store.pauses import resume

    with parts_of(path) as parts, parts.store.begin() as tx:
        was = resume(tx, f"cli:{getpass.getuser()}", SystemClock().now())
    screen.say("The offers are open again." if was else "There was no maintenance; nothing was changed.")


@maintenance.command("status")
def status(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say whether offers are closed, since when and why."""
    from syncd.store.pauses import paused

    with parts_of(path) as parts, parts.store.read() as tx:
        zone, found = zone_of(parts.config), paused(tx.settings)
    if as_json:
        told = {"since": found.since, "until": found.until, "say": found.say} if found else {}
        screen.print_json({"maintenance": found is not None, **told})
    elif found is None:
        screen.say("Offers are open.")
    else:
        meant = f", meant to end {screen.local(found.until, zone)}" if found.until else ""
        screen.say(f"All offers are closed since {screen.local(found.since, zone)}{meant}: {found.da} / {found.en}")


@logging.command("level")
def level(
    wanted: Annotated[str, typer.Argument(metavar="LEVEL", help=f"One of {', '.join(LEVELS)}.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=24 * 60, help="For how long.")] = 30,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let the running service log more or less for a while, without a restart; it goes back by itself."""
    from syncd.daemon.loudness import ask

    if wanted not in LEVELS:
        raise SyncdError(f"{wanted!r} is not one of {', '.join(LEVELS)}. Nothing was changed.")
    now = SystemClock().now()
    until = now + timedelta(minutes=minutes)
    with parts_of(path) as parts, parts.store.begin() as tx:
        ask(tx, None if wanted == "configured" else wanted, until, f"cli:{getpass.getuser()}", now)
        zone = zone_of(parts.config)
    if wanted == "configured":
        screen.say("The service logs as its configuration says, within seconds.")
    else:
        screen.say(f"The service logs at {wanted} within seconds, until {screen.local(until, zone)}.")
