"""Everything that goes wrong at real servers, on demand: per mailbox, per operation, counted or by chance.

A rule says *what* (`kind`), *where* (`operation`, `mailbox`) and *how often* (`times`, `skip`, `chance`).
README.md lists the kinds.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.exchange.wire import Element, EwsError, Fault, child, children, error_parts, failure, m, reply

BEFORE = frozenset(["busy", "http", "drop", "error", "fault", "hang", "mailbox_move", "connections", "unauthorized"])
AFTER = frozenset(["lose", "half", "garbled", "drip", "close", "cookie", "vanish"])
TWISTS = frozenset(
    [
        "not_last",
        "empty_page",
        "echo",
        "cut_view",
        "cut_silently",
        "find_limit",
        "find_limit_error",
        "sync_expired",
        "zones",
        "freebusy",
        "freebusy_days",
        "page",
    ]
)
STREAM = frozenset(["cut"])
KINDS = BEFORE | AFTER | TWISTS | STREAM
_FILLERS = {
    **dict.fromkeys(["CreateItem", "UpdateItem", "GetItem"], "Items"),
    "GetFolder": "Folders",
    "GetServerTimeZones": "TimeZoneDefinitions",
}
_COUNTED = {
    **dict.fromkeys(["GetItem", "DeleteItem"], "m:ItemIds"),
    "CreateItem": "m:Items",
    "UpdateItem": "m:ItemChanges",
    "GetFolder": "m:FolderIds",
    "FindItem": "m:ParentFolderIds",
}


@dataclass
class Rule:
    """One thing that goes wrong.

    :param operation: such as FindItem, Token for the token endpoint, or ``*``.
    :param times: how often at most; None until it is cleared.
    :param skip: so many matching requests pass first.
    :param chance: of each matching request, decided by the seeded dice.
    """

    kind: str
    operation: str = "*"
    mailbox: str = "*"
    times: int | None = None
    skip: int = 0
    chance: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    met: int = 0

    def matches(self, operation: str, mailbox: str) -> bool:
        return self.operation in ("*", operation) and self.mailbox.lower() in ("*", mailbox.lower())


class Faults:
    """The rules in force; one of each request's rules is applied of every kind."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self.dice = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, kind: str, operation: str = "*", mailbox: str = "*", **more: Any) -> Rule:
        """Put a rule in force; *more* is times, skip, chance and the kind's own options.

        :raises ValueError: nobody knows the kind.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind}; there are: {', '.join(sorted(KINDS))}")
        settings = {key: more.pop(key) for key in ("times", "skip", "chance") if key in more}
        rule = Rule(kind, operation, mailbox, options=more, **settings)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self.rules.clear()

    def met(self, operation: str, mailbox: str) -> dict[str, Mapping[str, Any]]:
        """Kinds that this request meets, with their options; counts them."""
        found: dict[str, Mapping[str, Any]] = {}
        with self._lock:
            for rule in self.rules:
                if rule.kind not in found and rule.matches(operation, mailbox) and self._strikes(rule):
                    found[rule.kind] = rule.options
        return found

    def _strikes(self, rule: Rule) -> bool:
        if rule.times is not None and rule.times <= 0:
            return False
        if rule.chance < 1.0 and self.dice.random() >= rule.chance:
            return False
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.times is not None:
            rule.times -= 1
        rule.met += 1
        return True


def busy(options: Mapping[str, Any]) -> EwsError:
    """ErrorServerBusy, with a hint unless ``back_off_ms`` is None."""
    hint = options.get("back_off_ms", 1000)
    values = {} if hint is None else {"BackOffMilliseconds": str(hint)}
    text = "The server cannot service this request right now. Try again later."
    return EwsError("ErrorServerBusy", text, **values)


def refusal(kind: str, options: Mapping[str, Any]) -> tuple[EwsError, int]:
    """The error of a kind, and the HTTP status it comes with; 200 is an answer in good form that says no."""
    if kind == "busy":
        return busy(options), int(options.get("http", 500))
    if kind == "mailbox_move":
        text = "Mailbox move in progress. Try again later."
        return EwsError("ErrorMailboxMoveInProgress", text), int(options.get("http", 200))
    if kind == "connections":
        text = "You have exceeded the available concurrent connections for your account."
        return EwsError("ErrorExceededConnectionCount", text), int(options.get("http", 200))
    code = str(options.get("code", "ErrorInternalServerError"))
    return EwsError(code, str(options.get("text", ""))), 500 if kind == "fault" else 200


def said(operation: str, element: Element, error: EwsError) -> Element:
    """A whole answer of an operation in which every part says no.

    :raises Fault: the operation has no such answer.
    """
    if operation == "GetUserAvailability":
        asked = child(element, "m:MailboxDataArray")
        message = [m("ResponseMessage", error_parts(error), ResponseClass="Error") for _ in children(asked)]  # type: ignore[arg-type]
        rows = [m("FreeBusyResponse", one) for one in message]
        return m("GetUserAvailabilityResponse", m("FreeBusyResponseArray", rows))
    if operation in ("GetRoomLists", "GetRooms"):
        return m(f"{operation}Response", error_parts(error), ResponseClass="Error")
    if operation == "GetStreamingEvents":
        raise Fault(error.code, error.text, **error.values)
    holder = child(element, _COUNTED.get(operation, "m:None"))
    number = 1 if holder is None else sum(1 for _ in children(holder))
    filler = _FILLERS.get(operation)
    return reply(operation, [failure(operation, error, *([m(filler)] if filler else [])) for _ in range(number)])
