"""Everything that goes wrong at real servers, on demand: per mailbox, per operation, counted or by chance.

A rule says *what* (`kind`), *where* (`operation`, `mailbox`) and *how often* (`times`, `skip`, `chance`).
README.md lists the kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        message = [m("ResponseMessage", error_parts(error), ResponseClass="Error") for _ in children(asked)]  # type: ignore[arg-type]  # whoever asks names some
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
