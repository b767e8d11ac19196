"""How much is logged, changed while the service runs: asked for in the database, in force for a while."""

from __future__ import annotations

import json
from datetime import datetime

from syncd.clock import Clock
from syncd.config import LogSection
from syncd.daemon.parts import Parts
from syncd.observe import logs
from syncd.observe.logs import log
from syncd.store import Tx

NAME = "log_level"
LOOK_SECONDS = 5.0


def wanted(tx: Tx, section: LogSection, now: datetime) -> str:
    """The level that is to be in force."""
    text = tx.settings.value(NAME)
    if text is None:
        return section.level
    asked = json.loads(text)
    return str(asked["level"]) if now < datetime.fromisoformat(asked["until"]) else section.level


def ask(tx: Tx, level: str | None, until: datetime, actor: str, now: datetime) -> None:
    """Let all nodes log at *level* until then; None: as the configuration says, from now on."""
    tx.settings.put(NAME, None if level is None else json.dumps({"level": level, "until": until.isoformat()}))
    tx.audit.add(actor, "log.level", detail=level or "as configured", now=now)


def follow(parts: Parts, clock: Clock) -> None:
    """Log as much as is asked for now."""
    section = parts.config.log
    with parts.store.read() as tx:
        level = wanted(tx, section, clock.now())
    if level != logs.level():
        logs.configure(level, section.format)
        log.warning("log.level", level_now=level)
