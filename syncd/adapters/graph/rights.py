"""What the application may do that it should not: permissions for the whole tenant, and a mailbox that must be closed.

Permissions consented in Entra hold for every mailbox and stand in the token (``roles``); those given by RBAC for
Applications are bound to a scope and stand in no token. Both add up, so one consent too many undoes the scope.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as NoBase64

import msgspec

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.rounds import bounds, user
from syncd.adapters.graph.rows import PAGES
from syncd.errors import AccessDenied, CalendarError, CalendarNotFound
from syncd.model.interval import Interval
from syncd.ports import CheckResult

NEEDED = {
    "Place.Read.All": "rooms and their seats (syncd mailboxes rooms)",
    "GroupMember.Read.All": "who is in a group ([[groups]])",
    "User.Read.All": "the people in a group by name ([[groups]])",
}
"""Permissions that only Entra can give, and what they are good for."""
MAILBOXES = ("Calendars.", "Mail.", "MailboxSettings.", "MailboxItem.", "Contacts.", "Tasks.", "full_access_as_app")
"""How permissions begin that open all mailboxes of the tenant."""


class _Claims(msgspec.Struct):
    roles: list[str] = []


_CLAIMS = msgspec.json.Decoder(_Claims)


def scope(client: Client, tomorrow: Interval) -> tuple[CheckResult, ...]:
    """See `syncd.ports.Scoped.scope`.

    :param tomorrow: the day of the mailbox that must be closed that is asked for.
    """
    app, closed = client.account.client_id, client.account.control
    try:
        told = judged(roles_of(client.token()), app)
    except CalendarError as error:
        return (CheckResult(ok=False, says=str(error), facts={"error": type(error).__name__}),)
    return (told, control(client, closed, tomorrow)) if closed else (told,)


def roles_of(token: str) -> tuple[str, ...] | None:
    """The application permissions in a token; None when it cannot be read."""
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return tuple(sorted(_CLAIMS.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4))).roles))
    except (msgspec.DecodeError, NoBase64, ValueError):
        return None


def judged(roles: tuple[str, ...] | None, app: str) -> CheckResult:
    """Whether the permissions for the whole tenant are too many.

    :param roles: of the token; None when it could not be read.
    """
    if roles is None:
        return CheckResult(
            ok=True, says=f"What the application {app} may do in the whole tenant cannot be told.", facts={}
        )
    wide = [one for one in roles if one.startswith(MAILBOXES)]
    more = [one for one in roles if one not in NEEDED and one not in wide]
    facts = {"roles": " ".join(roles)}
    if wide:
        return CheckResult(ok=False, says=_too_wide(wide, app), facts=facts)
    if more:
        says = f"The application {app} has permissions that syncd never uses: {', '.join(more)}. {_remove(app)}"
        return CheckResult(ok=False, says=says, facts=facts)
    kept = ", ".join(roles) or "none"
    return CheckResult(ok=True, says=f"Permissions for the whole tenant: {kept}; none opens a mailbox.", facts=facts)


def control(client: Client, address: str, tomorrow: Interval) -> CheckResult:
    """Whether a mailbox that must be closed to us is closed; asks for one day of it, as of all others."""
    params = {"$select": "id", "$top": "1", **bounds(tomorrow)}
    facts = {"control": address}
    try:
        with client.call(address):
            client.read(f"{user(address)}/calendarView", address, PAGES, params=params)
    except AccessDenied:
        return CheckResult(ok=True, says=f"{address} is closed to syncd, as it should be.", facts=facts)
    except CalendarNotFound:
        says = (
            f"{address} proves nothing: it is no mailbox in the cloud. Name one that is, and that syncd must not see."
        )
        return CheckResult(ok=False, says=says, facts=facts)
    except CalendarError as error:
        return CheckResult(ok=False, says=f"{address} could not be tried: {error}", facts=facts)
    app = client.account.client_id
    says = (
        f"syncd can read the calendar of {address}, which must be closed to it: the scope is too wide, or was changed "
        f"less than two hours ago. See whether the scope does it: Test-ServicePrincipalAuthorization -Identity {app} "
        f"-Resource {address} | Format-Table RoleName,AllowedResourceScope,ScopeType,InScope; what was consented in "
        "Entra is not shown there."
    )
    return CheckResult(ok=False, says=says, facts=facts)


def _too_wide(wide: list[str], app: str) -> str:
    return (
        f"The application {app} may use {', '.join(wide)} in every mailbox of the tenant: consented in Entra, this "
        f"adds to RBAC for Applications, so that its scope limits nothing. {_remove(app)} Keep the role assignment of "
        "Exchange: Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal | Format-List "
        "Role,App,CustomResourceScope"
    )


def _remove(app: str) -> str:
    return (
        f"Take it away: Entra admin center > App registrations > {app} > API permissions > Revoke admin consent, then "
        "Remove permission."
    )
