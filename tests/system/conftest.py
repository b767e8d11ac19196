"""A real calendar server, a proxy in front of it, and the daemon as a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.observe.keys import EVERY, KEYS
from tests.servers.dav import DavServer
from tests.servers.proxy import Proxy, proxy
from tests.servers.radicale import radicale
from tests.system.calendars import Dav
from tests.system.service import Service


@pytest.fixture
def calendars(tmp_path: Path) -> Iterator[DavServer]:
    """Radicale with the calendars of one caseworker and one room."""
    folder = tmp_path / "radicale"
    folder.mkdir()
    with radicale(folder) as server:
        server.make_calendar("anna")
        server.make_calendar("lokale-1")
        yield server


@pytest.fixture
def between(calendars: DavServer) -> Iterator[Proxy]:
    """The proxy between syncd and the calendars."""
    with proxy(calendars) as each:
        yield each


@pytest.fixture
def service(tmp_path: Path, between: Proxy) -> Iterator[Service]:
    """A configured service that reaches its calendars through the proxy; not started."""
    each = Service(tmp_path, Dav(between.server))
    each.write()
    yield each
    each.end()
    assert set() == each.logged_keys() - {*EVERY, *KEYS}, (
        "a log line has a key that syncd/observe/keys.py does not list"
    )
