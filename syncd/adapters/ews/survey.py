"""What `syncd check` says about one mailbox, without writing anything."""

from __future__ import annotations

from syncd.adapters.ews import soap
from syncd.adapters.ews.advice import throttled, version_note
from syncd.adapters.ews.answer import T, text
from syncd.adapters.ews.client import Client
from syncd.adapters.ews.endpoints import Endpoint
from syncd.errors import CalendarError, Throttled
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.ports import CheckResult

RIGHTS = ("CreateContents", "Modify", "Delete")


def survey(client: Client, mailbox: Mailbox, tomorrow: Interval) -> CheckResult:
    """Ask for the calendar and for a day of it, and sum up.

    :param tomorrow: the day that is looked at.
    :raises CalendarError: it cannot be reached or read.
    """
    folder = client.message(soap.get_calendar(mailbox.address), mailbox.address)
    client.message(soap.calendar_view(mailbox.address, tomorrow, 5), mailbox.address)
    endpoint = client.endpoints.of(mailbox.address)
    rights = next(folder.element.iter(f"{T}EffectiveRights"), None)
    refused = [right for right in RIGHTS if text(rights, f"{T}{right}") == "false"]
    facts = {
        "server": endpoint.host,
        "endpoint": endpoint.url,
        "endpoint_named_by": endpoint.told_by or "configuration",
        "version": ".".join(map(str, client.build)) if client.build else "unknown",
        "authentication": client.account.auth,
        "acting": "impersonation" if client.account.impersonate else "delegate",
        "changes": "SyncFolderItems and CalendarView",
        "writable": "no" if refused else "yes",
    }
    note = _found(endpoint) + version_note(client.build, endpoint.host)
    if refused:
        says = (
            f"The calendar of {mailbox.address} can be read, but not written ({', '.join(refused)} are missing). The "
            f"Exchange administrator gives the right: Add-MailboxFolderPermission {mailbox.address}:\\Calendar -User "
            "SERVICEACCOUNT -AccessRights Editor (not needed with the role ApplicationImpersonation)."
        )
        return CheckResult(ok=False, says=says + note, facts=facts)
    says = f"The calendar of {mailbox.address} can be read and written; changes by SyncFolderItems."
    return CheckResult(ok=True, says=says + note, facts=facts)


def _found(endpoint: Endpoint) -> str:
    """A blank and where the calendar was found; empty when the configuration says that."""
    return f" Autodiscover at {endpoint.told_by} named {endpoint.url}." if endpoint.told_by else ""


def troubled(error: CalendarError) -> CheckResult:
    """The result when the mailbox could not be looked at."""
    more = f" {throttled()}" if isinstance(error, Throttled) else ""
    return CheckResult(ok=False, says=f"{error}{more}", facts={"error": type(error).__name__})
