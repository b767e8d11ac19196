"""Whatever bytes come, each parser answers with a value or with the one error it declares."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.adapters.caldav import multistatus
from syncd.adapters.dfdg import wire
from syncd.adapters.ews import answer, autodiscover
from syncd.adapters.groupfile import FileGroup
from syncd.adapters.resilience import retry_after
from syncd.config import people
from syncd.config.dfdg_names import DfdgNames
from syncd.config.intake import rows_of
from syncd.config.load import read_toml
from syncd.daemon import foreign
from syncd.errors import CalendarError, ConfigError, Rejected, SyncdError
from syncd.model.busy import Stamp
from syncd.rulebook.parse import read
from syncd.web import certificates, notices, tokens
from syncd.web.jobnet import xml
from syncd.web.pages.oidc import NotSignedIn
from tests.integration.web_town import directory
from tests.property import sign_in_answers

NAMES = DfdgNames()
SOAP = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:FindItemResponse xmlns:m="http://\
schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages><m:FindItemResponseMessage ResponseClass=\
"Error"><m:MessageText>x</m:MessageText><m:ResponseCode>ErrorServerBusy</m:ResponseCode></m:FindItemResponseMessage>\
</m:ResponseMessages></m:FindItemResponse></s:Body></s:Envelope>"""
DAV = b"""<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a%20b/</d:href>\
<d:propstat><d:prop><d:getetag>"1"</d:getetag>\
</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response><d:sync-token>t</d:sync-token></d:multistatus>"""
KEYS = b'{"keys": [{"kty": "RSA", "kid": "one", "use": "sig", "n": "AQAB", "e": "AQAB"}]}'
RECORD = b'{"id": "1", "start": "2026-12-01T08:00:00Z", "status": 1, "messages": [{"id": "2", "kind": 3}]}'
NOTICES = b'{"value": [{"subscriptionId": "a", "clientState": "b", "lifecycleEvent": null, "x": [1, {"y": 2}]}]}'
TABLE = 'id;name;address;site;hours\nbo;Bo "Æ" Friis;bo@example.dk;torvet;mon 08:00-16:00\n'.encode()
FOREIGN = b"caseworker,start,offer,form,citizen\nanna,2026-12-01T09:00,samtale,phone,b-1\n"
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
TOML = b'organisation = "A"\n[offers.a]\ntitle = {da = "A"}\nminutes = {phone = 30}\nwho = ["anna"]\n'
ODD: tuple[Any, ...] = (
    None,
    True,
    1,
    -1,
    float("inf"),
    10**400,
    "",
    "\ud800",
    "\x00",
    "https://[",
    [],
    [[1]],
    {"a": 1},
)
"""What JSON may hold where something else is expected."""
DEEP = (
    b'{"x":' + b"[" * 60_000,
    b"x = " + b"[" * 60_000,
    b'a;b\n\x00;"',
    b'a\n"' + b"x" * 200_000,
    b"<a>" * 20_000,
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"\x00",
    b"",
)


