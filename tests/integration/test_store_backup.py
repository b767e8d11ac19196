"""Backup, restore and move, from and to both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from syncd.booking.reconcile import Reconciler
from syncd.errors import StoreError
from syncd.store import Store, Tx
from syncd.store.backup import backup, restore, verify
from syncd.store.engines import sqlite_module
from syncd.store.move import move
from syncd.store.tables import AuditRow, Base, ClaimRow, MailboxRow, MeetingRow, Setting
from syncd.store.tally import tally
from tests.rough_server import NOW
from tests.store_rows import fill_every_table
from tests.unit.publishing import Town


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    with store.begin() as tx:
        fill_every_table(tx.session.connection())
    yield store
    store.close()


@pytest.fixture
def empty(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A database of the other kind, or of whichever the test asks for."""
    store = Store(str(request.getfixturevalue(request.param)))
    yield store
    store.close()


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.read() as tx:
        return {
            table.name: sorted(tuple(row) for row in tx.session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name != "settings"
        }


def test_the_test_data_reaches_every_table(store: Store) -> None:
    assert all(everything(store).values())


def test_a_tally_is_the_same_on_every_database_and_sees_one_changed_value(store: Store, tmp_path: Path) -> None:
    other = Store(f"sqlite:///{tmp_path}/other.db")
    other.upgrade()
    with other.begin() as tx:
        fill_every_table(tx.session.connection())
    with store.read() as mine, other.read() as theirs:
        names = [name for name in everything(store) if name != "settings"]
        assert tally(mine.session.connection(), names) == tally(theirs.session.connection(), names)
        before = tally(mine.session.connection())
    with store.begin() as tx:
        tx.session.execute(update(ClaimRow).values(active=False))
    with store.read() as tx:
        after = tally(tx.session.connection())
    other.close()

    assert ["claims"] == [name for name in before if before[name] != after[name]]


def test_a_backup_holds_everything_and_is_one_private_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "backups" / "monday.db"
    path.parent.mkdir()
    made = backup(store, path, NOW)

    assert made == verify(path)
    assert NOW.isoformat() == made.made
    assert {name: len(rows) for name, rows in everything(store).items()} == {
        name: one.rows for name, one in made.tables.items() if name != "settings"
    }
    assert [path] == list(path.parent.iterdir())
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_backup_never_overwrites(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    path.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        backup(store, path, NOW)

    assert "precious" == path.read_text()


def test_a_backup_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        backup(store, tmp_path / "missing" / "b.db", NOW)


def test_a_backup_is_taken_while_others_write(store: Store, tmp_path: Path) -> None:
    done = threading.Event()
    written = []

    def busy() -> None:
        while not done.is_set():
            with store.begin() as tx:
                tx.settings.bump()
            written.append(1)

    writer = threading.Thread(target=busy)
    writer.start()
    try:
        made = backup(store, tmp_path / "b.db", NOW)
        more = len(written)
    finally:
        done.set()
        writer.join()

    assert made.tables["meetings"].rows == 1
    assert more > 0


@pytest.mark.parametrize("harm", ["cut", "flip", "row", "foreign", "none"])
def test_a_damaged_backup_is_recognised_and_never_restored(store: Store, tmp_path: Path, harm: str) -> None:
    path = tmp_path / "b.db"
    if harm != "none":
        backup(store, path, NOW)
        damage(path, harm)
    before = everything(store)
    with pytest.raises(StoreError):
        verify(path)
    with pytest.raises(StoreError):
        restore(store, path, NOW, "cli:test")

    assert before == everything(store)


def damage(path: Path, harm: str) -> None:
    content = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    if harm == "flip":
        place = content.index(b"kim@example.org")
        content[place] ^= 1
        path.write_bytes(content)
    if harm == "row":
        connection = sqlite_module().connect(path)
        connection.execute("UPDATE bookings SET citizen = 'somebody else'")
        connection.commit()
        connection.close()
    if harm == "foreign":
        path.unlink()
        other = Store(f"sqlite:///{path}")
        other.upgrade()
        other.close()


@pytest.mark.parametrize("empty", ["sqlite_url", "postgres_url"], indirect=True)
def test_a_restore_brings_everything_back_on_any_database(store: Store, empty: Store, tmp_path: Path) -> None:
    if store.url == empty.url:
        empty = Store(f"sqlite:///{tmp_path}/other.db")
    backup(store, tmp_path / "b.db", NOW)
    restore(empty, tmp_path / "b.db", NOW, "cli:test")
    wanted, found = everything(store), everything(empty)

    changed = {"mailboxes", "meetings", "audit"}
    assert {n: r for n, r in wanted.items() if n not in changed} == {n: r for n, r in found.items() if n not in changed}
    with store.read() as one, empty.read() as other:
        assert one.settings.installation() == other.settings.installation()
    empty.close()


def test_after_a_restore_nothing_stale_is_believed(store: Store, tmp_path: Path) -> None:
    backup(store, tmp_path / "b.db", NOW)
    with store.begin() as tx:
        for _ in range(3):
            tx.settings.bump()
            tx.settings.settle()
        tx.settings.put("later", "1")
        generation = tx.settings.generation()
    restore(store, tmp_path / "b.db", NOW + timedelta(minutes=5), "cli:test")
    with store.read() as tx:
        mailbox = tx.session.scalars(select(MailboxRow)).one()
        meeting = tx.session.scalars(select(MeetingRow)).one()
        last = tx.session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()

        assert generation < tx.settings.generation()
        assert (None, None, 0, 8) == (mailbox.covered_start, mailbox.full_at, meeting.due, mailbox.revision)
        assert (None, None) == (tx.settings.value("later"), tx.settings.value("backup"))
        assert last is not None
        assert ("cli:test", "database.restore") == (last.actor, last.action)


def test_what_was_booked_since_the_backup_is_not_offered_again_however_young_that_is(
    migrated_url: str, tmp_path: Path
) -> None:
    town = Town.open(migrated_url)
    backup(town.store, tmp_path / "b.db", town.now)
    town.now += timedelta(minutes=1)
    town.book("10:00")
    worker = Reconciler(town.store, lambda: {"server": town.calendar}, lambda: town.people, town.rules)
    worker.run_due(town.now)
    restore(town.store, tmp_path / "b.db", town.now, "cli:test")
    unread = town.times()
    town.engine.prepare()
    town.sync()
    read = town.times()
    town.store.close()

    assert ("", "09:00 09:30 10:30 11:00 11:30") == (unread, read)


def test_a_restore_into_an_older_layout_or_from_one_is_upgraded(store: Store, tmp_path: Path) -> None:
    backup(store, tmp_path / "b.db", NOW)
    restore(store, tmp_path / "b.db", NOW, "cli:test")

    assert verify(tmp_path / "b.db").revision == store.revision()


def next_id(tx: Tx) -> int | None:
    audit = {"at": 1, "actor": "a", "action": "b"}
    return tx.session.scalar(insert(AuditRow).values(**audit).returning(AuditRow.id))


@pytest.mark.parametrize("empty", ["sqlite_url", "postgres_url"], indirect=True)
def test_a_move_takes_everything_along_and_retires_the_source(store: Store, empty: Store, tmp_path: Path) -> None:
    if store.url == empty.url:
        empty = Store(f"sqlite:///{tmp_path}/other.db")
    before = everything(store)
    moved = move(store, empty, NOW)

    assert before == everything(empty)
    assert {name: len(rows) for name, rows in before.items()} == {
        name: one.rows for name, one in moved.items() if name != "settings"
    }
    with pytest.raises(StoreError, match="was moved to"):
        store.upgrade()
    empty.upgrade()
    with empty.begin() as tx:
        highest = max(row[0] for row in before["audit"])  # type: ignore[type-var]  # numbers, all of them
        assert next_id(tx) == highest + 1  # type: ignore[operator]  # a number, as above
    empty.close()


@pytest.mark.parametrize("empty", ["postgres_url"], indirect=True)
def test_a_move_into_a_database_in_use_is_refused(store: Store, empty: Store) -> None:
    empty.upgrade()
    with empty.begin() as tx:
        tx.session.execute(insert(MailboxRow).values(id="x", kind="person", account="a"))
    with pytest.raises(StoreError, match=r"holds data already \(mailboxes\)"):
        move(store, empty, NOW)
    with pytest.raises(StoreError, match="is already"):
        move(store, store, NOW)
    store.upgrade()

    assert 1 == len(everything(empty)["mailboxes"])


@pytest.mark.parametrize("empty", ["postgres_url"], indirect=True)
def test_a_move_that_differs_is_thrown_away(store: Store, empty: Store) -> None:
    empty.upgrade()
    with empty.begin() as tx:
        # A column default that PostgreSQL applies behind our back: the sides cannot be equal.
        tx.session.execute(
            text(
                "CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.citizen = null; RETURN NEW; END'"
            )
        )
        tx.session.execute(text("CREATE TRIGGER lie BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION lie()"))
    with pytest.raises(StoreError, match="differs from the original in bookings"):
        move(store, empty, NOW)
    store.upgrade()

    assert not any(everything(empty).values())
    with store.read() as tx:
        assert tx.session.get(Setting, "moved") is None
