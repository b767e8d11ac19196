"""Transactions on both databases: who may write, what is refused, and in which words."""

from __future__ import annotations

import re
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError

from syncd.errors import Contention, StoreError
from syncd.model.interval import Interval
from syncd.store import Store, Tx, engines, schema
from syncd.store.failures import translate
from syncd.store.instants import epoch
from syncd.store.tables import Base, ClaimRow, MailboxRow, MeetingRow, Setting
from tests.rough_server import NOW

START = epoch(NOW)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    yield store
    store.close()


def mailbox(tx: Tx, name: str) -> None:
    tx.session.add(MailboxRow(id=name, kind="person", account="a", attempts=0))
    tx.session.flush()


def meeting(tx: Tx, name: str) -> None:
    columns = MeetingRow.__table__.columns
    filler = {c.name: 0 if "INT" in str(c.type) else False if "BOOL" in str(c.type) else "" for c in columns}
    values = filler | {"id": name, "uid": name, "due": None, "room": None, "owed_since": None, "attention": None}
    tx.session.execute(insert(MeetingRow).values(**{k: v for k, v in values.items() if k in columns}))


def claim(tx: Tx, start: int, end: int, *, who: str = "kim", active: bool = True) -> None:
    tx.session.execute(
        insert(ClaimRow).values(meeting="m", mailbox=who, start=START + start, end=START + end, active=active)
    )


@pytest.fixture
def claims(store: Store) -> Store:
    with store.begin() as tx:
        mailbox(tx, "kim")
        mailbox(tx, "room")
        meeting(tx, "m")
        claim(tx, 0, 100)
    return store


def count(store: Store) -> int:
    with store.read() as tx:
        return len(tx.session.scalars(select(ClaimRow)).all())


@pytest.mark.parametrize("span", [(0, 100), (-50, 1), (99, 200), (40, 60), (-50, 200)])
def test_the_database_refuses_an_overlap(claims: Store, span: tuple[int, int]) -> None:
    with pytest.raises(IntegrityError), claims.begin() as tx:
        claim(tx, *span)

    assert 1 == count(claims)


@pytest.mark.parametrize(("start", "end", "who"), [(100, 200, "kim"), (-100, 0, "kim"), (0, 100, "room")])
def test_what_only_touches_or_is_somebody_elses_is_taken(claims: Store, start: int, end: int, who: str) -> None:
    with claims.begin() as tx:
        claim(tx, start, end, who=who)

    assert 2 == count(claims)


def test_inactive_claims_may_overlap_until_they_become_active(claims: Store) -> None:
    with claims.begin() as tx:
        claim(tx, 50, 150, active=False)
    with pytest.raises(IntegrityError), claims.begin() as tx:
        tx.session.execute(update(ClaimRow).values(active=True))
    with claims.begin() as tx:
        tx.session.execute(update(ClaimRow).where(ClaimRow.active).values(active=False))
        tx.session.execute(update(ClaimRow).where(ClaimRow.start == START + 50).values(active=True))


def test_a_claim_cannot_be_moved_onto_another(claims: Store) -> None:
    with claims.begin() as tx:
        claim(tx, 100, 200)
    with pytest.raises(IntegrityError), claims.begin() as tx:
        tx.session.execute(update(ClaimRow).where(ClaimRow.start == START + 100).values(start=START + 99))
    with claims.begin() as tx:
        tx.session.execute(update(ClaimRow).where(ClaimRow.start == START).values(start=START - 10, end=START + 100))


def test_a_claim_has_a_length(claims: Store) -> None:
    for end in (300, 299):
        with pytest.raises(IntegrityError), claims.begin() as tx:
            claim(tx, 300, end)


def test_a_savepoint_survives_a_refused_claim(claims: Store) -> None:
    with claims.begin() as tx:
        with pytest.raises(IntegrityError), tx.session.begin_nested():
            claim(tx, 0, 100)
        claim(tx, 100, 200)

    assert 2 == count(claims)


def test_a_savepoint_takes_back_what_repositories_wrote_in_it_and_nothing_else(claims: Store) -> None:
    span = Interval.at(NOW + timedelta(minutes=10), 5)

    def refused(tx: Tx) -> None:
        with tx.session.begin_nested():
            tx.meetings.claim("m", "room", span)
            tx.meetings.claim("m", "kim", span)

    with claims.begin() as tx:
        tx.meetings.claim("m", "kim", span)
        with pytest.raises(IntegrityError):
            refused(tx)
        tx.meetings.claim("m", "room", Interval.at(NOW, 5))

    with claims.read() as tx:
        taken = {(one.mailbox, one.interval.start) for one in tx.meetings.claims("m")}
    assert {("kim", NOW), ("kim", span.start), ("room", NOW)} == taken


