"""What `syncd check` says about one calendar, without writing anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from syncd.adapters.caldav.changes import itself
from syncd.adapters.caldav.client import Client, Reply
from syncd.adapters.caldav.discovery import Place
from syncd.adapters.caldav.known import Known
from syncd.adapters.caldav.multistatus import CALDAV, CALENDARSERVER, DAV, Item, canonical, expanded, propfind
from syncd.ports import CheckResult

PROPERTIES = propfind(
    "D:resourcetype",
    "D:displayname",
    "D:sync-token",
    "S:getctag",
    "D:supported-report-set",
    "D:current-user-privilege-set",
    "C:supported-calendar-component-set",
)
A_WEEK = timedelta(days=7)
UNKNOWN_REPORT = frozenset({400, 403, 404, 405, 409, 415, 422, 500, 501, 507})
"""How servers say that they do not expand, or not so much."""
WRITES = frozenset({"all", "write", "write-content", "bind"})
"""Privileges (RFC 3744 3) any of which lets us put an entry there, or say that we probably can."""


def survey(client: Client, place: Place, known: Known, now: datetime) -> CheckResult:
    """Contact the calendar and sum up what it can do.

    :param known: what was seen of its server in passing.

    :raises CalendarError: it cannot be reached or is none.
    """
    answer, reply = client.multistatus("PROPFIND", place.url, PROPERTIES)
    own = itself(client, place, answer)
    options = client.read("OPTIONS", place.url, accept=frozenset({404, 405, 501}))
    server = options.headers.get("Server") or reply.headers.get("Server", "unknown")
    facts = {"path": place.path, "server": server, **_abilities(own, options), **_expanded(client, place, now)}
    facts["etag_on_put"] = known.etag_on_put
    if facts["writable"] == "no":
        says = f"{place.path} can be read, but not written by this user; grant it write access."
        return CheckResult(ok=False, says=says, facts=facts)
    scope = "read and written" if facts["writable"] == "yes" else "read"
    says = f"{place.path} can be {scope}; changes by {facts['changes']}."
    return CheckResult(ok=True, says=says, facts=facts)


def invited(place: Place, found: CheckResult) -> CheckResult:
    """*found* for a room that is invited: its calendar need not be writable, but its server must invite."""
    if found.facts["scheduling"] == "no":
        says = f'{place.path} is on a server that delivers no invitations (RFC 6638); set rooms = "write".'
        return CheckResult(ok=False, says=says, facts=found.facts)
    says = f"{place.path} can be read; its room is invited and answers; changes by {found.facts['changes']}."
    return CheckResult(ok=True, says=says, facts=found.facts)


def _abilities(own: Item, options: Reply) -> dict[str, str]:
    syncs = own.has(f"{DAV}supported-report-set", f"{DAV}sync-collection") and own.text(f"{DAV}sync-token")
    ctag = own.text(f"{CALENDARSERVER}getctag")
    classes = options.headers.get("DAV", "")
    return {
        "changes": "sync-collection" if syncs else "CTag and ETags" if ctag else "ETags",
        "ctag": "yes" if ctag else "no",
        "scheduling": "yes" if "calendar-auto-schedule" in classes else "no",
        "writable": _writable(own),
    }


def _expanded(client: Client, place: Place, now: datetime) -> dict[str, str]:
    """Whether the server expands series when asked to (RFC 4791 9.6.5), and how it spells hrefs.

    We never ask for expansion: servers that do it get overrides and zones wrong. It tells them apart all the same.
    """
    reply = client.read("REPORT", place.url, expanded(now, now + A_WEEK), depth="1", accept=UNKNOWN_REPORT)
    if reply.status in UNKNOWN_REPORT:
        return {"expand": "refused", "hrefs": "unknown"}
    items = client.understood("REPORT", reply).items
    texts = [item.text(f"{CALDAV}calendar-data") or "" for item in items]
    expands = "no" if any("\nRRULE" in text for text in texts) else "unknown"
    expands = "yes" if expands != "no" and any("\nRECURRENCE-ID" in text for text in texts) else expands
    paths = [urlsplit(item.href).path if "://" in item.href else item.href for item in items]
    odd = any(canonical(path) != path for path in paths)
    return {"expand": expands, "hrefs": "spelled otherwise" if odd else "as we spell them" if paths else "unknown"}


def _writable(own: Item) -> str:
    """Servers without access control (RFC 3744) do not say."""
    element = own.props.get(f"{DAV}current-user-privilege-set")
    if element is None:
        return "unknown"
    names = {str(child.tag).rpartition("}")[2] for child in element.iter() if isinstance(child.tag, str)}
    return "yes" if names & WRITES else "no"
