"""Other times for a citizen whose chosen one is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.errors import SlotGone
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.zones import zulu
from syncd.publish import Publisher

ALTERNATIVES = 5
"""How many other times a citizen is shown when the chosen one is gone."""
ALTERNATIVE_DAYS = (timedelta(days=2), timedelta(days=14))
"""How far from the chosen time they are looked for, in turn."""


def alternatives(publisher: Publisher, gone: SlotGone, now: datetime) -> list[str]:
    """Other starts of the same offer and form, the nearest first; days further off only when near ones are few."""
    wanted = datetime.fromisoformat(str(gone.facts["start"]))
    starts: list[datetime] = []
    for days in ALTERNATIVE_DAYS:
        starts = _starts(publisher, gone, Interval(max(now, wanted - days), max(now, wanted) + days), now)
        if len(starts) >= ALTERNATIVES:
            break
    nearest = sorted(starts, key=lambda at: (abs(at - wanted), at))
    return [zulu(at) for at in nearest if at != wanted][:ALTERNATIVES]


def _starts(publisher: Publisher, gone: SlotGone, window: Interval, now: datetime) -> list[datetime]:
    answer = publisher.answer(
        str(gone.facts["offer"]),
        window,
        now,
        caseworker=str(gone.facts["caseworker"]) if "caseworker" in gone.facts else None,
        form=Form(str(gone.facts["form"])),
    )
    return sorted({slot.interval.start for slot in answer.slots})
