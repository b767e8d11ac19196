"""Pages about rooms: now, day and week, use; displays and doors."""

from syncd.web.pages.rooms import day, display, meeting, now, use, week

ROUTERS = (now.router, day.router, week.router, meeting.router, display.router, use.router)
