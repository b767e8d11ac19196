"""Backups: one SQLite file, whatever the database is, that can prove it is whole.

Made while syncd runs. Only through syncd: two SQLite builds must never open one file (reference, reliability 2).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from sqlalchemy import text, update

from syncd import __version__
from syncd.errors import StoreError
from syncd.store.copying import copy_rows, there
from syncd.store.engines import sqlite_module
from syncd.store.instants import epoch
from syncd.store.session import MOVED, Store, Tx
from syncd.store.settings import GENERATION
from syncd.store.tables import MailboxRow, MeetingRow
from syncd.store.tally import SEAL, Tally, tally

MADE = "backed_up"
"""The setting that tells when this database was last backed up, as ISO 8601 text."""
RESTORED = "restored"
"""The setting that tells when this database was last restored, as ISO 8601 text."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was found whole.

    :param made: when it was made, as ISO 8601 text (UTC).
    :param version: of the syncd that made it.
    :param sha256: of the file.
    :param tables: what it holds.
    """

    path: Path
    made: str
    version: str
    revision: str
    sha256: str
    tables: Mapping[str, Tally]


def backup(store: Store, path: Path, now: datetime) -> Backup:
    """Write everything into a new file while others go on reading and writing.

    The file appears under its name only when it is complete, checked and on disk.

    :raises StoreError: the file exists already, cannot be written, or did not pass its own check.
    """
    if path.exists():
        raise StoreError(f"{path} exists already; nothing was written. Choose another name.")
    with _workshop(path) as draft:
        if store.sqlite:
            _copy_file(store, draft)
        else:
            _copy_database(store, draft)
        _seal(draft, now)
        verify(draft)
        _sync(draft)
        draft.rename(path)
        _sync(path.parent)
    with store.begin() as tx:
        tx.settings.put(MADE, now.isoformat())
    return verify(path)


def last_backup(tx: Tx) -> datetime | None:
    """When this database was last backed up; None when it never was."""
    made = tx.settings.value(MADE)
    return datetime.fromisoformat(made) if made else None


def verify(path: Path) -> Backup:
    """Check that a backup is whole: readable, consistent, and exactly what was written.

    :raises StoreError: it is not, or it is no backup of syncd.
    """
    if not path.is_file():
        raise StoreError(f"There is no backup {path}.")
    store = Store(f"sqlite:///{path}")
    try:
        return _verified(store, path)
    finally:
        store.close()


def _verified(store: Store, path: Path) -> Backup:
    with store.read() as tx:
        seal = _seal_of(tx, path)
        found = tally(tx.session.connection(), seal["tables"])
    said = {name: Tally(*numbers) for name, numbers in seal["tables"].items()}
    if differing := [name for name in said if said[name] != found[name]]:
        raise _not_whole(path, f"the rows of {', '.join(differing)} are not the ones that were saved")
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return Backup(path, seal["made"], seal["version"], str(store.revision()), digest, found)


def _seal_of(tx: Tx, path: Path) -> dict[str, Any]:
    """What the backup says about itself, once SQLite finds the file sound."""
    if tx.session.scalar(text("PRAGMA integrity_check")) != "ok":
        raise _not_whole(path, "SQLite finds it damaged")
    sealed = tx.settings.value(SEAL)
    if sealed is None:
        raise _not_whole(path, "it was not made by `syncd db backup`")
    try:
        seal: dict[str, Any] = json.loads(sealed)
    except ValueError:
        raise _not_whole(path, "its seal is damaged") from None
    return seal


def _not_whole(path: Path, reason: str) -> StoreError:
    return StoreError(f"{path} is no whole backup: {reason}. Nothing was changed; take another one.")


def restore(store: Store, path: Path, now: datetime, actor: str) -> Backup:
    """Replace everything in the database by the backup, in one transaction; stop syncd first.

    Afterwards every calendar is compared whole, and reconcile looks at every meeting that is not over: what
    only the calendars know is adopted, never deleted. The backup may be of an older version of syncd.

    :param actor: who did it, for the audit log (``cli:USER``).
    :raises StoreError: the backup is not whole, or the database cannot be written; nothing was changed.
    """
    found = verify(path)
    with _workshop(Path(tempfile.gettempdir()) / "restored.db") as draft:
        shutil.copyfile(path, draft)
        source = Store(f"sqlite:///{draft}")
        try:
            source.upgrade()
            store.upgrade()
            with source.read() as old, store.begin() as tx:
                before = tx.settings.generation()
                copy_rows(old.session.connection(), tx.session.connection())
                _look_anew(tx, before, now)
                tx.audit.add(actor, "database.restore", detail=f"backup of {found.made}", now=now)
        finally:
            source.close()
    return found


def _look_anew(tx: Tx, generation: int, now: datetime) -> None:
    """Believe nothing that may have changed since the backup; answers count on from the later generation."""
    tx.session.execute(
        update(MailboxRow).values(
            # However young the backup is, what was booked since then stands in calendars only. When they were read
            # stays: what they lack now, a human may have deleted.
            covered_start=None,
            covered_end=None,
            full_at=None,
            retry_at=None,
            attempts=0,
            revision=MailboxRow.revision + 1,
        )
    )
    owed = (MeetingRow.end > epoch(now), MeetingRow.desired_generation > 0)
    tx.session.execute(update(MeetingRow).where(*owed).values(due=0))
    tx.settings.put(SEAL, None)
    tx.settings.put(MOVED, None)
    tx.settings.put(RESTORED, now.isoformat())
    tx.settings.put(GENERATION, str(max(generation, tx.settings.generation()) + 1))


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """A private place for a draft of *path* on the same disk; removed with whatever is left in it.

    :raises StoreError: the folder cannot be written, or the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".syncd-", dir=path.parent) as folder:
            yield Path(folder) / path.name
    except OSError as error:
        raise StoreError(f"{error.filename or path} cannot be written ({error.strerror}). Nothing was kept.") from error


def _copy_file(store: Store, draft: Path) -> None:
    """SQLite's own online backup: a consistent copy of one moment."""
    draft.touch(mode=0o600)
    module = sqlite_module()
    target = module.connect(str(draft))
    try:
        with store.raw() as source:
            source.connection.driver_connection.backup(target)  # type: ignore[union-attr]  # SQLite's own method
    except module.Error as error:
        raise StoreError(f"The backup could not be written ({error}). Nothing was kept.") from error
    finally:
        target.close()


def _copy_database(store: Store, draft: Path) -> None:
    """PostgreSQL: every row of one snapshot, in the layout it has."""
    copy = Store(f"sqlite:///{draft}")
    try:
        copy.upgrade(store.revision() or "head")
        with store.read() as source, copy.begin() as target:
            copy_rows(source.session.connection(), target.session.connection())
    finally:
        copy.close()


def _seal(draft: Path, now: datetime) -> None:
    """Write the tally of the draft into the draft, and make it a single file that needs no companion."""
    copy = Store(f"sqlite:///{draft}")
    try:
        with copy.begin() as tx:
            connection = tx.session.connection()
            tables = {name: (one.rows, one.digest) for name, one in tally(connection, there(connection)).items()}
            seal = {"made": now.isoformat(), "version": __version__, "tables": tables}
            tx.settings.put(SEAL, json.dumps(seal))
        copy.single_file()
    finally:
        copy.close()


def _sync(path: Path) -> None:
    """Wait until *path* (a file or a folder) is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
