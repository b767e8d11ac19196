"""All paths of /api/v1, one module per resource."""

from __future__ import annotations

from syncd.web import absences, bookings, dfdg, evidence, holds, rooms, slots, why

ROUTERS = (
    slots.router,
    evidence.router,
    holds.router,
    bookings.router,
    why.router,
    rooms.router,
    absences.router,
    absences.meetings,
    dfdg.router,
)
