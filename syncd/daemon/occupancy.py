"""Who has the database: one service, nodes that know of each other, or a command that replaces everything in it.

On SQLite a lock on a file beside the database's, on PostgreSQL one of a connection of its own: both end with their
process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol, TypeAlias

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import StoreError, SyncdError
from syncd.observe.logs import log
from syncd.store import Store
from syncd.store.failures import translate

SUFFIX = ".lock"
KEY = 7_291_550_133_206
"""Of PostgreSQL's lock; another number than those of `syncd.store.schema` and `syncd.dispatch.engine`."""
SERVICE = "syncd run"
PATIENCE = 30.0
"""Seconds in which PostgreSQL gives up a service whose machine went silent (`syncd.store.engines.FROM_THERE`)."""
SHORT_PATIENCE = 2.0
"""Seconds in which a process that has ended lets go."""
PAUSE = 0.1
LOOK_SECONDS = 10.0

_SHARED = text("SELECT pg_try_advisory_lock_shared(:key)")
_ALONE = text("SELECT pg_try_advisory_lock(:key)")
_NAME = text("SELECT set_config('application_name', :name, false)")
_PING = text("SELECT 1")
_HOLDERS = text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
    "AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (l.classid::bigint << 32) + l.objid::bigint = :key AND l.objsubid = 1 ORDER BY a.backend_start"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the database.

    :param what: its command; empty when that cannot be known. :param host: empty for this machine, of an SQLite file.
    """

    what: str = ""
    pid: int = 0
    host: str = ""

    @property
    def serves(self) -> bool:
        """Whether it is the service, and no command that is over soon."""
        return not self.what or self.what.startswith(SERVICE)

    @property
    def shares(self) -> bool:
        """Whether it is one of several nodes."""
        return self.what.startswith(f"{SERVICE} --role")

    @property
    def says(self) -> str:
        """Where to find it."""
        where = f" on {self.host}" if self.host else ""
        return f"pid {self.pid}{where}" if self.pid else "its pid is not known"

    @property
    def lives(self) -> bool:
        """Whether it is seen to live, on this machine."""
        if not self.pid or self.pid == os.getpid() or self.host not in ("", socket.gethostname()):
            return False
        try:
            os.kill(self.pid, 0)
        except OSError as error:
            return isinstance(error, PermissionError)
        return True


Refusal: TypeAlias = Callable[[Sequence[Holder]], SyncdError]


def told_to_stop_first(holders: Sequence[Holder]) -> StoreError:
    """The refusal of a command that would pull the data away from under a service."""
    who = ", ".join(each.says for each in holders)
    if not all(each.serves for each in holders):
        return StoreError(f"`{holders[0].what}` is at work ({who}). Nothing was changed. Wait until it has ended.")
    first = "Stop it first" if len(holders) == 1 else "Stop it on every node first"
    return StoreError(f"The service is running ({who}). Nothing was changed. {first}: systemctl stop syncd")


class Lock(Protocol):
    """Whoever has it has the database."""

    def take(self) -> bool:
        """Whether it is ours now."""
        ...

    def holders(self) -> list[Holder]:
        """Who has it, as far as that can be known."""
        ...

    def keep(self) -> None:
        """See to it that it stays ours, from now on."""
        ...

    def close(self) -> None:
        """Let others have it."""
        ...


def occupy(store: Store, what: str, refusal: Refusal, *, shared: bool = False, patience: float = PATIENCE) -> Lock:
    """Have the database until the lock is closed or this process ends; it is not changed by that.

    :param what: our command. :param shared: with others who share it; only on PostgreSQL.
    :param patience: seconds to wait for whoever is not seen to live on this machine.
    :raises SyncdError: what *refusal* says; somebody else has it.
    :raises StoreError: the lock cannot be asked for.
    """
    lock: Lock = FileLock(store, what) if store.sqlite else SessionLock(store, what, shared=shared)
    until = monotonic() + patience
    try:
        while not lock.take():
            holders = lock.holders()
            if monotonic() >= until or any(each.lives for each in holders):
                raise refusal(holders or [Holder()])
            threading.Event().wait(PAUSE)
    except SyncdError:
        lock.close()
        raise
    lock.keep()
    return lock


@contextmanager
def occupied(store: Store, what: str, *, shared: bool = False) -> Iterator[None]:
    """Have the database for the block, in which a service must not run; see `occupy`.

    :raises StoreError: somebody else has it, or that cannot be known; nothing was changed.
    """
    lock = occupy(store, what, told_to_stop_first, shared=shared, patience=SHORT_PATIENCE)
    try:
        yield
    finally:
        lock.close()


class FileLock:
    """Beside an SQLite file; the file of the lock stays, for who waits for it has it open."""

    def __init__(self, store: Store, what: str) -> None:
        """:raises StoreError: the file cannot be made."""
        database = Path(str(store.url.database)).resolve()
        self._path, self._what = database.with_name(database.name + SUFFIX), what
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The file {self._path} cannot be created or written ({error.strerror}). "
                "Check that the folder exists and that syncd may write there. Nothing was changed."
            ) from error
        self._give_to_owner_of(database)

    def take(self) -> bool:
        """Whether it is ours now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StoreError(
                f"The file {self._path} cannot be locked ({error.strerror}), so it cannot be known whether another "
                "syncd uses the database. Nothing was changed. Keep it on a local disk."
            ) from error
        with suppress(OSError):  # a full disk is told by whoever needs more of it
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()} {self._what}\n".encode(), 0)
        return True

    def holders(self) -> list[Holder]:
        """Who has it, by its own word."""
        pid, _, what = os.pread(self._file, 200, 0).decode(errors="replace").strip().partition(" ")
        return [Holder(what, int(pid))] if pid.isdecimal() else []

    def keep(self) -> None:
        """Nothing is needed: the kernel keeps it."""

    def close(self) -> None:
        """Let others have it."""
        os.close(self._file)

    def _give_to_owner_of(self, database: Path) -> None:
        """What root makes, the service must be able to open."""
        if os.geteuid() == 0 and database.exists():
            owner = database.stat()
            os.fchown(self._file, owner.st_uid, owner.st_gid)


