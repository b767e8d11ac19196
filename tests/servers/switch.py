"""Machines of their own (network namespaces) on one switch, as two servers in a rack are; each can be unplugged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.environment import program
from tests.servers.cable import ip, laid

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
        ip("link", "set", self.port, "nomaster")

    def plug(self, rack: Rack) -> None:
        """Put it in again."""
        ip("link", "set", self.port, "master", rack.name)


@contextmanager
def switch(machines: int) -> Iterator[Rack]:
    """So many machines, gone in the end; the test is left out, and says so, where the kernel allows no namespaces."""
    program("ip", "iproute2")
    if not laid():
        pytest.skip("network namespaces are forbidden here: run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN")
    name, net = f"sw{os.getpid()}", f"10.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
    with ExitStack() as gone:
        ip("link", "add", name, "type", "bridge")
        gone.callback(ip, "link", "delete", name)
        ip("address", "add", f"{net}.1/24", "dev", name)
        ip("link", "set", name, "up")
        plugged = tuple(_machine(gone, name, f"{net}.{10 + number}", number) for number in range(machines))
        yield Rack(name, f"{net}.1", f"{net}.100", plugged)


def _machine(gone: ExitStack, rack: str, address: str, number: int) -> Plugged:
    inside, port = f"{rack}m{number}", f"{rack}p{number}"
    ip("netns", "add", inside)
    gone.callback(ip, "netns", "delete", inside)
    ip("link", "add", port, "type", "veth", "peer", "name", DEVICE, "netns", inside)
    ip("link", "set", port, "master", rack)
    ip("link", "set", port, "up")
    for device in ("lo", DEVICE):
        ip("-n", inside, "link", "set", device, "up")
    ip("-n", inside, "address", "add", f"{address}/24", "dev", DEVICE)
    return Plugged(("ip", "netns", "exec", inside), address, port)
