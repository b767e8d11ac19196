"""What the Exchange administrator must do, in plain words and with the exact cmdlet; pure."""

from __future__ import annotations

ROLE = (
    "New-ManagementRoleAssignment -Name 'syncd impersonation' -Role ApplicationImpersonation "
    "-User SERVICEACCOUNT -CustomRecipientWriteScope 'syncd mailboxes'"
)
SCOPE = "New-ManagementScope -Name 'syncd mailboxes' -RecipientRestrictionFilter \"MemberOfGroup -eq 'GROUP-DN'\""
POLICY = (
    "New-ThrottlingPolicy -Name syncd -EwsMaxConcurrency 27 -EwsMaxSubscriptions 5000 -EwsMaxBurst Unlimited "
    "-EwsRechargeRate Unlimited -EwsCutoffBalance Unlimited; Set-ThrottlingPolicyAssociation SERVICEACCOUNT "
    "-ThrottlingPolicy syncd"
)
ATTENDANT = (
    "Set-CalendarProcessing ROOM -AutomateProcessing AutoAccept -AllowConflicts $false -DeleteSubject $true "
    "-DeleteComments $true -AddOrganizerToSubject $false -RemovePrivateProperty $false"
)
NOT_KNOWN_BY_CERTIFICATE = (
    "did not take our client certificate. Check that client_certificate has not expired (openssl x509 -enddate), that "
    "client_key belongs to it, and that the server trusts the authority that signed it."
)
"""What is said after the server's name when it breaks off the TLS handshake."""
SUPPORTED = (15, 2, 2562)
"""Exchange Server SE RTM; older builds (2016, 2019) get no security updates since October 2025."""

_CURES = {
    "ErrorImpersonateUserDenied": (
        "The service account may not act for this mailbox. The Exchange administrator gives it the role: "
        f"{ROLE} (the scope first: {SCOPE})"
    ),
    "ErrorImpersonationDenied": f"The service account lacks the role ApplicationImpersonation: {ROLE}",
    "ErrorImpersonationFailed": "The service account cannot act for this mailbox; is the mailbox on this server? "
    "Get-Mailbox MAILBOX | Format-List Database,ServerName,RecipientTypeDetails",
    "ErrorAccessDenied": "Its calendar is closed to the service account. With the role ApplicationImpersonation "
    f"this cannot happen: {ROLE}",
    "ErrorNonExistentMailbox": "Is the address right, and is it a mailbox here? Get-Mailbox MAILBOX | Format-List "
    'PrimarySmtpAddress,RecipientTypeDetails (a mailbox moved to the cloud needs adapter = "graph")',
    "ErrorMailRecipientNotFound": "Is the address right? Get-Recipient MAILBOX | Format-List PrimarySmtpAddress",
    "ErrorNameResolutionNoResults": "Is the address right? Get-DistributionGroup GROUP | Format-List "
    "PrimarySmtpAddress,HiddenFromAddressListsEnabled",
    "ErrorFolderNotFound": "The mailbox has no calendar folder yet; somebody signs in to it once, or: "
    "Get-MailboxFolderStatistics MAILBOX -FolderScope Calendar",
    "ErrorAccountDisabled": "The account of this mailbox is disabled in the directory: Get-ADUser USER",
    "ErrorPasswordExpired": "The service account's password has expired: "
    "Set-ADUser SERVICEACCOUNT -PasswordNeverExpires $true",
    "ErrorQuotaExceeded": "The mailbox is full: Get-MailboxStatistics MAILBOX | Format-List TotalItemSize,"
    "StorageLimitStatus",
}


def advised(code: str, mailbox: str) -> str:
    """A blank and what to do about *code*, with the mailbox's address in the cmdlets; empty when nothing is known."""
    cure = _CURES.get(code)
    return "" if cure is None else " " + cure.replace("MAILBOX", mailbox).replace("GROUP | ", f"{mailbox} | ")


def renamed(mailbox: str, primary: str) -> str:
    """A blank and what to change when *mailbox* is no more than a further address of somebody.

    :param primary: the address she goes by; empty when the server did not say.
    """
    if not primary:
        return f" Its primary address is another one; find it: Get-Recipient {mailbox} | Format-List PrimarySmtpAddress"
    return (
        f' Its primary address is {primary} now, nothing was read or changed. Write address = "{primary}" in the '
        "configuration (or in the file of people it names), keep the id as it is, and reload: systemctl reload syncd"
    )


def refused(username: str | None, auth: str) -> str:
    """What to do when the server does not take the service account's word for who it is (HTTP 401)."""
    who = f"'{username}'" if username else "the service account"
    return {
        "ntlm": f"Check user name (DOMAIN\\user) and password of {who}, and that NTLM is on: "
        "Get-WebServicesVirtualDirectory | Format-List InternalAuthenticationMethods",
        "basic": f"Check user name and password of {who}, and that Basic is on: "
        "Get-WebServicesVirtualDirectory | Format-List BasicAuthentication",
        "kerberos": "No ticket was accepted: klist; the server needs an SPN: setspn -Q HTTP/HOST",
        "certificate": "The client certificate was not accepted: is it mapped to the service account, and not expired? "
        "openssl x509 -noout -subject -enddate -in FILE",
        "oauth": "The token was not accepted: Get-AuthServer; Get-PartnerApplication; "
        "Test-OAuthConnectivity -Service EWS",
    }[auth]


def throttled() -> str:
    """What to do when the server asks for pauses again and again."""
    return f"If this happens often, the service account needs a throttling policy of its own: {POLICY}"


def version_note(build: tuple[int, int, int] | None, host: str) -> str:
    """What is to be said about the server's version; empty when nothing is.

    :param build: major, minor, build of the answer's ServerVersionInfo.
    """
    if host.endswith(("office365.com", "outlook.com")):
        return (
            " This is Exchange Online, where EWS is only let in by an AppID list (Set-OrganizationConfig -EwsEnabled "
            '$true -EwsAllowedAppIDs ...) and ends for good on 2027-04-01: change to adapter = "graph".'
        )
    if build is not None and build < SUPPORTED:
        return " This version of Exchange is out of support; Exchange Server SE is the supported one."
    return ""


def silent_room(room: str) -> str:
    """Why a room may leave an invitation unanswered, most likely cause first, with what shows and mends it."""
    return (
        f"The room {room} has not answered. Probable causes: it only files requests (AutomateProcessing AutoUpdate, "
        "the default of rooms made in PowerShell), the time is beyond its booking window (BookingWindowInDays) or "
        "longer than it allows (MaximumDurationInMinutes), or its policy wants a delegate's word (AllBookInPolicy). "
        f"See: Get-CalendarProcessing {room} | Format-List; mend: {ATTENDANT.replace('ROOM', room)}"
    )
