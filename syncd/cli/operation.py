"""Commands of IT operations: run, demo, db, client, config."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from syncd.store.backup import Backup

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


def run(
    path: ConfigOption = DEFAULT_CONFIG,
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            envvar="SYNCD_ROLE",
            help="Serve together with other nodes on one PostgreSQL: api answers, worker works, all does both. "
            "Without it this is the only node, on SQLite or PostgreSQL.",
        ),
    ] = None,
) -> None:
    """Run the service in the foreground (systemd does this).

    SIGTERM drains and stops within 10 seconds; SIGHUP reads the configuration again, or keeps the old one and says why.
    """
    from syncd.daemon.lifetime import Daemon
    from syncd.daemon.node import Role

    if role is not None and role not in set(Role):
        raise typer.BadParameter(f"--role is one of {', '.join(Role)}, not {role!r}. Nothing was started.")
    raise typer.Exit(Daemon(path, None if role is None else Role(role)).run())


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run the guided tour and exit: 0 if every step succeeded.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keep the town here instead of a temporary folder.")
    ] = None,
    exchange: Annotated[
        bool, typer.Option("--exchange", help="On a simulated Exchange server instead of CalDAV; needs a checkout.")
    ] = False,
    graph: Annotated[
        bool, typer.Option("--graph", help="In a simulated Microsoft 365 instead of CalDAV; needs a checkout.")
    ] = False,
    jobnet: Annotated[
        bool, typer.Option("--jobnet", help="With a simulated Jobnet and DFDG beside it; needs a checkout.")
    ] = False,
) -> None:
    """Start a made-up jobcentre on a real calendar server and guide through it."""
    from syncd.demo import run as show

    if exchange and graph:
        raise typer.BadParameter("--exchange and --graph are two towns; take one after the other.")
    server = "graph" if graph else "exchange" if exchange else "radicale"
    raise typer.Exit(show(once=once, directory=directory, server=server, on_jobnet=jobnet))


@db.command("upgrade")
def upgrade(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database to this version's layout, after a backup (also done at each start).

    Where an SQLite database is gone that was there before, only this makes a new, empty one.
    """
    from syncd.clock import SystemClock
    from syncd.config import load
    from syncd.daemon import upgrading
    from syncd.daemon.occupancy import occupied
    from syncd.store import Store
    from syncd.store.schema import head

    config = load(path)
    store = Store(config.database_url())
    # An older service that is alone is known to nobody; nodes that share the database say which layouts they need.
    due = upgrading.layout_of(store) != head()
    with occupied(store, "syncd db upgrade", shared=True) if due else nullcontext():
        done = upgrading.upgrade(config, store, SystemClock().now())
    screen.say(f"{store.place}: layout {done.after}, {done.says}")
    if store.warning:
        screen.complain(store.warning)


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The backup: one SQLite file, whatever the database is.")
]


@db.command("backup")
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A new file; unset: a name of its own in the folder that `backup` names."),
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write everything into one new SQLite file while the service goes on, and check it.

    Without FILE, backups in the folder that are older than `keep_days` are removed afterwards.
    """
    from syncd.clock import SystemClock
    from syncd.config import load
    from syncd.daemon import upgrading
    from syncd.daemon.parts import look_into_store
    from syncd.store import backup as backups

    config, now = load(path), SystemClock().now()
    made = backups.backup(look_into_store(config), file or upgrading.new_file(config, now), now)
    _tell_backup(made.path, made)
    if file is None:
        for old in upgrading.forget(config, now):
            screen.say(f"{old}: older than {config.backup.keep_days} days, removed.")


@db.command("verify")
def verify(file: FileArgument) -> None:
    """Check that a backup is whole; touches no database."""
    from syncd.store import backup as backups

    _tell_backup(file, backups.verify(file))


@db.command("restore")
def restore(
    file: FileArgument,
    path: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace everything in the database by FILE. Stop the service first.

    Afterwards all calendars are compared whole; meetings that only the calendars know are kept and flagged.
    """
    import getpass

    from syncd.clock import SystemClock
    from syncd.config import load
    from syncd.daemon.occupancy import occupied
    from syncd.daemon.parts import look_into_store, store_of
    from syncd.store import backup as backups
    from syncd.store.erasure import replay

    _tell_backup(file, backups.verify(file))
    config = load(path)
    with occupied(store_of(config), "syncd db restore"):
        store = look_into_store(config, anew=True)
        if not yes:
            typer.confirm(f"Replace everything in {store.place} by this backup?", abort=True)
        now = SystemClock().now()
        backups.restore(store, file, now, f"cli:{getpass.getuser()}")
        again = replay(store, config.ledger, now)
    if again.bookings:
        screen.say(f"{len(again.bookings)} booking(s) of citizens who had been erased were erased again.")
    screen.say(f"{store.place} holds the backup now. Start the service; it compares every calendar.")
    screen.say("Meetings that only the calendars know are taken up again and listed: syncd tasks")


def _tell_backup(file: Path, made: Backup) -> None:
    rows = sum(table.rows for table in made.tables.values())
    screen.say(f"{file}: whole; made {made.made} by syncd {made.version}, {rows} rows, SHA-256 {made.sha256}")


@db.command("move")
def move(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database, such as postgresql://syncd@host/syncd.")
    ],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take the installation to another database, with a check-sum of both sides. Stop the service first."""
    from syncd.clock import SystemClock
    from syncd.config import load
    from syncd.daemon.occupancy import occupied
    from syncd.daemon.parts import look_into_store, store_of
    from syncd.store import Store
    from syncd.store.move import move as carry
    from syncd.store.move import refuse_same

    config, target = load(path), Store(to)
    refuse_same(store_of(config), target)
    with occupied(store_of(config), "syncd db move"), occupied(target, "syncd db move"):
        source = look_into_store(config)
        target.upgrade()
        moved = carry(source, target, SystemClock().now())
    rows = [(name, str(table.rows), table.digest[:16]) for name, table in moved.items() if table.rows]
    screen.table(f"Moved to {target.place}; both sides are equal", ("table", "rows", "digest"), rows)
    screen.say(f'Write database = "{to}" into {path} and start the service. The old database refuses to be used.')


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
