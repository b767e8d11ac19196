"""What a database holds, as numbers that can be compared: rows and a digest per table.

The digest does not depend on order, driver or database, so a copy can be checked against its original even
when one is SQLite and the other PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, column, literal_column, select, table

from syncd.store.tables import Base

SEAL = "backup"
"""The setting in which a backup keeps its own tally; it is not counted."""
_MODULUS = 2**256
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a table has, and the digest of all of them (hex)."""

    rows: int
    digest: str


def tally(connection: Connection, tables: Iterable[str] | None = None) -> Mapping[str, Tally]:
    """Count and digest *tables*, or all tables this version knows, inside the connection's transaction."""
    names = [one.name for one in Base.metadata.sorted_tables] if tables is None else tables
    return {name: _table(connection, name) for name in names}


def _table(connection: Connection, name: str) -> Tally:
    question: Select[Any] = select(literal_column("*")).select_from(table(name))
    if name == "settings":
        question = question.where(column("name") != SEAL)
    rows = connection.execute(question.execution_options(yield_per=_AT_ONCE))
    order = sorted(range(len(rows.keys())), key=list(rows.keys()).__getitem__)
    count, total = 0, 0
    for row in rows:
        count += 1
        total += int.from_bytes(sha256(_canonical(row[place] for place in order)).digest())
    return Tally(count, f"{total % _MODULUS:064x}")


def _canonical(values: Iterable[object]) -> bytes:
    """One text for the same values from either driver: SQLite knows no booleans."""
    return repr([int(value) if isinstance(value, bool) else value for value in values]).encode()
