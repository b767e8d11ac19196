"""Commands about caseworkers, and the distribution groups they come from."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of
from syncd.clock import SystemClock

people = typer.Typer(help="Caseworkers, and the distribution groups they come from.", no_args_is_help=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(people, name="people")


@people.callback(invoke_without_command=True)
def every(context: typer.Context, path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Caseworkers, and the distribution groups they come from. Alone it is `syncd people list`."""
    if context.invoked_subcommand is None:
        listed(path, as_json)


@people.command("list")
def listed(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Everybody whose calendar is watched, and where the group says that somebody left."""
    with parts_of(path) as parts:
        found = sorted(parts.directory.caseworkers.values(), key=lambda person: (person.site, person.id))
    if as_json:
        screen.print_json(
            [
                {
                    "id": person.id,
                    "name": person.name,
                    "address": person.mailbox.address,
                    "site": person.site,
                    "teams": list(person.teams),
                    "leaving": person.leaving,
                }
                for person in found
            ]
        )
        return
    rows = [
        (p.id, p.name, p.mailbox.address, p.site, ", ".join(p.teams), "has left" if p.leaving else "") for p in found
    ]
    screen.table(f"{len(found)} caseworker(s)", ("id", "name", "address", "site", "teams", ""), rows)


@people.command("follow")
def follow(
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="All who are missing have left, however many they are.")
    ] = False,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Ask the groups now who is in them (the service does so every few minutes)."""
    from syncd.daemon.people import follow_groups

    with parts_of(path) as parts:
        done = follow_groups(parts, SystemClock().now(), accept_loss=accept_loss)
    for one in done:
        screen.say(
            f"{one.group}: {one.problem or f'{one.members} people, {len(one.joined)} joined, {len(one.left)} left.'}"
        )
        for address, why in one.left_out:
            screen.say(f"  left out: {address} ({why})")
    if not done:
        screen.say("The configuration has no [[groups]]; nothing was asked.")
    raise typer.Exit(1 if any(one.problem for one in done) else 0)