def test_one_of_many_simultaneous_claims_wins(claims: Store) -> None:
    def attempt(offset: int) -> bool:
        def work(tx: Tx) -> bool:
            try:
                with tx.session.begin_nested():
                    claim(tx, 1000 + offset % 7, 1100)
            except IntegrityError:
                return False
            return True

        return claims.run(work)

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, range(50)))

    assert 1 == sum(won)
    assert 2 == count(claims)


def test_an_error_in_the_block_leaves_nothing_behind(store: Store) -> None:
    def half(tx: Tx) -> None:
        mailbox(tx, "kim")
        tx.settings.bump()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.run(half)

    with store.read() as tx:
        assert tx.mailboxes.statuses() == {}
        assert 1 == tx.settings.generation()


def test_many_bumps_in_one_transaction_count_once_and_none_is_lost(store: Store) -> None:
    def bump(_: int) -> None:
        with store.begin() as tx:
            tx.settings.bump()
            tx.settings.bump()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bump, range(40)))

    with store.read() as tx:
        assert 41 == tx.settings.generation()


def test_a_reader_sees_one_moment_and_waits_for_no_writer(store: Store) -> None:
    with store.read() as before:
        assert 1 == before.settings.generation()
        with store.begin() as tx:
            tx.settings.bump()
            tx.settings.settle()
            with store.read() as meanwhile:
                assert 1 == meanwhile.settings.generation()
        assert 1 == before.settings.generation()
    with store.read() as after:
        assert 2 == after.settings.generation()


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as tx:
        tx.settings.put("x", "1")


def test_settings_keep_values_and_secrets(store: Store) -> None:
    with store.begin() as tx:
        key = tx.settings.secret("key")
        tx.settings.put("other", "1")
        tx.settings.put("other", "2")
    with store.begin() as tx:
        assert key == tx.settings.secret("key")
        assert "2" == tx.settings.value("other")
        tx.settings.put("other", None)
        assert tx.settings.value("other") is None

    assert 64 == len(key)


def test_an_installation_keeps_its_id_through_upgrades(store: Store) -> None:
    with store.read() as tx:
        before = tx.settings.installation()
    store.upgrade()
    with store.read() as tx:
        assert before == tx.settings.installation()


def test_migrations_make_the_tables_of_the_code(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with store.raw() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert [] == [one for one in differences if "ex_claims_no_overlap" not in str(one)]


def test_several_processes_may_upgrade_at_once(database_url: str) -> None:
    stores = [Store(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.upgrade, stores))
    revisions = {store.revision() for store in stores}
    for store in stores:
        store.close()

    assert {schema.head()} == revisions


def test_a_database_of_a_newer_version_is_refused_in_a_sentence(store: Store) -> None:
    with store.begin() as tx:
        tx.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        tx.settings.put(schema.SERVES, "9999")
    with pytest.raises(StoreError, match="newer syncd"):
        store.upgrade()


def test_a_database_without_its_overlap_rule_is_refused(store: Store) -> None:
    with store.begin() as tx:
        gone = "TRIGGER claims_no_overlap_update" if store.sqlite else "CONSTRAINT ex_claims_no_overlap"
        tx.session.execute(text(f"DROP {gone}" if store.sqlite else f"ALTER TABLE claims DROP {gone}"))
    with pytest.raises(StoreError, match="double booking"):
        store.upgrade()


def test_a_database_that_was_never_set_up_says_so(database_url: str) -> None:
    store = Store(database_url)
    if store.sqlite:
        Path(str(store.url.database)).touch()
    with pytest.raises(StoreError, match="syncd db upgrade"), store.begin() as tx:
        tx.settings.generation()
    store.close()


def test_postgresql_deadlocks_are_run_again(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    with store.begin() as tx:
        for name in "ab":
            tx.settings.put(name, "0")
    together = threading.Barrier(2)
    tries = []

    def work(order: str) -> None:
        def once(tx: Tx) -> None:
            tries.append(order)
            for number, name in enumerate(order):
                grown = text("UPDATE settings SET value = CAST(value AS int) + 1 WHERE name = :name")
                tx.session.execute(grown, {"name": name})
                if number == 0 and len(tries) <= 2:
                    together.wait(10)

        store.run(once)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["ab", "ba"]))
    with store.read() as tx:
        values = tx.session.scalars(select(Setting.value).where(Setting.name.in_(["a", "b"]))).all()
    store.close()

    assert ["2", "2"] == values
    assert 3 <= len(tries)  # the one that came too late may come too late once more


