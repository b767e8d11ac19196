"""The simulated Exchange server as a process of its own, told what to do over its control interface."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.servers.processes import free_port, process

_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Remote:
    """A running server.

    :param base: its address, without a slash at the end.
    """

    base: str

    @property
    def url(self) -> str:
        """The service endpoint."""
        return f"{self.base}/EWS/Exchange.asmx"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.base}/token"

    def tell(self, action: str, **asked: Any) -> Any:
        """Do one action of the control interface.

        :raises ValueError: it cannot be done; the text says why.
        """
        answer = requests.post(f"{self.base}/control/{action}", json=asked, timeout=30)
        if not answer.ok:
            raise ValueError(answer.json()["error"])
        return answer.json()


@contextmanager
def exchange_process(
    folder: Path, town: Mapping[str, Any], schemas: Path | None = None, seed: int = 0
) -> Iterator[Remote]:
    """A server with *town* in it (README.md), its files in *folder*."""
    path, port = folder / "town.json", free_port()
    path.write_text(json.dumps(town), encoding="utf-8")
    remote = Remote(f"http://127.0.0.1:{port}")
    options = {"--town": path, "--port": port, "--seed": seed} | ({"--schemas": schemas} if schemas else {})
    command = [sys.executable, "-m", "tests.servers.exchange"]
    command += [text for key, value in options.items() for text in (key, str(value))]
    environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT)}
    with process(command, folder, lambda: _answers(remote), environment, "exchange.log"):
        yield remote


def _answers(remote: Remote) -> bool:
    try:
        return bool(requests.post(f"{remote.base}/control/state", json={}, timeout=5).ok)
    except requests.RequestException:
        return False
