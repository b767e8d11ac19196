"""Every fault of the simulated Exchange server can be seen, where it was asked for and nowhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from exchangelib import Account, CalendarItem, Identity, OAuth2Credentials
from exchangelib.errors import (
    ErrorExceededConnectionCount,
    ErrorInternalServerError,
    ErrorIrresolvableConflict,
    ErrorMailboxMoveInProgress,
    ErrorProxyRequestProcessingFailed,
    ErrorServerBusy,
    ErrorSubscriptionNotFound,
    ErrorTimeoutExpired,
    EWSError,
    UnauthorizedError,
)
from requests_ntlm import HttpNtlmAuth

from tests.contract.exchange_client import ANNA, BO, PASSWORD, USER, account_of, at, house, utc
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.faults import KINDS
from tests.servers.exchange.wire import m
from tests.servers.fault_rules import Faults

ENVELOPE = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header>
 <t:RequestServerVersion Version="Exchange2013_SP1"/><t:ExchangeImpersonation><t:ConnectingSID>
 <t:PrimarySmtpAddress>{mailbox}</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header>
 <s:Body>{body}</s:Body></s:Envelope>"""
CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'
VIEW = f"""<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>
 <m:CalendarView StartDate="2026-11-30T00:00:00Z" EndDate="2026-12-30T00:00:00Z"{{more}}/>
 <m:ParentFolderIds>{CALENDAR}</m:ParentFolderIds></m:FindItem>"""
SYNC = f"""<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>
 <m:SyncFolderId>{CALENDAR}</m:SyncFolderId><m:MaxChangesReturned>512</m:MaxChangesReturned></m:SyncFolderItems>"""
SUBSCRIBE = f"""<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>{CALENDAR}</t:FolderIds>
 <t:EventTypes><t:EventType>CreatedEvent</t:EventType></t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>"""
STREAM = """<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{key}</t:SubscriptionId></m:SubscriptionIds>
 <m:ConnectionTimeout>1</m:ConnectionTimeout></m:GetStreamingEvents>"""


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with house(seed=5) as running:
        yield running


@pytest.fixture
def anna(server: ExchangeServer) -> Account:
    account = account_of(server)
    assert account.calendar
    return account


def post(server: ExchangeServer, body: str, mailbox: str = ANNA, **more: Any) -> requests.Response:
    """One request by hand; the body's placeholder for more is filled with nothing."""
    text = ENVELOPE.format(mailbox=mailbox, body=body.replace("{more}", ""))
    headers = {"Content-Type": "text/xml", **more.pop("headers", {})}
    return requests.post(server.url, text.encode(), auth=(USER, PASSWORD), headers=headers, timeout=5, **more)


def look(account: Account) -> list[Any]:
    return list(account.calendar.view(at(0), at(24), max_items=10).only("start"))


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("busy", {"http": 500}, ErrorServerBusy),
        ("busy", {"http": 200, "back_off_ms": None}, ErrorServerBusy),
        ("busy", {"http": 503}, EWSError),
        ("http", {"status": 503}, EWSError),
        ("http", {"status": 502}, EWSError),
        ("unauthorized", {}, UnauthorizedError),
        ("error", {"code": "ErrorInternalServerError"}, ErrorInternalServerError),
        ("fault", {"code": "ErrorInternalServerError"}, ErrorInternalServerError),
        ("mailbox_move", {}, ErrorMailboxMoveInProgress),
        ("connections", {}, EWSError),
        ("drop", {}, ErrorTimeoutExpired),
        ("lose", {}, ErrorTimeoutExpired),
        ("half", {}, Exception),
        ("garbled", {}, EWSError),
    ],
)
def test_a_fault_meets_one_operation_of_one_mailbox_as_often_as_told(server, anna, kind, options, error):
    bo = account_of(server, BO)
    server.faults.add(kind, "FindItem", ANNA, times=1, **options)

    assert (look(bo), anna.calendar.get_events and list(anna.calendar.sync_items(only_fields=[]))) == ([], [])
    with pytest.raises(error):
        look(anna)
    assert look(anna) == []


@pytest.mark.parametrize("kind", ["lose", "half", "garbled"])
def test_after_some_faults_the_work_is_done_all_the_same(server, anna, kind):
    server.faults.add(kind, "CreateItem", times=1)

    with pytest.raises(Exception):  # noqa: B017 - the point is what the server holds afterwards
        CalendarItem(account=anna, folder=anna.calendar, start=at(8), end=at(9)).save()

    assert len(server.outlook.calendar(ANNA, utc(0), utc(24))) == 1


