"""A stateful Microsoft Graph calendar service on loopback, for tests; README.md tells what it does."""

from __future__ import annotations

from tests.servers.graph.server import GraphServer

__all__ = ["GraphServer"]
