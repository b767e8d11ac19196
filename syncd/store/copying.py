"""All rows of one database written into another, in one transaction on each side."""

from __future__ import annotations

from sqlalchemy import Connection, Table, TableClause, column, delete, func, insert, inspect, select, table

from syncd.errors import StoreError
from syncd.store.tables import Base
from syncd.store.tally import Tally, tally

_AT_ONCE = 2000


def copy_rows(source: Connection, target: Connection) -> dict[str, Tally]:
    """Replace everything in *target* by what *source* holds; both have the same layout, which may be an older one.

    :returns: what was copied, by table, counted on both sides.
    :raises StoreError: the two sides differ afterwards; the caller's transaction must not be committed.
    """
    names = there(source)
    tables = [_known_columns(source, Base.metadata.tables[name]) for name in names]
    for each in reversed(tables):
        target.execute(delete(each))
    for each in tables:
        rows = source.execute(select(*each.c).execution_options(yield_per=_AT_ONCE)).mappings()
        for some in rows.partitions(_AT_ONCE):
            target.execute(insert(each), [dict(row) for row in some])
    _follow_serials(target)
    wanted, found = dict(tally(source, names)), dict(tally(target, names))
    if differing := [name for name in wanted if wanted[name] != found[name]]:
        raise StoreError(
            f"The copy differs from the original in {', '.join(differing)}; it was thrown away and nothing was changed."
        )
    return found


def there(connection: Connection) -> list[str]:
    """Our tables that this database has, in an order in which they can be filled; an older layout has fewer."""
    found = set(inspect(connection).get_table_names())
    return [each.name for each in Base.metadata.sorted_tables if each.name in found]


def _known_columns(connection: Connection, known: Table) -> TableClause:
    """*known* with those of its columns that this database has."""
    has = {each["name"] for each in inspect(connection).get_columns(known.name)}
    return table(known.name, *(column(each.name, each.type) for each in known.columns if each.name in has))


def _follow_serials(target: Connection) -> None:
    """Let PostgreSQL count on from the highest id that was copied; SQLite does so by itself."""
    if target.dialect.name != "postgresql":
        return
    for each in Base.metadata.sorted_tables:
        serial = each.autoincrement_column
        if serial is not None:
            sequence = func.pg_get_serial_sequence(each.name, serial.name)
            target.execute(
                select(func.setval(sequence, select(func.coalesce(func.max(serial), 0) + 1).scalar_subquery(), False))
            )
