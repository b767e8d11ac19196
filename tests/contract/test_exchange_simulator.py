"""The simulated Exchange server as exchangelib and Microsoft's schemas see it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from exchangelib import (
    IMPERSONATION,
    Account,
    Attendee,
    CalendarItem,
    Configuration,
    Credentials,
    EWSTimeZone,
    Mailbox,
)
from exchangelib.errors import (
    ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange,
    ErrorCalendarOccurrenceIsDeletedFromRecurrence,
    ErrorImpersonateUserDenied,
    ErrorInvalidSyncStateData,
    ErrorIrresolvableConflict,
    ErrorItemNotFound,
    ErrorMailRecipientNotFound,
    ErrorOccurrenceCrossingBoundary,
    ErrorServerBusy,
    ErrorSubscriptionNotFound,
    ErrorTimeIntervalTooBig,
    ErrorTimeoutExpired,
    UnauthorizedError,
)
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY
from exchangelib.protocol import FailFast

from tests.contract.exchange_client import ANNA, BO, PASSWORD, ROOM, USER, account_of, at, house, plain, utc
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Address
from tests.servers.exchange.recurrence import Recurrence

UTC_ZONE = EWSTimeZone("UTC")


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with house() as running:
        yield running


@pytest.fixture
def anna(server: ExchangeServer) -> Account:
    return account_of(server)


def test_a_meeting_is_created_with_a_room_that_accepts_it(server, anna):
    item = CalendarItem(
        account=anna, folder=anna.calendar, subject="Samtale", start=at(9), end=at(10), body="Hej",
        categories=["Selvbooking"], sensitivity="Private", location="Lokale 1",
        resources=[Attendee(mailbox=Mailbox(email_address=ROOM))],
    )  # fmt: skip
    item.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    server.settle()

    [seen] = anna.calendar.view(at(0), at(24), max_items=100)
    assert (seen.subject, seen.start, seen.end, seen.sensitivity) == ("Samtale", at(9), at(10), "Private")
    assert seen.resources[0].response_type == "Accept"
    [room] = server.outlook.calendar(ROOM, at(0), at(24))
    assert (room.values["Subject"], room.entry.uid, room.busy) == ("Anna Holm", seen.uid, True)


def weekly(server: ExchangeServer, email: str = ANNA, times: int | None = 6, **more) -> str:
    """A series on Mondays at 9 Danish time, an hour long."""
    series = Recurrence("Weekly", date(2026, 11, 30), days=("Monday",), times=times, first_day="Monday")
    return server.outlook.book(email, utc(8), utc(9), recurrence=series, Subject="Teammøde", **more)


def starts(account: Account, first: int = 0, last: int = 60) -> list[datetime]:
    view = account.calendar.view(at(0, first), at(0, last), max_items=100).only("start")
    return [plain(item.start) for item in view]


def test_a_view_expands_a_series_and_everything_else_lists_its_master(server, anna):
    weekly(server)

    seen = list(anna.calendar.view(at(0), at(0, 20), max_items=10).only("subject", "start", "type", "recurrence_id"))

    assert [one.type for one in seen] == ["Occurrence"] * 3
    assert [one.start for one in seen] == [at(8), at(8, 7), at(8, 14)]
    assert [one.type for one in anna.calendar.all().only("type")] == ["RecurringMaster"]
    [master] = anna.calendar.all()
    assert master.recurrence.pattern.weekdays == [1]
    assert (master.first_occurrence.start, master.last_occurrence.start) == (at(8), at(8, 35))


def test_a_series_keeps_its_wall_clock_when_clocks_change(server, anna):
    series = Recurrence("Daily", date(2027, 3, 26), times=4)
    begin = datetime(2027, 3, 26, 8, tzinfo=UTC)
    server.outlook.book(ANNA, begin, begin + timedelta(hours=1), recurrence=series)

    view = anna.calendar.view(at(0, 100), at(0, 130), max_items=10).only("start")

    assert [one.start.astimezone(UTC_ZONE).hour for one in view] == [8, 8, 7, 7]


def test_moved_and_deleted_dates_are_exceptions_of_the_master(server, anna):
    uid = weekly(server)
    server.outlook.move(ANNA, uid, utc(12, 8), original=utc(8, 7))
    server.outlook.delete(ANNA, uid, original=utc(8, 14))

    assert starts(anna) == [utc(8), utc(12, 8), utc(8, 21), utc(8, 28), utc(8, 35)]
    [master] = anna.calendar.all()
    assert [(one.start, one.original_start) for one in master.modified_occurrences] == [(at(12, 8), at(8, 7))]
    assert [one.start for one in master.deleted_occurrences] == [at(8, 14)]
    [moved] = anna.calendar.view(at(0, 8), at(0, 9), max_items=5).only("type", "original_start", "recurrence_id")
    assert (moved.type, moved.original_start) == ("Exception", at(8, 7))


def test_an_occurrence_has_an_index_that_counts_deleted_ones(server, anna):
    uid = weekly(server)
    server.outlook.delete(ANNA, uid, original=utc(8, 7))
    [master] = anna.calendar.all()
    third = master.occurrence(index=3)
    third.refresh()

    assert third.start == at(8, 14)
    with pytest.raises(ErrorCalendarOccurrenceIsDeletedFromRecurrence):
        master.occurrence(index=2).refresh()
    with pytest.raises(ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange):
        master.occurrence(index=7).refresh()


def test_a_changed_pattern_forgets_exceptions(server, anna):
    uid = weekly(server)
    server.outlook.move(ANNA, uid, utc(12, 8), original=utc(8, 7))
    server.outlook.change_series(ANNA, uid, days=("Tuesday",), times=2)

    assert starts(anna) == [utc(8, 1), utc(8, 8)]


def test_an_occurrence_cannot_pass_its_neighbour(server, anna):
    weekly(server)
    [second] = anna.calendar.view(at(0, 7), at(0, 8), max_items=5).only("start", "end")
    second.start, second.end = at(8, 14), at(9, 14)

    with pytest.raises(ErrorOccurrenceCrossingBoundary):
        second.save(update_fields=["start", "end"], send_meeting_invitations="SendToNone")


def test_sync_tells_what_changed_since_the_state_and_pages(server, anna):
    uids = [server.outlook.book(ANNA, utc(8, day), utc(9, day)) for day in range(5)]
    first = list(anna.calendar.sync_items(only_fields=[], max_changes_returned=2))
    state = anna.calendar.item_sync_state
    server.outlook.delete(ANNA, uids[0])
    server.outlook.move(ANNA, uids[1], utc(11))
    server.outlook.delete(ANNA, server.outlook.book(ANNA, utc(8), utc(9)))

    second = list(anna.calendar.sync_items(sync_state=state, only_fields=[]))
    third = list(anna.calendar.sync_items(only_fields=[]))

    assert [kind for kind, _ in first] == ["create"] * 5
    assert sorted(kind for kind, _ in second) == ["delete", "update"]
    assert third == []


def test_an_expired_sync_state_is_refused_in_both_forms(server, anna):
    list(anna.calendar.sync_items(only_fields=[]))
    state = anna.calendar.item_sync_state
    server.world.box(ANNA).sync_epoch += 1

    with pytest.raises(ErrorInvalidSyncStateData):
        list(anna.calendar.sync_items(sync_state=state, only_fields=[]))
    server.faults.add("sync_expired", value="omit")
    with pytest.raises(AttributeError):
        # exchangelib wants a state even in an error
        list(anna.calendar.sync_items(sync_state=None, only_fields=[]))


def test_a_stale_change_key_is_a_conflict(server, anna):
    uid = server.outlook.book(ANNA, utc(8), utc(9))
    [mine] = anna.calendar.view(at(0), at(24), max_items=5).only("subject", "start", "end", "changekey")
    server.outlook.change(ANNA, uid, Subject="Anden")
    mine.subject = "Min"

    with pytest.raises(ErrorIrresolvableConflict):
        mine.save(
            update_fields=["subject"], conflict_resolution="NeverOverwrite", send_meeting_invitations="SendToNone"
        )
    with pytest.raises(ErrorIrresolvableConflict):
        mine.save(update_fields=["subject"], send_meeting_invitations="SendToNone")
    mine.save(update_fields=["subject"], conflict_resolution="AlwaysOverwrite", send_meeting_invitations="SendToNone")
    entry = server.outlook.entry(ANNA, uid)
    assert entry
    assert entry.values["Subject"] == "Min"


class SyncKey(ExtendedProperty):
    property_set_id: Any = "c11ff724-aa03-4555-9952-8fa248a11c3e"
    property_name: Any = "syncd-key"
    property_type = "String"


def test_an_extended_property_is_kept_and_searched_for(server, anna):
    CalendarItem.register("sync_key", SyncKey)
    try:
        for key in ("k1", "k2"):
            CalendarItem(account=anna, folder=anna.calendar, start=at(8), end=at(9), sync_key=key).save()
        [found] = anna.calendar.filter(sync_key="k2").only("sync_key", "start")
        assert found.sync_key == "k2"
        found.sync_key = None
        found.save(update_fields=["sync_key"])
        assert not list(anna.calendar.filter(sync_key="k2"))
    finally:
        CalendarItem.deregister("sync_key")


def test_free_busy_is_told_in_the_clock_of_the_request(server, anna):
    server.outlook.book(ANNA, utc(8), utc(9), Subject="Hemmeligt")
    weekly(server, BO)

    accounts = [(one, "Required", False) for one in (ANNA, BO, "nobody@byhavn.example")]
    views = list(anna.protocol.get_free_busy_info(accounts=accounts, start=at(0), end=at(0, 8)))

    assert [(event.start, event.busy_type) for event in views[0].calendar_events] == [(at(8), "Busy")]
    assert [event.start for event in views[1].calendar_events] == [at(8), at(8, 7)]
    assert isinstance(views[2], ErrorMailRecipientNotFound)
    with pytest.raises(ErrorTimeIntervalTooBig):
        list(anna.protocol.get_free_busy_info(accounts=accounts[:1], start=at(0), end=at(0, 43)))


def test_rooms_groups_and_names_come_from_the_directory(server, anna):
    server.world.room_lists["rum@byhavn.example"] = (Address("rum@byhavn.example", "Rum"), [ROOM])
    server.world.groups["job@byhavn.example"] = (Address("job@byhavn.example", "Job"), [ANNA, BO])

    [room_list] = anna.protocol.get_roomlists()
    assert room_list.email_address == "rum@byhavn.example"
    assert [room.email_address for room in anna.protocol.get_rooms(room_list.email_address)] == [ROOM]
    assert [one.email_address for one in anna.protocol.expand_dl("job@byhavn.example")] == [ANNA, BO]
    assert [one.email_address for one in anna.protocol.resolve_names(["Bo Kj"])] == [BO]
    assert anna.protocol.get_timezones()


def test_the_category_list_is_kept(server, anna):
    xml = b"<categories/>"
    with pytest.raises(ErrorItemNotFound):
        anna.calendar.get_user_configuration("CategoryList")
    anna.calendar.create_user_configuration(name="CategoryList", xml_data=xml)
    anna.calendar.update_user_configuration(name="CategoryList", xml_data=xml + b" ")
    assert anna.calendar.get_user_configuration("CategoryList").xml_data == xml + b" "


@pytest.mark.parametrize("auth", ["basic", "NTLM"])
def test_passwords_are_checked_by_basic_and_ntlm(server, auth):
    assert account_of(server, auth=auth).calendar.total_count == 0
    with pytest.raises(UnauthorizedError):
        assert account_of(server, auth=auth, password="forkert").calendar.total_count


def test_without_a_hint_the_client_finds_out_how_to_log_in(server):
    credentials = Credentials(USER, PASSWORD)
    config = Configuration(service_endpoint=server.url, credentials=credentials, retry_policy=FailFast())
    account = Account(ANNA, config=config, access_type=IMPERSONATION, autodiscover=False, default_timezone=UTC_ZONE)

    assert account.calendar.total_count == 0
    assert account.protocol.auth_type == "NTLM"
    assert str(account.version.build) == "15.2.1544.4"


def test_nobody_impersonates_without_the_role(server):
    server.world.accounts["svc"].impersonates = False
    with pytest.raises(ErrorImpersonateUserDenied):
        assert account_of(server).calendar


def test_a_room_declines_what_its_policy_forbids(server, anna):
    server.outlook.book(ROOM, utc(8), utc(9))
    server.outlook.book(ANNA, utc(8), utc(9), rooms=(ROOM,))
    server.outlook.book(ANNA, utc(10), utc(12), rooms=(ROOM,))
    server.world.box(ROOM).policy.max_minutes = 60
    server.outlook.book(ANNA, utc(13), utc(15), rooms=(ROOM,))
    server.settle()

    seen = anna.calendar.view(at(0), at(24), max_items=10)
    assert [one.resources[0].response_type for one in seen] == ["Decline", "Accept", "Decline"]
    assert [one.start for one in server.outlook.calendar(ROOM, utc(0), utc(24))] == [utc(8), utc(10)]


def test_a_room_follows_a_moved_meeting_and_is_freed_by_a_cancelled_one(server, anna):
    uid = server.outlook.book(ANNA, utc(8), utc(9), rooms=(ROOM,))
    server.settle()
    server.outlook.move(ANNA, uid, utc(13))
    server.settle()
    moved = [one.start for one in server.outlook.calendar(ROOM, utc(0), utc(24))]
    [mine] = anna.calendar.view(at(0), at(24), max_items=10)
    mine.cancel()
    server.settle()

    assert moved == [utc(13)]
    assert server.outlook.calendar(ROOM, utc(0), utc(24)) == []
    assert server.outlook.calendar(ANNA, utc(0), utc(24)) == []


def test_streaming_tells_what_changes(server):
    server.minute = 0.5
    anna = account_of(server)
    subscription = anna.calendar.subscribe_to_streaming()
    threading.Timer(0.1, lambda: server.outlook.book(ANNA, utc(8), utc(9))).start()

    events = [
        type(event).__name__
        for notification in anna.calendar.get_streaming_events(subscription, connection_timeout=1)
        for event in notification.events
    ]

    assert events == ["CreatedEvent"]
    anna.calendar.unsubscribe(subscription)
    with pytest.raises(ErrorSubscriptionNotFound):
        list(anna.calendar.get_streaming_events(subscription, connection_timeout=1))


def test_an_answer_lost_after_the_commit_is_done_all_the_same(server, anna):
    assert anna.calendar
    server.faults.add("lose", "CreateItem", times=1)

    with pytest.raises(ErrorTimeoutExpired):
        CalendarItem(account=anna, folder=anna.calendar, start=at(8), end=at(9)).save()

    assert len(server.outlook.calendar(ANNA, utc(0), utc(24))) == 1


def test_a_busy_server_names_the_time_to_wait_for_one_mailbox_only(server, anna):
    bo = account_of(server, BO)
    assert anna.calendar
    assert bo.calendar
    # exchangelib reads the hint from a fault only; elsewhere it falls back on its own ten seconds
    for http, wait in ((500, 2.5), (200, 10)):
        server.faults.add("busy", "FindItem", ANNA, times=1, back_off_ms=2500, http=http)
        with pytest.raises(ErrorServerBusy) as caught:
            list(anna.calendar.view(at(0), at(24), max_items=5))
        assert caught.value.back_off == wait
        assert list(bo.calendar.view(at(0), at(24), max_items=5)) == []
