"""All commands of ``syncd``; each module adds its own."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd import __version__
from syncd.cli import (
    absence,
    audit,
    beginning,
    calendars,
    citizens,
    daily,
    desk,
    dfdg,
    evidence,
    feeds,
    importing,
    intake,
    jobnet,
    mailboxes,
    nodes,
    operation,
    organisations,
    pages,
    people,
    reports,
    rooms,
    rules,
    shadow,
    supply,
    tasks,
    webhooks,
)

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
        "Exit codes: 0 done, 1 not done (the text says why), 2 wrong usage, 70 a defect in syncd (please report it), "
        "78 mistake in the configuration, 130 interrupted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options before every command."""


for part in (
    beginning,
    operation,
    nodes,
    organisations,
    daily,
    calendars,
    mailboxes,
    supply,
    shadow,
    evidence,
    desk,
    citizens,
    importing,
    absence,
    audit,
    tasks,
    rooms,
    people,
    intake,
    rules,
    reports,
    webhooks,
    feeds,
    pages,
    dfdg,
    jobnet,
):
    part.add_to(app)
