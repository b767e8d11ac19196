"""Autodiscover in its SOAP form (MS-OXWSADISC): where each mailbox is, redirects, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.servers.exchange.wire import SOAP, Element
from tests.servers.exchange.world import World

SPACE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_A, _S = f"{{{SPACE}}}", f"{{{SOAP}}}"
MOST_USERS = 100


@dataclass
class Discovery:
    """What the service tells.

    :param world: whose mailboxes it knows.
    :param url: endpoint of all mailboxes that *places* does not name.
    :param places: settings of single addresses, such as ``{"ExternalEwsUrl": "https://…"}``.
    :param redirects: error code (RedirectUrl, RedirectAddress) and target, by address; ``*`` is everybody.
    """

    world: World
    url: str
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    redirects: dict[str, tuple[str, str]] = field(default_factory=dict)

    def settings(self, email: str) -> Mapping[str, str]:
        """Everything there is to tell about an address."""
        usual = {"InternalEwsUrl": self.url, "ExternalEwsUrl": self.url, "GroupingInformation": "BYHAVN-1"}
        return self.places.get(email, usual)


def asked_for(body: bytes) -> list[str]:
    """The addresses of a request; none when it is no GetUserSettings."""
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError:
        return []
    found = root.iterfind(f"{_S}Body/{_A}GetUserSettingsRequestMessage/{_A}Request/{_A}Users/{_A}User/{_A}Mailbox")
    return [(one.text or "").strip().lower() for one in found]


def told(discovery: Discovery, body: bytes) -> bytes:
    """The answer to GetUserSettings for every address of the request, in its order."""
    root = etree.fromstring(body)
    names = [one.text or "" for one in root.iter(f"{_A}Setting")]
    emails = asked_for(body)
    answers = [_user(discovery, email, names) for email in emails]
    code = "NoError" if 0 < len(emails) <= MOST_USERS and names else "InvalidRequest"
    response = _a("Response", _a("ErrorCode", code), _a("ErrorMessage"), _a("UserResponses", *answers))
    message = _a("GetUserSettingsResponseMessage", response)
    version = _a("ServerVersionInfo")
    for name, number in zip(("MajorVersion", "MinorVersion", "MajorBuildNumber"), ("15", "2", "1544"), strict=True):
        version.append(_a(name, number))
    action = etree.Element(f"{{{_ADDRESSING}}}Action")
    action.text = f"{SPACE}/Autodiscover/GetUserSettingsResponse"
    envelope = etree.Element(f"{_S}Envelope", nsmap={"s": SOAP, "a": _ADDRESSING})
    etree.SubElement(envelope, f"{_S}Header").extend([action, version])
    etree.SubElement(envelope, f"{_S}Body").append(message)
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _user(discovery: Discovery, email: str, names: list[str]) -> Element:
    redirect = discovery.redirects.get(email) or discovery.redirects.get("*")
    if redirect is not None:
        return _response(*redirect)
    box = discovery.world.find(email)
    if box is None:
        return _response("InvalidUser")
    settings = discovery.settings(box.address.email.lower())
    missing = [_missing(name) for name in names if name not in settings]
    return _response("NoError", "", missing, [_setting(name, settings[name]) for name in names if name in settings])


def _response(code: str, target: str = "", errors: Any = (), settings: Any = ()) -> Element:
    where = _a("RedirectTarget", target) if target else _a("RedirectTarget")
    if not target:
        where.set(f"{{{_INSTANCE}}}nil", "true")
    said = (_a("ErrorCode", code), _a("ErrorMessage", "No error." if code == "NoError" else f"{code}."), where)
    return _a("UserResponse", *said, _a("UserSettingErrors", *errors), _a("UserSettings", *settings))


def _missing(name: str) -> Element:
    return _a("UserSettingError", _a("ErrorCode", "SettingIsNotAvailable"), _a("ErrorMessage"), _a("SettingName", name))


def _setting(name: str, value: str) -> Element:
    made = _a("UserSetting", _a("Name", name), _a("Value", value))
    made.set(f"{{{_INSTANCE}}}type", "StringSetting")
    return made


def _a(local: str, *content: Element | str) -> Element:
    made = etree.Element(f"{_A}{local}", nsmap={None: SPACE, "i": _INSTANCE})
    for part in content:
        if isinstance(part, str):
            made.text = part
        else:
            made.append(part)
    return made
