"""One service has a database, and nobody else changes it meanwhile: a second start and commands of an operator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.daemon.parts import applied_in
from syncd.store import Store
from tests.servers.processes import free_port
from tests.system.service import PATIENCE, RULES, Service, wait_for


def beside(service: Service, role: str = "") -> Service:
    """Another service on the same database, at an address of its own; not started."""
    folder = service.folder / "beside"
    folder.mkdir()
    database = service.database.replace("sqlite:///", f"sqlite:///{service.folder}/")
    found = replace(service, folder=folder, port=free_port(), database=database, child=None, role=role)
    found.write()
    return found


def ended(service: Service) -> int:
    service.start(ready=False)
    assert service.child is not None
    return service.child.wait(timeout=PATIENCE)


def test_a_second_start_on_the_same_database_is_refused_before_it_changes_anything(service: Service) -> None:
    service.start()
    assert service.child is not None
    other = beside(service)
    (other.folder / "offers.toml").write_text(RULES.replace("step = 30", "step = 15"))
    store = Store(other.database)
    before = applied_in(store)

    assert (78, before) == (ended(other), applied_in(store)), other.log
    store.close()
    assert f"a service has this database for itself already (pid {service.child.pid}); nothing was started" in other.log
    assert "stop that one first (systemctl stop syncd)" in other.log
    assert "Traceback" not in other.log


@pytest.mark.broad
def test_a_restore_or_move_beside_a_running_service_changes_nothing(service: Service) -> None:
    service.start()
    assert service.child is not None
    file, told = service.folder / "backup.sqlite3", f"The service is running (pid {service.child.pid})."
    assert 0 == service.command("db", "backup", file).returncode
    booked = service.book()

    restored = service.command("db", "restore", file, "--yes")
    moved = service.command("db", "move", "--to", f"sqlite:///{service.folder}/new.sqlite3")

    for done in (restored, moved):
        assert 1 == done.returncode
        assert f"{told} Nothing was changed. Stop it first: systemctl stop syncd" in done.stderr
    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation as if nothing had been tried")


@pytest.mark.broad
def test_kill_9_lets_go_of_the_database_at_once(service: Service) -> None:
    service.start()
    service.kill()

    service.start()
    assert (0, True) == (service.stop()[0], (service.folder / "syncd.sqlite3.lock").exists())
    assert 0 == service.command("db", "backup", service.folder / "backup.sqlite3").returncode
    restored = service.command("db", "restore", service.folder / "backup.sqlite3", "--yes")
    assert 0 == restored.returncode, restored.stderr


@pytest.mark.broad
def test_nodes_and_a_service_alone_keep_each_other_away_on_postgresql(
    service: Service, postgres_url: str, tmp_path: Path
) -> None:
    service.database = postgres_url
    service.write()
    service.start()
    assert service.child is not None
    node = beside(service, role="worker")

    assert 78 == ended(node)
    assert f"a service has this database for itself already (pid {service.child.pid} on " in node.log
    service.stop()
    node.start()
    assert 78 == ended(service)
    assert "other nodes serve this database together" in service.log
    assert 1 == node.command("db", "move", "--to", f"sqlite:///{tmp_path}/new.sqlite3").returncode
    assert 0 == node.stop()[0]


@pytest.mark.broad
def test_an_upgrade_of_an_older_layout_beside_a_running_service_is_refused(service: Service) -> None:
    service.start()
    assert service.child is not None
    store = Store(f"sqlite:///{service.folder}/syncd.sqlite3")
    with store.begin() as tx:
        tx.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    store.close()

    done = service.command("db", "upgrade")

    assert (1, True) == (done.returncode, f"The service is running (pid {service.child.pid})" in done.stderr)
