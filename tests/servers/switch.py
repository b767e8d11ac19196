"""Machines of their own (network namespaces) on one switch, as two servers in a rack are; each can be unplugged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.environment import not_covered, program

DEVICE = "eth0"
"""What each machine calls its own end of the cable."""


@dataclass(frozen=True)
class Rack:
    """A switch.

    :param name: of its device here. :param address: this side of it, under which machines find what runs here.
    :param spare: an address that nobody has yet.
    """

    name: str
    address: str
    spare: str
    machines: tuple[Plugged, ...]


@dataclass(frozen=True)
class Plugged:
    """A machine on the switch.

    :param inside: words before a command that let it run there.
    """

    inside: tuple[str, ...]
    address: str
    port: str

    def unplug(self) -> None:
        """Pull its cable out of the switch; nobody is told."""
        _ip("link", "set", self.port, "nomaster")

    def plug(self, rack: Rack) -> None:
        """Put it in again."""
        _ip("link", "set", self.port, "master", rack.name)


@contextmanager
def switch(machines: int) -> Iterator[Rack]:
    """So many machines, gone in the end; `not_covered` where no namespaces can be made."""
    program("ip", "iproute2")
    name, net = f"sw{os.getpid()}", f"10.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
    with ExitStack() as gone:
        made = subprocess.run(
            ["ip", "link", "add", name, "type", "bridge"], capture_output=True, text=True, check=False
        )
        if made.returncode:
            not_covered("no bridge can be made", "run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN")
        gone.callback(_ip, "link", "delete", name)
        _ip("address", "add", f"{net}.1/24", "dev", name)
        _ip("link", "set", name, "up")
        plugged = tuple(_machine(gone, name, f"{net}.{10 + number}", number) for number in range(machines))
        yield Rack(name, f"{net}.1", f"{net}.100", plugged)


def _machine(gone: ExitStack, rack: str, address: str, number: int) -> Plugged:
    inside, port = f"{rack}m{number}", f"{rack}p{number}"
    _ip("netns", "add", inside)
    gone.callback(_ip, "netns", "delete", inside)
    _ip("link", "add", port, "type", "veth", "peer", "name", DEVICE, "netns", inside)
    _ip("link", "set", port, "master", rack)
    _ip("link", "set", port, "up")
    for device in ("lo", DEVICE):
        _ip("-n", inside, "link", "set", device, "up")
    _ip("-n", inside, "address", "add", f"{address}/24", "dev", DEVICE)
    return Plugged(("ip", "netns", "exec", inside), address, port)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
