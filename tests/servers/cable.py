"""A machine of its own for a server (a network namespace), a cable from each client to it, and hands that pull one.

What is sent while a cable is out vanishes: nobody is told by FIN, RST or ICMP, and neither is anybody afterwards.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.environment import not_covered, program


@dataclass(frozen=True)
class Cable:
    """One line to the machine.

    :param address: under which the machine is found through it.
    """

    machine: str
    device: str
    address: str

    def cut(self) -> None:
        """Pull it out, at the far end."""
        ip("-n", self.machine, "link", "set", self.device, "down")

    def mend(self, *, broken: bool = False) -> None:
        """Put it in again; what TCP was not answered for it sends again. :param broken: means nothing here."""
        ip("-n", self.machine, "link", "set", self.device, "up")


@dataclass(frozen=True)
class Machine:
    """Where a server runs.

    :param inside: words before a command that let it run there.
    """

    inside: tuple[str, ...]
    cables: tuple[Cable, ...]


def laid() -> bool:
    """Whether cables can be laid here; who tests in a container often may not."""
    tool, name = shutil.which("ip"), f"syncd-{os.getpid()}"
    if tool is None or subprocess.run([tool, "netns", "add", name], capture_output=True, check=False).returncode:
        return False
    try:
        _laid(name, 9)
    except subprocess.CalledProcessError:
        return False
    finally:
        ip("netns", "delete", name)
    return True


@contextmanager
def machine(cables: int) -> Iterator[Machine]:
    """A machine with so many cables, gone in the end; `not_covered` where no namespaces can be made."""
    tool, name = str(program("ip", "iproute2")), f"syncd-{os.getpid()}"
    made = subprocess.run([tool, "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        not_covered("network namespaces cannot be made", "run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN")
    try:
        yield Machine((tool, "netns", "exec", name), tuple(_laid(name, number) for number in range(cables)))
    finally:
        ip("netns", "delete", name)


def _laid(machine: str, number: int) -> Cable:
    """A pair of devices; each knows the other's hardware, or pulling one would be noticed by asking for it."""
    device = f"sd{os.getpid()}c{number}"[-15:]
    net = f"10.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
    here, there = f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}"
    ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", machine)
    ip("address", "add", f"{here}/30", "dev", device)
    ip("-n", machine, "address", "add", f"{there}/30", "dev", device)
    ip("link", "set", device, "up")
    ip("-n", machine, "link", "set", device, "up")
    ip("neighbour", "replace", there, "lladdr", _hardware("-n", machine, device=device), "dev", device)
    ip("-n", machine, "neighbour", "replace", here, "lladdr", _hardware(device=device), "dev", device)
    return Cable(machine, device, there)


def _hardware(*where: str, device: str) -> str:
    return ip(*where, "-br", "link", "show", device).split()[2]


def ip(*words: str) -> str:
    """What that tool says.

    :raises CalledProcessError: it refuses.
    """
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    held = "held back on a socket, as network namespaces cannot be made here"
    print("nodes: the line that goes silent is", "a cable pulled out" if laid() else held)
