"""Commands about bookings, and the writing to calendars."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, window_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.booking import BookingState

booked = typer.Typer(invoke_without_command=True)
writes = typer.Typer(no_args_is_help=True, help="The writing to calendars, when it was stopped for a person to look.")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(booked, name="bookings")
    app.add_typer(writes, name="writes")


@booked.callback()
def bookings(
    context: typer.Context,
    start: Annotated[str | None, typer.Option("--from", help="Beginning; now if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End; 30 days later if left out.")] = None,
    state: Annotated[BookingState | None, typer.Option(help="Only bookings in this state.")] = None,
    attention: Annotated[bool, typer.Option("--attention", help="Only what a person must look at.")] = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Bookings of all clients by time, without anything about citizens."""
    if context.invoked_subcommand is not None:
        return
    from syncd.store import overview

    now = SystemClock().now()
    with parts_of(path) as parts:
        window = window_of(start, end, zone_of(parts.config), now, days=30)
        with parts.store.read() as tx:
            lines = overview.bookings(tx.session, window, state, attention)
    if as_json:
        screen.print_json(
            [
                {
                    "id": line.id,
                    "state": line.state,
                    "offer": line.offer,
                    "form": line.form,
                    "start": screen.iso(line.interval.start),
                    "end": screen.iso(line.interval.end),
                    "caseworker": line.caseworker,
                    "room": line.room,
                    "room_state": line.room_state,
                    "settled": line.settled,
                    "attention": line.attention,
                }
                for line in lines
            ]
        )
        return
    rows = [
        (
            screen.local(b.interval.start, b.zone),
            b.state + ("" if b.settled else " (being written)"),
            b.offer,
            b.caseworker,
            b.room or b.room_state,
            b.id,
            b.attention or "",
        )
        for b in lines
    ]
    screen.table(
        f"{len(lines)} booking(s)", ("when", "state", "offer", "caseworker", "room", "booking", "to look at"), rows
    )


@writes.command("status")
def status(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say whether writing goes on, and what is still owed to calendars."""
    from syncd.store import overview

    with parts_of(path) as parts:
        stopped = parts.reconciler.brake()
        with parts.store.read() as tx:
            debt = overview.owed(tx.session, SystemClock().now())
    screen.say(stopped or "Writing goes on.")
    screen.say(
        f"{debt.pending} meeting(s) wait to be written, the oldest for {debt.oldest_seconds:.0f} s; "
        f"{debt.attention} need a person's look (syncd bookings --attention)."
    )
    raise typer.Exit(0 if stopped is None else 1)


@writes.command("resume")
def resume(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let writing go on, because you looked at the calendars and they are right."""
    with parts_of(path) as parts:
        was = parts.reconciler.release_brake(f"cli:{getpass.getuser()}", SystemClock().now())
    screen.say("Writing goes on." if was else "Writing had not stopped; nothing was changed.")


@writes.command("retry")
def retry(
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help="The caseworker or room whose calendar lost them.")],
    path: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Write all our meetings to come into a calendar again that has lost them (restored from a backup, replaced).

    Without this, what is missing there counts as removed by a human, and those bookings are cancelled.
    """
    now = SystemClock().now()
    with parts_of(path) as parts:
        if mailbox not in parts.directory.mailboxes:
            raise SyncdError(f"There is no mailbox {mailbox!r} in the configuration. Nothing was done.")
        if not yes:
            typer.confirm(f"Write every meeting to come into the calendar of {mailbox} again?", abort=True)
        again = parts.reconciler.write_again(mailbox, f"cli:{getpass.getuser()}", now)
    screen.say(
        f"{again} meeting(s) will be written within seconds by the running service. If the loss was refused, "
        f"accept it afterwards: syncd sync --accept-loss {mailbox}"
    )
