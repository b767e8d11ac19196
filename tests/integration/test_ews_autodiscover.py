"""Endpoints that autodiscover tells: over real HTTP, from services that behave and services that do not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from syncd.adapters.ews.account import Discovery, EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.ews.endpoints import Endpoints, allowed
from syncd.errors import AccessDenied, CalendarError, CalendarNotFound, NotACalendar, Rejected, Transient
from tests.contract.calendar_contract import WINDOW, at, draft
from tests.contract.mirror import Mirror
from tests.environment import shared
from tests.integration.test_ews_traps import ANNA, BO, box, read
from tests.servers.exchange import ExchangeServer

FOREIGN_HOST = "https://autodiscover.example.org/autodiscover/autodiscover.svc"


def started() -> ExchangeServer:
    server = ExchangeServer(shared("reference/ews-xsd"))
    server.account("svc", "geheim", impersonates=True)
    for address in (ANNA, BO):
        server.mailbox(address)
    return server


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with started() as running:
        yield running
        assert "\n".join(running.violations) == ""


@pytest.fixture
def other() -> Iterator[ExchangeServer]:
    with started() as running:
        yield running


def netloc(server: ExchangeServer) -> str:
    return server.base.partition("//")[2]


def searching(server: ExchangeServer, *others: ExchangeServer, more: str = "", **settings: Any) -> EwsAccount:
    hosts = frozenset({netloc(one) for one in (server, *others)} | {more})
    discovery = Discovery(hosts, server.autodiscover_url, **settings)
    return EwsAccount("main", "", "basic", "svc", "geheim", timeout=5.0, streaming=False, discovery=discovery)


@pytest.fixture
def ports() -> Iterator[Callable[[EwsAccount], EwsCalendar]]:
    made: list[EwsCalendar] = []

    def build(account: EwsAccount) -> EwsCalendar:
        made.append(EwsCalendar(account))
        return made[-1]

    yield build
    for port in made:
        port.close()


def wait_until(done: Callable[[], bool], seconds: float = 8.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.05)


class Watch:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def timed(port: EwsCalendar) -> Watch:
    """Let the port's memory of endpoints age by hand."""
    watch = Watch()
    port._client.endpoints._elapsed = watch
    return watch


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_an_endpoint_is_looked_up_once_and_used(server, ports, auth):
    server.outlook.book(ANNA, at(9).start, at(9).end)
    port = ports(replace(searching(server), auth=auth))

    with structlog.testing.capture_logs() as logged:
        assert read(port) == [at(9)]
        port.create(box(), draft())

    assert server.counts["GetUserSettings"] == 1
    assert [one["url"] for one in logged if one["event"] == "exchange.endpoint"] == [server.url]
    assert ANNA not in json.dumps(logged)


def test_the_check_says_where_the_calendar_was_found_and_by_whom(server, ports):
    result = ports(searching(server)).check(box())

    assert result.ok
    assert f"Autodiscover at {netloc(server)} named {server.url}." in result.says
    assert result.facts["endpoint"] == server.url


def test_what_was_found_is_used_for_a_bounded_time(server, ports):
    port = ports(searching(server, seconds=3600.0))
    watch = timed(port)

    for watch.now in (0.0, 3599.0, 3601.0):
        read(port)

    assert server.counts["GetUserSettings"] == 2


def test_while_nobody_can_be_asked_the_known_endpoint_serves_for_as_long_again(server, ports):
    port = ports(searching(server, seconds=3600.0))
    watch = timed(port)
    read(port)
    server.faults.add("http", "GetUserSettings", status=500)

    watch.now = 7199.0
    assert read(port) == []
    watch.now = 7201.0
    with pytest.raises(CalendarError):
        read(port)


