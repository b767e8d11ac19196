"""A whole mirror in one process: `python -m tests.bench.mirror_reader URL LAYOUT CALENDARS EVENTS FOLDER`.

LAYOUT ``home``: all calendars in one home, as a server shows them to one account; ``own``: a home for each.
Prints seconds of processor time and memory of each step as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from time import process_time

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.client import CaldavAccount
from syncd.clock import SystemClock
from syncd.model.directory import Directory, Mailbox, MailboxKind
from syncd.observe import logs
from syncd.store import Store
from syncd.store.tables import Base
from syncd.sync.engine import Engine
from syncd.sync.outcome import Outcome, Result
from syncd.sync.timing import Pace


def resident(which: str) -> float:
    """MB of this process: ``VmRSS`` now, ``VmHWM`` at most so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:")) / 1024


def boxes(layout: str, calendars: int) -> dict[str, Mailbox]:
    """One mailbox per calendar."""
    names = [f"box{n:04}" for n in range(calendars)]
    urls = {name: f"/home/{name}/" if layout == "home" else f"/{name}/{name}/" for name in names}
    return {
        name: Mailbox(name, MailboxKind.PERSON, "main", f"{name}@syncd.test", "Europe/Copenhagen", url)
        for name, url in urls.items()
    }


def passed(engine: Engine, calendars: int, *, full: bool = False) -> list[Outcome]:
    """One pass over everything; no failure goes unnoticed."""
    outcomes = engine.sync_many([f"box{n:04}" for n in range(calendars)], SystemClock(), full=full)
    assert all(one.result in (Result.OK, Result.UNCHANGED) for one in outcomes), outcomes[0]
    return outcomes


def main() -> None:
    """Read everything, then look again twice: both times nothing has changed."""
    url, layout, folder = sys.argv[1], sys.argv[2], sys.argv[5]
    calendars, events = int(sys.argv[3]), int(sys.argv[4])
    logs.configure("error")
    store = Store(f"sqlite:///{folder}/mirror.sqlite3")
    store.upgrade()
    port = CaldavCalendar(CaldavAccount("main", url, timeout=120))
    directory = Directory("Bench", {}, {}, {}, mailboxes=boxes(layout, calendars))
    engine = Engine(store, {"main": port}, directory, Pace(horizon_days=54))
    engine.prepare()
    found = {"start MB": resident("VmRSS")}
    begun = process_time()
    passed(engine, calendars)
    found |= {"first": process_time() - begun, "most MB": resident("VmHWM")}
    passed(engine, calendars)  # this one learns what the marks of a home mean
    begun = process_time()
    looks = passed(engine, calendars)
    found |= {"quiet": process_time() - begun, "requests": float(sum(one.requests for one in looks))}
    gc.collect()
    found |= {"kept MB": resident("VmRSS"), "groups": float(_count(store)), "file MB": _size(folder)}
    assert found["groups"] == calendars * events
    store.close()
    json.dump(found, sys.stdout)


def _count(store: Store) -> int:
    with store.read() as tx:
        return tx.session.query(Base.metadata.tables["groups"]).count()


def _size(folder: str) -> float:
    return sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20


if __name__ == "__main__":
    main()
