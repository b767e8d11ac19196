"""The demonstration: starts the town, shows it, and ends what it started."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import TextIOWrapper
from pathlib import Path
from subprocess import Popen
from typing import TypeAlias

import httpx2

from syncd.clock import SystemClock
from syncd.demo import exchange, files, graph, history, jobnet, radicale, stage, town
from syncd.demo.acts import Acts
from syncd.demo.children import HOST, ChildFailed, heed_goodbyes, port, wait_until
from syncd.demo.desk import House
from syncd.demo.people import CASEWORKERS, ORGANISATION, ROOMS, ZONE
from syncd.demo.portal import Portal, Refused
from syncd.demo.program import Program
from syncd.demo.tour import NotSeen, Tour
from syncd.demo.window import ACCOUNT, Window
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

OFFER = "jobsamtale"
Serving: TypeAlias = Callable[[Path, bool], AbstractContextManager[House]]
"""A calendar server with the town in it, in a folder, at its own port or any."""
_RADICALE_PORT, _EXCHANGE_PORT, _GRAPH_PORT, _HTTP_PORT, _STAGE_PORT = 5232, 5233, 5234, 8080, 8081
_START_SECONDS = 240
_DAYS = 21


@dataclass(frozen=True, slots=True)
class Town:
    """What is running.

    :param base: the daemon's HTTP address.
    :param folder: configuration, secrets, database, calendars and logs.
    :param dfdg: Jobnet and DFDG beside it. :param daemon: its process; None where somebody else runs it.
    """

    base: str
    server: House
    folder: Path
    dfdg: jobnet.Simulator | None = None
    daemon: Program | None = None


def run(once: bool, directory: Path | None = None, server: str = "radicale", on_jobnet: bool = False) -> int:
    """Show the demonstration; the exit code.

    :param once: walk through the guided tour and end; otherwise run until Ctrl-C.
    :param directory: where everything is kept; a temporary folder, removed at the end, if None.
    :param server: where the calendars are: ``radicale``, or of a checkout the simulated ``exchange`` or ``graph``.
    :param on_jobnet: citizens book on a simulated Jobnet (of a checkout), and the tour is theirs.
    """
    began = time.monotonic()
    heed_goodbyes()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="replace")  # each line as it happens, wherever it goes
    try:
        with _folder(directory) as folder, _town(folder, not once, _SERVERS[server], on_jobnet) as running:
            print(f"\n{ORGANISATION} is up after {time.monotonic() - began:.1f} s.\n")
            if once or on_jobnet:
                code = guide(running)
                if once:
                    return code
            _invite(running)
            with on_stage(running) as address:
                print(f"\nThe stage, with buttons     {address}\n")
                _wait(running)
    except ChildFailed as failure:
        print(f"The demonstration cannot run: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe town is closed; all its processes have ended.")
    return 0


@contextmanager
def opened(folder: Path, server: str = "radicale") -> Iterator[Town]:
    """The town for somebody who stays, on a calendar server as `run` has them."""
    with _town(folder, True, _SERVERS[server], False) as running:
        yield running


@contextmanager
def _folder(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _town(folder: Path, fixed_ports: bool, calendars: Serving, on_jobnet: bool) -> Iterator[Town]:
    """The calendar server and the daemon, each as a process, answering while the block lasts."""
    with ExitStack() as stack:
        server = stack.enter_context(calendars(folder, fixed_ports))
        number = port(_HTTP_PORT if fixed_ports else 0)
        dfdg = stack.enter_context(_jobnet(folder)) if on_jobnet else None
        more = dfdg.table() if dfdg is not None else ""
        if fixed_ports:  # somebody stays to look around
            more += files.pages(folder)
            talks = history.write(folder, SystemClock().now(), today())
            print(f"{talks} talks of the year that is over are in the database")
        config, log = files.write(folder, server, number, more), folder / "syncd.log"
        command = [sys.executable, "-m", "syncd", "run", "--config", str(config)]
        daemon = stack.enter_context(Program("syncd", command, log))
        base = f"http://{HOST}:{number}"
        print(f"syncd reads the calendars and answers at {base}/")
        running = Town(base, server, folder, dfdg, daemon)
        _await_slots(running, daemon.process, log)
        yield running


@contextmanager
def on_stage(running: Town) -> Iterator[str]:
    """The stage over the running town; its address."""
    assert running.daemon is not None, "the town was started here"
    passwords = {name: files.secret(running.folder, f"page-{name}") for name in files.ACCOUNTS}
    portal, window = _portal(running), Window(running.base, passwords[ACCOUNT])
    acts = Acts(portal, window, running.server, running.daemon, SystemClock().now)
    try:
        with stage.serve(stage.Stage(running.base, passwords, acts), port(_STAGE_PORT)) as address:
            yield address
    finally:
        window.close()
        portal.close()


@contextmanager
def _radicale(folder: Path, fixed_ports: bool) -> Iterator[House]:
    """The town on a real CalDAV server."""
    calendars, passwords = town.calendars(today()), files.passwords(folder)
    radicale.lay_out(folder, calendars, passwords)
    _count(sum(len(one) for one in calendars.values()), folder)
    with radicale.serve(folder, passwords, _RADICALE_PORT if fixed_ports else 0) as server:
        print(f"Radicale, a CalDAV server, answers at {server.url}")
        yield server


@contextmanager
def _jobnet(folder: Path) -> Iterator[jobnet.Simulator]:
    """Jobnet and DFDG, with a key for citizens' numbers."""
    files.key(folder, "cpr")
    with jobnet.serve(folder) as simulator:
        print(f"A simulated DFDG with Jobnet's pages answers at {simulator.url}")
        yield simulator


