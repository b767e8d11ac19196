"""The town's calendar server: a real Radicale, its collections laid out on disk, as a process of its own."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from syncd.demo.children import HOST, ChildFailed, port, wait_until
from syncd.demo.groupware import Groupware
from syncd.demo.program import Program
from syncd.model.interval import Interval

COLLECTION = "kalender"
SERVICE_ACCOUNT = "syncd"
_START_SECONDS = 30

_CONFIG = """[server]
hosts = {host}:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
[web]
type = internal
[logging]
level = warning
"""

_TABLE = """[calendars.radicale]
adapter = "caldav"
url = "{url}"
username = "{account}"
password = {{file = "secrets/{account}"}}
"""

# Everybody sees their own calendar; syncd's account may read and write them all, as a groupware administrator sets it.
_RIGHTS = f"""[service]
user: {SERVICE_ACCOUNT}
collection: .*
permissions: RWrw
[principals]
user: .+
collection:
permissions: R
[own]
user: .+
collection: {{user}}(/.*)?
permissions: RWrw
"""


@dataclass(frozen=True, slots=True)
class CalendarServer:
    """A running Radicale.

    :param url: its base, with a slash at the end.
    :param passwords: by account; the town's people, its rooms and `SERVICE_ACCOUNT`.
    :param switch: its process; None where somebody else runs it.
    """

    url: str
    passwords: Mapping[str, str]
    switch: Program | None = None

    def collection(self, owner: str) -> str:
        """URL of *owner*'s calendar."""
        return f"{self.url}{owner}/{COLLECTION}/"

    def table(self) -> str:
        """How syncd is told of it."""
        return _TABLE.format(url=self.url, account=SERVICE_ACCOUNT)

    def desk(self, owner: str) -> Groupware:
        """*owner*'s calendar, opened with that account's own password."""
        return Groupware(self.collection(owner), owner, self.passwords[owner])

    def invitation(self, owner: str, _: Interval) -> str:
        """How a visitor looks at *owner*'s calendar, and changes it."""
        return (
            f"{self.url} - log in as {owner}, password {self.passwords[owner]}\n"
            f"                       (any CalDAV program will do: {self.collection(owner)})"
        )


def lay_out(folder: Path, calendars: Mapping[str, Mapping[str, str]], passwords: Mapping[str, str]) -> None:
    """Write accounts and calendars where Radicale looks for them; calendars that exist already are left alone."""
    users = folder / "users"
    users.touch(mode=0o600)
    users.write_text("".join(f"{account}:{password}\n" for account, password in passwords.items()), encoding="utf-8")
    (folder / "rights").write_text(_RIGHTS, encoding="utf-8")
    for owner, files in calendars.items():
        collection = folder / "collections" / "collection-root" / owner / COLLECTION
        if collection.exists():
            continue
        collection.mkdir(parents=True)
        props = {"tag": "VCALENDAR", "D:displayname": "Kalender", "C:supported-calendar-component-set": "VEVENT"}
        (collection / ".Radicale.props").write_text(json.dumps(props), encoding="utf-8")
        for name, content in files.items():
            (collection / name).write_text(content, encoding="utf-8", newline="")


@contextmanager
def serve(folder: Path, passwords: Mapping[str, str], preferred_port: int = 0) -> Iterator[CalendarServer]:
    """Radicale over what `lay_out` wrote into *folder*, answering while the block lasts.

    :param preferred_port: taken when it is free; 0 for any.
    :raises ChildFailed: it is not installed, or does not start.
    """
    if importlib.util.find_spec("radicale") is None:
        raise ChildFailed("the demonstration needs Radicale; install it with: pip install 'syncd[demo]'")
    config, log = folder / "radicale.ini", folder / "radicale.log"
    url = f"http://{HOST}:{(number := port(preferred_port))}/"
    config.write_text(_CONFIG.format(host=HOST, port=number, folder=folder), encoding="utf-8")
    with Program("Radicale", [sys.executable, "-m", "radicale", "--config", str(config)], log) as service:
        server = CalendarServer(url, passwords, service)
        wait_until("Radicale", lambda: answers(server), service.process, log, _START_SECONDS)
        yield server


def answers(server: CalendarServer) -> bool:
    """Whether it lets the service account in; somebody else on the same port would not."""
    auth = (SERVICE_ACCOUNT, server.passwords[SERVICE_ACCOUNT])
    try:
        answer = httpx2.request("PROPFIND", server.url, auth=auth, headers={"Depth": "0"}, timeout=5)
    except httpx2.TransportError:
        return False
    return answer.status_code == httpx2.codes.MULTI_STATUS
