"""Reading SOAP: what one answer of Exchange says; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from syncd.model.digits import digits

Element: TypeAlias = etree._Element

S = "{http://schemas.xmlsoap.org/soap/envelope/}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
E = "{http://schemas.microsoft.com/exchange/services/2006/errors}"

STOPPED = "ErrorBatchProcessingStopped"
"""An earlier part of the request failed and this one was not looked at; comes as a Warning, with nothing in it."""


class NotSoap(ValueError):
    """The body is no SOAP message of Exchange."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the server says went wrong.

    :param code: ResponseCodeType.
    :param text: the server's words; they may quote the request, so they are never shown or logged.
    :param primary: the address the mailbox goes by now, where another one was used.
    :param pause: BackOffMilliseconds, in seconds; None when the server did not say.
    """

    code: str
    text: str = field(repr=False)
    pause: float | None = None
    primary: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One response message: its element, and its problem if it has one."""

    element: Element
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One SOAP answer.

    :param fault: the whole request was refused.
    :param messages: one for each part of the request.
    :param build: version of the server (major, minor, build), when it told.
    """

    fault: Problem | None
    messages: tuple[Message, ...]
    build: tuple[int, int, int] | None


def opened(body: bytes) -> tuple[Element, Element]:
    """The envelope of a SOAP message, and the one element in its body.

    :raises NotSoap: it is something else: a login page, a proxy's error, half a message, or XML with a DTD.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotSoap("no XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotSoap("a document type definition")
    if root.tag != f"{S}Envelope":
        raise NotSoap("no SOAP envelope")
    content = root.find(f"{S}Body")
    response = next((child for child in content if isinstance(child.tag, str)), None) if content is not None else None
    if response is None:
        raise NotSoap("an empty SOAP body")
    return root, response


def read_answer(body: bytes) -> Answer:
    """Take a SOAP answer of the web service apart.

    :raises NotSoap: see `opened`.
    """
    root, response = opened(body)
    build = _build(root.find(f"{S}Header/{T}ServerVersionInfo"))
    if response.tag == f"{S}Fault":
        return Answer(_fault(response), (), build)
    return Answer(None, tuple(_messages(response)), build)


def text(element: Element | None, path: str) -> str | None:
    """Text of the first descendant at *path*; None when there is none."""
    return element.findtext(path) if element is not None else None


def _messages(response: Element) -> Iterator[Message]:
    """Most operations wrap their messages; some (GetRoomLists, GetRooms) are one message themselves."""
    wrapped = response.find(f"{M}ResponseMessages")
    for element in wrapped if wrapped is not None else (response,):
        if isinstance(element.tag, str):
            yield Message(element, _problem(element))


def _problem(element: Element) -> Problem | None:
    code = element.findtext(f"{M}ResponseCode") or "ErrorInternalServerError"
    # A Warning is an answer (ExpandDL warns of several results), except for what a stopped batch did not come to.
    if element.get("ResponseClass") != "Error" and code != STOPPED:
        return None
    return Problem(code, element.findtext(f"{M}MessageText") or "", _pause(element), _primary(element))


def _fault(element: Element) -> Problem:
    """A SOAP fault: Exchange's code is in the detail, or in the fault code after a prefix."""
    code = element.findtext(f"detail/{E}ResponseCode") or (element.findtext("faultcode") or "").rpartition(":")[2]
    if not code.startswith("Error"):
        code = "ErrorInvalidRequest" if code in ("Client", "ErrorSchemaValidation") else "ErrorInternalServerError"
    return Problem(code, element.findtext("faultstring") or "", _pause(element), _primary(element))


def _primary(element: Element) -> str:
    return next((value.text or "" for value in element.iter(f"{T}Value") if value.get("Name") == "Primary"), "").strip()


def _pause(element: Element) -> float | None:
    for value in element.iter(f"{T}Value"):
        if value.get("Name") == "BackOffMilliseconds" and (pause := digits(value.text)) is not None:
            return pause / 1000
    return None


def _build(version: Element | None) -> tuple[int, int, int] | None:
    if version is None:
        return None
    major, minor, build = (digits(version.get(name)) for name in ("MajorVersion", "MinorVersion", "MajorBuildNumber"))
    return None if major is None or minor is None or build is None else (major, minor, build)
