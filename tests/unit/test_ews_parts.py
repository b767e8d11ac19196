"""The pure parts of the Exchange adapter, and what a session is made of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from syncd.adapters.ews.account import EwsAccount, TokenSource
from syncd.adapters.ews.answer import M, NotSoap, T, read_answer
from syncd.adapters.ews.drafting import create_request
from syncd.adapters.ews.faults import BUSY, CHANGED, DENIED, DOUBTFUL, FORGOTTEN, LATER, MISSING, error_of
from syncd.adapters.ews.sessions import Sessions, authentication, open_session
from syncd.adapters.ews.tokens import Bearer
from syncd.adapters.ews.wire import Unusable, interval_of, read_item
from syncd.adapters.gate import LOCKOUT, Gate
from syncd.adapters.resilience import Calls
from syncd.errors import (
    AccessDenied,
    CalendarError,
    CalendarNotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TokenExpired,
    Transient,
    VersionConflict,
)
from syncd.model.busy import Stamp
from syncd.model.entry import EntryDraft
from syncd.model.interval import Interval

URL = "https://mail.example.dk/EWS/Exchange.asmx"


@pytest.mark.parametrize(
    ("codes", "wrote", "expected"),
    [
        (BUSY, False, Throttled),
        (BUSY, True, Throttled),
        (LATER, False, Transient),
        (DOUBTFUL, True, OutcomeUnknown),
        (LATER - DOUBTFUL, True, Transient),
        (DENIED, True, AccessDenied),
        (MISSING, False, CalendarNotFound),
        (FORGOTTEN, False, TokenExpired),
        (CHANGED, True, VersionConflict),
        (frozenset({"ErrorInvalidRequest", "ErrorSomethingNew"}), True, Rejected),
    ],
)
def test_every_code_says_what_to_do_next(codes, wrote, expected):
    for code in codes:
        assert type(error_of(code, "anna@example.dk", wrote=wrote, host="mail")) is expected


def test_no_code_means_two_things():
    kinds = [BUSY, LATER, DENIED, MISSING, FORGOTTEN]
    assert sum(map(len, kinds)) == len(frozenset[str]().union(*kinds))


def test_a_pause_is_as_long_as_the_server_said_and_ten_seconds_when_it_did_not():
    told = [error_of("ErrorServerBusy", "anna", pause=pause) for pause in (2.5, None, 0.0)]

    assert [one.retry_after for one in told if isinstance(one, Throttled)] == [2.5, 10.0, 0.0]


@pytest.mark.parametrize("body", [b"", b"<html/>", b"{}", b"<a><b></a>", b"\x00\x01"])
def test_what_is_no_soap_is_told_from_it(body):
    with pytest.raises(NotSoap):
        read_answer(body)


def test_xml_with_a_document_type_is_no_answer():
    bomb = (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>&e;</a></s:Body></s:Envelope>'
    )

    with pytest.raises(NotSoap, match="document type"):
        read_answer(bomb)


@pytest.mark.parametrize(
    ("code", "problem"),
    [("ErrorBatchProcessingStopped", True), ("ErrorNameResolutionMultipleResults", False), ("NoError", False)],
)
def test_a_part_that_a_stopped_batch_did_not_come_to_was_not_answered(code, problem):
    message = f'<m:GetItemResponseMessage ResponseClass="Warning"><m:ResponseCode>{code}</m:ResponseCode><m:Items/>'
    body = f"<m:GetItemResponse><m:ResponseMessages>{message}</m:GetItemResponseMessage></m:ResponseMessages>"
    spaces = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="' + M.strip("{}") + '"'
    envelope = f"<s:Envelope {spaces}><s:Body>{body}</m:GetItemResponse></s:Body></s:Envelope>"

    [answered] = read_answer(envelope.encode()).messages

    assert (answered.problem is not None) == problem


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        ("9999-12-30T23:00:00Z", "9999-12-31T23:00:00Z"),
        ("0001-01-01T00:00:00+02:00", "0001-01-02T00:00:00+02:00"),
    ],
)
def test_whole_days_at_the_ends_of_the_calendar_are_unreadable_and_no_accident(start, end):
    times = f"<t:Start>{start}</t:Start><t:End>{end}</t:End><t:IsAllDayEvent>true</t:IsAllDayEvent>"
    item = read_item(etree.fromstring(f'<t:CalendarItem xmlns:t="{T.strip("{}")}">{times}</t:CalendarItem>'))

    with pytest.raises(Unusable):
        interval_of(item, "Europe/Copenhagen")


def test_the_gate_opens_again_by_itself():
    now = [0.0]
    gate = Gate(lambda: now[0])
    gate.pause("anna", 5)
    gate.refused("no")

    def refused(mailbox: str) -> type[CalendarError] | None:
        try:
            gate.demand(mailbox)
        except CalendarError as error:
            return type(error)
        return None

    first = refused("bo")
    now[0] = LOCKOUT + 1
    assert (first, refused("bo"), refused("anna")) == (AccessDenied, None, None)


def test_a_session_has_the_certificate_the_authority_and_the_proxy_of_the_account_and_nothing_of_the_environment():
    account = EwsAccount(
        "main",
        URL,
        "certificate",
        certificate="client.pem",
        certificate_key="client.key",
        ca_file="ca.pem",
        proxy="http://proxy:3128",
    )

    session = open_session(account, Calls(), None)

    assert session.cert == ("client.pem", "client.key")
    assert session.verify == "ca.pem"
    assert session.proxies == {"http": "http://proxy:3128", "https": "http://proxy:3128"}
    assert session.trust_env is False
    assert session.auth is None


def test_an_app_only_account_sends_a_bearer_token():
    account = EwsAccount("main", URL, "oauth", tokens=TokenSource("https://adfs/token", "id", "secret"))
    sessions = Sessions(account, Calls())

    assert isinstance(open_session(account, Calls(), sessions.tokens).auth, Bearer)
    assert "secret" not in repr(account)


def test_kerberos_without_its_packages_says_what_to_install():
    with pytest.raises(Transient, match=r"syncd\[kerberos\]"):
        authentication(EwsAccount("main", URL, "kerberos"))


def test_secrets_are_in_no_repr():
    assert "geheim" not in repr(EwsAccount("main", URL, "basic", "svc", "geheim"))


@pytest.mark.parametrize(("private", "word"), [(True, "Private"), (False, "Normal")])
def test_a_private_entry_is_written_as_private(private: bool, word: str) -> None:
    span = Interval.at(datetime(2026, 11, 24, 9, tzinfo=UTC), 45)
    draft = EntryDraft("u@syncd", span, "Europe/Copenhagen", "Samtale", "", "", Stamp("i", "m", 1, ""), private=private)

    assert f">{word}</t:Sensitivity>" in create_request("anna@example.dk", draft)
