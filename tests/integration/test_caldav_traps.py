"""What servers, proxies and login pages do to a CalDAV client, and what comes of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.changes import Token
from syncd.adapters.caldav.client import CaldavAccount
from syncd.adapters.caldav.discovery import Place
from syncd.errors import (
    AccessDenied,
    CalendarError,
    CalendarNotFound,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Transient,
)
from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxKind
from tests.contract.calendar_contract import LATER, WINDOW, at, draft
from tests.contract.hands import ZONE, DavHand, calendar_text, event_text, lines_text
from tests.contract.mirror import Mirror
from tests.servers.dav import DavServer
from tests.servers.proxy import Answer, Proxy, Seen, drop, hang, lose_answer, proxy, say
from tests.servers.radicale import radicale

MULTISTATUS = '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{}</D:multistatus>'
LOGIN = "<!DOCTYPE html><html><body><form>Log in</form></body></html>"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def between(real: DavServer) -> Iterator[Proxy]:
    with proxy(real) as between:
        yield between


@pytest.fixture
def hand(real: DavServer, request: pytest.FixtureRequest) -> DavHand:
    name = re.sub(r"\W", "", request.node.name)[-60:]
    return DavHand(real, real.make_calendar(name))


@pytest.fixture
def mailbox(hand: DavHand) -> Mailbox:
    return Mailbox("anna", MailboxKind.PERSON, "main", "anna@syncd.test", ZONE, hand.path)


@pytest.fixture
def account(between: Proxy) -> CaldavAccount:
    return CaldavAccount("main", between.url, "syncd", "secret", timeout=5, auth="basic")


@pytest.fixture
def port(account: CaldavAccount) -> Iterator[CaldavCalendar]:
    port = CaldavCalendar(account)
    yield port
    port.close()


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


def reports(between: Proxy) -> list[bytes]:
    return [seen.body for seen in between.seen if seen.method == "REPORT"]


# Trouble is never answered by a download of everything, nor taken for an empty calendar


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_the_server_is_not_answered_by_a_full_download(status, port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    between.calm()
    between.meet("REPORT", say(status, "overloaded", Content_Type="text/plain"))

    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)

    assert between.methods() == ["REPORT"]
    assert mirror.times(WINDOW) == [at(9)]


def test_a_busy_server_names_the_pause_it_wants(port, mailbox, between, mirror):
    between.meet("PROPFIND", say(503, Retry_After="7"))

    with pytest.raises(Throttled) as caught:
        mirror.follow(port, mailbox, WINDOW)
    assert caught.value.retry_after == 7

    between.meet("PROPFIND", say(429, Retry_After="nonsense"))
    with pytest.raises(Throttled) as caught:
        mirror.follow(port, mailbox, WINDOW)
    assert caught.value.retry_after == 60


def test_an_empty_list_after_an_error_deletes_nothing(port, mailbox, hand, between, mirror):
    for n in range(5):
        hand.put(f"e{n}", at(8 + n))
    mirror.follow(port, mailbox, WINDOW)

    def empty(seen, forward):
        return Answer(207, MULTISTATUS.format("").encode()) if seen.headers.get("Depth") == "1" else forward()

    between.rule = lambda seen, forward: Answer(403) if seen.method == "REPORT" else empty(seen, forward)
    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)

    between.rule = lambda seen, forward: Answer(207, MULTISTATUS.format("").encode())
    with pytest.raises(CalendarError):
        mirror.follow(port, mailbox, WINDOW)
    assert len(mirror.times(WINDOW)) == 5


def test_a_list_that_the_server_cut_short_is_not_believed(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    own = f"<D:response><D:href>{hand.path}</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
    between.rule = lambda seen, forward: (
        Answer(207, MULTISTATUS.format(own).encode()) if seen.headers.get("Depth") == "1" else forward()
    )

    with pytest.raises(Transient, match="whole calendar"):
        mirror.follow(port, mailbox, WINDOW, full=True)


def test_a_first_report_that_the_server_cut_short_is_replaced_by_a_listing(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    hand.put("two", at(10))
    own = f"<D:response><D:href>{hand.path}</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"
    short = f"{_object(hand.path + 'one.ics')}{own}<D:sync-token>t</D:sync-token>"
    between.meet("REPORT", lambda _, __: Answer(207, MULTISTATUS.format(short).encode()), times=1)

    mirror.follow(port, mailbox, WINDOW)

    assert mirror.times(WINDOW) == [at(9), at(10)]


# Requests: few, and in chunks


def test_objects_are_fetched_a_hundred_at_a_time_and_never_one_by_one(port, mailbox, hand, between, mirror):
    crowd = {
        f"{hand.path}e{n}.ics": calendar_text(event_text(f"e{n}", at(7 + n % 10, day=n // 10))) for n in range(205)
    }

    def crowded(seen, forward):
        if b"sync-collection" in seen.body and seen.method == "REPORT":
            objects = "".join(_object(href) for href in crowd)
            return Answer(207, MULTISTATUS.format(f"{objects}<D:sync-token>t</D:sync-token>").encode())
        if seen.method == "REPORT":
            asked = re.findall(r"<D:href>([^<]*)</D:href>", seen.body.decode())
            return Answer(207, MULTISTATUS.format("".join(_object(href, crowd[href]) for href in asked)).encode())
        return forward()

    between.rule = crowded
    delta = mirror.follow(port, mailbox, WINDOW)

    assert len(delta.groups) == 205
    assert between.methods() == ["PROPFIND", *["REPORT"] * 4]
    assert [body.count(b"<D:href>") for body in reports(between)] == [0, 100, 100, 5]
    assert delta.requests == len(between.seen)


def test_one_changed_event_costs_two_requests(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    between.calm()
    hand.put("one", at(6))

    assert mirror.follow(port, mailbox, WINDOW).requests == len(between.seen) == 2


def test_a_quiet_calendar_costs_one_request(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    between.calm()

    assert mirror.follow(port, mailbox, WINDOW).requests == 1
    assert mirror.follow(port, mailbox, LATER).requests == 1
    assert between.methods() == ["REPORT", "REPORT"]


def test_no_limit_is_ever_asked_for(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    mirror.follow(port, mailbox, WINDOW)

    assert not any(b":limit" in seen.body for seen in between.seen)


def test_a_server_without_sync_collection_is_watched_by_ctag_and_etags(port, mailbox, hand, between, mirror):
    def old_server(seen, forward):
        if seen.method == "REPORT" and b"sync-collection" in seen.body:
            return Answer(403, b'<D:error xmlns:D="DAV:"><D:supported-report/></D:error>')
        answer = forward()
        body = re.sub(rb"<[^>]*>\s*<[^>]*sync-collection\s*/>\s*</[^>]*>", b"", answer.body)
        return replace(answer, body=re.sub(rb"<sync-token>[^<]*</sync-token>", b"", body))

    between.rule = old_server
    hand.put("one", at(9))
    hand.put("two", at(10))
    mirror.follow(port, mailbox, WINDOW)
    between.seen.clear()

    quiet = mirror.follow(port, mailbox, WINDOW)
    hand.remove("one")
    hand.put("two", at(12))
    busy = mirror.follow(port, mailbox, WINDOW)

    assert quiet.requests == 1
    assert busy.present is not None
    assert mirror.times(WINDOW) == [at(12)]
    assert port.check(mailbox).facts["changes"] == "CTag and ETags"


# Tokens


@pytest.mark.parametrize("status", [400, 403, 409, 410, 412, 501, 507])
def test_a_refused_token_is_answered_by_listing_not_by_fetching_everything(
    status, port, mailbox, hand, between, mirror
):
    hand.put("stays", at(9))
    hand.put("goes", at(10))
    mirror.follow(port, mailbox, WINDOW)
    hand.remove("goes")
    between.calm()
    between.meet("REPORT", say(status, '<D:error xmlns:D="DAV:"><D:valid-sync-token/></D:error>'))

    delta = mirror.follow(port, mailbox, WINDOW)

    assert len(delta.present) == 1
    assert between.methods() == ["REPORT", "PROPFIND", "PROPFIND"]
    assert mirror.times(WINDOW) == [at(9)]


def test_a_token_of_another_calendar_is_not_sent(port, mailbox, hand, real, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    other = DavHand(real, real.make_calendar("another"))
    other.put("two", at(10))
    between.calm()

    mirror.follow(port, replace(mailbox, url=other.path), WINDOW)

    assert mirror.times(WINDOW) == [at(10)]
    assert not any(b"sync-collection" in body for body in reports(between))
    real.delete(other.path)


def test_what_an_older_version_read_is_fetched_and_read_again(port, mailbox, hand, between, mirror):
    for n in range(3):
        hand.put(f"e{n}", at(8 + n))
    mirror.follow(port, mailbox, WINDOW)
    mirror.groups = {k: replace(g, memory=b"BEGIN:VCALENDAR\nX-SYNCD-MEMORY:1\n") for k, g in mirror.groups.items()}
    mirror.since = replace(mirror.since, token=json.dumps(json.loads(mirror.since.token)[:3]))
    between.calm()

    delta = mirror.follow(port, mailbox, WINDOW)

    assert len(delta.groups) == 3
    assert len([body for body in reports(between) if b"calendar-multiget" in body]) == 1
    assert mirror.follow(port, mailbox, WINDOW).groups == ()


def test_a_report_in_pages_is_followed_to_its_end(port, mailbox, hand, between, mirror):
    for n in range(4):
        hand.put(f"e{n}", at(8 + n))
    mirror.follow(port, mailbox, WINDOW)
    for n in range(4):
        hand.put(f"e{n}", at(12 + n))

    def paged(seen, forward):
        if seen.method != "REPORT" or b"sync-collection" not in seen.body:
            return forward()
        asked = _asked_token(seen)
        page = int(asked[5:]) if asked.startswith("page:") else 0
        href = (
            f"<D:response><D:href>{hand.path}e{page}.ics</D:href><D:propstat><D:prop><D:getetag>x</D:getetag></D:prop>"
        )
        full = f"<D:response><D:href>{hand.path}</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"
        end = "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        token = f"<D:sync-token>page:{page + 1}</D:sync-token>"
        return Answer(207, MULTISTATUS.format(href + end + (full if page < 3 else "") + token).encode())

    between.rule = paged
    delta = mirror.follow(port, mailbox, WINDOW)

    assert mirror.times(WINDOW) == [at(12), at(13), at(14), at(15)]
    assert delta.requests == 5
    assert "page:4" in delta.token


def test_a_truncated_report_that_does_not_go_on_is_replaced_by_a_listing(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    hand.put("two", at(10))

    def stuck(seen, forward):
        if b"sync-collection" not in seen.body or seen.method != "REPORT":
            return forward()
        full = f"<D:response><D:href>{hand.path}</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"
        return Answer(207, MULTISTATUS.format(f"{full}<D:sync-token>{_asked_token(seen)}</D:sync-token>").encode())

    between.rule = stuck
    mirror.follow(port, mailbox, WINDOW)

    assert mirror.times(WINDOW) == [at(9), at(10)]


# Objects between list and fetch


def test_an_object_that_changes_or_goes_between_list_and_fetch_is_taken_as_it_is(port, mailbox, hand, between, mirror):
    hand.put("changes", at(9))
    hand.put("goes", at(10))

    def meanwhile(seen, forward):
        if b"multiget" in seen.body:
            hand.put("changes", at(15))
            hand.remove("goes")
        return forward()

    between.meet("REPORT", meanwhile)
    delta = mirror.follow(port, mailbox, WINDOW)
    assert mirror.times(WINDOW) == [at(15)]
    assert len(delta.present) == 1

    between.calm()
    mirror.follow(port, mailbox, WINDOW)
    fresh = Mirror()
    fresh.follow(port, mailbox, WINDOW)
    assert mirror.versions() == fresh.versions()


def test_an_object_that_a_report_leaves_out_is_asked_for_by_itself(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    hand.put("two", at(10))

    def forgetful(seen, forward):
        answer = forward()
        if b"multiget" not in seen.body:
            return answer
        parts = re.split(rb"(?=<response>)|(?=</multistatus>)", answer.body)
        return replace(answer, body=b"".join(part for part in parts if b"two.ics" not in part))

    between.meet("REPORT", forgetful)
    mirror.follow(port, mailbox, WINDOW)

    assert mirror.times(WINDOW) == [at(9), at(10)]


def test_one_object_that_breaks_the_xml_does_not_hide_the_others(port, mailbox, hand, between, mirror):
    for n in range(6):
        hand.put(f"e{n}", at(8 + n))

    def broken(seen, forward):
        answer = forward()
        return replace(answer, body=answer.body.replace(b"UID:e4", b"UID:\x01e4")) if b"e4.ics" in seen.body else answer

    between.meet("REPORT", broken)
    mirror.follow(port, mailbox, WINDOW)

    assert len(mirror.times(WINDOW)) == 6
    assert between.methods().count("GET") == 1


def test_an_object_too_large_to_hold_is_named_and_the_others_go_on(account, mailbox, hand, between, mirror):
    port = CaldavCalendar(replace(account, max_bytes=200_000))
    for n in range(4):
        hand.put(f"e{n}", at(8 + n))
    huge = lines_text("huge", "DTSTART:20261201T100000Z", "DESCRIPTION:" + "x" * 300_000)
    hand.server.put(f"{hand.path}huge.ics", calendar_text(huge))

    delta = mirror.follow(port, mailbox, WINDOW)

    [bad] = delta.unreadable
    assert bad.key == "huge.ics"
    assert "large" in bad.reason
    assert len(mirror.times(WINDOW)) == 4


def test_an_object_the_server_refuses_to_show_closes_the_mailbox_only_for_itself(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    hand.put("secret", at(10))

    def shy(seen, forward):
        if seen.method == "GET":
            return Answer(403)
        answer = forward()
        return replace(
            answer,
            body=re.sub(rb"(secret\.ics</href>.*?<status>HTTP/1.1 )200", rb"\g<1>403", answer.body, flags=re.DOTALL),
        )

    between.rule = lambda seen, forward: shy(seen, forward) if seen.method in ("REPORT", "GET") else forward()
    delta = mirror.follow(port, mailbox, WINDOW)

    assert [bad.key for bad in delta.unreadable] == ["secret.ics"]
    assert mirror.times(WINDOW) == [at(9)]


# Connections


def test_kept_connections_that_the_server_drops_in_silence_are_opened_again(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    between.rule = lambda _, forward: replace(forward(), close=True)

    for _ in range(10):
        mirror.follow(port, mailbox, WINDOW)

    between.rule = lambda _, forward: forward()
    mirror.follow(port, mailbox, WINDOW)
    between.meet("REPORT", drop, times=1)
    mirror.follow(port, mailbox, WINDOW)
    assert mirror.times(WINDOW) == [at(9)]


def test_a_connection_that_breaks_twice_is_an_error(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    between.calm()
    between.meet("REPORT", drop)

    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)
    assert between.methods() == ["REPORT", "REPORT"]


def test_a_server_that_says_nothing_is_given_up_in_time(account, mailbox, between, mirror):
    port = CaldavCalendar(replace(account, timeout=0.3))
    between.meet("PROPFIND", hang(3))
    began = time.monotonic()

    with pytest.raises(Transient, match="in time"):
        mirror.follow(port, mailbox, WINDOW)
    assert time.monotonic() - began < 1.5


def test_a_server_that_drips_is_given_up_in_time(account, mailbox, between, mirror):
    port = CaldavCalendar(replace(account, timeout=0.4))
    between.meet("PROPFIND", lambda _, forward: replace(forward(), drip=0.05))
    began = time.monotonic()

    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)
    assert time.monotonic() - began < 2


def test_a_whole_call_has_an_end_though_each_request_is_answered(account, mailbox, hand, between, mirror):
    port = CaldavCalendar(replace(account, timeout=0.25))
    for n in range(3):
        hand.put(f"e{n}", at(8 + n))

    def endless(seen, forward):
        if seen.method != "REPORT":
            return forward()
        time.sleep(0.1)
        full = f"<D:response><D:href>{hand.path}</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"
        return Answer(207, MULTISTATUS.format(f"{full}<D:sync-token>{time.monotonic()}</D:sync-token>").encode())

    between.rule = endless
    mirror.since = Since(Token(Place.at(between.url.rstrip("/") + hand.path).mark, None, "t").encode(), WINDOW)
    began = time.monotonic()

    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)
    assert time.monotonic() - began < 4


def test_a_flood_is_cut_off(account, mailbox, between, mirror):
    port = CaldavCalendar(replace(account, max_bytes=100_000))
    between.meet("PROPFIND", say(207, b"<x>" + b"a" * 1_000_000))

    with pytest.raises(Rejected, match="more than"):
        mirror.follow(port, mailbox, WINDOW)


def test_an_answer_cut_in_half_is_not_believed(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    between.meet("PROPFIND", lambda _, forward: replace(forward(), cut=120))

    with pytest.raises(Transient):
        mirror.follow(port, mailbox, WINDOW)


def test_nobody_at_home_is_transient_for_reads_and_writes():
    port = CaldavCalendar(CaldavAccount("main", "http://127.0.0.1:9/", "syncd", "secret", timeout=2))
    box = Mailbox("anna", MailboxKind.PERSON, "main", "anna@syncd.test", ZONE, "/syncd/anna/")

    for call in (lambda: Mirror().follow(port, box, WINDOW), lambda: port.create(box, draft())):
        with pytest.raises(Transient, match="refused") as caught:
            call()
        assert not isinstance(caught.value, OutcomeUnknown)
    assert "127.0.0.1:9" in port.check(box).says


# Wrong addresses, login pages, hostile XML


@pytest.mark.parametrize(
    "rule",
    [
        say(200, LOGIN, Content_Type="text/html"),
        say(207, LOGIN, Content_Type="text/html"),
        say(302, Location="https://login.example.org/sso?token=4711"),
        say(303, Location="/login"),
        say(302, Location="/login"),
        say(200, '{"error": "no"}', Content_Type="application/json"),
        say(405),
        say(207, "<feed xmlns='http://www.w3.org/2005/Atom'/>"),
    ],
    ids=["page-200", "page-207", "sso", "see-other", "login", "json", "405", "atom"],
)
def test_what_is_no_calendar_server_is_called_so(rule, port, mailbox, between, mirror):
    between.meet("PROPFIND", rule)

    with pytest.raises(NotACalendar) as caught:
        mirror.follow(port, mailbox, WINDOW)
    assert "URL" in str(caught.value)
    assert "4711" not in str(caught.value)


def test_a_login_page_instead_of_an_entry_is_no_entry(port, mailbox, between):
    between.meet("GET", say(200, LOGIN, Content_Type="text/html"))

    with pytest.raises(NotACalendar):
        port.find(mailbox, "m1@syncd.test")
    with pytest.raises(NotACalendar):
        port.create(mailbox, draft())
    assert "PUT" not in between.methods()


def test_a_redirect_on_the_same_host_is_followed_with_its_method(port, mailbox, hand, between, mirror):
    hand.put("one", at(9))
    moved = replace(mailbox, url="/old/place/")

    def redirect(seen, forward):
        if seen.path.startswith("/old/place/"):
            return Answer(301, b"", {"Location": hand.path + seen.path.removeprefix("/old/place/")})
        return forward()

    between.rule = redirect
    mirror.follow(port, moved, WINDOW)

    assert mirror.times(WINDOW) == [at(9)]
    assert set(between.methods()) == {"PROPFIND", "REPORT"}


def test_entities_are_not_expanded(port, mailbox, between, mirror):
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    between.meet("PROPFIND", say(207, f'{bomb}<D:multistatus xmlns:D="DAV:">&b;</D:multistatus>'))

    with pytest.raises(CalendarError):
        mirror.follow(port, mailbox, WINDOW)


def test_a_folder_is_not_taken_for_a_calendar(port, mailbox, mirror):
    with pytest.raises(NotACalendar, match="no calendar"):
        mirror.follow(port, replace(mailbox, url="/syncd/"), WINDOW)


def test_a_wrong_password_is_named_without_being_shown(account, mailbox, mirror):
    port = CaldavCalendar(replace(account, password="hunter2"))

    with pytest.raises(AccessDenied) as caught:
        mirror.follow(port, mailbox, WINDOW)
    assert "'syncd'" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(port.check(mailbox)) + repr(account)


def test_a_calendar_without_a_right_to_it_is_access_denied(port, mailbox, between, mirror):
    between.rule = lambda _, __: Answer(403)

    with pytest.raises(AccessDenied, match="access"):
        mirror.follow(port, mailbox, WINDOW)


def test_a_calendar_that_went_away_is_not_an_empty_one(port, mailbox, hand, real, mirror):
    hand.put("one", at(9))
    mirror.follow(port, mailbox, WINDOW)
    real.delete(hand.path)

    with pytest.raises(CalendarNotFound):
        mirror.follow(port, mailbox, WINDOW)
    assert mirror.times(WINDOW) == [at(9)]


# Writes whose answer is lost


@pytest.mark.parametrize("fault", [lose_answer, drop, say(500), say(502), say(504)], ids=["lost", "drop", *"abc"])
def test_a_write_without_an_answer_is_neither_failed_nor_repeated(fault, port, mailbox, between):
    between.meet("PUT", fault)

    with pytest.raises(OutcomeUnknown):
        port.create(mailbox, draft())
    assert between.methods().count("PUT") == 1

    between.calm()
    assert port.create(mailbox, draft()).interval == at(9)
    assert len(port.find(mailbox, "m1@syncd.test")) == 1


def test_a_write_that_timed_out_is_unknown(account, mailbox, between):
    port = CaldavCalendar(replace(account, timeout=0.5))
    between.meet("PUT", hang(1.5))

    with pytest.raises(OutcomeUnknown):
        port.create(mailbox, draft())


def test_a_write_refused_for_a_while_is_not_unknown(port, mailbox, between):
    between.meet("PUT", say(503, Retry_After="9"))

    with pytest.raises(Throttled):
        port.create(mailbox, draft())


@pytest.mark.parametrize("fault", [lose_answer, say(500)], ids=["lost", "error"])
def test_a_written_entry_that_cannot_be_read_back_is_unknown(fault, port, mailbox, between):
    looks: list[int] = []

    def rule(seen, forward):
        looks.append(1) if seen.method == "GET" else None
        return fault(seen, forward) if seen.method == "GET" and len(looks) > 1 else forward()

    between.rule = rule
    with pytest.raises(OutcomeUnknown):
        port.create(mailbox, draft())


def test_a_lost_delete_is_unknown_and_can_be_asked_again(port, mailbox, between):
    entry = port.create(mailbox, draft())
    between.meet("DELETE", lose_answer)

    with pytest.raises(OutcomeUnknown):
        port.delete(mailbox, entry)
    between.calm()
    port.delete(mailbox, entry)
    assert port.find(mailbox, entry.uid) == ()


def test_writes_carry_preconditions_and_never_use_a_kept_connection(port, mailbox, between):
    entry = port.create(mailbox, draft())
    entry = port.update(mailbox, entry, draft(interval=at(11), generation=2))
    port.delete(mailbox, entry)

    writes = {seen.method: seen.headers for seen in between.seen if seen.method in ("PUT", "DELETE")}
    puts = [seen.headers for seen in between.seen if seen.method == "PUT"]
    assert puts[0]["If-None-Match"] == "*"
    assert puts[1]["If-Match"].startswith('"')
    assert writes["DELETE"]["If-Match"] == entry.version


def test_a_server_that_ignores_preconditions_cannot_make_us_overwrite(port, mailbox, hand, between):
    def careless(_, forward):
        raise AssertionError("nothing may be written over a person's change")

    entry = port.create(mailbox, draft())
    hand.move(entry.uid, at(15))
    between.rule = lambda seen, forward: careless(seen, forward) if seen.method in ("PUT", "DELETE") else forward()

    with pytest.raises(Rejected):
        port.update(mailbox, entry, draft(interval=at(11), generation=2))
    with pytest.raises(Rejected):
        port.delete(mailbox, entry)
    assert port.create(mailbox, draft()).interval == at(15)


def _asked_token(seen: Seen) -> str:
    found = re.search(rb"<D:sync-token>(.*)</D:sync-token>", seen.body)
    return found[1].decode() if found else ""


def _object(href: str, text: str = "") -> str:
    """One response for *href* in a multistatus whose default namespace is DAV:."""
    data = f'<c:calendar-data xmlns:c="urn:ietf:params:xml:ns:caldav">{text}</c:calendar-data>' if text else ""
    props = f'<d:prop><d:getetag>"{href}"</d:getetag>{data}</d:prop><d:status>HTTP/1.1 200 OK</d:status>'
    return f'<d:response xmlns:d="DAV:"><d:href>{href}</d:href><d:propstat>{props}</d:propstat></d:response>'


def test_what_a_person_writes_into_our_entry_survives_our_rewriting(port, mailbox, hand):
    entry = port.create(mailbox, draft(description="Jobsamtale"))
    path = f"{hand.path}{entry.key}"
    text = hand.server.get(path).replace("DESCRIPTION:", "DESCRIPTION:Husk nøgler\\n").replace("\r\n ", "")
    hand.server.put(path, text.replace("[/syncd]", "[/syncd]\\nRing\\, når hun kommer"))

    [found] = port.find(mailbox, entry.uid)
    port.update(mailbox, found, draft(generation=2, description="Jobsamtale\nLokale 2"))

    now = hand.server.get(path).replace("\r\n ", "")
    assert "DESCRIPTION:Husk nøgler\\n[syncd]\\nJobsamtale\\nLokale 2\\n[/syncd]\\nRing\\, når hun kommer\r\n" in now
    assert found.digest == entry.digest
    assert "Husk" not in repr(found)
