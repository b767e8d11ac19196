"""Pages for those who operate the service."""

from syncd.web.pages.operations import health

ROUTERS = (health.router,)
