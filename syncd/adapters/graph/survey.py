"""What `syncd check` says about one mailbox, without writing anything."""

from __future__ import annotations

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.rounds import bounds, user
from syncd.adapters.graph.rows import PAGES
from syncd.errors import CalendarError, Throttled
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.ports import CheckResult


def survey(client: Client, mailbox: Mailbox, tomorrow: Interval) -> CheckResult:
    """Ask for a day of the calendar, and sum up.

    :param tomorrow: the day that is looked at.
    :raises CalendarError: it cannot be reached or read.
    """
    params = {"$select": "id,start,end,showAs", "$top": "5", **bounds(tomorrow)}
    client.read(f"{user(mailbox.address)}/calendarView", mailbox.address, PAGES, params=params)
    facts = {
        "server": client.host,
        "tenant": client.account.tenant,
        "application": client.account.client_id,
        "changes": "calendarView/delta",
    }
    return CheckResult(
        ok=True, says=f"The calendar of {mailbox.address} can be read; changes by calendarView/delta.", facts=facts
    )


def troubled(error: CalendarError) -> CheckResult:
    """The result when the mailbox could not be looked at."""
    more = ""
    if isinstance(error, Throttled):
        more = " If this happens often, another program with the same application asks as well: give syncd its own."
    return CheckResult(ok=False, says=f"{error}{more}", facts={"error": type(error).__name__})
