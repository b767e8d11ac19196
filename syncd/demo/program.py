"""A program of the demonstration that can be ended without warning, and started again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from typing import Self

from syncd.demo.children import child


class Program:
    """Runs while the block lasts; between `kill` and `start` it does not."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self._name, self._command, self._log = name, command, log
        self._held = ExitStack()
        self._process: Popen[bytes] | None = None
        self._meant = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def process(self) -> Popen[bytes]:
        """The present process, or the last one."""
        assert self._process is not None, "it was started on entering the block"
        return self._process

    @property
    def off(self) -> bool:
        """Whether it does not run."""
        return self.process.poll() is not None

    def turn(self, *, on: bool) -> None:
        """Start it, or end it without warning."""
        if on:
            self.start()
        else:
            self.kill()

    @property
    def ended(self) -> bool:
        """Whether it ended although nobody wanted that."""
        return self.process.poll() is not None and not self._meant.is_set()

    def kill(self) -> None:
        """SIGKILL: it cannot say goodbye, nor write anything more."""
        self._meant.set()
        self.process.kill()
        self.process.wait()
        self._held.close()

    def start(self) -> None:
        """Start it, also after `kill`; it may take a while to answer."""
        self._process = self._held.enter_context(child(self._name, self._command, self._log))
        self._meant.clear()
