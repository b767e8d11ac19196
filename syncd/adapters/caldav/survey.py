"""What `syncd check` says about one calendar, without writing anything."""

from __future__ import annotations

from syncd.adapters.caldav.changes import itself
from syncd.adapters.caldav.client import Client, Reply
from syncd.adapters.caldav.discovery import Place
from syncd.adapters.caldav.multistatus import CALENDARSERVER, DAV, Item, propfind
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
WRITES = frozenset({"all", "write", "write-content", "bind"})
"""Privileges (RFC 3744 3) any of which lets us put an entry there, or say that we probably can."""


def survey(client: Client, place: Place) -> CheckResult:
    """Contact the calendar and sum up what it can do.

    :raises CalendarError: it cannot be reached or is none.
    """
    answer, reply = client.multistatus("PROPFIND", place.url, PROPERTIES)
    own = itself(client, place, answer)
    options = client.read("OPTIONS", place.url, accept=frozenset({404, 405, 501}))
    server = options.headers.get("Server") or reply.headers.get("Server", "unknown")
    facts = {"path": place.path, "server": server, **_abilities(own, options)}
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


def _writable(own: Item) -> str:
    """Servers without access control (RFC 3744) do not say."""
    element = own.props.get(f"{DAV}current-user-privilege-set")
    if element is None:
        return "unknown"
    names = {str(child.tag).rpartition("}")[2] for child in element.iter() if isinstance(child.tag, str)}
    return "yes" if names & WRITES else "no"
