"""Transactions: one writes at a time on SQLite, many on PostgreSQL, and nobody can tell from the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from syncd.errors import Contention, StoreError
from syncd.store import engines, every_table, schema  # noqa: F401 - every_table makes tables known
from syncd.store.failures import place, translate
from syncd.store.kept import Kept
from syncd.store.settings import GENERATION, Settings
from syncd.store.straight import StraightSession
from syncd.store.together import Together, Wanted, carry_out
from syncd.store.turns import Turns

if TYPE_CHECKING:
    from syncd.store.absences import Absences
    from syncd.store.audit import Audit
    from syncd.store.bookings import Bookings
    from syncd.store.contacts import SealedContacts
    from syncd.store.dfdg import Dfdg
    from syncd.store.events import Events
    from syncd.store.evidence import EvidenceLog
    from syncd.store.feeds import Feeds
    from syncd.store.idempotency import Idempotency
    from syncd.store.jobnet import Jobnet
    from syncd.store.mailboxes import Mailboxes
    from syncd.store.marks import Marks
    from syncd.store.meetings import Meetings
    from syncd.store.members import Members
    from syncd.store.rooms import Rooms
    from syncd.store.rules import Rules
    from syncd.store.tasks import Tasks
    from syncd.store.visits import Visits

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds a writer waits for its turn."""
MOVED = "moved"
"""The setting that tells where the data went (`syncd.store.move`); such a database is not used any more."""
TRIES = 5
"""How often `Store.run` tries the same work when another transaction wins."""
_AGAIN = Retrying(
    retry=retry_if_exception_type(Contention),
    wait=wait_random_exponential(multiplier=0.01, max=0.3),
    stop=stop_after_attempt(TRIES - 1),
    reraise=True,
)
_GENERATION = f"SELECT value FROM settings WHERE name = '{GENERATION}'"  # noqa: S608 - a constant of ours


class Tx:
    """One open transaction and the repositories that work inside it.

    Each repository is imported when it is first used, because most transactions need two of ten.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def settings(self) -> Settings:
        """Installation id and generation."""
        return Settings(self.session)

    @cached_property
    def mailboxes(self) -> Mailboxes:
        """The mirror of the calendars."""
        from syncd.store.mailboxes import Mailboxes

        return Mailboxes(self.session, self.settings)

    @cached_property
    def meetings(self) -> Meetings:
        """Meetings, their entries and claims."""
        from syncd.store.meetings import Meetings

        return Meetings(self.session)

    @cached_property
    def bookings(self) -> Bookings:
        """Citizens' seats."""
        from syncd.store.bookings import Bookings

        return Bookings(self.session)

    @cached_property
    def absences(self) -> Absences:
        """When caseworkers are away."""
        from syncd.store.absences import Absences

        return Absences(self.session, self.settings)

    @cached_property
    def contacts(self) -> SealedContacts:
        """How citizens can be reached, under seal."""
        from syncd.store.contacts import SealedContacts

        return SealedContacts(self.session)

    @cached_property
    def rooms(self) -> Rooms:
        """Pins, closures and shortages of rooms."""
        from syncd.store.rooms import Rooms

        return Rooms(self.session)

    @cached_property
    def members(self) -> Members:
        """The people of distribution groups."""
        from syncd.store.members import Members

        return Members(self.session)

    @cached_property
    def marks(self) -> Marks:
        """What caseworkers say by categories."""
        from syncd.store.marks import Marks

        return Marks(self.session)

    @cached_property
    def tasks(self) -> Tasks:
        """What waits for a person."""
        from syncd.store.tasks import Tasks

        return Tasks(self.session)

    @cached_property
    def rules(self) -> Rules:
        """Revisions of the rules."""
        from syncd.store.rules import Rules

        return Rules(self.session, self.settings)

    @cached_property
    def audit(self) -> Audit:
        """Who looked at or changed what."""
        from syncd.store.audit import Audit

        return Audit(self.session)

    @cached_property
    def events(self) -> Events:
        """What the outside is to hear."""
        from syncd.store.events import Events

        return Events(self.session)

    @cached_property
    def evidence(self) -> EvidenceLog:
        """The record of what was on offer."""
        from syncd.store.evidence import EvidenceLog

        return EvidenceLog(self.session)

    @cached_property
    def feeds(self) -> Feeds:
        """Addresses of feeds."""
        from syncd.store.feeds import Feeds

        return Feeds(self.session)

    @cached_property
    def dfdg(self) -> Dfdg:
        """DFDG's records, messages and deadlines."""
        from syncd.store.dfdg import Dfdg

        return Dfdg(self.session)

    @cached_property
    def jobnet(self) -> Jobnet:
        """What the Jobnet facade keeps."""
        from syncd.store.jobnet import Jobnet

        return Jobnet(self.session)

    @cached_property
    def visits(self) -> Visits:
        """Who is signed in on the pages."""
        from syncd.store.visits import Visits

        return Visits(self.session)

    @cached_property
    def idempotency(self) -> Idempotency:
        """Stored answers to POSTs."""
        from syncd.store.idempotency import Idempotency

        return Idempotency(self.session)


@contextmanager
def _inside(connection: Connection) -> Iterator[Tx]:
    with StraightSession(connection) as session:
        tx = Tx(session)
        yield tx
        tx.settings.settle()
        session.flush()


