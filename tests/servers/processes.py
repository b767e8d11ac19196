"""Servers as processes of their own on loopback: free ports, waiting until they answer, an end for sure."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

START_SECONDS = 20.0


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")
"""Prefix of a command: the kernel ends it when the test process goes, however it goes."""


@contextmanager
def process(
    command: Sequence[str | Path],
    folder: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    log: str = "server.log",
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* in *folder* until the block ends; the block begins when *ready* says so."""
    with (folder / log).open("wb") as output:
        child = subprocess.Popen(
            [*DIE_WITH_PARENT, *(str(part) for part in command)],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            # Cyrus' master ends its whole process group, and with it the Cyrus of every other test of this run.
            start_new_session=True,
        )
    try:
        wait_until(ready, child, folder / log)
        yield child
    finally:
        stop(child)


def wait_until(ready: Callable[[], bool], child: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for *ready*; fail with the log when the process ends or time is up."""
    until = time.monotonic() + START_SECONDS
    while not ready():
        if child.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{child.args!r} did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.02)


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a process, politely first."""
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def answers(url: str) -> bool:
    """Whether anything speaks HTTP at *url*."""
    try:
        requests.request("OPTIONS", url, timeout=2)
    except requests.RequestException:
        return False
    return True
