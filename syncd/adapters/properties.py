"""How entries of ours are marked in Exchange, on the premises and in Microsoft 365 alike.

Both servers keep MAPI named properties, and a mailbox that moves between them takes these along: so an entry that was
written over one interface is known, and found, over the other.
"""

from __future__ import annotations

PROPERTY_SET = "6d3a1f0e-52c4-4c7b-9d1d-8b6f2c41a7e5"
"""Our own set of named properties, all of type String."""
UID_PROPERTY = "syncd-uid"
STAMP_PROPERTY = "syncd-stamp"
PASSED_PROPERTY = "syncd-room-passed"
"""Generation and address of a room that was not invited because the last look showed it taken; Microsoft 365 only."""


def graph_id(name: str) -> str:
    """What Graph calls one of them (singleValueLegacyExtendedProperty.id)."""
    return f"String {{{PROPERTY_SET}}} Name {name}"
