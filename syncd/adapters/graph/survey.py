"""What `syncd check` says about one mailbox, without writing anything.

Whether it may be written is asked by a change to an entry that does not exist: who may not write is refused (403), who
may is told that there is no such entry (404). Nobody's calendar is touched by either.
"""

from __future__ import annotations

from base64 import b64encode

from syncd.adapters.graph import advice
from syncd.adapters.graph.client import Client
from syncd.adapters.graph.faults import Absent
from syncd.adapters.graph.ours import event_path
from syncd.adapters.graph.rounds import bounds, user
from syncd.adapters.graph.rows import PAGES
from syncd.errors import AccessDenied, CalendarError, Throttled
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.ports import CheckResult

_NOBODY = b"00000000-0000-0000-0000-000000000000"
NO_ENTRY = b64encode(bytes((0, 3, len(_NOBODY), 0)) + _NOBODY + bytes((0, 70, 0)) + bytes(70)).decode()
"""An id of the form that Exchange gives (a mailbox's GUID, an entry id of 70 bytes), and of no entry."""
NO_VERSION = 'W/"syncd-check"'


def survey(client: Client, mailbox: Mailbox, tomorrow: Interval) -> CheckResult:
    """Ask for a day of the calendar and whether it may be changed, and sum up.

    :param tomorrow: the day that is looked at.
    :raises CalendarError: it cannot be reached or read.
    """
    params = {"$select": "id,start,end,showAs", "$top": "5", **bounds(tomorrow)}
    client.read(f"{user(mailbox.address)}/calendarView", mailbox.address, PAGES, params=params)
    writable = _writable(client, mailbox.address)
    facts = {
        "server": client.host,
        "tenant": client.account.tenant,
        "application": client.account.client_id,
        "changes": "calendarView/delta",
        "writable": {True: "yes", False: "no", None: "unknown"}[writable],
    }
    ok, says = _told(mailbox, client.account.client_id, writable)
    return CheckResult(ok=ok, says=f"The calendar of {mailbox.address} can be {says}", facts=facts)


def _writable(client: Client, address: str) -> bool | None:
    """Whether entries in the calendar may be changed; None when it cannot be told."""
    try:
        client.ask("PATCH", event_path(address, NO_ENTRY), address, body={"categories": []}, if_match=NO_VERSION)
    except AccessDenied:
        return False
    except Absent:
        return True
    except CalendarError:
        return None
    return None


def _told(mailbox: Mailbox, app: str, writable: bool | None) -> tuple[bool, str]:
    """Whether what is allowed is enough, and what it is; a room that is invited is only ever read."""
    by = "changes by calendarView/delta."
    if mailbox.invited:
        return True, f"read; {by}{f' {advice.room_too_open(mailbox.address, app)}' if writable else ''}"
    if writable is None:
        return True, f"read; {by} {advice.unproven(mailbox.address, app)}"
    if not writable:
        return False, f"read, but nothing may be written into it. {advice.closed(mailbox.address, app)}"
    return True, f"read and written; {by}"


def troubled(error: CalendarError) -> CheckResult:
    """The result when the mailbox could not be looked at."""
    more = ""
    if isinstance(error, Throttled):
        more = " If this happens often, another program with the same application asks as well: give syncd its own."
    return CheckResult(ok=False, says=f"{error}{more}", facts={"error": type(error).__name__})