@pytest.mark.parametrize("code", ["ErrorNonExistentMailbox", "ErrorMailboxStoreUnavailable"])
def test_a_mailbox_that_moved_is_looked_up_again_and_read_anew_where_it_is(server, other, ports, code):
    port = ports(searching(server, other))
    watch = timed(port)
    mirror = Mirror()
    mirror.follow(port, box(), WINDOW)
    other.outlook.book(ANNA, at(11).start, at(11).end)
    server.discovery.places[ANNA] = {"ExternalEwsUrl": other.url}
    server.faults.add("error", "*", ANNA, code=code)
    watch.now = 61.0

    with pytest.raises(Transient, match=f"is at {netloc(other)} now"):
        mirror.follow(port, box(), WINDOW)
    after = mirror.follow(port, box(), WINDOW)

    assert after.present is not None, "a place in the history of another server means nothing here"
    assert mirror.times(WINDOW) == [at(11)]


def test_a_mailbox_that_is_nowhere_is_not_looked_up_at_every_attempt(server, ports):
    port = ports(searching(server))
    watch = timed(port)
    read(port)
    server.faults.add("error", "*", ANNA, code="ErrorNonExistentMailbox")
    watch.now = 61.0

    for _ in range(3):
        with pytest.raises(CalendarNotFound):
            read(port)

    assert server.counts["GetUserSettings"] == 2


def test_a_server_that_was_taken_away_is_not_waited_for(server, ports):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = f"127.0.0.1:{taken.getsockname()[1]}"
    server.discovery.places[ANNA] = {"InternalEwsUrl": f"http://{gone}/EWS/Exchange.asmx"}
    port = ports(searching(server, more=gone))
    watch = timed(port)
    with pytest.raises(Transient, match="cannot be reached"):
        read(port)
    server.discovery.places.clear()
    watch.now = 61.0

    with pytest.raises(Transient, match=f"is at {netloc(server)} now"):
        read(port)

    assert read(port) == []


def test_mailboxes_on_two_servers_are_each_asked_where_they_are(server, other, ports):
    server.discovery.places[BO] = {"InternalEwsUrl": "https://intern.example.dk/x.asmx", "ExternalEwsUrl": other.url}
    other.outlook.book(BO, at(13).start, at(13).end)
    port = ports(searching(server, other))

    assert (read(port), read(port, box(BO))) == ([], [at(13)])


def test_redirects_to_allowed_hosts_are_followed(server, other, ports):
    server.faults.add("http", "GetUserSettings", status=302, headers={"Location": other.autodiscover_url})
    other.discovery.redirects[ANNA] = ("RedirectAddress", BO)
    account = searching(server, other)
    server.discovery.redirects[BO] = ("RedirectUrl", other.base + "/autodiscover/autodiscover.xml")
    other.discovery.redirects.pop(ANNA)

    assert ports(account)._client.endpoints.of(ANNA).url == other.url
    server.faults.clear()
    assert ports(account)._client.endpoints.of(BO).told_by == netloc(other)


BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (("redirect", ("RedirectUrl", FOREIGN_HOST)), Rejected, "https://autodiscover.example.org, which ews"),
        (("http", {"status": 302, "headers": {"Location": FOREIGN_HOST}}), Rejected, "nothing was sent there"),
        (("http", {"status": 307, "headers": {"Location": "http://mail.example.dk/"}}), Rejected, "must speak https"),
        (("redirect", ("RedirectUrl", "file:///etc/passwd")), Rejected, "leads to file://"),
        (("redirect", ("RedirectUrl", "https://[broken")), Rejected, "cannot be read"),
        (("redirect", ("RedirectAddress", ANNA)), NotACalendar, "leads in circles"),
        (("places", {"ExternalEwsUrl": "https://outlook.office365.com/EWS/Exchange.asmx"}), Rejected, "graph"),
        (("places", {"InternalEwsUrl": "https://evil.example.org/EWS/Exchange.asmx"}), Rejected, "nothing was sent"),
        (("places", {}), CalendarNotFound, "knows no web service"),
        (("garbled", {}), NotACalendar, "login page"),
        (("garbled", {"text": BILLION}), NotACalendar, "a document type definition"),
        (("garbled", {"text": "<x>" + "ha" * 200_000 + "</x>"}), NotACalendar, "more than anybody needs"),
        (("garbled", {"text": "<not"}), NotACalendar, "no XML"),
        (("redirect", ("ServerBusy", "")), Transient, "ServerBusy"),
        (("redirect", ("InvalidUser", "")), CalendarNotFound, "knows no mailbox"),
        (("http", {"status": 503}), Transient, "pause"),
        (("http", {"status": 404}), NotACalendar, "no Exchange web service"),
        (("drop", {}), Transient, "cannot be reached"),
    ],
)
def test_answers_that_lead_nowhere_are_errors_that_say_what_to_do(server, ports, spoil, error, says):
    kind, value = spoil
    if kind == "redirect":
        server.discovery.redirects["*"] = value
    elif kind == "places":
        server.discovery.places[ANNA] = value
    else:
        server.faults.add(kind, "GetUserSettings", **value)
    port = ports(searching(server))

    with pytest.raises(error, match=says):
        read(port)

    assert server.counts.keys() == {"GetUserSettings"}


