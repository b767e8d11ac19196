"""Which modules are changed, and which tests should notice: the quick ones of each, then a few for all."""

from __future__ import annotations

RECONCILE = ("tests/integration/test_booking_reconcile.py",)
DESK = ("tests/integration/test_booking_desk.py",)
TARGETS: dict[str, tuple[str, ...]] = {
    "syncd.booking.decide": ("tests/unit/test_booking_decide.py",),
    "syncd.booking.steps": RECONCILE,
    "syncd.booking.reconcile": RECONCILE,
    "syncd.booking.record": RECONCILE,
    "syncd.booking.follow": RECONCILE,
    "syncd.booking.desire": RECONCILE,
    "syncd.booking.brake": RECONCILE,
    "syncd.booking.adopt": RECONCILE,
    "syncd.booking.collide": DESK,
    "syncd.booking.rooms": RECONCILE,
    "syncd.booking.desk": DESK,
    "syncd.booking.take": DESK,
    "syncd.booking.allowed": DESK,
    "syncd.store.idempotency": (*DESK, "tests/integration/test_api_bookings.py"),
}
SLOW = ("tests/simulation/test_mutants.py", "tests/integration/test_booking_desk.py", *RECONCILE)
"""Asked about what those let pass."""
