"""The kinds of calendar server that the whole service is tried on; a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.servers.cyrus import cyrus
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale
from tests.servers.sabredav import sabredav
from tests.servers.xandikos import xandikos

KINDS: dict[str, Callable[[Path], AbstractContextManager[DavServer]]] = {
    "radicale": radicale,
    "xandikos": xandikos,
    "cyrus": lambda _folder: cyrus(),
    "sabredav": sabredav,
}
ROOMLESS = {"cyrus"}
"""One user of Cyrus may have a UID in one calendar only, and ours has the room's calendar, too: talks by telephone."""
