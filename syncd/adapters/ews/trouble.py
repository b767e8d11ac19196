"""What went wrong on the way to a server, as an error of ours: status, garbled answer, or no answer; pure."""

from __future__ import annotations

from datetime import datetime

import requests

from syncd.adapters.ews import advice
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.guarded import TooLarge, never_sent
from syncd.adapters.resilience import retry_after
from syncd.errors import (
    AccessDenied,
    CalendarError,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Transient,
)

URLS = "Get-WebServicesVirtualDirectory | Format-List InternalUrl,ExternalUrl"


def garbled(account: EwsAccount, response: requests.Response, host: str, why: str) -> CalendarError:
    """The error for an answer to a read that is no SOAP."""
    if response.status_code == 500 or "xml" in response.headers.get("Content-Type", ""):
        return Transient(f"{host} answered with {why} (status {response.status_code}); it is tried again later.")
    where = "check the url in the configuration" if account.url else f"autodiscover named it; check there: {URLS}"
    return NotACalendar(
        f"{host} answered with {why} instead of Exchange's SOAP; {where}: it should end in /EWS/Exchange.asmx, and no "
        "login page may be in the way."
    )


def status_error(
    account: EwsAccount, response: requests.Response, host: str, mailbox: str, now: datetime, *, wrote: bool
) -> CalendarError:
    """The error for an HTTP status without SOAP."""
    status = response.status_code
    if status in (429, 503):
        seconds = retry_after(response.headers.get("Retry-After"), now, default=10.0)
        return Throttled(f"{host} asks for a pause of {seconds:.0f} s for {mailbox} ({status}).", seconds)
    if status in (301, 302, 303, 307, 308, 404, 405):
        where = "check the url in the configuration" if account.url else "autodiscover named it"
        return NotACalendar(f"{host} has no Exchange web service at this URL (status {status}); {where}: {URLS}")
    if status == 403:
        return AccessDenied(
            f"{host} does not let programs in (403): Get-OrganizationConfig | Format-List Ews*; "
            f"Get-CASMailbox {mailbox} | Format-List Ews*"
        )
    if wrote and status >= 500:
        return lost(host, mailbox)
    if status >= 500 or status in (408, 440, 449):
        return Transient(f"{host} answered with an error of its own ({status}); it is tried again later.")
    return Rejected(f"{host} refused a request for {mailbox} with status {status}; nothing was changed.")


def failure(account: EwsAccount, error: Exception, host: str, mailbox: str, *, wrote: bool) -> CalendarError:
    """The error for a failure of the transport."""
    if isinstance(error, TooLarge):
        return Rejected(f"{host} answered for {mailbox} with {error}; nothing was read.")
    if isinstance(error, requests.exceptions.SSLError):
        if account.certificate and "CERTIFICATE_VERIFY_FAILED" not in str(error):
            return Transient(f"{host} {advice.NOT_KNOWN_BY_CERTIFICATE}")
        return Transient(
            f"No secure connection to {host}: its certificate was not accepted. If it is signed by your own "
            "authority, set ca_file; if it has expired, the Exchange administrator renews it: "
            "Get-ExchangeCertificate | Format-List Subject,NotAfter,Services"
        )
    if wrote and not never_sent(error):
        return lost(host, mailbox)
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient(f"The proxy for {host} cannot be reached; it is tried again later.")
    if isinstance(error, requests.Timeout):
        return Transient(f"{host} did not answer for {mailbox} in time; it is tried again later.")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return Rejected(f"'{host}' is no usable address; check the url in the configuration.")
    return Transient(f"{host} cannot be reached; it is tried again later.")


def hindrance(error: Exception) -> str:
    """Why a server beside Exchange, such as the one that gives tokens, could not be asked: the rest of a sentence."""
    if isinstance(error, requests.exceptions.SSLError):
        return (
            "its certificate was not accepted; if your own authority signed it, or a proxy of yours looks into "
            "connections, set ca_file to that authority"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached or refused to pass it on; check proxy"
    if "resolve" in str(error):
        return "its name cannot be resolved; check token_url, and the name servers of this machine"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | TooLarge):
        return "its answer was cut short, or has no end"
    return "it cannot be reached"


def lost(host: str, mailbox: str) -> OutcomeUnknown:
    """Nobody knows whether a change was done."""
    return OutcomeUnknown(
        f"The answer of {host} to a change in {mailbox} was lost; it may have been done or not. "
        "The entry will be looked up before anything is repeated."
    )
