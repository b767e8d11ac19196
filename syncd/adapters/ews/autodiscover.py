"""What an Exchange server's autodiscover service is asked, and what it says ([MS-OXWSADISC] GetUserSettings); pure.

Its SOAP form is the one that carries the address in the body instead of the URL, needs no Outlook profile, and answers
for other mailboxes than one's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

from syncd.adapters.ews.answer import Element, S, opened

A = "{http://schemas.microsoft.com/exchange/2010/Autodiscover}"
SPACE = A.strip("{}")
PATH = "/autodiscover/autodiscover.svc"
SETTINGS = ("InternalEwsUrl", "ExternalEwsUrl", "GroupingInformation")
"""Asked for; the first two in the order in which they are preferred."""
MOST_BYTES = 1 << 18
"""Longest answer that is looked into; real ones have some 2,000 bytes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for.

    :param urls: endpoints, the preferred one first.
    :param group: GroupingInformation: mailboxes with the same one may share a connection.
    """

    urls: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Somebody else must be asked.

    :param url: the service to ask; empty when it follows from *address*.
    :param address: to ask about; empty when it is the same.
    """

    url: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The service has no settings for this address.

    :param code: ErrorCode of the answer, or ``Fault``.
    """

    code: str


Said: TypeAlias = Settings | Elsewhere | Unanswered


def service_of(address: str) -> str:
    """The service of an address's own domain.

    The domain itself is not asked, as Outlook does: that is where a municipality's web pages are, often at others'.
    """
    return f"https://autodiscover.{address.rpartition('@')[2].lower()}{PATH}"


def settings_request(address: str, url: str) -> bytes:
    """GetUserSettings of one mailbox."""
    wanted = "".join(f"<a:Setting>{name}</a:Setting>" for name in SETTINGS)
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:a="{SPACE}" xmlns:w="http://www.w3.org/2005/08/addressing"><s:Header>'
        "<a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion>"
        f"<w:Action>{SPACE}/Autodiscover/GetUserSettings</w:Action><w:To>{escape(url)}</w:To></s:Header><s:Body>"
        f"<a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>{escape(address)}</a:Mailbox>"
        f"</a:User></a:Users><a:RequestedSettings>{wanted}</a:RequestedSettings></a:Request>"
        "</a:GetUserSettingsRequestMessage></s:Body></s:Envelope>"
    ).encode()


def read_settings(body: bytes) -> Said:
    """What the service says of one mailbox.

    :raises NotSoap: it is something else, see `syncd.adapters.ews.answer.opened`.
    """
    _, message = opened(body)
    if message.tag == f"{S}Fault":
        return Unanswered("Fault")
    for part in (message.find(f"{A}Response"), message.find(f"{A}Response/{A}UserResponses/{A}UserResponse")):
        if part is None:
            return Unanswered("InternalServerError")
        code, target = part.findtext(f"{A}ErrorCode") or "NoError", part.findtext(f"{A}RedirectTarget") or ""
        if code in ("RedirectUrl", "RedirectAddress") and target:
            return Elsewhere(url=target) if code == "RedirectUrl" else Elsewhere(address=target.strip().lower())
        if code != "NoError":
            return Unanswered(code)
    return _settings(message)


def _settings(message: Element) -> Settings:
    told = {
        one.findtext(f"{A}Name") or "": (one.findtext(f"{A}Value") or "").strip()
        for one in message.iter(f"{A}UserSetting")
    }
    internal, external, group = (told.get(name, "") for name in SETTINGS)
    return Settings(tuple(url for url in (internal, external) if url), group)