class Store:
    """The database. Thread-safe; a `Tx` belongs to the thread that opened it.

    :param url: ``sqlite:////path/to/file`` or ``postgresql://user@host/name``.
    :raises StoreError: the URL is neither.
    """

    def __init__(self, url: str) -> None:
        self.url = engines.parse(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        make = engines.sqlite_engines if self.sqlite else engines.postgresql_engines
        self._writer, self._reader = make(self.url)
        self._turns = Turns() if self.sqlite else None
        self._together = Together(self._turns, PATIENCE, self._group) if self._turns else None
        self._kept = Kept(self._writer) if self.sqlite else None

    @property
    def place(self) -> str:
        """How the database is called in messages; without the password."""
        return place(self.url)

    @property
    def warning(self) -> str | None:
        """What an operator should know about this database at start; None when all is well."""
        version = engines.sqlite_module().sqlite_version_info
        if not self.sqlite or engines.safe_for_wal(version):
            return None
        number = ".".join(map(str, version))
        return f"SQLite {number} may lose data in WAL mode; syncd runs without it, slower. Install pysqlite3."

    def upgrade(self, layout: str = "head") -> None:
        """Bring the database to the layout this version knows, and check that it refuses overlaps.

        Several processes may do this at once; one does the work. A new database gets its installation id.

        :param layout: an older one, for a copy of a database that has it.

        :raises StoreError: it cannot be reached or written, or a newer syncd has upgraded it already.
        """
        from syncd.store.audit import Audit

        self._protect_file()
        with self._translated(), self._turn(), self._writing() as connection:
            schema.upgrade(connection, layout)
            with Session(connection) as session:
                self._refuse_moved(Settings(session))
                Settings(session).found()
                Audit(session).citizen_digest("")  # its key must be in every backup, for the ledger of the erased
                session.commit()
            schema.verify(connection)

    def revision(self) -> str | None:
        """The layout the database has now; None when it was never set up."""
        with self._translated(), self._reader.connect() as connection:
            return schema.revision(connection)

    def ping(self) -> None:
        """Change nothing, but prove that a write transaction can begin and commit.

        :raises StoreError: it cannot.
        """
        with self.begin() as tx:
            tx.settings.prove(writes=self.sqlite)  # there, to write nothing succeeds on a full disk, too

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A write transaction: committed when the block ends, rolled back when it raises.

        No network inside. On SQLite it is the only writer; on PostgreSQL lock what you decide upon.

        :raises StoreError: the database could not be used (`Contention`: run it again, see `run`).
        :raises IntegrityError: a rule of the database refused the change; for the use case to explain.
        """
        with self._translated(), self._turn(), self._writing() as connection, _inside(connection) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A snapshot to read from; it waits for no writer and cannot write.

        :raises StoreError: the database could not be used.
        """
        with self._translated(), self._reader.connect() as connection, StraightSession(connection) as session:
            connection.begin()  # rolled back with the connection's end
            yield Tx(session)

    def generation(self) -> int:
        """`Settings.generation` as it is committed now; the shortest way, for every answer asks it.

        :raises StoreError: the database could not be used.
        """
        with self._translated():
            connection = self._reader.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(_GENERATION)
            row = cursor.fetchone()
            cursor.close()
            return int(row[0])  # type: ignore[index]  # None, a database not set up, is the TypeError below
        except (self._reader.dialect.loaded_dbapi.Error, TypeError):
            connection.invalidate()
        finally:
            connection.close()
        with self.read() as tx:  # it works after all, or says in a sentence why not
            return tx.settings.generation()

    def run(self, work: Callable[[Tx], T]) -> T:
        """Do *work* in one write transaction; again when another transaction won, at most `TRIES` times.

        On SQLite several threads' works may share the transaction, each all or nothing by itself (`Together`).

        :raises Contention: it never won.
        """
        try:
            return self._once(work)
        except Contention:  # setting up the patience takes longer than a short transaction, so only now
            won: T = _AGAIN(self._once, work)
            return won

    def _once(self, work: Callable[[Tx], T]) -> T:
        if self._together is not None:
            return self._together.run(lambda tx: self._told(work, tx))
        with self.begin() as tx:
            return work(tx)

    def _told(self, work: Callable[[Tx], T], tx: Tx) -> T:
        """What the database refuses one work of several is said here, for the others go on."""
        with self._translated():
            return work(tx)

    def _group(self, works: Sequence[Wanted[Tx]]) -> None:
        """Several works in one transaction; the turn is held."""
        with self._translated(), self._writing() as connection:
            carry_out(works, connection, _inside)

    def raw(self) -> Connection:
        """A connection outside every transaction, for backup; the caller closes it."""
        with self._translated():
            return self._reader.connect()

    def single_file(self) -> None:
        """Leave SQLite's WAL mode, so that the file needs no companions; nobody else may have it open."""
        with self._translated(), self._turn():
            if self._kept is not None:
                self._kept.close()
            with self._writer.connect() as connection:
                connection.connection.cursor().execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Close all connections that are not in use."""
        if self._kept is not None:
            self._kept.close()
        self._writer.dispose()
        self._reader.dispose()

    def _refuse_moved(self, settings: Settings) -> None:
        if (where := settings.value(MOVED)) is not None:
            raise StoreError(
                f"The data of {self.place} was moved to {where}. Point syncd there; nothing was changed here."
            )

    def _writing(self) -> AbstractContextManager[Connection]:
        """A connection in a write transaction; on SQLite the turn is held."""
        return self._kept.begin() if self._kept else self._writer.begin()

    def _turn(self) -> AbstractContextManager[None]:
        return self._turns.turn(PATIENCE) if self._turns else nullcontext()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise translate(error, self.url) from error

    def _protect_file(self) -> None:
        """Make a new SQLite file readable by its owner only."""
        if not self.sqlite:
            return
        path = Path(str(self.url.database))
        try:
            path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The database file {path} cannot be created or written ({error.strerror}). "
                "Check that the folder exists and that syncd may write there. Nothing was changed."
            ) from error
