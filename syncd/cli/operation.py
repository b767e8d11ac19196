"""Commands of IT operations: run, demo, db, client, config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption

db = typer.Typer(no_args_is_help=True, help="Look after the database.")
client = typer.Typer(no_args_is_help=True, help="Programs that may use the HTTP API.")
config = typer.Typer(
    no_args_is_help=True, help="The configuration file: an example, its schema, a check of the file alone."
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(name="run")(run)
    app.command(name="demo")(demo)
    app.add_typer(db, name="db")
    app.add_typer(client, name="client")
    app.add_typer(config, name="config")


def run(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the service in the foreground (systemd does this).

    SIGTERM drains and stops within 10 seconds; SIGHUP reads the configuration again, or keeps the old one and says why.
    """
    from syncd.daemon.lifetime import Daemon

    raise typer.Exit(Daemon(path).run())


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run the guided tour and exit: 0 if every step succeeded.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keep the town here instead of a temporary folder.")
    ] = None,
) -> None:
    """Start a made-up jobcentre on a real calendar server and guide through it."""
    from syncd.demo import run as show

    raise typer.Exit(show(once=once, directory=directory))


@db.command("upgrade")
def upgrade(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database to this version's layout (also done at each start)."""
    from syncd.config import load
    from syncd.store import Store

    store = Store(load(path).database_url())
    before = store.revision()
    store.upgrade()
    after = store.revision()
    told = "was up to date" if before == after else f"upgraded from {before or 'nothing'}"
    screen.say(f"{store.place}: layout {after}, {told}.")
    if store.warning:
        screen.complain(store.warning)


@client.command("new")
def new(name: Annotated[str, typer.Argument(help="A short name for the program, such as 'portal'.")]) -> None:
    """Make a token for a program. The token is shown once; only its hash goes into the configuration."""
    from syncd.config import new_client

    token, lines = new_client(name)
    screen.err.print("Give this token to the program, over a safe way; it is not kept anywhere:", soft_wrap=True)
    screen.say(token)
    screen.err.print("\nAdd these lines to syncd.toml, then reload:", soft_wrap=True)
    screen.say(lines)


@config.command("example")
def example() -> None:
    """Print an example configuration with every key explained."""
    from syncd.config.describe import example as text

    typer.echo(text(), nl=False)


@config.command("schema")
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    from syncd.config.describe import schema as value

    typer.echo(json.dumps(value(), indent=2, ensure_ascii=False))


@config.command("show")
def show(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Check the file alone and print what it says, defaults filled in; secrets stay where they are."""
    from syncd.config import load

    loaded = load(path)
    if as_json:
        screen.print_json(loaded.model_dump(mode="json", exclude_none=True))
        return
    screen.say(
        f"{path}: correct. {loaded.organisation}: {len(loaded.sites)} site(s), "
        f"{len(loaded.caseworkers)} caseworker(s), {len(loaded.rooms)} room(s), {len(loaded.calendars)} account(s)."
    )
