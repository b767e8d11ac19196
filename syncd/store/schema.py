"""The layout of the database: brought up to date by alembic, then checked for the overlap rule."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from syncd.errors import StoreError

LOCK = 7_291_550_133_204
"""Any number; it keeps two PostgreSQL clients from upgrading at once."""

SERVES = "layout_serves"
"""The setting that holds `serving`, for nodes of an older version that start again during an upgrade."""
_TELL = text(
    "INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)

GUARDS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'claims'",
    "postgresql": "SELECT conname FROM pg_constraint WHERE contype = 'x' AND conrelid = 'claims'::regclass",
}
NEEDED = {
    "sqlite": {"claims_no_overlap_insert", "claims_no_overlap_update"},
    "postgresql": {"ex_claims_no_overlap"},
}


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """The newest layout this version knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def revision(connection: Connection) -> str | None:
    """The layout the database has."""
    return MigrationContext.configure(connection).get_current_revision()


def knows(layout: str) -> bool:
    """Whether this version can read, and upgrade, a database of that layout."""
    return layout in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def serving() -> list[str]:
    """The layouts whose versions of syncd can go on using a database of the newest one, the newest first.

    Migrations only add; one that takes something away comes a release later than the one that made it needless, and
    names the layout of that release: ``contracts = "0021"``. So nodes of two versions serve side by side.
    """
    found: list[str] = []
    oldest: set[str] = set()
    for script in ScriptDirectory.from_config(_config()).walk_revisions():
        found.append(str(script.revision))
        oldest.add(getattr(script.module, "contracts", ""))
        if script.revision in oldest:
            break
    return found


def demand_served(connection: Connection, served: Collection[str]) -> None:
    """Make sure that nobody who serves on this database would be left behind by an upgrade.

    :raises StoreError: living nodes need what it takes away; nothing was changed.
    """
    if "layout" not in {column["name"] for column in inspect(connection).get_columns("nodes")}:
        return
    if not connection.scalar(text("SELECT count(*) FROM nodes")):
        return  # as always on SQLite, which has no clock that nodes could agree on
    from syncd.store import nodes

    if behind := nodes.left_behind(connection, served):
        raise StoreError(
            f"Nodes of an older version serve on this database ({', '.join(behind)}) and need what this version takes "
            f"away. Nothing was changed. Bring them to the release before this one first, or stop them: syncd nodes"
        )


def serves_us(connection: Connection) -> bool:
    """Whether a newer version upgraded this database, and said that this one can go on using it."""
    return head() in _served(connection).split()


def _served(connection: Connection) -> str:
    found = connection.execute(text("SELECT value FROM settings WHERE name = :name"), {"name": SERVES}).scalar()
    return str(found or "")


def upgrade(connection: Connection, layout: str = "head") -> None:
    """Run the missing migrations inside the connection's transaction, up to *layout*.

    A layout of a newer version that goes on serving this one is left as it is.

    :raises StoreError: the database has a layout this version does not know, or nodes serve on it that could not go on.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    current = revision(connection)
    if current is not None and not knows(current):
        if serves_us(connection):
            return
        raise StoreError(
            f"The database has layout {current!r}, made by a newer syncd than this one (which knows {head()!r}). "
            "Install that version again, or restore a backup made before the upgrade. Nothing was changed."
        )
    if current != head():
        if current is not None and inspect(connection).has_table("nodes"):
            demand_served(connection, serving())
        command.upgrade(_config(connection), layout)
    told = " ".join(serving())
    if layout == "head" and _served(connection) != told:
        connection.execute(_TELL, {"name": SERVES, "value": told})


def verify(connection: Connection) -> None:
    """Make sure that the database itself refuses overlapping claims.

    :raises StoreError: the rule is missing; nothing may be booked on such a database.
    """
    dialect = connection.dialect.name
    missing = NEEDED[dialect] - set(connection.scalars(text(GUARDS[dialect])))
    if missing:
        raise StoreError(
            f"The database lacks the rule against double booking ({', '.join(sorted(missing))}), so syncd does not "
            "start. Somebody removed it, or copied tables by hand; restore a backup. Nothing was changed."
        )
