"""The booking page for organisations without Jobnet: offer, time, confirm; then move and cancel by a personal link."""

from syncd.web.pages.booking import choose, mine, silence

ROUTERS = (choose.router, mine.router, silence.router)
