"""JSON of DFDG's services and our values, by the names of the mapping; pure translation, strict both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from syncd.config.dfdg_names import DfdgNames
from syncd.cpr import Cpr, NotACpr
from syncd.errors import Rejected
from syncd.model.dfdg import About, Change, Entity, Said
from syncd.ports import DeadlineRead, Heard, Read

BY_CPR = 1
"""Type of identification (A WSBI)."""
UNREADABLE = "DFDG answered something that its contract does not know; nothing was done with it."


def report(names: DfdgNames, said: Said, about: About) -> bytes:
    """The body of a create or an update; instants carry an offset (A META), and nobody's number is in it."""
    record = names.record
    told: dict[str, object] = {
        record.kind: about.kind,
        record.form: said.form,
        record.start: said.start.astimezone(UTC).isoformat(),
        record.end: said.end.astimezone(UTC).isoformat(),
        record.caseworker: said.caseworker,
        record.self_booked: about.self_booked,
    }
    told |= {record.place: said.place} if said.place else {}
    told |= {record.link: said.link} if said.link else {}
    return json.dumps(told, ensure_ascii=False).encode()


def read(names: DfdgNames, content: bytes) -> Read:
    """A record. :raises Rejected: it is not one."""
    told, name = _object(content), names.record
    try:
        start, end = (_instant(told[field]) for field in (name.start, name.end))
        said = Said(
            start=start,
            end=end,
            caseworker=_text(told.get(name.caseworker)),
            form=_number(told[name.form]),
            place=_text(told.get(name.place)),
            link=_text(told.get(name.link)),
            gone=_text(told.get(name.status)) == name.annulled,
        )
        group = _text(told.get(name.group)) if name.group else ""
        about = About(_number(told[name.kind]), told.get(name.self_booked) is True, group)
    except (KeyError, ValueError, TypeError) as error:
        raise Rejected(UNREADABLE) from error
    if end <= start:
        raise Rejected(UNREADABLE)
    return Read(said, about)


def deadline(names: DfdgNames, content: bytes) -> DeadlineRead:
    """A deadline. :raises Rejected: it is not one."""
    told, name = _object(content), names.deadline
    try:
        until, latest = (date.fromisoformat(str(told[field])[:10]) for field in (name.until, name.latest))
        is_open = _text(told[name.status]) in name.open
        return DeadlineRead(_number(told[name.kind]), until, latest, told.get(name.immediate) is True, is_open)
    except (KeyError, ValueError, TypeError) as error:
        raise Rejected(UNREADABLE) from error


def messages(names: DfdgNames, content: bytes) -> tuple[Heard, ...]:
    """Waiting messages; of kinds that we do not know none. :raises Rejected: it is no list of messages."""
    listed = _object(content).get(names.message.list)
    if not isinstance(listed, list):
        raise Rejected(UNREADABLE)
    return tuple(message for one in listed if (message := heard(names, one)) is not None)


def heard(names: DfdgNames, told: object) -> Heard | None:
    """One message; None when it is about something else than summonses and deadlines.

    :raises Rejected: it is not a message.
    """
    name = names.message
    if not isinstance(told, Mapping):
        raise Rejected(UNREADABLE)
    try:
        entity, change = _number(told[name.entity]), _number(told[name.change])
        message, about = str(told[name.id]), str(told[name.about]).lower()
        if entity not in list(Entity):
            return None
        by_cpr = told.get(name.identified_by) == BY_CPR
        cpr = Cpr(str(told[name.citizen])) if by_cpr else None
        if not 0 < len(message) <= 100 or not 0 < len(about) <= 100:
            raise Rejected(UNREADABLE)
        return Heard(message, Entity(entity), Change(change), about, cpr)
    except (KeyError, ValueError, TypeError, NotACpr) as error:
        raise Rejected(UNREADABLE) from error


def code(names: DfdgNames, content: bytes) -> int:
    """The number of an error; 0 when it has none that can be read."""
    try:
        return _number(_object(content).get(names.error.code))
    except (Rejected, ValueError, TypeError):
        return 0


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Rejected(UNREADABLE) from error
    if not isinstance(found, dict):
        raise Rejected(UNREADABLE)
    return found


def _instant(value: object) -> datetime:
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise ValueError("a time without an offset")
    return found.astimezone(UTC).replace(microsecond=0)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a number")
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)[:500]
