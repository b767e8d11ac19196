"""The pages for people who sign in; each group of pages is a package with its own routers."""

from syncd.web.pages import counter, home, operations, rooms, sign_in

ROUTERS = (sign_in.router, home.router, *rooms.ROUTERS, *counter.ROUTERS, *operations.ROUTERS)
