"""What Exchange's error codes mean for us: wait, start over, read again, look up, or tell the operator; pure.

The codes are ResponseCodeType of [MS-OXWSCDATA] 2.2.5.24.
"""

from __future__ import annotations

from syncd.adapters.ews.advice import advised, renamed
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

DEFAULT_PAUSE = 10.0
"""Seconds, for a server that is busy and does not say for how long."""

BUSY = frozenset(
    {
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "ErrorTooManyObjectsOpened",
        "ErrorExceededSubscriptionCount",
        "ErrorMessageRateExceeded",
    }
)
"""Refused before anything was done."""

DOUBTFUL = frozenset(
    {
        "ErrorTimeoutExpired",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorConnectionFailed",
        "ErrorConnectionFailedTransientError",
        "ErrorMailboxFailover",
        "ErrorBatchProcessingStopped",
    }
)
"""A write that ends like this may have been done."""

LATER = DOUBTFUL | {
    "ErrorMailboxStoreUnavailable",
    "ErrorMailboxMoveInProgress",
    "ErrorADUnavailable",
    "ErrorADOperation",
    "ErrorProxyRequestProcessingFailed",
    "ErrorProxyRequestNotAllowed",
    "ErrorNoRespondingCASInDestinationSite",
    "ErrorNoDestinationCASDueToKerberosRequirements",
    "ErrorNotEnoughMemory",
    "ErrorServiceDiscoveryFailed",
}

DENIED = frozenset(
    {
        "ErrorAccessDenied",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorImpersonationRequired",
        "ErrorCallerIsInvalidADAccount",
        "ErrorAccountDisabled",
        "ErrorCreateItemAccessDenied",
        "ErrorPasswordExpired",
        "ErrorPasswordChangeRequired",
        "ErrorUserNotAllowedByPolicy",
    }
)

MISSING = frozenset(
    {
        "ErrorFolderNotFound",
        "ErrorMailRecipientNotFound",
        "ErrorNameResolutionNoResults",
        "ErrorParentFolderNotFound",
        "ErrorSyncFolderNotFound",
        "ErrorNoPublicFolderServerAvailable",
    }
)

ELSEWHERE = frozenset({"ErrorNonExistentMailbox", "ErrorNameResolutionNoMailbox"})
"""The server knows no such mailbox: there never was one, or it was moved to Microsoft 365."""

RENAMED = frozenset({"ErrorNonPrimarySmtpAddress"})
"""The mailbox is there, under another address; impersonation takes no other."""

MOVED = frozenset(
    {
        "ErrorNonExistentMailbox",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxStoreUnavailable",
        "ErrorProxyRequestNotAllowed",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorNoDestinationCASDueToKerberosRequirements",
        "ErrorServiceDiscoveryFailed",
    }
)
"""The mailbox may be on another server now; nothing was done."""

FORGOTTEN = frozenset({"ErrorInvalidSyncStateData", "ErrorSyncStateVersionMismatch", "ErrorInvalidWatermark"})
CHANGED = frozenset({"ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorItemNotFound", "ErrorInvalidChangeKey"})
ABSENT = frozenset({"ErrorItemNotFound", "ErrorRecurrenceHasNoOccurrence"})
"""The item went away between two requests."""

TOO_MANY = frozenset({"ErrorExceededFindCountLimit", "ErrorCalendarViewRangeTooBig"})
"""The window must be read in smaller parts."""


def error_of(
    code: str,
    where: str,
    *,
    pause: float | None = None,
    wrote: bool = False,
    host: str = "",
    primary: str = "",
) -> CalendarError:
    """The error of ours for Exchange's *code*.

    :param where: the mailbox's address or the operation, for the message.
    :param pause: BackOffMilliseconds of the answer, in seconds.
    :param primary: what the mailbox is called now (ErrorNonPrimarySmtpAddress).
    :param wrote: the request would have changed something.
    """
    if code in BUSY:
        seconds = DEFAULT_PAUSE if pause is None else pause
        return Throttled(f"{host} asks for a pause of {seconds:.0f} s for {where} ({code}).", seconds)
    if code in FORGOTTEN:
        return TokenExpired(f"{host} does not know our place in the history of {where} any more; read everything.")
    if wrote and code in DOUBTFUL:
        return OutcomeUnknown(
            f"{host} answered {code} to a change in {where}; it may have been done or not. "
            "The entry will be looked up before anything is repeated."
        )
    if wrote and code in CHANGED:
        return VersionConflict(f"The entry in {where} was changed or removed since it was read ({code}).")
    if code in LATER:
        return Transient(f"{host} cannot answer for {where} now ({code}); it is tried again later.")
    if code in RENAMED:
        return CalendarNotFound(f"{host} did not open {where} ({code}).{renamed(where, primary)}")
    if code in DENIED:
        return AccessDenied(f"{host} does not let us into {where} ({code}).{advised(code, where)}")
    if code in ELSEWHERE:
        return HostedElsewhere(f"{host} has no mailbox {where} ({code}).{advised(code, where)}")
    if code in MISSING:
        return CalendarNotFound(f"{host} has no calendar for {where} ({code}).{advised(code, where)}")
    return Rejected(f"{host} refused a request for {where} ({code}); nothing was changed.{advised(code, where)}")
