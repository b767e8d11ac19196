"""Programs that the demonstration starts beside itself, and ends with itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
_LAST_LINES = 15
_STOP_SECONDS = 15
_GOODBYES = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite program, and a terminal that was closed."""


class ChildFailed(Exception):
    """A program did not start, or did not answer in time; the text ends with the last lines it wrote."""


def heed_goodbyes() -> None:
    """Let each of them end the demonstration, and what it started with it."""
    for number in _GOODBYES:
        signal.signal(number, _end)


def _end(*_: object) -> None:
    """End as after Ctrl-C, once: many a program sends a signal twice, and the second would break off the ending."""
    for number in _GOODBYES:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def child(
    name: str, command: Sequence[str], log: Path, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* while the block lasts, its output going to *log*; SIGTERM at the end, SIGKILL if that is not heard.

    :param folder: where it runs; here if None.

    It gets a process group of its own, so that Ctrl-C reaches only the demonstration, which then ends it in order.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{name} did not end within {_STOP_SECONDS} s and was killed; its log: {log}")
            process.kill()
            process.wait()


def wait_until(
    name: str, ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    """Return as soon as *ready* says so.

    :raises ChildFailed: it ended, or *seconds* passed.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ChildFailed(f"{name} ended with exit code {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ChildFailed(f"{name} did not answer within {seconds:.0f} s:\n{_tail(log)}")
        time.sleep(0.05)


def port(preferred: int) -> int:
    """*preferred* when nobody listens there, so that links stay the same; else any free port."""
    for wish in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wish))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ChildFailed("no free port on this machine")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
