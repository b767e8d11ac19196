"""What the daemon hands to the pages besides what every part of the web gets."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncd.booking.keep_rooms import RoomKeeper
from syncd.config import PagesSection, SupplySection
from syncd.config.booking_page import BookingPageSection
from syncd.model.message import Channel
from syncd.web.computing import Computing

if TYPE_CHECKING:
    from syncd.web.pages.oidc import Provider

TRIES, PERIOD = 8, timedelta(minutes=10)


@dataclass
class Attempts:
    """Counts wrong passwords; so many in a while, and an account takes no more for that long. Thread-safe."""

    _failed: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def exhausted(self, name: str, now: datetime) -> bool:
        """Whether this account must be left alone for now."""
        with self._lock:
            times = self._failed.get(name, deque())
            while times and now - times[0] > PERIOD:
                times.popleft()
            return len(times) >= TRIES

    def fail(self, name: str, now: datetime) -> None:
        """Count a wrong password; *name* is that of an account, or empty for all that do not exist."""
        with self._lock:
            self._failed.setdefault(name, deque(maxlen=TRIES)).append(now)


@dataclass(frozen=True, slots=True)
class PageParts:
    """What only the pages use.

    :param provider: where people sign in; None when only local accounts are there, or none.
    :param told_by: how citizens are written to; empty where they are not.
    :param keeper: gives, blocks and frees rooms; None where pages may only look.
    """

    section: PagesSection = field(default_factory=PagesSection)
    provider: Provider | None = None
    keeper: RoomKeeper | None = None
    attempts: Attempts = field(default_factory=Attempts)
    computing: Computing = field(default_factory=Computing)
    booking: BookingPageSection = field(default_factory=BookingPageSection)
    told_by: frozenset[Channel] = frozenset()
    supply: SupplySection = field(default_factory=lambda: SupplySection(targets={}))
