"""All commands of ``syncd``; each module adds its own."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from syncd import __version__

MODULES = {
    "beginning": {"init"},
    "operation": {"run", "demo", "db", "client", "config"},
    "nodes": {"nodes"},
    "organisations": {"organisations"},
    "daily": {"doctor", "maintenance", "log"},
    "calendars": {"check", "sync", "busy"},
    "mailboxes": {"mailboxes"},
    "supply": {"slots", "why"},
    "shadow": {"shadow"},
    "evidence": {"supply"},
    "desk": {"bookings", "writes"},
    "citizens": {"bookings"},
    "importing": {"bookings"},
    "absence": {"absence", "bookings"},
    "audit": {"audit"},
    "tasks": {"tasks"},
    "rooms": {"rooms"},
    "people": {"people"},
    "intake": {"people", "rooms"},
    "rules": {"offers"},
    "reports": {"reports"},
    "webhooks": {"webhooks"},
    "feeds": {"feeds"},
    "pages": {"pages"},
    "dfdg": {"dfdg"},
    "jobnet": {"jobnet"},
}
"""The modules of this package in the order of ``--help``, each with the commands that it adds or adds to.

A command needs its own modules only, and importing all of them takes longer than most commands do.
"""


PANELS = {
    "Begin": {"init", "demo", "client", "config", "organisations", "mailboxes", "pages", "feeds"},
    "When something is wrong": {
        "check", "doctor", "tasks", "why", "sync", "writes", "maintenance", "log", "nodes", "webhooks",
    },
    "Service, data, authorities": {"run", "db", "audit", "dfdg", "jobnet"},
    "Times, people, rooms, meetings": {
        "slots", "busy", "offers", "bookings", "absence", "people", "rooms", "shadow", "supply", "reports",
    },
}  # fmt: skip
"""Under which heading ``--help`` lists a command."""


def app_of(command: str | None = None) -> typer.Typer:
    """The command line with the modules that one command needs; with all of them where the command is not known."""
    app = typer.Typer(
        name="syncd",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help=(
            "Mirrors caseworkers' calendars, publishes their self-booking slots, writes booked meetings back "
            "and assigns a meeting room to each.\n\n"
            "New here? [bold]syncd demo[/] shows the whole of it on a made-up jobcentre. "
            "Setting up? [bold]syncd init[/], then [bold]syncd check[/]."
        ),
        epilog=(
            "Exit codes: 0 done, 1 not done (the text says why), 2 wrong usage, 70 a defect in syncd "
            "(please report it), 78 mistake in the configuration, 130 interrupted."
        ),
    )
    app.callback()(main)
    wanted = [name for name, commands in MODULES.items() if command in commands]
    for name in wanted or MODULES:
        import_module(f"syncd.cli.{name}").add_to(app)
    for one in app.registered_commands:
        one.rich_help_panel = _panel(one.name)
    for group in app.registered_groups:
        group.rich_help_panel = _panel(group.name)
    return app


def _panel(command: str | None) -> str | None:
    return next((panel for panel, names in PANELS.items() if command in names), None)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options before every command."""
