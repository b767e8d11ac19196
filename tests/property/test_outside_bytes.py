"""Whatever bytes come, each parser answers with a value or with the one error it declares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
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
from syncd.config import people
from syncd.config.dfdg_names import DfdgNames
from syncd.config.intake import rows_of
from syncd.config.load import read_toml
from syncd.daemon import foreign
from syncd.errors import CalendarError, ConfigError, Rejected, SyncdError
from syncd.rulebook.parse import read
from syncd.web import certificates, notices, tokens
from syncd.web.jobnet import xml
from tests.integration.web_town import directory

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
TOML = b'organisation = "A"\n[offers.a]\ntitle = {da = "A"}\nminutes = {phone = 30}\nwho = ["anna"]\n'
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


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    good = PARSERS[name][2]
    where = data.draw(st.integers(0, len(good)))
    gone, put = data.draw(st.integers(0, 12)), data.draw(st.binary(max_size=12))
    tried(name, good[:where] + put + good[where + gone :])
    tried(name, data.draw(st.binary(max_size=60)))