@pytest.mark.parametrize("kind", ["drop", "busy", "http", "mailbox_move"])
def test_after_others_nothing_is_done(server, anna, kind):
    server.faults.add(kind, "CreateItem", times=1)

    with pytest.raises(EWSError):
        CalendarItem(account=anna, folder=anna.calendar, start=at(8), end=at(9)).save()

    assert server.outlook.calendar(ANNA, utc(0), utc(24)) == []


def test_chances_fall_the_same_way_again_with_the_same_seed():
    def falls(seed: int) -> list[bool]:
        faults = Faults(KINDS, seed)
        faults.add("busy", chance=0.3)
        return ["busy" in faults.met("FindItem", ANNA) for _ in range(40)]

    assert falls(1) == falls(1) != falls(2)
    assert 5 < sum(falls(1)) < 20


def test_the_server_can_be_slow_to_answer_and_slow_to_speak(server):
    for kind, seconds in (("hang", 0.3), ("drip", 0.3)):
        server.faults.add(kind, "FindItem", times=1, seconds=seconds)
        began = time.monotonic()
        assert post(server, VIEW).status_code == 200
        assert time.monotonic() - began >= 0.25
    server.faults.add("close", "FindItem", times=1)
    assert post(server, VIEW).headers["Connection"] == "close"


def test_a_view_can_lie_about_its_end_and_be_cut(server):
    for day in range(3):
        server.outlook.book(ANNA, utc(8, day), utc(9, day))
    assert post(server, VIEW).text.count("<t:ItemId") == 3
    limited = post(server, VIEW.replace("{more}", ' MaxEntriesReturned="2"'))
    server.faults.add("not_last", "FindItem", times=1)
    lying = post(server, VIEW)
    server.faults.add("cut_view", "FindItem", times=1)
    cut = post(server, VIEW)
    server.faults.add("find_limit", "FindItem", times=2, value=2)
    short = post(server, VIEW)
    server.faults.add("find_limit_error", "FindItem", times=1)
    refused = post(server, VIEW)

    seen = [
        (one.text.count("<t:ItemId"), 'IncludesLastItemInRange="true"' in one.text) for one in (limited, lying, cut)
    ]
    assert seen == [(2, False), (3, False), (2, False)]
    assert (short.text.count("<t:ItemId"), "ErrorExceededFindCountLimit" in refused.text) == (2, True)


def test_sync_answers_small_pages_and_false_ends(server):
    for day in range(3):
        server.outlook.book(ANNA, utc(8, day), utc(9, day))
    server.faults.add("page", "SyncFolderItems", times=1, value=2)
    page = post(server, SYNC).text
    server.faults.add("not_last", "SyncFolderItems", times=1)
    lying = post(server, SYNC).text

    assert (page.count("<t:Create>"), "<m:IncludesLastItemInRange>false" in page) == (2, True)
    assert (lying.count("<t:Create>"), "<m:IncludesLastItemInRange>false" in lying) == (3, True)


def test_items_can_carry_time_zones_that_nobody_knows(server, anna):
    server.outlook.book(ANNA, utc(0), utc(24), IsAllDayEvent=True)
    server.faults.add("zones", value="Customized Time Zone")

    body = VIEW.replace("IdOnly", "Default")

    assert 'Id="Customized Time Zone"' in post(server, body).text


def test_one_mailbox_can_spoil_free_busy(server, anna):
    accounts = [(one, "Required", False) for one in (ANNA, BO)]
    server.faults.add("freebusy", "GetUserAvailability", value=f"{BO}=ErrorProxyRequestProcessingFailed")

    with pytest.raises(ErrorProxyRequestProcessingFailed):
        list(anna.protocol.get_free_busy_info(accounts=accounts, start=at(0), end=at(24)))
    assert len(list(anna.protocol.get_free_busy_info(accounts=accounts[:1], start=at(0), end=at(24)))) == 1