class SessionLock:
    """Of a connection of its own to PostgreSQL; taken again when the line was lost, while what it guards goes on."""

    def __init__(self, store: Store, what: str, *, shared: bool) -> None:
        self._store, self._statement = store, _SHARED if shared else _ALONE
        self._name = f"{what} {os.getpid()}@{socket.gethostname()}"
        self._line: Connection | None = None
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="occupancy", daemon=True)

    def take(self) -> bool:
        """Whether it is ours now."""
        if self._line is None:
            self._line = self._store.raw()
            self._line.detach()  # not the pool's any more: the lock ends when we close it
            self._ask(self._line, _NAME, name=self._name)
        return bool(self._ask(self._line, self._statement, key=KEY)[0])

    def holders(self) -> list[Holder]:
        """Who has it, as far as the server tells."""
        assert self._line is not None
        return [_holder(str(name or "")) for name in self._ask(self._line, _HOLDERS, key=KEY)]

    def keep(self) -> None:
        """Look at the line again and again, from now on."""
        self._keeper.start()

    def close(self) -> None:
        """Let others have it."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join(1)
        self._hang_up()

    def look(self) -> None:
        """Make sure that it is still ours, or try to take it again."""
        try:
            if self._line is not None:
                self._ask(self._line, _PING)
                return
            if self.take():
                log.info("occupancy.taken_again")
                return
            who = ", ".join(f"{each.what}: {each.says}" for each in self.holders())
            log.error("occupancy.not_alone", problem=f"Another program uses the database meanwhile ({who}).")
        except StoreError as error:
            log.warning("occupancy.lost", problem=str(error))
        self._hang_up()

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def _ask(self, line: Connection, statement: object, **given: object) -> list[object]:
        try:
            answer = list(line.scalars(statement, given))  # type: ignore[call-overload]  # one of ours, all of them text
            line.commit()
        except SQLAlchemyError as error:
            raise translate(error, self._store.url) from error
        return answer

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(SQLAlchemyError):
                line.close()


def _holder(name: str) -> Holder:
    what, _, where = name.rpartition(" ")
    pid, _, host = where.partition("@")
    return Holder(what, int(pid), host) if pid.isdecimal() else Holder()
