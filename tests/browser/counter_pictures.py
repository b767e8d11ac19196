"""Pictures of the counter's pages, for `tests.browser.screenshots`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from syncd.model.role import Role
from syncd.store import Store
from tests.browser.eyes import DESK, PHONE
from tests.counter_town import CounterTown
from tests.integration.web_town import serving
from tests.page_town import NOW, Size


def take(folder: Path, shoot: Callable[..., None]) -> None:
    """Take them. :param shoot: base, name, path, size, theme, what to wait for, cookie."""
    store = Store(f"sqlite:///{folder / 'counter.db'}")
    store.upgrade()
    town = CounterTown.over(store, Size(12, 40, 12, 6))
    with store.begin() as tx:
        cookie = tx.visits.add(
            NOW, subject="vera", name="Vera Holm", roles=frozenset({Role.STAFF, Role.COORDINATOR}), language="da"
        )
    with serving(town.deps()) as served:
        for name, path, size, theme in (
            ("bookings", "/bookings?state=cancelled&to=2026-12-04", DESK, "light"),
            ("booking", f"/bookings/{town.moved}", DESK, "light"),
            ("booking-for-citizen", "/bookings/new?offer=sikker&day=2026-12-07", DESK, "light"),
            ("tasks", "/tasks", DESK, "dark"),
            ("absence", f"/absence/plan?caseworker={town.away}", DESK, "light"),
            ("frames", "/frames", DESK, "light"),
            ("calls-phone", "/absence/calls", PHONE, "light"),
        ):
            shoot(served.base, name, path, size, theme, "", cookie)
    store.close()
