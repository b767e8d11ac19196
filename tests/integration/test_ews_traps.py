"""Each of these cost somebody a production incident with Exchange; the numbers are those of the trap list.

1 duplicate meetings · 2 endless view · 3 cut view · 4 lost places · 5 deadlock under throttling · 6 shared pauses ·
7 token storms · 8 corrupt sync states · 9 shifted whole days · 10 deleting updates · 11 hidden refusals.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.adapters.ews.account import EwsAccount, TokenSource
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.errors import (
    AccessDenied,
    CalendarError,
    EntryRemoved,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TokenExpired,
    Transient,
)
from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Resource
from syncd.model.interval import Interval
from syncd.model.zones import whole_days
from tests.contract.calendar_contract import MONDAY, WINDOW, at, draft
from tests.contract.hands import ZONE
from tests.contract.mirror import Mirror
from tests.environment import shared
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Address, Attendee
from tests.servers.exchange.recurrence import Recurrence

ANNA, BO, ROOM = "anna@syncd.test", "bo@syncd.test", "r204@syncd.test"


def box(address: str = ANNA) -> Mailbox:
    return Mailbox(address.partition("@")[0], MailboxKind.PERSON, "main", address, ZONE)


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with ExchangeServer(shared("reference/ews-xsd")) as running:
        running.account("svc", "geheim", impersonates=True)
        running.application("app-1", "s3cret")
        running.mailbox(ANNA)
        running.mailbox(BO)
        running.room(ROOM, "Lokale 2.04")
        yield running
        assert "\n".join(running.violations) == ""


@pytest.fixture
def ports(server: ExchangeServer) -> Iterator[Callable[..., EwsCalendar]]:
    """Builds ports for the server, with other settings where a test wants them."""
    made: list[EwsCalendar] = []

    def build(**settings: Any) -> EwsCalendar:
        basic = EwsAccount("main", server.url, "basic", "svc", "geheim", timeout=5.0)
        port = EwsCalendar(replace(basic, **settings))
        made.append(port)
        return port

    yield build
    for port in made:
        port.close()


@pytest.fixture
def port(ports: Callable[..., EwsCalendar]) -> EwsCalendar:
    return ports()


def oauth(server: ExchangeServer, **settings):
    tokens = TokenSource(server.token_url, "app-1", "s3cret")
    return {"auth": "oauth", "username": None, "password": None, "tokens": tokens} | settings


def shown(server: ExchangeServer, address: str = ANNA) -> list[Interval]:
    seen = server.outlook.calendar(address, WINDOW.start, WINDOW.end)
    return [Interval(one.start, one.end) for one in seen]


def read(port: EwsCalendar, mailbox: Mailbox | None = None) -> list[Interval]:
    mirror = Mirror()
    mirror.follow(port, mailbox or box(), WINDOW)
    return mirror.times(WINDOW)


# 1


def test_a_creation_whose_answer_is_lost_is_looked_up_and_never_sent_again(server, port):
    server.faults.add("lose", "CreateItem", times=1)
    wanted = draft(room=Resource(ROOM, "Lokale 2.04", invited=True))

    with pytest.raises(OutcomeUnknown):
        port.create(box(), wanted)
    [found] = port.find(box(), wanted.uid)
    again = port.create(box(), wanted)
    server.settle()

    assert again.key == found.key
    assert server.counts["CreateItem"] == 1
    assert len(shown(server)) == len(shown(server, ROOM)) == 1


@pytest.mark.parametrize(("kind", "options"), [("half", {}), ("garbled", {}), ("hang", {"seconds": 1.5})])
def test_a_creation_with_half_a_strange_or_a_late_answer_is_unknown_too(server, ports, kind, options):
    port = ports(timeout=0.5)
    server.faults.add(kind, "CreateItem", times=1, **options)

    with pytest.raises(OutcomeUnknown):
        port.create(box(), draft())
    time.sleep(options.get("seconds", 0))
    port.create(box(), draft())

    assert len(shown(server)) == 1


def test_what_its_owner_deleted_after_an_answer_was_lost_is_found_among_the_deleted_items(server, port):
    server.faults.add("lose", "CreateItem", times=1)
    with pytest.raises(OutcomeUnknown):
        port.create(box(), draft())
    [item] = server.world.box(ANNA).folder("calendar")
    server.outlook.delete(ANNA, item.uid)

    with pytest.raises(EntryRemoved):
        port.create(box(), draft(description="Rummet er lokale 2.04"))
    assert [] == shown(server)

    entry = port.create(box(), draft(generation=2))
    assert [entry.interval] == shown(server)


def test_what_its_owner_deleted_for_good_is_written_again(server, port):
    port.create(box(), draft())
    [item] = server.world.box(ANNA).folder("calendar")
    server.world.remove(server.world.box(ANNA), item)

    assert [port.create(box(), draft()).interval] == shown(server)


def test_a_surplus_copy_goes_quietly_and_the_room_stays(server, port):
    wanted = draft(room=Resource(ROOM, "Lokale 2.04", invited=True))
    port.create(box(), wanted)
    server.settle()
    with server.world.lock:
        mine = server.world.box(ANNA)
        first = mine.by_uid(wanted.uid)
        copied = server.world.add(mine, "calendar", "CalendarItem", dict(first.values))
        copied.extended = dict(first.extended)
    one, other = port.find(box(), wanted.uid)

    port.delete(box(), other)
    server.settle()
    stayed = len(shown(server, ROOM))
    port.delete(box(), one)
    server.settle()

    assert stayed == 1
    assert shown(server, ROOM) == []


# 2


def test_a_view_that_claims_to_be_incomplete_for_ever_is_not_asked_for_ever(server, port):
    for day in range(5):
        server.outlook.book(ANNA, at(9, day).start, at(9, day).end)
    server.faults.add("not_last", "FindItem")

    assert len(read(port)) == 5
    assert server.counts["FindItem"] <= 20


# 3


def daily(server: ExchangeServer, times: int = 20) -> None:
    """A series, whose dates only a view shows."""
    series = Recurrence("Daily", MONDAY.date(), times=times)
    server.outlook.book(ANNA, at(9).start, at(9).end, recurrence=series)


@pytest.mark.parametrize("page", [1, 2, 3, 7, 40])
def test_a_full_page_is_read_in_halves_until_nothing_can_be_cut(server, ports, page):
    daily(server)
    server.faults.add("cut_silently", "FindItem")

    assert read(ports(page=page + 1)) == shown(server)


@pytest.mark.parametrize("kind", ["find_limit", "find_limit_error"])
def test_a_limit_of_the_server_below_ours_cuts_nothing(server, port, kind):
    daily(server)
    server.faults.add(kind, "FindItem", value=4)
    server.faults.add("find_limit", "FindItem", value=4)

    assert read(port) == shown(server)


def test_more_entries_at_one_time_than_the_server_shows_are_an_error_and_no_free_time(server, ports):
    for _ in range(60):
        server.outlook.book(ANNA, at(9).start, at(9).end)

    with pytest.raises(Rejected, match="more entries"):
        read(ports(page=55))


def test_long_lists_of_changes_come_in_pages(server, port):
    for day in range(25):
        server.outlook.book(ANNA, at(9, day).start, at(9, day).end)
    server.faults.add("page", "SyncFolderItems", value=4)

    assert read(port) == shown(server)
    assert server.counts["SyncFolderItems"] == 7


# 4


def test_a_failing_token_endpoint_costs_no_place(server, ports):
    port = ports(**oauth(server, connections=1))
    server.faults.add("http", "Token", times=2, status=503)
    for _ in range(2):
        with pytest.raises(Transient, match="No token|no token"):
            read(port)

    began = time.monotonic()
    assert read(port) == []
    assert time.monotonic() - began < 2


def test_connections_that_break_cost_no_place(server, ports):
    port = ports(connections=1)
    server.faults.add("drop", times=6)
    for _ in range(3):
        with pytest.raises(Transient):
            read(port)

    assert read(port) == []


def test_a_server_that_hangs_holds_a_thread_no_longer_than_its_call_may_take(server, ports):
    port = ports(timeout=0.3)
    server.faults.add("hang", "SyncFolderItems", seconds=2.0, times=1)
    server.faults.add("drip", "FindItem", seconds=3.0, times=1)
    began = time.monotonic()

    for _ in range(2):
        with pytest.raises(Transient):
            read(port)

    assert time.monotonic() - began < 1.5


# 5


def test_no_thread_waits_for_ever_while_the_server_throttles(server, ports):
    port = ports(connections=6)
    people = [f"p{n}@syncd.test" for n in range(12)]
    for address in people:
        server.mailbox(address)
    server.faults.add("busy", chance=0.5, back_off_ms=5)
    answered = []

    def work(address: str) -> None:
        for _ in range(20):
            try:
                read(port, box(address))
                answered.append(address)
            except Throttled as error:
                time.sleep(error.retry_after)

    threads = [threading.Thread(target=work, args=(address,), daemon=True) for address in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not any(thread.is_alive() for thread in threads)
    assert answered


def test_connections_beyond_the_servers_limit_are_a_pause_and_no_storm(server, port):
    server.faults.add("connections", "SyncFolderItems", times=1)

    for _ in range(3):
        with pytest.raises(Throttled):
            read(port)

    assert server.counts["SyncFolderItems"] == 1


# 6


@pytest.mark.parametrize("http", [500, 200])
def test_a_pause_binds_only_the_mailbox_it_was_asked_for(server, port, http):
    server.faults.add("busy", "*", ANNA, times=1, back_off_ms=3000, http=http)
    began = time.monotonic()

    with pytest.raises(Throttled) as first:
        read(port)
    asked = server.counts["SyncFolderItems"]
    with pytest.raises(Throttled) as second:
        read(port)
    assert read(port, box(BO)) == []

    assert first.value.retry_after == pytest.approx(3)
    assert 2 < second.value.retry_after <= 3
    assert server.counts["SyncFolderItems"] == asked + 1  # Bo's
    assert time.monotonic() - began < 1


# 7


def test_errors_do_not_multiply_requests_for_tokens(server, ports):
    port = ports(**oauth(server, connections=4))
    server.faults.add("drop", chance=0.5)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: _attempt(lambda: read(port)), range(16)))

    assert server.door.asked == 1


def test_a_token_that_was_withdrawn_is_replaced_once(server, ports):
    port = ports(**oauth(server))
    read(port)
    server.door.tokens.clear()

    assert read(port) == []
    assert server.door.asked == 2


def test_a_wrong_secret_is_a_refusal_that_names_what_to_check(server, ports):
    tokens = TokenSource(server.token_url, "app-1", "wrong")

    with pytest.raises(AccessDenied, match="client_secret"):
        read(ports(**oauth(server) | {"tokens": tokens}))


# 8


@pytest.mark.parametrize("value", ["on", "omit"])
def test_a_corrupt_sync_state_means_to_begin_again(server, port, value):
    server.outlook.book(ANNA, at(9).start, at(9).end)
    mirror = Mirror()
    mirror.follow(port, box(), WINDOW)
    server.faults.add("sync_expired", "SyncFolderItems", value=value, times=1)

    with pytest.raises(TokenExpired):
        mirror.follow(port, box(), WINDOW)
    mirror.follow(port, box(), WINDOW, full=True)

    assert mirror.times(WINDOW) == [at(9)]


def test_a_sync_state_of_another_mailbox_is_not_used(server, port):
    server.outlook.book(BO, at(9).start, at(9).end)
    mirror = Mirror()
    mirror.follow(port, box(), WINDOW)
    assert mirror.since
    stranger = Since(mirror.since.token, WINDOW)

    delta = port.changes(box(BO), WINDOW, stranger, Mirror())

    assert delta.present is not None
    assert len(delta.groups) == 1


# 9


@pytest.mark.parametrize("strange", ["Customized Time Zone", "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", ""])
def test_whole_days_stay_on_their_days_whatever_zone_a_program_left(server, port, strange):
    start = datetime(2026, 12, 6, 23, tzinfo=UTC)
    server.outlook.book(ANNA, start, start + timedelta(days=2), IsAllDayEvent=True)
    if strange:
        server.faults.add("zones", value=strange)
    mirror = Mirror()
    mirror.follow(port, box(), WINDOW)

    [occurrence] = mirror.busy(WINDOW)
    assert occurrence.interval == whole_days(datetime(2026, 12, 7).date(), datetime(2026, 12, 8).date(), ZONE)
    assert occurrence.all_day


def test_whole_days_made_in_another_part_of_the_world_are_the_same_days_here(server, port):
    tokyo = datetime(2026, 12, 6, 15, tzinfo=UTC)
    server.outlook.book(ANNA, tokyo, tokyo + timedelta(days=1), IsAllDayEvent=True, StartTimeZone="Tokyo Standard Time")

    assert read(port) == [whole_days(datetime(2026, 12, 7).date(), datetime(2026, 12, 7).date(), ZONE)]


def test_series_without_a_uid_take_their_own_time_and_nobody_elses(server, port):
    server.outlook.book(ANNA, at(9).start, at(9).end)
    for hour in (12, 14):
        daily = Recurrence("Daily", MONDAY.date(), times=3)
        uid = server.outlook.book(ANNA, at(hour).start, at(hour).end, recurrence=daily)
        del server.world.box(ANNA).by_uid(uid).values["UID"]  # as Outlook's "Copy to my calendar" leaves it
    mirror, later = Mirror(), Interval(WINDOW.start + timedelta(days=1), WINDOW.end + timedelta(days=1))

    for window, full in ((WINDOW, False), (WINDOW, True), (later, False), (WINDOW, True)):
        mirror.follow(port, box(), window, full=full)
        assert mirror.times(window) == [one for one in shown(server) if one.overlaps(window)]


@pytest.mark.parametrize("named", [True, False])
def test_dates_of_a_series_that_the_server_does_not_show_are_not_free_time(server, port, named):
    mirror = Mirror()
    mirror.follow(port, box(), WINDOW)
    daily = Recurrence("Daily", MONDAY.date(), times=3)
    uid = server.outlook.book(ANNA, at(12).start, at(12).end, recurrence=daily)
    if not named:
        del server.world.box(ANNA).by_uid(uid).values["UID"]
    server.faults.add("error", "GetItem", code="ErrorItemNotFound")

    for since in (mirror, Mirror()):
        with pytest.raises(Transient, match="private entries"):
            since.follow(port, box(), WINDOW)
    server.faults.clear()
    mirror.follow(port, box(), WINDOW)

    assert mirror.times(WINDOW) == shown(server)


# 10


def test_an_update_touches_nothing_but_what_we_wrote(server, port):
    entry = port.create(box(), draft(room=Resource(ROOM, "Lokale 2.04", invited=True), categories=("Selvbooking",)))
    server.settle()
    colleague = Attendee(Address(BO), "RequiredAttendees")
    mine = server.outlook.entry(ANNA, entry.uid)
    people = (*mine.attendees, colleague)
    server.outlook.change(
        ANNA, entry.uid, tell="SendToNone", Attendees=people, Categories=("Selvbooking", "Rød"), Importance="High"
    )
    [current] = port.find(box(), entry.uid)

    wanted = draft(interval=at(13), generation=2, room=Resource(ROOM, "Lokale 2.04", invited=True), categories=("Ny",))
    port.update(box(), current, wanted)
    server.settle()

    values = server.outlook.entry(ANNA, entry.uid).values
    assert set(values["Categories"]) == {"Selvbooking", "Rød", "Ny"}
    assert values["Importance"] == "High"
    assert {one.address.email for one in values["Attendees"]} == {ROOM, BO}
    assert shown(server, ROOM) == [at(13)]


def test_a_new_stamp_alone_is_nobodys_business(server, port):
    entry = port.create(box(), draft(room=Resource(ROOM, "Lokale 2.04", invited=True)))
    server.settle()
    [answered] = port.find(box(), entry.uid)
    before = len(list(server.world.box(ROOM).folder("inbox")))

    updated = port.update(box(), answered, draft(generation=2, room=Resource(ROOM, "Lokale 2.04", invited=True)))
    server.settle()

    assert updated.stamp.generation == 2
    assert updated.room_answer == "ACCEPTED"
    assert len(list(server.world.box(ROOM).folder("inbox"))) == before


def test_another_room_is_asked_and_the_first_is_freed(server, port):
    server.room("r205@syncd.test", "Lokale 2.05")
    entry = port.create(box(), draft(room=Resource(ROOM, "Lokale 2.04", invited=True)))
    server.settle()
    [current] = port.find(box(), entry.uid)

    port.update(box(), current, draft(generation=2, room=Resource("r205@syncd.test", "Lokale 2.05", invited=True)))
    server.settle()

    assert shown(server, ROOM) == []
    assert shown(server, "r205@syncd.test") == [at(9)]
    [changed] = port.find(box(), entry.uid)
    assert changed.rooms == (("r205@syncd.test", "ACCEPTED"),)


# 11


def test_a_refused_password_is_an_error_of_its_own_and_not_tried_for_every_mailbox(server, port):
    rule = server.faults.add("unauthorized")

    for address in (ANNA, BO, ANNA):
        with pytest.raises(AccessDenied, match="password"):
            read(port, box(address))

    assert rule.met == 1


def test_a_wrong_password_is_refused_by_ntlm(server, ports):
    with pytest.raises(AccessDenied, match="NTLM"):
        read(ports(auth="ntlm", username="DOM\\svc", password="forkert"))


# And what else servers do


def test_a_missing_role_names_the_cmdlet(server, port):
    server.world.accounts["svc"].impersonates = False

    result = port.check(box())

    assert not result.ok
    assert "New-ManagementRoleAssignment" in result.says
    assert "ApplicationImpersonation" in result.says


def test_a_delegate_reads_and_writes_without_impersonation(server, ports):
    server.world.accounts["svc"].impersonates = False
    server.world.accounts["svc"].full_access = ("*",)
    port = ports(impersonate=False)

    entry = port.create(box(), draft())

    assert read(port) == [at(9)]
    port.delete(box(), entry)
    assert read(port) == []
    assert port.check(box()).facts["acting"] == "delegate"


def test_a_throttled_check_names_the_throttling_policy(server, port):
    server.faults.add("busy", times=1)

    assert "New-ThrottlingPolicy" in port.check(box()).says


def test_a_login_page_is_no_calendar(server, port):
    server.faults.add("garbled", "SyncFolderItems", text="<html><form action=login></form></html>")
    server.faults.add("http", "GetFolder", status=302)

    with pytest.raises((NotACalendar, Transient)):
        read(port)
    assert "/EWS/" in port.check(box()).says or "Get-WebServicesVirtualDirectory" in port.check(box()).says


def test_a_mailbox_on_the_move_is_tried_again_later(server, port):
    server.faults.add("mailbox_move", times=1)

    with pytest.raises(Transient):
        read(port)
    assert read(port) == []


def test_a_kept_connection_that_the_server_closed_costs_nothing(server, port):
    read(port)
    server.faults.add("drop", "SyncFolderItems", times=1)

    assert read(port) == []


def test_members_of_a_group_come_with_those_of_groups_inside_it(server, port):
    server.world.groups["job@syncd.test"] = (Address("job@syncd.test", "Job"), [ANNA, "unge@syncd.test"])
    server.world.groups["unge@syncd.test"] = (Address("unge@syncd.test", "Unge"), [BO, "job@syncd.test"])

    assert [member.address for member in port.expand_group("job@syncd.test")] == [ANNA, BO]
    with pytest.raises(CalendarError):
        port.expand_group("nobody@syncd.test")


def _attempt(work: Callable[[], object]) -> None:
    with contextlib.suppress(CalendarError):
        work()
