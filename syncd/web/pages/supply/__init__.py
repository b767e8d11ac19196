"""Pages about supply: what is expected, offered and booked, shares and targets; for managers, coordinators, staff."""

from syncd.web.pages.supply import page

ROUTERS = (page.router,)
