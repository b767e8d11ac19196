"""kill -9 at every named point of the work: after a restart everything is there, once, and nothing else is.

`make crash-points` plays one set, each point on one database and one calendar server in turn; `make test-long` plays
every point on every combination.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from syncd.points import POINTS, VARIABLE
from tests.system.calendars import KINDS, ROOMLESS
from tests.system.history import spans
from tests.system.service import PATIENCE, Service, wait_for

DATABASES = ("sqlite", "postgresql")
LATER = {"client.stored": 2, "client.committed": 2, "sync.read": 2, "sync.applied": 2}
"""Which passing of a point ends the process; the first one of most. The second request of a client is the booking."""
COMBINATIONS = list(product(DATABASES, KINDS))
ONE_SET = [(point, *combination) for point, combination in zip(POINTS, cycle(COMBINATIONS), strict=False)]
EVERY_ONE = [(point, *combination) for point, combination in product(POINTS, COMBINATIONS)]


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The service on the database and calendar server that the parameters name; not started."""
    _, database, kind = request.node.callspec.params["where"]
    folder = tmp_path / kind
    folder.mkdir()
    with KINDS[kind](folder) as server:
        for owner in ("anna", "lokale-1"):
            server.make_calendar(owner)
        each = Service(tmp_path, server)
        if database == "postgresql":
            each.database = request.getfixturevalue("postgres_url")
        each.write()
        yield each
        each.end()


@pytest.mark.programme
@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", ONE_SET, ids="-".join)
def test_killed_at_a_named_point_nothing_is_lost_and_nothing_is_double(
    service: Service, where: tuple[str, ...]
) -> None:
    killed_at(service, where[0], "phone" if where[2] in ROOMLESS else "in-person")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", EVERY_ONE, ids="-".join)
def test_killed_at_any_point_on_any_combination(service: Service, where: tuple[str, ...]) -> None:
    killed_at(service, where[0], "phone" if where[2] in ROOMLESS else "in-person")


def killed_at(service: Service, point: str, form: str) -> None:
    """Book, be killed at *point*, start again, ask again, and look."""
    service.environment = {VARIABLE: f"{point}:{LATER.get(point, 1)}"}
    service.start(ready=not point.startswith("sync."))
    keys = [uuid4().hex, uuid4().hex]
    dragged = None
    booked = _booked(service, keys, form)
    if point == "reconcile.followed" and booked is not None:
        wait_for(lambda: service.state(str(booked["id"])) == "confirmed", "confirmation before the drag")
        dragged = service.calendars.drag("anna", timedelta(hours=2))
    assert service.child is not None
    assert service.child.wait(timeout=PATIENCE) == -signal.SIGKILL, "the point was never passed"

    service.environment = {}
    service.start()
    again = _booked(service, keys, form)

    assert again is not None
    assert booked in (None, again), "the same key was answered otherwise"
    wait_for(lambda: service.state(str(again["id"])) == "confirmed", "confirmation after the restart")
    now = service.get(f"/bookings/{again['id']}").json()
    meeting = (datetime.fromisoformat(now["start"]), datetime.fromisoformat(now["end"]))
    assert dragged in (None, meeting[0])
    for owner in ("anna", "lokale-1"):
        expected = [[meeting]] if owner == "anna" or form == "in-person" else []
        assert expected == [list(spans(text)) for text in service.objects(owner)], owner


def _booked(service: Service, keys: list[str], form: str) -> dict[str, object] | None:
    """Hold and book with these keys; None when the service died before it answered."""
    try:
        wait_for(lambda: len(service.slots()) > 10, "slots")
        start = _start(service)
        hold = service.post("/holds", {"offer": "samtale", "start": start, "form": form}, keys[0])
        assert hold.status_code == 201, hold.text
        answer = service.post("/bookings", {"hold": hold.json()["id"], "citizen": {"reference": "b"}}, keys[1])
    except requests.RequestException:
        return None
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def _start(service: Service) -> str:
    """The tenth time on offer when first asked; the same one ever after, as the body belongs to the key."""
    kept = service.folder / "start"
    if not kept.exists():
        kept.write_text(service.slots()[10]["start"])
    return kept.read_text()
