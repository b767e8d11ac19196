"""The control interface: what tests and demonstrations tell a server that runs as a process of its own.

``POST /control/ACTION`` with a JSON object; README.md lists the actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.servers.graph.wire import GraphError
from tests.servers.graph.world import Event, Instance

if TYPE_CHECKING:
    from tests.servers.graph.server import GraphServer


class ControlError(Exception):
    """The action cannot be done; the text says why."""


def control(server: GraphServer, action: str, asked: dict[str, Any]) -> Any:
    """Do one action.

    :raises ControlError: nobody knows it, or it does not work.
    """
    if action not in _ACTIONS:
        raise ControlError(f"no action is called {action}; there are: {', '.join(sorted(_ACTIONS))}")
    try:
        with server.world.lock:
            server.world.settle()
            return _ACTIONS[action](server, asked)
    except (GraphError, KeyError, TypeError, ValueError, StopIteration) as problem:
        raise ControlError(f"{action}: {problem!r}") from problem


def shown(one: Instance) -> dict[str, Any]:
    """An entry for people and tests."""
    start, end = one.span()
    values = one.values
    return {
        "uid": one.event.uid,
        "kind": one.kind,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "subject": values.get("subject", ""),
        "location": (values.get("location") or {}).get("displayName", ""),
        "busy": values.get("showAs", "busy"),
        "attendees": [
            {"email": who["emailAddress"]["address"], "response": who["status"]["response"]}
            for who in values.get("attendees") or ()
        ],
    }


def _calendar(server: GraphServer, asked: Mapping[str, Any]) -> Any:
    box = server.world.boxes[asked["email"].lower()]
    span = datetime.fromisoformat(asked["start"]), datetime.fromisoformat(asked["end"])
    found = [one for event in box.events.values() for one in event.instances(*span)]
    return [shown(one) for one in sorted(found, key=lambda one: one.span())]


def _book(server: GraphServer, asked: dict[str, Any]) -> Any:
    start, end = (datetime.fromisoformat(asked.pop(key)) for key in ("start", "end"))
    return server.outlook.book(asked.pop("email"), start, end, **asked).uid


def _move(server: GraphServer, asked: Mapping[str, Any]) -> Any:
    event = _named(server, asked)
    start = datetime.fromisoformat(asked["start"])
    old = event.whole().span()
    end = datetime.fromisoformat(asked["end"]) if "end" in asked else start + (old[1] - old[0])
    original = date.fromisoformat(asked["original"]) if "original" in asked else None
    server.outlook.change(event, original, start=start, end=end)
    return event.uid


def _delete(server: GraphServer, asked: Mapping[str, Any]) -> Any:
    server.outlook.delete(asked["email"], _named(server, asked))
    return {}


def _named(server: GraphServer, asked: Mapping[str, Any]) -> Event:
    events = server.world.boxes[asked["email"].lower()].events.values()
    return next(one for one in events if one.uid == asked["uid"])


def _fault(server: GraphServer, asked: dict[str, Any]) -> Any:
    server.faults.add(asked.pop("kind"), **asked)
    return {"rules": len(server.faults.rules)}


def _clear(server: GraphServer, _asked: dict[str, Any]) -> dict[str, Any]:
    server.faults.clear()
    return {"rules": 0}


def _state(server: GraphServer, _: Mapping[str, Any]) -> Any:
    return {
        "mailboxes": sorted(server.world.boxes),
        "requests": len(server.seen),
        "posted": server.world.posted[-200:],
        "violations": server.validator.violations if server.validator else [],
    }


_ACTIONS: dict[str, Callable[[GraphServer, dict[str, Any]], Any]] = {
    "calendar": _calendar,
    "clear": _clear,
    "fault": _fault,
    "outlook/book": _book,
    "outlook/delete": _delete,
    "outlook/move": _move,
    "state": _state,
}
