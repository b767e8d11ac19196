"""Graph's refusals (HTTP status and error code) as errors of ours; pure.

Graph's own messages are never passed on: they quote addresses and parts of requests.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncd.adapters.graph import advice
from syncd.errors import (
    AccessDenied,
    CalendarError,
    CalendarNotFound,
    HostedElsewhere,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TokenExpired,
    Transient,
    VersionConflict,
)

STALE = frozenset(
    {"SyncStateNotFound", "SyncStateInvalid", "resyncRequired", "fullSyncRequired", "ErrorInvalidSyncStateData"}
)
"""The delta token is of no use any more, whichever status comes with it."""
ELSEWHERE = frozenset(
    {"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "MailboxNotHostedInExchangeOnline"}
)
NOBODY = frozenset(
    {
        *("ErrorInvalidUser", "Request_ResourceNotFound", "ResourceNotFound", "ErrorNonExistentMailbox"),
        *("ErrorMailboxNotFound", "ErrorMailRecipientNotFound", "UserNotFound", "ErrorFolderNotFound"),
    }
)
ABSENT = frozenset({"ErrorItemNotFound", "itemNotFound"})
REPEATED = frozenset({"ErrorDuplicateTransactionId"})
"""An event was made under this transactionId before; answered with 409 by some, with 400 by others."""
BUSY = frozenset({429, 503})
DEFAULT_PAUSE = 10.0
"""Seconds to leave a mailbox alone when a 429 or 503 does not say how long."""


class Absent(VersionConflict):
    """The event is not there; the only answer that means it."""


class Repeated(VersionConflict):
    """A create was carried out before, under the same transactionId; the only refusal that means it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no.

    :param code: Graph's word for it; empty when there was none.
    :param pause: of Retry-After, in seconds; None when nothing was said.
    """

    status: int
    code: str = ""
    pause: float | None = None


def error_of(said: Refusal, mailbox: str, host: str, app: str, *, wrote: bool = False) -> CalendarError:
    """The error of ours for a refusal.

    :param mailbox: whom it was about, for the message.
    :param app: id of the application, for the cmdlets.
    :param wrote: the request would have changed something.
    """
    what = f"{said.status} {said.code}".strip()
    if said.code in STALE or said.status == 410:
        return TokenExpired(f"{host} does not know our place in the history of {mailbox} any more; read everything.")
    if wrote and said.code in REPEATED:
        return Repeated(f"{host} made this entry in {mailbox} before ({what}); it is looked up.")
    if wrote and said.status >= 500:
        return unknown_outcome(host, mailbox)
    if said.status in BUSY:
        seconds = DEFAULT_PAUSE if said.pause is None else said.pause
        return Throttled(f"{host} asks for a pause of {seconds:.0f} s for {mailbox} ({what}).", seconds)
    if wrote and said.status in (409, 412):
        return VersionConflict(f"Something else changed the entry in {mailbox} meanwhile ({what}); look again.")
    if said.status == 404:
        return _not_found(said, mailbox, host, what)
    if said.status == 403:
        return AccessDenied(f"{host} does not let us into {mailbox} ({what}). {advice.closed(mailbox, app)}")
    if said.status >= 500 or said.status in (408, 409, 412, 423):  # 412 comes to plain questions, too, now and then
        return Transient(f"{host} cannot answer for {mailbox} now ({what}); it is tried again later.")
    return Rejected(f"{host} refused a request for {mailbox} ({what}); nothing was changed.")


def unknown_outcome(host: str, mailbox: str) -> OutcomeUnknown:
    """The answer to a change was lost."""
    return OutcomeUnknown(
        f"The answer of {host} to a change in {mailbox} was lost; it may have been done or not. "
        "The entry will be looked up before anything is repeated."
    )


def _not_found(said: Refusal, mailbox: str, host: str, what: str) -> CalendarError:
    if said.code in ABSENT:
        return Absent(f"The entry is not in {mailbox} any more ({what}).")
    if said.code in ELSEWHERE:
        return HostedElsewhere(f"{mailbox} is not hosted in the cloud ({what}). {advice.on_premises(mailbox)}")
    if said.code in NOBODY:
        return CalendarNotFound(f"{host} has no mailbox {mailbox} ({what}). {advice.unknown(mailbox)}")
    # A proxy's or a gateway's 404 must never pass for "the entry is gone".
    return Rejected(f"{host} found nothing for {mailbox} ({what}); nothing was concluded from it or changed.")
