"""The pages for people who sign in; each group of pages is a package with its own routers."""

from syncd.web.pages import booking, citizen, counter, frames, home, operations, rooms, sign_in, supply

ROUTERS = (
    sign_in.router,
    home.router,
    *rooms.ROUTERS,
    *supply.ROUTERS,
    *citizen.ROUTERS,
    *counter.ROUTERS,
    *frames.ROUTERS,
    *booking.ROUTERS,
    *operations.ROUTERS,
)
