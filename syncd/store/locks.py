"""Locks by name, held until the transaction ends; on SQLite the single writer makes them needless."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Text, text
from sqlalchemy.orm import Session

from syncd.store.prepared import prepared

_TAKE = prepared(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))").columns(locked=Text))


def take(session: Session, names: Iterable[str]) -> None:
    """Wait for these locks, in sorted order, so that two who want the same ones never wait for each other."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for name in sorted(set(names)):
        session.execute(_TAKE, {"name": name})


def citizen(client: str, reference: str) -> str:
    """Guards how many meetings one citizen may have."""
    return f"1:citizen:{client}:{reference}"


def offer(name: str) -> str:
    """Guards caps that hold for an offer as a whole."""
    return f"2:offer:{name}"


def site_day(site: str, day: date) -> str:
    """Guards the rooms of one site on one day (of the site's zone)."""
    return f"4:site-day:{site}:{day.isoformat()}"
