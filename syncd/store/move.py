"""Moves an installation to another database, with a check-sum of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from syncd.errors import StoreError
from syncd.store.copying import copy_rows
from syncd.store.session import MOVED, Store
from syncd.store.tables import Base
from syncd.store.tally import Tally


def move(source: Store, target: Store, now: datetime) -> Mapping[str, Tally]:
    """Copy everything into *target*, which must be empty; afterwards *source* refuses to be used.

    Nobody can write to *source* meanwhile; if anything goes wrong, it stays in use and *target* stays empty.

    :returns: what was moved, by table, counted and digested alike on both sides.
    :raises StoreError: the target holds data, one of the two cannot be used, or the sides differ.
    """
    refuse_same(source, target)
    source.upgrade()
    target.upgrade()
    with source.begin() as old:
        with target.begin() as new:
            _refuse_data(target, new.session.connection())
            _hold_still(old.session.connection())
            moved = copy_rows(old.session.connection(), new.session.connection())
        old.settings.put(MOVED, f"{target.place} on {now:%Y-%m-%d %H:%M} UTC")
    return moved


def refuse_same(source: Store, target: Store) -> None:
    """Make sure that there is something to do.

    :raises StoreError: both are the same database.
    """
    if source.url == target.url:
        raise StoreError(f"{target.place} is where the data is already; nothing was moved.")


def _refuse_data(target: Store, connection: Connection) -> None:
    tables = [table for table in Base.metadata.sorted_tables if table.name != "settings"]
    if full := [table.name for table in tables if connection.scalar(select(func.count()).select_from(table))]:
        raise StoreError(
            f"{target.place} holds data already ({', '.join(full)}); nothing was moved. Name an empty database."
        )


def _hold_still(connection: Connection) -> None:
    """Keep other clients of PostgreSQL from writing until we commit; on SQLite we are the only writer."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