def test_more_requests_at_a_time_than_allowed_are_refused(server):
    server.concurrency = 2
    server.faults.add("hang", "FindItem", seconds=0.3)
    answers: list[str] = []
    crowd = [threading.Thread(target=lambda: answers.append(post(server, VIEW).text)) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert sum(ErrorExceededConnectionCount.__name__ in one for one in answers) == 2


class Token(OAuth2Credentials):
    """Credentials of an application at the simulator's own token endpoint."""

    url = ""
    token_url = property(lambda self: type(self).url)
    scope = property(lambda self: ["https://outlook.office365.com/.default"])


@pytest.fixture
def token(server: ExchangeServer, monkeypatch: pytest.MonkeyPatch) -> Token:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    server.application("app", "geheim")
    made = type("Token", (Token,), {"url": server.token_url})
    credentials: Token = made(
        client_id="app", client_secret="geheim", tenant_id="t", identity=Identity(primary_smtp_address=ANNA)
    )
    return credentials


def test_an_application_comes_with_a_token(server, token):
    account = account_of(server, credentials=token)

    assert look(account) == []
    assert server.door.asked == 1
    server.door.tokens.clear()
    with pytest.raises(EWSError):
        look(account)


def test_an_application_must_say_for_whom_it_asks(server):
    server.application("app", "geheim")
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "geheim"}
    token = requests.post(server.token_url, form, timeout=5).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/xml"}
    nobody = ENVELOPE.format(mailbox="", body="<m:GetRoomLists/>")
    nobody = nobody[: nobody.index("<t:ExchangeImp")] + nobody[nobody.index("</s:Header>") :]

    answer = requests.post(server.url, nobody.encode(), headers=headers, timeout=5)

    assert "ErrorImpersonationRequired" in answer.text
    assert requests.post(server.token_url, form | {"client_secret": "x"}, timeout=5).status_code == 401


def test_streaming_connections_are_counted(server):
    server.minute, server.streams = 0.3, 1
    key = subscription_of(post(server, SUBSCRIBE))
    first = post(server, STREAM.format(key=key), stream=True)

    assert ErrorExceededConnectionCount.__name__ in stream(server, key)
    first.close()


def test_the_token_endpoint_can_be_down(server, token):
    server.faults.add("http", "Token", status=503)

    with pytest.raises(Exception):  # noqa: B017 - what the client makes of it is the adapter's affair
        look(account_of(server, credentials=token))


def subscription_of(answer: requests.Response) -> str:
    return answer.text.partition("<m:SubscriptionId>")[2].partition("<")[0]


def stream(server: ExchangeServer, key: str, mailbox: str = ANNA, **more: Any) -> str:
    """Everything that a streaming connection says until it ends, however it ends."""
    said = b""
    with post(server, STREAM.format(key=key), mailbox, stream=True, **more) as answer:
        try:
            for part in answer.iter_content(4096):
                said += part
        except requests.exceptions.ChunkedEncodingError:
            said += b"BROKEN"
    return said.decode()


def test_events_can_come_twice_late_and_not_at_all(server):
    server.minute = 0.4
    key = subscription_of(post(server, SUBSCRIBE))
    server.subscriptions.twice = True
    server.outlook.book(ANNA, utc(8), utc(9))
    assert stream(server, key).count("<t:CreatedEvent>") == 2
    server.subscriptions.twice, server.subscriptions.late = False, 60
    server.outlook.book(ANNA, utc(8), utc(9))
    assert stream(server, key).count("<t:CreatedEvent>") == 0
    server.subscriptions.late = 0
    assert stream(server, key).count("<t:CreatedEvent>") == 1

    server.subscriptions.drop(ANNA)
    assert ErrorSubscriptionNotFound.__name__ in stream(server, key)


def test_a_stream_closes_in_good_order_or_breaks_off(server):
    server.minute = 0.2
    key = subscription_of(post(server, SUBSCRIBE))

    assert stream(server, key).count("<m:ConnectionStatus>Closed") == 1
    server.faults.add("cut", "GetStreamingEvents", times=1, after=1)
    broken = stream(server, key)
    assert (broken.count("Closed"), broken.endswith("BROKEN")) == (0, True)


def test_in_a_farm_a_subscription_is_known_where_its_cookie_leads():
    with house(affinity=True, minute=0.1) as server:
        server.world.box(BO).backend = "BE02"
        affine = {"X-AnchorMailbox": ANNA, "X-PreferServerAffinity": "true"}
        made = post(server, SUBSCRIBE, headers=affine)
        cookie = made.cookies["X-BackEndOverrideCookie"]
        # The second member of the group follows the first one's cookie.
        other = post(server, SUBSCRIBE, BO, headers=affine, cookies={"X-BackEndOverrideCookie": cookie})
        led = {"headers": affine, "cookies": {"X-BackEndOverrideCookie": cookie}}

        assert "Closed" in stream(server, subscription_of(other), BO, **led)
        assert ErrorSubscriptionNotFound.__name__ in stream(server, subscription_of(other), BO)
        server.faults.add("cookie", "Subscribe", times=1)
        wrong = post(server, SUBSCRIBE, headers=affine).cookies["X-BackEndOverrideCookie"]
        assert wrong != cookie


def test_a_request_that_microsofts_schemas_refuse_is_refused(server):
    answer = post(server, VIEW.replace("IdOnly", "Everything"))

    assert (answer.status_code, "ErrorSchemaValidation" in answer.text) == (500, True)
    assert len(server.violations) == 2
    server.violations.clear()


