"""Restrictions and sort orders of FindItem, evaluated on items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from tests.servers.exchange.model import Sight
from tests.servers.exchange.shape import extended_key, extended_value
from tests.servers.exchange.wire import Element, EwsError, child, children, local
from tests.servers.exchange.zones import instant

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": eq,
    "IsNotEqualTo": ne,
    "IsGreaterThan": gt,
    "IsLessThan": lt,
    "IsGreaterThanOrEqualTo": ge,
    "IsLessThanOrEqualTo": le,
}
_UNSEARCHABLE = frozenset(["UID", "CalendarItemType", "IsMeeting", "Recurrence", "Body"])
"""Computed by the server when an item is shown, so no restriction can be on them."""


def holds(element: Element, seen: Sight, zone: str) -> bool:
    """Whether an item meets one restriction element.

    :raises EwsError: ErrorUnsupportedPathForQuery.
    """
    kind = local(element)
    parts = list(children(element))
    if kind == "And":
        return all(holds(part, seen, zone) for part in parts)
    if kind == "Or":
        return any(holds(part, seen, zone) for part in parts)
    if kind == "Not":
        return not holds(parts[0], seen, zone)
    found = _found(parts[0], seen)
    if kind == "Exists":
        return found is not None
    if kind == "Contains":
        return _contains(element, parts, found)
    if kind not in _COMPARE:
        raise EwsError("ErrorUnsupportedPathForQuery", f"The simulator does not know {kind}.")
    constant = child(parts[1], "t:Constant")
    wanted = _found(next(children(parts[1])), seen) if constant is None else constant.get("Value") or ""
    return _compared(_COMPARE[kind], found, wanted, zone)


def _contains(element: Element, parts: list[Element], found: Any) -> bool:
    wanted, text = parts[1].get("Value") or "", "" if found is None else str(found)
    if "IgnoreCase" in (element.get("ContainmentComparison") or ""):
        wanted, text = wanted.lower(), text.lower()
    mode = element.get("ContainmentMode")
    if mode == "FullString":
        return text == wanted
    return text.startswith(wanted) if mode == "Prefixed" else wanted in text


def _found(path: Element, seen: Sight) -> Any:
    if local(path) == "ExtendedFieldURI":
        return extended_value(seen, extended_key(path))
    name = (path.get("FieldURI") or "").partition(":")[2]
    if name in _UNSEARCHABLE:
        raise EwsError("ErrorUnsupportedPathForQuery", f"The property {name} cannot be searched for.")
    return seen.values.get(name)


def _compared(compare: Callable[[Any, Any], bool], found: Any, wanted: Any, zone: str) -> bool:
    if found is None:
        return compare is ne
    if isinstance(found, datetime) and isinstance(wanted, str):
        return compare(found, instant(wanted, zone))
    if isinstance(found, bool) and isinstance(wanted, str):
        return compare(found, wanted.lower() in ("true", "1"))
    if isinstance(found, (list, tuple)):
        return any(compare(str(one), str(wanted)) for one in found)
    if isinstance(found, int) and isinstance(wanted, str):
        return compare(found, int(wanted))
    return compare(str(found), str(wanted))


def ordered(seen: Sequence[Sight], order: Element | None) -> list[Sight]:
    """Items in the order asked for; without one, the newest first."""
    rows = sorted(seen, key=lambda one: one.entry.number, reverse=True)
    for field in reversed([] if order is None else list(children(order))):
        path = next(children(field))
        rows.sort(key=lambda one: _sortable(_found(path, one)), reverse=field.get("Order") == "Descending")
    return rows


def _sortable(content: Any) -> tuple[bool, str]:
    return content is not None, content.isoformat() if isinstance(content, datetime) else str(content)
