"""A citizen gets another civil registration number: everything of hers goes to the new reference."""

from __future__ import annotations

from datetime import datetime

from syncd.cpr import Cpr, CprKey
from syncd.store import Store


def renumber(store: Store, key: CprKey, old: Cpr, new: Cpr, actor: str, now: datetime) -> int:
    """Move bookings, reservations, deadlines and what else is known; returns how many rows were moved.

    Both references get a row in the audit log, which names neither.

    :param actor: who did it (``cli:USER``).
    """
    was, becomes = key.reference(old), key.reference(new)
    if was == becomes:
        return 0
    with store.begin() as tx:
        moved = tx.jobnet.rename(was, becomes, (key.name, key.seal(new)), now)
        for citizen in (was, becomes):
            tx.audit.add(actor, "citizen.renumbered", citizen=citizen, detail=f"{moved} row(s)", now=now)
        tx.settings.bump()
    return moved
