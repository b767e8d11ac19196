"""Rammer: what coordinators decide about the times on offer, with preview, history and undo."""

from syncd.web.pages.frames import change, front, history

ROUTERS = (history.router, change.router, front.router)
