"""Which modules are changed, and which tests are asked; each mutant is asked only what reaches its line."""

from __future__ import annotations

TARGETS = (
    "syncd.booking.decide",
    "syncd.booking.sight",
    "syncd.booking.steps",
    "syncd.booking.reconcile",
    "syncd.booking.record",
    "syncd.booking.follow",
    "syncd.booking.desire",
    "syncd.booking.brake",
    "syncd.booking.adopt",
    "syncd.booking.collide",
    "syncd.booking.rooms",
    "syncd.booking.desk",
    "syncd.booking.handover",
    "syncd.booking.take",
    "syncd.booking.allowed",
    "syncd.store.idempotency",
)
TESTS = (
    "tests/unit/test_booking_decide.py",
    "tests/unit/test_booking_small_print.py",
    "tests/unit/test_booking_states.py",
    "tests/unit/test_marks.py",
    "tests/integration/test_api_absences.py",
    "tests/integration/test_api_bookings.py",
    "tests/integration/test_api_contacts.py",
    "tests/integration/test_api_rules.py",
    "tests/integration/test_booking_contention.py",
    "tests/integration/test_booking_desk.py",
    "tests/integration/test_booking_details.py",
    "tests/integration/test_booking_footprints.py",
    "tests/integration/test_booking_groups.py",
    "tests/integration/test_booking_handover.py",
    "tests/integration/test_booking_looks.py",
    "tests/integration/test_booking_reconcile.py",
    "tests/integration/test_booking_record.py",
    "tests/integration/test_booking_rooms.py",
    "tests/integration/test_invited_rooms.py",
    "tests/integration/test_marks.py",
    "tests/integration/test_rooms_moves.py",
    "tests/integration/test_rooms_told.py",
    "tests/integration/test_store_erasure.py",
    "tests/integration/test_store_idempotency.py",
    "tests/integration/test_store_retention.py",
    "tests/integration/test_store_tasks.py",
    "tests/integration/test_supply_guard.py",
    "tests/integration/test_teams_links.py",
    "tests/property/test_booking_model.py",
    "tests/simulation/test_mutants.py",
)
"""All of them within this process, on SQLite: what another process or PostgreSQL does is not seen by the mutants."""
WARM = "tests/integration/test_booking_reconcile.py"
"""A test of it is run before all mutants, so that the database they copy is made once."""