def test_sync_can_say_nothing_and_repeat_itself(server):
    server.outlook.book(ANNA, utc(8), utc(9))
    server.faults.add("empty_page", "SyncFolderItems", times=1)
    empty = post(server, SYNC).text
    state = post(server, SYNC).text.partition("<m:SyncState>")[2].partition("<")[0]
    server.faults.add("echo", "SyncFolderItems", times=1, value=5)
    follow = SYNC.replace("<m:MaxCh", f"<m:SyncState>{state}</m:SyncState><m:MaxCh")

    assert ("<t:Create>" in empty, "InRange>false" in empty) == (False, True)
    assert [post(server, follow).text.count("<t:Update>") for _ in range(2)] == [1, 0]


def test_older_clients_are_served_and_unknown_versions_refused(server):
    text = ENVELOPE.format(mailbox=ANNA, body=VIEW.replace("{more}", ""))

    def asked(version: str) -> int:
        body = text.replace("Exchange2013_SP1", version).encode()
        return requests.post(server.url, body, auth=(USER, PASSWORD), timeout=5).status_code

    assert [asked(version) for version in ("Exchange2007_SP1", "Exchange2016", "Exchange2031")] == [200, 200, 500]


def test_an_answer_that_microsofts_schemas_refuse_would_be_noticed(server):
    assert server.validator is not None

    upside_down = m("GetRoomListsResponse", m("RoomLists"), m("ResponseCode", "NoError"), ResponseClass="Success")
    server.validator.check("answer", upside_down)

    assert "RoomLists" in server.violations[0]
    server.violations.clear()


def test_a_kept_connection_can_be_gone_at_the_next_request(server):
    text = ENVELOPE.format(mailbox=ANNA, body=VIEW.replace("{more}", "")).encode()
    server.faults.add("vanish", times=1)
    with requests.Session() as session:
        session.auth = (USER, PASSWORD)
        assert session.post(server.url, text, timeout=5).status_code == 200
        time.sleep(0.1)
        # urllib3 notices a connection that was closed while it lay idle, and takes a new one.
        assert session.post(server.url, text, timeout=5).status_code == 200


def test_assistants_give_an_item_another_change_key_a_little_later(server, anna):
    server.world.fidget = 0.05
    item = CalendarItem(account=anna, folder=anna.calendar, start=at(8), end=at(9))
    item.save()
    server.settle()
    setattr(item, "subject", "Ny")  # noqa: B010 - the type checker knows no such attribute

    with pytest.raises(ErrorIrresolvableConflict):
        item.save(
            update_fields=["subject"], conflict_resolution="NeverOverwrite", send_meeting_invitations="SendToNone"
        )


def test_other_addresses_are_not_the_web_service(server):
    assert requests.post(f"{server.base}/owa/", b"", timeout=5).status_code == 404
    asked: Any = {"timeout": 5, "allow_redirects": False}
    assert requests.get(server.url, **asked).status_code == 401
    assert requests.get(server.url, auth=(USER, PASSWORD), **asked).status_code == 302


def test_ntlm_is_spoken_inside_negotiate_too(server):
    server.door.schemes = ("Negotiate",)
    text = ENVELOPE.format(mailbox=ANNA, body=VIEW.replace("{more}", "")).encode()
    with requests.Session() as session:
        session.auth = HttpNtlmAuth(f"DOM\\{USER}", PASSWORD)
        assert session.post(server.url, text, timeout=5).status_code == 200
        session.auth = HttpNtlmAuth(f"DOM\\{USER}", "forkert")
        session.close()
        assert session.post(server.url, text, timeout=5).status_code == 401


def test_long_answers_come_compressed_and_in_chunks_as_from_iis(server):
    for day in range(20):
        server.outlook.book(ANNA, utc(8, day), utc(9, day))
    packed, plain_text = post(server, VIEW), post(server, VIEW, headers={"Accept-Encoding": "identity"})

    assert (packed.headers["Content-Encoding"], packed.headers["Transfer-Encoding"]) == ("gzip", "chunked")
    assert ("Content-Encoding" in plain_text.headers, plain_text.text) == (False, packed.text)


def test_a_renamed_mailbox_is_found_by_its_old_address_but_not_impersonated_by_it(server):
    server.outlook.book(ANNA, utc(8), utc(9))
    server.world.rename_mailbox(ANNA, "anna.holm@byhavn.example")

    refused = post(server, VIEW)

    assert "ErrorNonPrimarySmtpAddress" in refused.text
    assert '<t:Value Name="Primary">anna.holm@byhavn.example' in refused.text
    assert post(server, VIEW, "anna.holm@byhavn.example").text.count("<t:ItemId") == 1
    assert len(server.outlook.calendar(ANNA, utc(0), utc(24))) == 1
