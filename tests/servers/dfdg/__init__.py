"""DFDG and Jobnet as a planner meets them, on loopback, for tests and the demonstration (README.md)."""

from __future__ import annotations

from tests.servers.dfdg.jobnet import Jobnet
from tests.servers.dfdg.server import DfdgServer
from tests.servers.dfdg.world import Citizen, Deadline, Record, World

__all__ = ["Citizen", "Deadline", "DfdgServer", "Jobnet", "Record", "World"]