def test_an_unknown_mailbox_is_named_with_the_cmdlet(server, ports):
    with pytest.raises(CalendarNotFound, match="Get-Mailbox nobody@syncd.test"):
        read(ports(searching(server)), box("nobody@syncd.test"))


def test_services_that_send_each_other_round_are_left_after_a_few_steps(server, other, ports):
    for here, there in ((server, other), (other, server)):
        here.discovery.redirects["*"] = ("RedirectUrl", there.autodiscover_url)

    with pytest.raises(NotACalendar, match="leads in circles"):
        read(ports(searching(server, other)))

    assert server.counts["GetUserSettings"] == other.counts["GetUserSettings"] == 1


def test_a_refused_password_is_not_tried_for_every_mailbox(server, ports):
    port = ports(replace(searching(server), password="falsch"))

    for address in (ANNA, BO):
        with pytest.raises(AccessDenied, match="refused the service account"):
            read(port, box(address))

    assert server.counts.total() == 0


def test_groups_are_asked_about_where_the_named_mailbox_is(server, ports):
    from tests.servers.exchange.model import Address

    server.world.groups["team@syncd.test"] = (Address("team@syncd.test", "Team"), [ANNA])

    members = ports(searching(server, mailbox=BO)).expand_group("team@syncd.test")
    with pytest.raises(Rejected, match="Name one: mailbox in"):
        ports(searching(server)).expand_group("team@syncd.test")

    assert [one.address for one in members] == [ANNA]


def test_a_change_is_heard_of_on_each_server(server, other, ports):
    server.discovery.places[BO] = {"ExternalEwsUrl": other.url}
    port = ports(replace(searching(server, other), streaming=True))
    boxes, begun = [box(ANNA), box(BO)], set[str]()

    def both_began() -> bool:
        begun.update(port.heard(boxes))
        return begun == {"anna", "bo"}

    wait_until(both_began)

    other.outlook.book(BO, at(9).start, at(9).end)

    wait_until(lambda: "bo" in port.heard(boxes))


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://mail.example.dk/EWS/Exchange.asmx", True),
        ("https://MAIL.example.dk:443/EWS/Exchange.asmx", True),
        ("https://mail.example.dk:444/EWS/Exchange.asmx", False),
        ("http://mail.example.dk/EWS/Exchange.asmx", False),
        ("https://mail.example.dk.example.org/", False),
        ("https://mail.example.dk@example.org/", False),
        ("https://example.org/mail.example.dk", False),
        ("//mail.example.dk/", False),
        ("", False),
    ],
)
def test_only_hosts_that_are_named_get_the_password(url, good):
    assert allowed(url, frozenset({"mail.example.dk"})) is good


def test_without_a_service_named_each_domains_own_is_asked_and_nobody_else():
    asked: list[str] = []

    def nobody(url: str, body: bytes, mailbox: str) -> Any:
        asked.append(url)
        raise Transient("away")

    hosts = frozenset({"autodiscover.example.dk"})
    endpoints = Endpoints(EwsAccount("main", "", discovery=Discovery(hosts)), nobody)

    for mailbox, error in (("anna@example.dk", Transient), ("anna@example.org", Rejected)):
        with pytest.raises(error):
            endpoints.of(mailbox)

    assert asked == ["https://autodiscover.example.dk/autodiscover/autodiscover.svc"]
