"""Where maintenance is written down: one setting, and a row of the audit log for each change."""

from __future__ import annotations

import json
from datetime import datetime

from syncd.model.pause import Pause
from syncd.store.session import Tx
from syncd.store.settings import MAINTENANCE, Settings


def paused(settings: Settings) -> Pause | None:
    """The maintenance that goes on; None when offers are open."""
    text = settings.value(MAINTENANCE)
    if text is None:
        return None
    row = json.loads(text)
    until = datetime.fromisoformat(row["until"]) if row["until"] else None
    return Pause(datetime.fromisoformat(row["since"]), row["da"], row["en"], until, row["by"])


def pause(tx: Tx, begun: Pause) -> None:
    """Close every offer from now on; bookings and holds stay, and calendars are read and written as always."""
    until = begun.until.isoformat() if begun.until else None
    row = {"since": begun.since.isoformat(), "da": begun.da, "en": begun.en, "until": until, "by": begun.by}
    tx.settings.put(MAINTENANCE, json.dumps(row))
    tx.settings.bump()
    tx.audit.add(begun.by, "maintenance.begun", now=begun.since)


def resume(tx: Tx, actor: str, now: datetime) -> bool:
    """Open offers again; whether they had been closed."""
    if tx.settings.value(MAINTENANCE) is None:
        return False
    tx.settings.put(MAINTENANCE, None)
    tx.settings.bump()
    tx.audit.add(actor, "maintenance.ended", now=now)
    return True
