"""The control interface: what tests and demonstrations tell a server that runs as a process of its own.

``POST /control/ACTION`` with a JSON object; README.md lists the actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.servers.exchange.model import Sight
from tests.servers.exchange.recurrence import Recurrence
from tests.servers.exchange.wire import EwsError

if TYPE_CHECKING:
    from tests.servers.exchange.server import ExchangeServer

_MOMENTS = ("start", "end", "original", "Start", "End")
_HAND = (
    "book",
    "change",
    "move",
    "shorten",
    "categorize",
    "change_zone",
    "change_series",
    "delete",
    "answer",
    "category_list",
)


class ControlError(Exception):
    """The action cannot be done; the text says why."""


def control(server: ExchangeServer, action: str, asked: dict[str, Any]) -> Any:
    """Do one action.

    :raises ControlError: nobody knows it, or it does not work.
    """
    try:
        if action.startswith("outlook/"):
            return _hand(server, action.partition("/")[2], asked)
        if action not in _ACTIONS:
            raise ControlError(f"no action is called {action}; there are: {', '.join(sorted(_ACTIONS))}")
        return _ACTIONS[action](server, asked)
    except (EwsError, KeyError, TypeError, ValueError) as problem:
        raise ControlError(f"{action}: {problem!r}") from problem


def _hand(server: ExchangeServer, gesture: str, asked: dict[str, Any]) -> Any:
    if gesture not in _HAND:
        raise ControlError(f"no gesture is called {gesture}; there are: {', '.join(_HAND)}")
    arguments: dict[str, Any] = {
        key: _moment(value) if key in _MOMENTS and value else value for key, value in asked.items()
    }
    for key in ("rooms", "people", "Categories"):
        if key in arguments:
            arguments[key] = tuple(arguments[key])
    if isinstance(arguments.get("recurrence"), dict):
        arguments["recurrence"] = series(arguments["recurrence"])
    names = arguments.pop("names", ())
    return getattr(server.outlook, gesture)(*_first(arguments, gesture), *names, **arguments)


def _first(arguments: dict[str, Any], gesture: str) -> list[Any]:
    return [arguments.pop(key) for key in (("email", "uid") if gesture != "book" else ("email",)) if key in arguments]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def series(asked: Mapping[str, Any]) -> Recurrence:
    """A recurrence in JSON, fields as in `Recurrence`."""
    days = {key: datetime.fromisoformat(asked[key]).date() for key in ("start", "end") if asked.get(key)}
    return Recurrence(**{**asked, **days, "days": tuple(asked.get("days", ()))})


def shown(seen: Sight) -> dict[str, Any]:
    """An entry for people and tests."""
    room = [{"email": one.address.email, "role": one.role, "response": one.response} for one in seen.attendees]
    return {
        "uid": seen.entry.uid,
        "kind": seen.kind,
        "start": seen.start.isoformat(),
        "end": seen.end.isoformat(),
        "original": seen.original.isoformat() if seen.original else None,
        "subject": seen.values.get("Subject", ""),
        "location": seen.values.get("Location") or "",
        "busy": seen.values.get("LegacyFreeBusyStatus", "Busy"),
        "all_day": bool(seen.values.get("IsAllDayEvent")),
        "categories": list(seen.values.get("Categories") or ()),
        "cancelled": bool(seen.values.get("IsCancelled")),
        "organizer": seen.entry.organizer.email if seen.entry.organizer else None,
        "attendees": room,
        "body": seen.values.get("Body", ("", ""))[1],
        "sensitivity": seen.values.get("Sensitivity", "Normal"),
    }


def _calendar(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    found = server.outlook.calendar(asked["email"], _moment(asked["start"]), _moment(asked["end"]))
    return [shown(seen) for seen in found]


def _fault(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    server.faults.add(asked.pop("kind"), **asked)
    return {"rules": len(server.faults.rules)}


def _clear(server: ExchangeServer, _: dict[str, Any]) -> Any:
    server.faults.clear()
    server.subscriptions.late, server.subscriptions.twice = 0.0, False
    return {}


def _policy(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    with server.world.lock:
        policy = server.world.box(asked.pop("email")).policy
        for key, value in asked.items():
            if not hasattr(policy, key):
                raise ControlError(f"a room's policy has no {key}")
            setattr(policy, key, value)
    return {}


def _expire(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    """Sync states given so far are worth nothing any more."""
    with server.world.lock:
        for email, box in server.world.boxes.items():
            if asked.get("email", "*").lower() in ("*", email):
                box.sync_epoch += 1
    return {}


def _subscriptions(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    with server.world.lock:
        server.subscriptions.late = float(asked.get("late", server.subscriptions.late))
        server.subscriptions.twice = bool(asked.get("twice", server.subscriptions.twice))
        lost = server.subscriptions.drop(asked["drop"]) if "drop" in asked else 0
        return {"alive": len(server.subscriptions.alive), "lost": lost}


def _mailbox(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    with server.world.lock:
        if asked.pop("remove", False):
            server.world.remove_mailbox(asked["email"])
        elif new := asked.pop("rename", ""):
            server.world.rename_mailbox(asked["email"], new)
        elif asked.pop("room", False):
            server.room(**asked)
        else:
            server.mailbox(**asked)
    return {"mailboxes": len(server.world.boxes)}


def _group(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    from tests.servers.exchange.model import Address

    with server.world.lock:
        kind = server.world.room_lists if asked.get("rooms") else server.world.groups
        kind[asked["email"].lower()] = (Address(asked["email"], asked.get("name", "")), list(asked["members"]))
    return {}


def _state(server: ExchangeServer, _: dict[str, Any]) -> Any:
    with server.world.lock:
        return {
            "counts": dict(server.counts),
            "pending": server.world.pending(),
            "violations": server.violations,
            "mailboxes": sorted(server.world.boxes),
            "posted": list(server.world.posted)[-200:],
            "url": server.url,
        }


def _settings(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    """How the server as a whole behaves."""
    places = {
        **dict.fromkeys(("minute", "beat", "concurrency", "streams"), server),
        **dict.fromkeys(("post_delay", "fidget"), server.world),
        **dict.fromkeys(("schemes", "token_seconds"), server.door),
    }
    for key, value in asked.items():
        if key not in places:
            raise ControlError(f"there is no setting {key}; there are: {', '.join(sorted(places))}")
        setattr(places[key], key, tuple(value) if isinstance(value, list) else value)
    return {key: getattr(place, key) for key, place in places.items()}


def _discovery(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    """What autodiscover tells of an address: its settings, or where else to ask."""
    with server.world.lock:
        email, redirect = asked.pop("email").lower(), asked.pop("redirect", None)
        if redirect is not None:
            server.discovery.redirects[email] = tuple(redirect)
        else:
            server.discovery.places[email] = asked
    return {}


def _settle(server: ExchangeServer, asked: dict[str, Any]) -> Any:
    server.settle(float(asked.get("seconds", 5.0)))
    return {}


_ACTIONS: dict[str, Callable[[ExchangeServer, dict[str, Any]], Any]] = {
    "calendar": _calendar,
    "clear": _clear,
    "discovery": _discovery,
    "expire": _expire,
    "fault": _fault,
    "group": _group,
    "mailbox": _mailbox,
    "policy": _policy,
    "settings": _settings,
    "settle": _settle,
    "state": _state,
    "subscriptions": _subscriptions,
}
