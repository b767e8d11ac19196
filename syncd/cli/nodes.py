"""`syncd nodes`: who serves together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, zone_of

if TYPE_CHECKING:
    from syncd.store.nodes import Node


NOBODY = "No node serves together with others here. To have several, start each with: syncd run --role all"
ALONE = (
    "On SQLite one node serves alone (syncd run). Several together need PostgreSQL; to move there, stop syncd and run: "
    "syncd db move --to postgresql://USER@HOST/NAME"
)


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(name="nodes")(nodes)


def nodes(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List the nodes that serve together on one PostgreSQL, and since when each was silent.

    Exit code 1 when one was silent for too long, and the others have not taken over yet.
    """
    from syncd.config import load
    from syncd.daemon.parts import look_into_store
    from syncd.store.nodes import Nodes

    config = load(path)
    store = look_into_store(config)
    try:
        with store.read() as tx:
            found = [] if store.sqlite else Nodes(tx.session).all()
    finally:
        store.close()
    if as_json:
        screen.print_json([{**asdict(node), "silent": node.silent.total_seconds()} for node in found])
    elif not found:
        screen.say(ALONE if store.sqlite else NOBODY)
    else:
        zone = zone_of(config)
        rows = [(one.id, one.role, one.version, screen.local(one.started, zone), _heard(one)) for one in found]
        screen.table("Nodes", ("node", "role", "version", "since", "heard of"), rows)
    raise typer.Exit(any(node.dead for node in found))


def _heard(node: Node) -> str:
    seconds = round(node.silent.total_seconds())
    return f"{seconds} s ago, dead" if node.dead else f"{seconds} s ago"
