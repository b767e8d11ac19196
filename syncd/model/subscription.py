"""A calendar server's promise to tell of changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """One promise, for one calendar. :param expires: when it ends (UTC), whatever was asked for."""

    id: str
    expires: datetime
