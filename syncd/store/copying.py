"""All rows of one database written into another, in one transaction on each side."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from syncd.errors import StoreError
from syncd.store.tables import Base
from syncd.store.tally import Tally, tally

_AT_ONCE = 2000


def copy_rows(source: Connection, target: Connection) -> dict[str, Tally]:
    """Replace everything in *target* by what *source* holds; both have the newest layout.

    :returns: what was copied, by table, counted on both sides.
    :raises StoreError: the two sides differ afterwards; the caller's transaction must not be committed.
    """
    tables = Base.metadata.sorted_tables
    for table in reversed(tables):
        target.execute(delete(table))
    for table in tables:
        rows = source.execute(select(table).execution_options(yield_per=_AT_ONCE)).mappings()
        for some in rows.partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in some])
    _follow_serials(target)
    wanted, found = dict(tally(source)), dict(tally(target))
    if differing := [name for name in wanted if wanted[name] != found[name]]:
        raise StoreError(
            f"The copy differs from the original in {', '.join(differing)}; it was thrown away and nothing was changed."
        )
    return found


def _follow_serials(target: Connection) -> None:
    """Let PostgreSQL count on from the highest id that was copied; SQLite does so by itself."""
    if target.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            target.execute(
                select(func.setval(sequence, select(func.coalesce(func.max(column), 0) + 1).scalar_subquery(), False))
            )
