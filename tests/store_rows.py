"""One row in every table, with values that copies like to lose: booleans, bytes, NULLs, letters, long numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, LargeBinary, insert

from syncd.store.instants import epoch
from syncd.store.tables import Base
from tests.rough_server import NOW

SPECIAL = {
    "mailbox": "kim",
    "meeting": "m1",
    "room": "kim",
    "source": "test|kim@example.org||Europe/Copenhagen",
    "start": epoch(NOW) + 3600,
    "end": epoch(NOW) + 7200,
    "revision": 7,
    "busy": "busy",
    "state": "confirmed",
    "citizen": "Ærø-ref \N{SNOWMAN}",
}


def fill_every_table(connection: Connection) -> None:
    """Insert one row into every table that is not yet filled by an upgrade."""
    for table in Base.metadata.sorted_tables:
        if table.name != "settings":
            connection.execute(insert(table), [{column.name: _value(table.name, column) for column in table.columns}])


def _value(table: str, column: Column[Any]) -> object:
    if column.name == "id" and not isinstance(column.type, Integer):
        return {"mailboxes": "kim", "meetings": "m1"}.get(table, f"{table}-1")
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer):
        return 41 if column.name == "id" else 2**40 + 1
    if isinstance(column.type, LargeBinary):
        return b"\x00\xff'\""
    return None if column.nullable else f"{column.name} 'quoted' \\ ø"
