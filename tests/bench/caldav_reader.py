"""syncd's side of the CalDAV benchmark, as a process of its own: `python -m tests.bench.caldav_reader JSON`."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.changes import fetch, look
from syncd.adapters.caldav.client import CaldavAccount, Client
from syncd.adapters.caldav.discovery import Place
from syncd.model.directory import Mailbox, MailboxKind
from syncd.sync.timing import Pace
from tests.bench.caldav_load import WINDOW, text, timed
from tests.contract.mirror import Mirror
from tests.servers.dav import DavServer


@dataclass(frozen=True)
class Task:
    """What to read; ``only_transfer`` leaves out parsing and expanding."""

    server: DavServer
    names: list[str]
    only_transfer: bool = False

    def as_json(self) -> str:
        """The command-line argument."""
        return json.dumps(asdict(self))


class Reader:
    """All calendars of one account, read as the engine reads them."""

    def __init__(self, task: Task) -> None:
        server = task.server
        account = CaldavAccount("main", server.url, server.username or None, server.password or None)
        self.port = CaldavCalendar(account)
        self.boxes = {
            name: Mailbox(
                name, MailboxKind.PERSON, "main", f"{name}@syncd.test", "Europe/Copenhagen", server.home + name
            )
            for name in task.names
        }
        self.mirrors = {name: Mirror() for name in task.names}
        self.requests = 0

    def full(self) -> None:
        """The first pass."""
        self._read(self.boxes)

    def again(self) -> None:
        """One look at the home, then whatever changed."""
        asked = [(self.boxes[name], mirror.since) for name, mirror in self.mirrors.items() if mirror.since]
        seen = self.port.glance(asked)
        self._read(self.boxes.keys() - seen.unchanged)
        self.requests += seen.requests

    def _read(self, names) -> None:
        with ThreadPoolExecutor(Pace().workers) as pool:
            deltas = pool.map(
                lambda name: self.mirrors[name].follow(self.port, self.boxes[name], WINDOW), sorted(names)
            )
            self.requests = sum(delta.requests for delta in deltas)


def transfer(task: Task) -> None:
    """Bytes and versions only."""
    server = task.server
    client = Client(CaldavAccount("main", server.url, server.username or None, server.password or None))
    for name in task.names:
        place = Place.at(client.url(server.home + name))
        with client.call():
            list(fetch(client, place, sorted(look(client, place, None, fresh=True).versions)))


def main() -> None:
    """Read everything, then three times nothing new, then one change; print seconds and requests."""
    given = json.loads(sys.argv[1])
    task = Task(DavServer(**given["server"]), given["names"], given["only_transfer"])
    if task.only_transfer:
        json.dump({"first": (*timed(lambda: transfer(task)), 0)}, sys.stdout)
        return
    reader = Reader(task)
    found: dict[str, tuple[float, float, int]] = {}
    for step, work in (
        ("first", reader.full),
        ("second", reader.again),
        ("third", reader.again),
        ("nothing", reader.again),
    ):
        found[step] = (*timed(work), reader.requests)
    if not sys.stdin.isatty():
        task.server.put(f"{task.server.home}{task.names[3]}/e5.ics", text(task.names[3], 5).replace("Privat", "Andet"))
        found["change"] = (*timed(reader.again), reader.requests)
    found["groups"] = (float(sum(len(mirror.groups) for mirror in reader.mirrors.values())), 0.0, 0)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