def test_contention_that_never_ends_is_told(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    tries = []

    def never(tx: Tx) -> None:
        tries.append(1)
        raise Contention("again")

    with pytest.raises(Contention):
        store.run(never)
    store.close()

    assert 5 == len(tries)


def test_a_transaction_inside_a_transaction_is_a_defect(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    with store.begin(), pytest.raises(RuntimeError, match="open already"), store.begin():
        pass
    store.close()


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"No such file or directory"):
        Store(f"sqlite:///{tmp_path}/missing/syncd.db").upgrade()
    with pytest.raises(StoreError, match=r"Is a directory|cannot"):
        Store(f"sqlite:///{tmp_path}").upgrade()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    path.write_bytes(b"This is not a database at all, but it is long enough to be looked at." * 20)
    with pytest.raises(StoreError, match="not an SQLite database"):
        Store(f"sqlite:///{path}").upgrade()


def test_a_new_file_is_for_its_owner_only(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    store.upgrade()
    mode = Path(str(store.url.database)).stat().st_mode & 0o777
    store.close()

    assert 0o600 == mode


def test_a_full_disk_is_told_and_recovered_from(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    with store.begin() as tx:
        pages = tx.session.scalar(text("PRAGMA page_count"))
        tx.session.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StoreError, match="is full"), store.begin() as tx:
        tx.settings.put("big", "x" * 100_000)
    with store.begin() as tx:
        tx.session.execute(text("PRAGMA max_page_count = 100000"))
        tx.settings.put("big", "x" * 100_000)
    store.close()


def _tell(store: Store, pragma: str) -> None:
    """Say something to the one connection that writes."""
    connection = store._writer.raw_connection()
    connection.cursor().execute(pragma)
    connection.close()


def test_a_disk_that_turned_read_only_is_told_and_recovered_from(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    _tell(store, "PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="cannot be written"), store.begin() as tx:
        tx.settings.put("a", "1")
    with store.read() as tx:
        assert tx.settings.value("a") is None
    _tell(store, "PRAGMA query_only=OFF")

    with store.begin() as tx:
        tx.settings.put("a", "1")
    store.close()


def test_a_postgresql_that_can_only_be_read_is_told_and_recovered_from(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    with store._writer.connect() as connection:
        connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()
    with pytest.raises(StoreError, match="can only be read"), store.begin() as tx:
        tx.settings.put("a", "1")
    with store._writer.connect() as connection:
        connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        connection.commit()

    with store.begin() as tx:
        tx.settings.put("a", "1")
    store.close()


def test_a_locked_file_is_told(migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    store, other = Store(migrated_sqlite_url), Store(migrated_sqlite_url)
    with other.begin() as tx:
        tx.settings.put("x", "1")
        with pytest.raises(StoreError, match="in use by another program"), store.begin() as mine:
            mine.settings.put("x", "2")
    with store.begin() as mine:
        assert "1" == mine.settings.value("x")
    store.close()
    other.close()


def test_every_commit_is_flushed_to_disk(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    with store.begin() as tx:
        found = [tx.session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
    store.close()

    assert ["wal", 2, 1] == found


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 46, 1), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_for_builds_without_the_bug(version: tuple[int, int, int], safe: bool) -> None:
    assert safe is engines.safe_for_wal(version)


def test_an_unsafe_build_does_without_wal_and_says_so(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = engines.sqlite_module()
    old = SimpleNamespace(**{name: getattr(real, name) for name in dir(real)} | {"sqlite_version_info": (3, 40, 1)})
    monkeypatch.setattr(engines, "sqlite_module", lambda: old)
    store = Store(sqlite_url)
    store.upgrade()
    with store.begin() as tx:
        mode = tx.session.scalar(text("PRAGMA journal_mode"))
    warning = store.warning
    store.close()

    assert "delete" == mode
    assert "3.40.1" in str(warning)


def test_an_unsafe_build_refuses_a_file_in_wal_mode_that_is_in_use(
    migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    safe = Store(migrated_sqlite_url)
    with safe.begin() as tx:
        tx.settings.put("x", "1")
        monkeypatch.setattr(engines, "safe_for_wal", lambda version: False)
        with pytest.raises(StoreError):
            Store(migrated_sqlite_url).ping()
    safe.close()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://x/y", "SQLite or PostgreSQL"),
        ("nonsense", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_a_wrong_url_is_told(url: str, word: str) -> None:
    with pytest.raises(StoreError, match=word):
        Store(url)


def test_a_server_that_is_down_is_told_without_the_password() -> None:
    store = Store("postgresql://syncd:hunter2@127.0.0.1:1/x")
    with pytest.raises(StoreError, match="does not answer") as caught:
        store.upgrade()

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in store.place


BEFORE_START = "A running service then goes on by itself; otherwise try again. Nothing was changed."


@pytest.mark.parametrize("said", ["disk is full", "Is it running on that socket?", "no route to host", "it said so."])
def test_a_database_that_cannot_be_used_promises_nothing_of_a_service_that_does_not_run(said: str) -> None:
    on_sqlite = said == "disk is full"
    url = make_url("sqlite:///x.db" if on_sqlite else "postgresql://syncd@127.0.0.1/x")
    told = str(translate(OperationalError("", None, Exception(said)), url))

    assert told.endswith(BEFORE_START)
    assert "syncd goes on" not in told
    assert not re.search(r"[.?!][.?!]", told)
    assert on_sqlite or re.search(r"[.?] Check that the server runs", told)


@pytest.mark.parametrize("said", ["disk I/O error", "attempt to write a readonly database"])
def test_a_file_that_was_removed_is_told_as_such_whatever_sqlite_says(said: str, tmp_path: Path) -> None:
    file = tmp_path / "syncd.sqlite3"
    error = OperationalError("", None, Exception(said))
    gone = str(translate(error, make_url(f"sqlite:///{file}")))
    file.touch()
    there = str(translate(error, make_url(f"sqlite:///{file}")))

    assert gone.startswith(f"The database file {file} was removed or renamed while it was in use. Put it back, or ")
    assert "was removed or renamed" not in there
    assert "was removed or renamed" not in str(translate(error, make_url("sqlite:////no/folder/syncd.sqlite3")))


def test_a_missing_postgresql_database_is_told(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    missing = Store(store.url.set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(StoreError, match="createdb"):
        missing.upgrade()


def test_a_restarted_server_costs_nobody_an_error(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    with store.read() as tx:
        mine = tx.session.scalar(text("SELECT pg_backend_pid()"))
    other = Store(migrated_postgres_url)
    with other.begin() as tx:
        assert tx.session.scalar(text(f"SELECT pg_terminate_backend({mine})"))
    with store.begin() as tx:
        assert 1 == tx.settings.generation()
    store.close()
    other.close()


def test_a_connection_lost_in_the_middle_is_told_and_the_next_one_works(migrated_postgres_url: str) -> None:
    store, other = Store(migrated_postgres_url), Store(migrated_postgres_url)

    def cut(tx: Tx) -> None:
        mine = tx.session.scalar(text("SELECT pg_backend_pid()"))
        with other.begin() as killer:
            killer.session.execute(text(f"SELECT pg_terminate_backend({mine})"))
        tx.settings.put("x", "1")

    with pytest.raises(StoreError):
        store.run(cut)
    with store.begin() as tx:
        assert tx.settings.value("x") is None
    store.close()
    other.close()


def test_postgresql_compiles_nothing_and_frees_what_a_vanished_client_locked(migrated_postgres_url: str) -> None:
    """Compiling the question for taken rooms took it half a second of every second."""
    store = Store(migrated_postgres_url)
    with store.read() as tx:
        told = {
            name: tx.session.scalar(text(f"SHOW {name}")) for name in ("jit", "idle_in_transaction_session_timeout")
        }
    assert {"jit": "off", "idle_in_transaction_session_timeout": "20s"} == told
    store.close()


def test_nothing_is_told_to_a_file_that_lost_its_name(tmp_path: Path) -> None:
    file, aside = tmp_path / "syncd.sqlite3", tmp_path / "aside"
    store = Store(f"sqlite:///{file}")
    store.upgrade()
    file.rename(aside)

    with pytest.raises(StoreError, match=r"was removed or replaced while .* Nothing was changed\. Stop syncd, "):
        store.ping()
    assert not file.exists()
    file.write_bytes(b"")
    with pytest.raises(StoreError, match="removed or replaced"):
        store.run(lambda tx: mailbox(tx, "kim"))

    aside.rename(file)
    store.run(lambda tx: mailbox(tx, "kim"))
    store.close()


def test_a_disk_that_takes_nothing_more_is_noticed_without_anything_to_write(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'syncd.sqlite3'}")
    store.upgrade()
    store.ping()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(StoreError):
            store.ping()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    store.ping()
    store.close()