@contextmanager
def _exchange(folder: Path, fixed_ports: bool) -> Iterator[House]:
    """The town on a simulated Exchange server."""
    filling = exchange.town(town.entries(today()), files.passwords(folder))
    _count(len(filling["entries"]), folder)
    with exchange.serve(folder, filling, _EXCHANGE_PORT if fixed_ports else 0) as server:
        print(f"A simulated Exchange server answers at {server.endpoint}")
        yield server


@contextmanager
def _graph(folder: Path, fixed_ports: bool) -> Iterator[House]:
    """The town in a simulated Microsoft 365."""
    filling = graph.town(town.entries(today()), files.passwords(folder))
    _count(len(filling["entries"]), folder)
    with graph.serve(folder, filling, _GRAPH_PORT if fixed_ports else 0) as server:
        print(f"A simulated Microsoft 365 answers at {server.endpoint}")
        yield server


_SERVERS: Mapping[str, Serving] = {"radicale": _radicale, "exchange": _exchange, "graph": _graph}


def today() -> date:
    """The date on the town's clocks."""
    return wall_clock(SystemClock().now(), ZONE).date()


def _count(entries: int, folder: Path) -> None:
    print(f"{len(CASEWORKERS)} caseworkers, {len(ROOMS)} rooms, {entries} calendar objects in {folder}")


def _await_slots(running: Town, process: Popen[bytes], log: Path) -> None:
    """Return once the daemon answers, having read every calendar of the offer.

    :raises ChildFailed: it does not come to that; the text says how it stood.
    """
    portal, stood = _portal(running), "it did not answer"

    def ready() -> bool:
        nonlocal stood
        try:
            answer = portal.search(_window())
        except (httpx2.TransportError, Refused) as refusal:
            stood = str(refusal)
            return False
        stood = f"{len(answer['slots'])} slots, left out: {answer['closed']}"
        return bool(answer["slots"]) and not answer["closed"]

    try:
        wait_until("syncd", ready, process, log, _START_SECONDS)
    except ChildFailed as failure:
        raise ChildFailed(f"{failure}\nAt last: {stood}") from None
    finally:
        portal.close()


def _portal(running: Town) -> Portal:
    return Portal(running.base, files.secret(running.folder, "portal"), OFFER)


def _window() -> Interval:
    now = SystemClock().now().replace(microsecond=0)
    return Interval(now, now + timedelta(days=_DAYS))


def guide(running: Town) -> int:
    """Walk through the tour, one line a step; 1 as soon as a step was not seen."""
    portal = _portal(running)
    tour: Tour | jobnet.JobnetTour = Tour(portal, _window(), running.server.desk)
    if running.dfdg is not None:
        token = files.secret(running.folder, "portal")
        tour = jobnet.JobnetTour(running.dfdg, running.base, token, _window(), running.server.desk)
    try:
        for number, (title, step) in enumerate(tour.steps().items(), start=1):
            try:
                saw = step()
            except (NotSeen, Refused, httpx2.HTTPError) as failure:
                print(f" ✗ {number}  {title}: {failure}")
                print(f"\nThe tour ended at step {number}. The last lines of syncd's log:\n{_log(running)}")
                return 1
            print(f" ✓ {number}  {title}: {saw}")
    finally:
        tour.close()
        portal.close()
    print("\nEverything was seen to happen.")
    return 0


def _invite(running: Town) -> None:
    """Say what there is to see and to try."""
    token, person = files.secret(running.folder, "portal"), CASEWORKERS[0]
    config = running.folder / files.CONFIG
    window = _window()
    span = f"from={window.start:%Y-%m-%dT%H:%M:%SZ}&to={window.end:%Y-%m-%dT%H:%M:%SZ}"
    days = f"--from {window.start:%Y-%m-%d} --to {window.end:%Y-%m-%d}"
    slots = f"{running.base}/api/v1/offers/{OFFER}/slots?{span}"
    print(f"""What is on offer       curl -H 'Authorization: Bearer {token}' '{slots}'
                       {_command()} slots {OFFER} {days} --config {config}
How it stands          {running.base}/
The HTTP interface     {running.base}/api-docs?lang=en
A caseworker's desk    {running.server.invitation(person.id, window)}
Logs                   {running.folder}/syncd.log

Move or delete events there and ask again: what is on offer follows within {files.PASS_SECONDS} seconds.
The guided tour: make demo ONCE=1. Ctrl-C ends everything.""")


def _command() -> str:
    """How this visitor calls syncd: as it was installed, from where they stand."""
    installed = Path(sys.executable).parent / "syncd"
    return str(installed.relative_to(Path.cwd())) if installed.is_relative_to(Path.cwd()) else str(installed)


def _wait(running: Town) -> None:
    """Stay until Ctrl-C, or until the daemon is gone.

    :raises ChildFailed: it has ended, and not by a button of the stage.
    """
    while running.daemon is None or not running.daemon.ended:
        time.sleep(5)
    raise ChildFailed(f"syncd has ended:\n{_log(running)}")


def _log(running: Town) -> str:
    return "\n".join((running.folder / "syncd.log").read_text(encoding="utf-8").splitlines()[-10:])
