"""The database's layout: found out, brought up to date after a backup, and the way back told."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncd.config import Config
from syncd.errors import StoreError
from syncd.observe.logs import log
from syncd.store import Store, schema
from syncd.store.backup import backup

PREFIX, SUFFIX, STAMP = "syncd-", ".sqlite3", "%Y%m%dT%H%M%SZ"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite appends to the name of a database for the files it keeps beside it."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of the layout.

    :param before: None for a database that was never set up. :param kept: the backup made first, if there was need.
    """

    before: str | None
    after: str
    kept: Path | None = None

    @property
    def says(self) -> str:
        """The rest of the sentence about the database."""
        if self.before == self.after:
            return "was up to date."
        if self.kept is None:
            return "upgraded from nothing."
        return f"upgraded from {self.before}. {way_back(self.kept, serves=self.before in schema.serving())}"


def way_back(kept: Path, *, serves: bool) -> str:
    """How to undo an upgrade.

    :param serves: whether the version before can go on with the upgraded database.
    """
    restored = (
        f"give it an empty database (SQLite: move the file away) and run: syncd db upgrade; syncd db restore {kept} "
        "(bookings made after the upgrade are then known to the calendars only, and are taken up from there)."
    )
    if not serves:
        return f"Way back: stop syncd, install the version before, {restored}"
    return (
        "Way back: stop syncd, install the version before and start it; it goes on with this database, to which the "
        f"upgrade only added. Should it refuse: {restored}"
    )


def layout_of(store: Store) -> str | None:
    """The layout the database has; None when it was never set up.

    Looking makes no file: SQLite would make one that others may read.
    """
    if store.sqlite and not Path(str(store.url.database)).exists():
        return None
    return store.revision()


def lost(config: Config, store: Store) -> str | None:
    """What to say of an SQLite database that is not there although it once was; None at a true first start.

    That it was there is told by the files that SQLite keeps beside it while it is open, and by backups of ours.
    """
    if not store.sqlite or layout_of(store) is not None:
        return None
    file = Path(str(store.url.database))
    beside = [] if file.exists() else [one for end in BESIDE if (one := Path(f"{file}{end}")).exists()]
    kept = max(_backups(config), key=lambda one: (_made(one), one), default=None)
    if kept is None and not beside:
        return None
    state = "holds nothing" if file.exists() else "is gone"
    found = [f"what SQLite kept beside it is still there ({', '.join(one.name for one in beside)})"] if beside else []
    found += [f"{config.backups} has backups of it"] if kept else []
    return (
        f"{store.place[0].upper()}{store.place[1:]} {state}, but was in use before: {' and '.join(found)}. Nothing was "
        "set up, for an empty database knows no booking. Put the file back, or restore the newest backup: "
        f"syncd db restore {shlex.quote(str(kept)) if kept else 'FILE'}. To begin anew with an empty one instead: "
        "syncd db upgrade"
    )


def upgrade(config: Config, store: Store, now: datetime) -> Upgraded:
    """Bring the database to this version's layout; one that holds something is backed up first.

    :raises StoreError: it cannot be backed up or upgraded, or is a newer syncd's; nothing was changed.
    """
    before = layout_of(store)
    kept = None
    if before is not None and before != schema.head() and schema.knows(before):
        kept = _backed_up(config, store, before, now)
    store.upgrade()
    if kept is not None:
        says = way_back(kept, serves=before in schema.serving())
        log.info("database.upgraded", layout=schema.head(), before=before, backup=str(kept), says=says)
    if before is None:
        log.info("database.created", layout=schema.head(), database=store.place)
    return Upgraded(before, schema.head(), kept)


def _backed_up(config: Config, store: Store, layout: str, now: datetime) -> Path:
    file = new_file(config, now, f"before-{schema.head()}-")
    log.info("database.backup_before_upgrade", layout=layout, backup=str(file))
    try:
        return backup(store, file, now).path
    except StoreError as error:
        raise StoreError(
            f"The database has the layout {layout} and must be upgraded, but could not be backed up before: {error} "
            "The upgrade was not begun. Make place, or give another folder in [backup], and start again."
        ) from error


def new_file(config: Config, now: datetime, why: str = "") -> Path:
    """A name in the folder of backups that no other has; the folder is made if need be.

    :raises StoreError: the folder cannot be made.
    """
    try:
        config.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {config.backups} cannot be made ({error.strerror}). Nothing was done.") from error
    return config.backups / f"{PREFIX}{why}{now.strftime(STAMP)}{SUFFIX}"


def forget(config: Config, now: datetime) -> list[Path]:
    """Remove backups of ours that are older than they may be; those of other names are somebody else's."""
    oldest = now - timedelta(days=config.backup.keep_days)
    old = [file for file in _backups(config) if (made := _made(file)) and made < oldest]
    for file in old:
        file.unlink()
    return old


def _backups(config: Config) -> list[Path]:
    return [file for file in config.backups.glob(f"{PREFIX}*{SUFFIX}") if _made(file)]


def _made(file: Path) -> datetime | None:
    """When it was made, by its name."""
    try:
        return datetime.strptime(file.name.removesuffix(SUFFIX).rpartition("-")[2], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
