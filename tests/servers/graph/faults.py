"""Everything that goes wrong at the real service, on demand; README.md lists the kinds.

A rule says *what* (`kind`), *where* (`operation`, `mailbox`) and *how often* (`times`, `skip`, `chance`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.servers.graph.wire import GraphError

REFUSALS = frozenset(["throttle", "unavailable", "error", "conflict"])
WIRE = frozenset(["drop", "hang", "lose"])
TWISTS = frozenset(["expired", "empty_page", "duplicate", "shuffle", "partial"])
KINDS = REFUSALS | WIRE | TWISTS


def throttled(seconds: float, concurrency: bool = False) -> GraphError:
    """429, with the pause that is asked for."""
    why = "MailboxConcurrency" if concurrency else "RequestCount"
    headers = {"Retry-After": f"{seconds:g}"}
    return GraphError(429, "ApplicationThrottled", f"Application is over its {why} limit.", headers)


def refusal(met: Mapping[str, Mapping[str, Any]]) -> GraphError | None:
    """The first refusal among what a request met."""
    for kind, options in met.items():
        after = options.get("retry_after", 1)
        if kind == "throttle":
            return throttled(after)
        if kind == "unavailable":
            headers = {"Retry-After": f"{after:g}"} if after is not None else {}
            return GraphError(503, "serviceNotAvailable", "The service is temporarily unavailable.", headers)
        if kind == "conflict":
            return conflict()
        if kind == "error":
            code = str(options.get("code", "generalException"))
            return GraphError(int(options.get("status", 500)), code, str(options.get("text", "")))
    return None


def conflict() -> GraphError:
    """412: somebody was faster."""
    text = "The send or update operation could not be performed because the change key does not match."
    return GraphError(412, "ErrorIrresolvableConflict", text)
