"""Database errors as sentences an operator can act on; passwords never appear in them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from syncd.errors import Contention, StoreError

CONTENTION = frozenset({"40001", "40P01"})

AFTERWARDS = "A running service then goes on by itself; otherwise try again."
"""Said by every command, and by a service that cannot start."""
GONE = "{where} was removed or renamed while it was in use. Put it back, or restore a backup (`syncd db restore FILE`)."
"""Said in place of what SQLite says then."""
WITHOUT_FILE = ("disk i/o error", "readonly database")

SQLITE = {
    "disk is full": f"The disk that holds {{where}} is full. Free some space. {AFTERWARDS}",
    "readonly database": "{where} cannot be written. Check owner and permissions of the file and its folder.",
    "unable to open database": "{where} cannot be opened. Check that the folder exists and that syncd may write there.",
    "not a database": "{where} is not an SQLite database. Check the path, or restore a backup.",
    "malformed": "{where} is damaged. Stop syncd and restore a backup (`syncd db restore FILE`).",
    "disk i/o error": (
        "Reading or writing {where} failed (disk I/O error). Check whether its disk is full (`df`), then the disk "
        "itself and the system log."
    ),
    "locked": "{where} is in use by another program that does not let go. Find it and try again.",
    "no such table": "{where} has not been set up. Run `syncd db upgrade`.",
    "no such column": "{where} has an older layout. Run `syncd db upgrade`.",
}

POSTGRESQL = {
    "28": "The database refused the user or password for {where}. Check database URL and credentials.",
    "3D000": "There is no database {where}. Create it (`createdb`), or correct the database URL.",
    "42501": "The database user lacks a right in {where}: {detail}",
    "42P01": "{where} has not been set up. Run `syncd db upgrade`.",
    "42703": "{where} has an older layout. Run `syncd db upgrade`.",
    "53100": f"The disk of the database server behind {{where}} is full. Free some space. {AFTERWARDS}",
    "53300": "The database server behind {where} has no connection left. Raise max_connections or stop other clients.",
    "55P03": "{where} is locked by another program that does not let go. Find it and try again.",
    "25006": "{where} can only be read (a standby?). Point syncd at the primary server.",
    "58P01": "The PostgreSQL server lacks a file: {detail} The package postgresql-contrib brings btree_gist.",
    "0A000": "The PostgreSQL server lacks an extension: {detail} The package postgresql-contrib brings btree_gist.",
}


def place(url: URL) -> str:
    """How the database is called in messages."""
    if url.get_backend_name() == "sqlite":
        return f"the database file {url.database}"
    return f"the database {url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)}"


def translate(error: SQLAlchemyError, url: URL) -> StoreError:
    """The error as a `StoreError` sentence; the transaction has been rolled back.

    `IntegrityError` is not for this function: callers learn from it that somebody else was first.
    """
    where = place(url)
    if isinstance(error, PoolTimeout):
        return StoreError(f"All connections to {where} are in use; nothing was changed. Try again.")
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state in CONTENTION:
        return Contention(f"Two changes of {where} met; this one was not carried out. Try again.")
    detail = " ".join(str(getattr(error, "orig", None) or error).split())
    said = _postgresql(state, error) if url.get_backend_name() != "sqlite" else _sqlite(detail, Path(str(url.database)))
    sentence = said.format(where=where, detail=detail if detail.endswith((".", "?", "!")) else f"{detail}.")
    return StoreError(f"{sentence[0].upper()}{sentence[1:]} Nothing was changed.")


def _sqlite(detail: str, file: Path) -> str:
    signs = detail.lower()
    if any(sign in signs for sign in WITHOUT_FILE) and _gone(file):
        return GONE
    known = (text for sign, text in SQLITE.items() if sign in signs)
    return next(known, "{where} refused: {detail}")


def _gone(file: Path) -> bool:
    """Whether it alone is missing; a folder that cannot be looked into tells nothing."""
    try:
        file.stat()
    except FileNotFoundError:
        return file.parent.is_dir()
    except OSError:
        return False
    return False


def _postgresql(state: str | None, error: SQLAlchemyError) -> str:
    """SQLSTATE first by its whole code, then by its class (two digits)."""
    if state:
        return POSTGRESQL.get(state) or POSTGRESQL.get(state[:2]) or "{where} refused: {detail}"
    detail = str(error)
    if "does not exist" in detail and "database" in detail:
        return POSTGRESQL["3D000"]
    if "authentication failed" in detail or "no password supplied" in detail:
        return POSTGRESQL["28"]
    return f"{{where}} does not answer: {{detail}} Check that the server runs and can be reached. {AFTERWARDS}"
