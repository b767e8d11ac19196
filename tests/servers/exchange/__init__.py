"""A stateful Exchange Web Services server on loopback, for tests and demonstrations; README.md tells what it does."""

from __future__ import annotations

from tests.servers.exchange.server import ExchangeServer

__all__ = ["ExchangeServer"]
