"""Commands about what waits for a person."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError

tasks = typer.Typer(help="What waits for a person, and being done with it.", no_args_is_help=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(tasks, name="tasks")


@tasks.callback(invoke_without_command=True)
def every(context: typer.Context, path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What waits for a person, and being done with it. Alone it is `syncd tasks list`."""
    if context.invoked_subcommand is None:
        listed(path, as_json)


@tasks.command("list")
def listed(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What waits for a person, the longest first."""
    with parts_of(path) as parts, parts.store.read() as tx:
        zone, found = zone_of(parts.config), tx.tasks.waiting()
    if as_json:
        screen.print_json(
            [
                {
                    "id": one.id,
                    "kind": one.kind,
                    "about": one.about,
                    "since": screen.iso(one.since),
                    "says": {"da": one.da, "en": one.en},
                    "facts": one.facts,
                }
                for one in found
            ]
        )
        return
    heads = ("task", "since", "about", "what to do", "staff are told")
    rows = [(str(one.id), screen.local(one.since, zone), one.about, one.english, one.says) for one in found]
    screen.table(f"{len(found)} task(s) wait for a person", heads, rows)


@tasks.command("done")
def done(
    task: Annotated[int, typer.Argument(help="The number that the list shows.")], path: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Take a task off the list, because you have seen to it. It comes back when its facts change."""
    actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
    with parts_of(path) as parts, parts.store.begin() as tx:
        found = tx.tasks.done(task, actor, now)
        if found is not None:
            tx.audit.add(actor, "task.done", now=now, detail=f"{found.kind} {found.about}")
    if found is None:
        raise SyncdError(f"No task {task} waits; nothing was changed. `syncd tasks` lists those that do.")
    screen.say(f"Done: {found.english}")
    if found.says:
        screen.say(found.says)
