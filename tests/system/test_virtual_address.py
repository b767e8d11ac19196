"""Two nodes on machines of their own and one address for both, by keepalived as the guide sets it up."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
import requests

from tests.environment import ROOT, program
from tests.servers.processes import DIE_WITH_PARENT
from tests.servers.proxy import proxy
from tests.servers.switch import Plugged, Rack, switch
from tests.system.calendars import KINDS
from tests.system.nodes import Nodes, running
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(600)]
GUIDE = ROOT / "docs" / "howto" / "many-nodes.md"
PORT = 8080
GONE = 20.0
"""Seconds for which nobody may answer under the address at most."""


def settings(address: str, priority: int) -> str:
    """The guide's file for one machine."""
    (found,) = re.findall(r"```conf\n(global_defs.*?)```", GUIDE.read_text(), re.DOTALL)
    return str(found).replace("10.0.0.9", address).replace("priority 100", f"priority {priority}")


@contextmanager
def keepalived(folder: Path, machine: Plugged, text: str) -> Iterator[None]:
    """It, on that machine."""
    folder.mkdir()
    file = folder / "keepalived.conf"
    file.write_text(text)
    pids: list[str | Path] = ["-p", folder / "all.pid", "-r", folder / "vrrp.pid"]
    line: list[str | Path] = [program("keepalived", "keepalived", [Path("/usr/sbin")]), "-n", "-l", "-D", "-P"]
    with (folder / "log").open("wb") as output:
        child = subprocess.Popen(
            [*DIE_WITH_PARENT, *machine.inside, *line, "-f", file, *pids], stdout=output, stderr=output
        )
        try:
            yield
        finally:
            child.terminate()
            child.wait()


@contextmanager
def relayed(machine: Plugged, rack: Rack, port: int) -> Iterator[None]:
    """What this side of the switch answers on *port*, on that machine's own."""
    line = [*DIE_WITH_PARENT, *machine.inside, sys.executable, "-m", "tests.servers.relay", rack.address]
    with subprocess.Popen([*line, str(port)], cwd=ROOT) as child:
        try:
            yield
        finally:
            child.terminate()


class Caller:
    """Asks under the address all the time, as a portal does, and notes when there was an answer."""

    def __init__(self, front: Service) -> None:
        self._front, self._ended = front, threading.Event()
        self._answers: list[float] = []
        self._thread = threading.Thread(target=self._call)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def silence_since(self, began: float) -> float:
        """The longest time without an answer from *began* until now, in seconds."""
        times = [began, *(at for at in self._answers if at > began), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(times))

    def _call(self) -> None:
        while not self._ended.wait(0.1):
            if answers(self._front):
                self._answers.append(time.monotonic())


def answers(node: Service) -> bool:
    """Whether anybody who is well answers there."""
    try:
        return requests.get(f"{node.url}/readyz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def has(machine: Plugged, address: str) -> bool:
    """Whether that machine has the address now."""
    shown = subprocess.run([*machine.inside, "ip", "-4", "-br", "address"], capture_output=True, text=True, check=True)
    return f"{address}/" in shown.stdout


@contextmanager
def house(folder: Path, url: str) -> Iterator[tuple[Rack, Nodes, Service]]:
    """Two machines with a node and keepalived each, and who is found under their common address."""
    with ExitStack() as ending:
        rack = ending.enter_context(switch(2))
        server = ending.enter_context(KINDS["graph"](folder))
        between = ending.enter_context(proxy(server, rack.address))
        for owner in ("anna", "lokale-1"):
            server.make_calendar(owner)
        port = urlsplit(between.url).port or 0
        nodes = Nodes(folder, server.at(f"http://127.0.0.1:{port}/"), url)
        for number, machine in enumerate(rack.machines):
            ending.enter_context(relayed(machine, rack, port))
            node = nodes.add(machine=machine)
            node.port = PORT
            node.write()
            text = settings(rack.spare, 100 - 10 * number)
            ending.enter_context(keepalived(folder / f"keepalived-{number}", machine, text))
        ending.enter_context(running(nodes))
        yield rack, nodes, replace(nodes.all[0], address=rack.spare, child=None)


def test_one_address_leads_to_whichever_node_is_well(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with house(tmp_path, postgres_url) as (rack, nodes, front):
        first, second = rack.machines
        wait_for(lambda: has(first, rack.spare) and answers(front), "the address", 60)
        made = [front.book()["id"]]
        silent: dict[str, float] = {}
        with Caller(front) as caller:
            began = time.monotonic()
            nodes.all[0].kill()
            wait_for(lambda: has(second, rack.spare), "the address to leave a dead node", 60)
            time.sleep(3)
            silent["kill -9"] = caller.silence_since(began)
            made.append(front.book()["id"])

            began = time.monotonic()
            nodes.all[0].start()
            wait_for(lambda: has(first, rack.spare) and not has(second, rack.spare), "the address to return", 60)
            time.sleep(3)
            silent["back again"] = caller.silence_since(began)
            made.append(front.book()["id"])

            began = time.monotonic()
            first.unplug()
            wait_for(lambda: has(second, rack.spare), "the address to leave a machine that is gone", 60)
            time.sleep(3)
            silent["cable out"] = caller.silence_since(began)
            made.append(front.book()["id"])
            first.plug(rack)
        wait_for(lambda: {nodes.all[1].state(name) for name in made} == {"confirmed"}, "confirmation", 120)
    with capsys.disabled():
        print(f"\none address: nobody answered for {', '.join(f'{s:.1f} s ({why})' for why, s in silent.items())}")
    assert max(silent.values()) <= GONE
    assert silent["back again"] < 3
