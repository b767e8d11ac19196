"""What the administrator of the tenant must do, in plain words and with the exact cmdlet; pure."""

from __future__ import annotations

SCOPE = (
    "New-ManagementScope -Name 'syncd mailboxes' -RecipientRestrictionFilter \"MemberOfGroup -eq 'GROUP-DN'\"; "
    "New-ManagementRoleAssignment -App APP -Role 'Application Calendars.ReadWrite' "
    "-CustomResourceScope 'syncd mailboxes'"
)
PROOF = "Test-ServicePrincipalAuthorization -Identity APP -Resource MAILBOX"
ATTENDANT = (
    "Set-CalendarProcessing ROOM -AutomateProcessing AutoAccept -AllowConflicts $false -DeleteSubject $true "
    "-DeleteComments $true -AddOrganizerToSubject $false -RemovePrivateProperty $false"
)

_TOKENS = {
    7000215: "The secret is wrong: copy the secret's value, not its id, from Certificates & secrets.",
    7000222: "The secret has expired: make a new one under Certificates & secrets, or better use a certificate.",
    700016: "The tenant does not know this application: check client_id and tenant.",
    700027: "The tenant does not know this certificate: upload it under Certificates & secrets of the application.",
    700030: "The certificate has expired: make a new one, and upload it before the old one ends.",
    90002: "There is no such tenant: check tenant.",
    900023: "There is no such tenant: check tenant.",
}
"""AADSTS codes of the token endpoint."""


def closed(mailbox: str, app: str) -> str:
    """What to do when a mailbox is not open to the application (403)."""
    proof = PROOF.replace("APP", app).replace("MAILBOX", mailbox)
    scope = SCOPE.replace("APP", app)
    return f"See what it may do: {proof}; give it the right: {scope} (a change takes up to two hours to work)"


def room_too_open(room: str, app: str) -> str:
    """What to do when a room that is only read may be changed, too."""
    shown = PROOF.replace("APP", app).replace("MAILBOX", room)
    return (
        "It may be changed, too, which is more than syncd needs: rooms are invited, and "
        f"-Role 'Application Calendars.Read' in a scope of their own is enough for them. See what opens it: {shown}"
    )


def unproven(mailbox: str, app: str) -> str:
    """What to do when it cannot be told whether a mailbox may be written."""
    shown = PROOF.replace("APP", app).replace("MAILBOX", mailbox)
    return f"Whether it may be written cannot be told from here; see: {shown}"


def unknown(mailbox: str) -> str:
    """What to do when there is no such mailbox (404)."""
    return f"Is the address right? Get-Recipient {mailbox} | Format-List PrimarySmtpAddress,RecipientTypeDetails"


def on_premises(mailbox: str) -> str:
    """What to do when a mailbox is not in the cloud."""
    return (
        f"Get-Recipient {mailbox} | Format-List RecipientTypeDetails; a mailbox on an Exchange server needs an account "
        'with adapter = "ews", one in the cloud a licence with Exchange Online.'
    )


def refused(codes: object) -> str:
    """A blank and what to do when the token endpoint refuses us, by its AADSTS codes; empty when nothing is known."""
    numbers = codes if isinstance(codes, list) else []
    known = [_TOKENS[one] for one in numbers if one in _TOKENS]
    return f" {known[0]}" if known else ""


def silent_room(room: str) -> str:
    """Why a room may leave an invitation unanswered, most likely cause first, with what shows and mends it."""
    return (
        f"The room {room} has not answered. Probable causes: it only files requests (AutomateProcessing AutoUpdate, "
        "the default of rooms made in PowerShell), the time is beyond its booking window (BookingWindowInDays) or "
        "longer than it allows (MaximumDurationInMinutes), or its policy wants a delegate's word (AllBookInPolicy). "
        f"See: Get-CalendarProcessing {room} | Format-List; mend: {ATTENDANT.replace('ROOM', room)}"
    )
