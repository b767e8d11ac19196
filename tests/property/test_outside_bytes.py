"""Whatever bytes come, each parser answers with a value or with the one error it declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.adapters.caldav import multistatus
from syncd.adapters.dfdg import wire
from syncd.adapters.ews import answer, autodiscover
from syncd.config.dfdg_names import DfdgNames
from syncd.errors import Rejected
from syncd.web import certificates, tokens
from syncd.web.jobnet import xml

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
DEEP = (b"<a>" * 20_000, b"[" * 60_000, b'{"a":' * 10_000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\x00", b"")

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