def filed(parse: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """A parser of files, given their content."""

    def parsed(body: bytes) -> Any:
        with NamedTemporaryFile() as file:
            Path(file.name).write_bytes(body)
            return parse(Path(file.name))

    return parsed


def bookings_of(file: Path) -> object:
    return foreign.in_table(file, foreign.Defaults(), directory(), datetime.fromisoformat)


PARSERS: dict[str, tuple[Callable[[bytes], Any], tuple[type[Exception], ...], bytes]] = {
    "multistatus": (multistatus.parse, (multistatus.Garbled,), DAV),
    "conditions": (multistatus.conditions, (), DAV),
    "exchange": (answer.read_answer, (answer.NotSoap,), SOAP),
    "autodiscover": (autodiscover.read_settings, (answer.NotSoap,), SOAP),
    "jobnet xml": (xml.parse, (xml.NotTheSchema,), SOAP),
    "dfdg record": (lambda body: wire.read(NAMES, body), (Rejected,), RECORD),
    "dfdg deadline": (lambda body: wire.deadline(NAMES, body), (Rejected,), RECORD),
    "dfdg messages": (lambda body: wire.messages(NAMES, body), (Rejected,), RECORD),
    "dfdg code": (lambda body: wire.code(NAMES, body), (), RECORD),
    "keys": (tokens.keys_of, (ValueError,), KEYS),
    "notices": (notices.read, (ValueError,), NOTICES),
    "configuration": (filed(read_toml), (ConfigError,), TOML),
    "offers": (lambda body: read(body.decode("latin-1")), (ConfigError,), TOML),
    "list to import": (lambda body: rows_of(body.decode("latin-1")), (ValueError,), TABLE),
    "people and rooms": (filed(lambda file: people.read_rows(file, "x.csv")), (ValueError,), TABLE),
    "group file": (filed(lambda file: FileGroup(file).expand_group("x@example.dk")), (CalendarError,), TABLE),
    "bookings to import": (filed(bookings_of), (SyncdError,), FOREIGN),
    "sign-in: description": (sign_in_answers.told("description"), (NotSignedIn,), sign_in_answers.DESCRIPTION),
    "sign-in: keys": (sign_in_answers.told("keys"), (NotSignedIn,), sign_in_answers.KEYS),
    "sign-in: tokens": (sign_in_answers.told("token"), (NotSignedIn,), sign_in_answers.TOKEN),
    "sign-in: claims": (sign_in_answers.claimed, (NotSignedIn,), json.dumps(sign_in_answers.CLAIMS).encode()),
    "stamps of ours": (lambda body: Stamp.decode(body.decode("latin-1")), (), b"1;abc;m-1;7;0f0f"),
    "pauses": (lambda body: retry_after(body.decode("latin-1"), NOW), (), b"Tue, 01 Dec 2026 08:00:00 +0100"),
    "pauses in seconds": (lambda body: retry_after(body.decode("latin-1"), NOW), (), b"120"),
    "names of certificates": (lambda body: certificates.parts(body.decode("latin-1")), (), b"CN=a\\,b,O=c/C=DK"),
}


def tried(name: str, body: bytes) -> None:
    parse, declared, _ = PARSERS[name]
    try:
        parse(body)
    except declared:
        return


@pytest.mark.parametrize("name", PARSERS)
def test_what_bombs_and_nests_is_a_declared_error(name: str) -> None:
    for body in DEEP:
        tried(name, body)


def otherwise(known: Any) -> Iterator[Any]:
    """*known* with each of its values, one at a time, left out or of another kind."""
    yield from ODD
    inside = known.items() if isinstance(known, dict) else enumerate(known) if isinstance(known, list) else ()
    for place, value in inside:
        for other in (*otherwise(value), ...):
            changed = known.copy()
            changed[place] = other
            if other is ...:
                del changed[place]
            yield changed


@pytest.mark.parametrize("name", [name for name, (*_, good) in PARSERS.items() if good.startswith(b"{")])
def test_a_value_that_is_missing_or_of_another_kind_is_a_declared_error(name: str) -> None:
    for changed in otherwise(json.loads(PARSERS[name][2])):
        tried(name, json.dumps(changed).encode())


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("digit", ["\xb2", "\u0663", "9" * 5000], ids=["superscript", "arabic", "thousands"])
def test_digits_that_are_none_are_a_declared_error(name: str, digit: str) -> None:
    good = PARSERS[name][2]
    for encoding in ("latin-1", "utf-8") if digit != "\u0663" else ("utf-8",):
        for place in [place for place, byte in enumerate(good) if chr(byte).isdigit()][:12]:
            tried(name, good[:place] + digit.encode(encoding) + good[place + 1 :])


@pytest.mark.parametrize("name", [name for name in PARSERS if not name.startswith("sign-in")])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    good = PARSERS[name][2]
    where = data.draw(st.integers(0, len(good)))
    gone, put = data.draw(st.integers(0, 12)), data.draw(st.binary(max_size=12))
    tried(name, good[:where] + put + good[where + gone :])
    tried(name, data.draw(st.binary(max_size=60)))
