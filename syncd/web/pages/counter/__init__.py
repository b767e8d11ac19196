"""Pages for those who help at the counter: bookings, what waits for a person, absences."""

from syncd.web.pages.counter import absence, booking, calls, citizen, making, search, tasks

ROUTERS = (
    search.router,
    making.router,
    citizen.router,
    booking.router,
    tasks.router,
    calls.router,
    absence.router,
)
