"""Rooms of the simulated server: invited, answering or not, followed and freed, as Set-CalendarProcessing says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from exchangelib import Account, Attendee, CalendarItem, Mailbox
from exchangelib.errors import ErrorCalendarIsNotOrganizer

from tests.contract.exchange_client import ANNA, BO, ROOM, account_of, at, house, plain, utc
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import Recurrence
from tests.servers.exchange.world import RoomPolicy

OTHER = "lokale-2@byhavn.example"
ALL = "SendToAllAndSaveCopy"


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with house() as running:
        running.room(OTHER, "Lokale 2")
        yield running


@pytest.fixture
def anna(server: ExchangeServer) -> Account:
    return account_of(server)


def policy(server: ExchangeServer, room: str = ROOM) -> RoomPolicy:
    found = server.world.box(room).policy
    assert found is not None
    return found


def answers(server: ExchangeServer, email: str = ANNA) -> list[list[str]]:
    """For each entry of the first day, in order, what the invited answered."""
    seen = server.outlook.calendar(email, utc(0), utc(24))
    return [[one.response for one in entry.attendees] for entry in seen]


def taken(server: ExchangeServer, room: str = ROOM, days: int = 60) -> list[object]:
    return [one.start for one in server.outlook.calendar(room, utc(0), utc(0, days))]


def meeting(anna: Account, hour: float = 8, *rooms: str) -> CalendarItem:
    invited = [Attendee(mailbox=Mailbox(email_address=room)) for room in rooms or (ROOM,)]
    item = CalendarItem(
        account=anna, folder=anna.calendar, subject="Samtale", start=at(hour), end=at(hour + 1), resources=invited
    )
    item.save(send_meeting_invitations=ALL)
    return item


def test_until_the_attendant_has_answered_the_organiser_knows_nothing(server, anna):
    policy(server).delay = 0.3
    meeting(anna)

    before, calendar = answers(server), taken(server)
    server.settle()

    assert (before, calendar) == ([["Unknown"]], [])
    assert (answers(server), taken(server)) == ([["Accept"]], [utc(8)])


def test_an_answer_is_a_change_of_the_organisers_item(server, anna):
    policy(server).delay = 0.2
    meeting(anna)
    list(anna.calendar.sync_items(only_fields=[]))
    server.settle()

    assert [kind for kind, _ in anna.calendar.sync_items(only_fields=[])] == ["update"]
    assert [
        one.values["Subject"] for one in server.world.box(ANNA).folder("inbox") if one.kind == "MeetingResponse"
    ] == ["Accepted: Samtale"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [({"processing": "AutoUpdate"}, ["Tentative"]), ({"silent": True}, []), ({"processing": "None"}, [])],
)
def test_some_rooms_never_answer(server, anna, settings, shown):
    for key, value in settings.items():
        setattr(policy(server), key, value)
    meeting(anna)
    server.settle()

    assert answers(server) == [["Unknown"]]
    room = server.outlook.calendar(ROOM, utc(0), utc(24))
    assert [one.values["LegacyFreeBusyStatus"] for one in room] == shown


def test_of_two_organisers_the_first_gets_the_room(server):
    policy(server).delay = 0.1
    for email in (BO, ANNA):
        meeting(account_of(server, email))
    server.settle()

    assert (answers(server, BO), answers(server, ANNA)) == ([["Accept"]], [["Decline"]])
    assert taken(server) == [utc(8)]


def test_the_rooms_entry_shows_the_organiser_and_hides_the_rest(server, anna):
    item = CalendarItem(
        account=anna, folder=anna.calendar, subject="Hemmeligt", body="Mere", sensitivity="Private", start=at(8),
        end=at(9), categories=["Selvbook"], resources=[Attendee(mailbox=Mailbox(email_address=ROOM))],
    )  # fmt: skip
    item.save(send_meeting_invitations=ALL)

    [seen] = account_of(server, ROOM).calendar.view(at(0), at(24), max_items=5)

    assert (seen.subject, seen.text_body or "", seen.sensitivity, seen.categories) == ("Anna Holm", "", "Normal", None)
    item.refresh()
    assert (seen.my_response_type, seen.organizer.email_address, seen.uid) == ("Accept", ANNA, item.uid)


def test_a_declined_move_frees_the_old_time_too(server, anna):
    item = meeting(anna)
    server.outlook.book(ROOM, utc(13), utc(14))
    item.refresh()
    item.start, item.end = at(13), at(14)
    item.save(update_fields=["start", "end"], send_meeting_invitations=ALL)

    assert answers(server) == [["Decline"]]
    assert taken(server) == [utc(13)]


def test_without_being_told_a_room_stays_where_it_was(server, anna):
    item = meeting(anna)
    item.refresh()
    item.start, item.end = at(13), at(14)
    item.save(update_fields=["start", "end"], send_meeting_invitations="SendToNone")

    assert (answers(server), taken(server)) == ([["Accept"]], [utc(8)])


def test_another_room_is_asked_and_the_first_is_told_that_it_is_not_needed(server, anna):
    item = meeting(anna)
    item.refresh()
    setattr(item, "resources", [Attendee(mailbox=Mailbox(email_address=OTHER))])  # noqa: B010 - no type knows it
    item.save(update_fields=["resources"], send_meeting_invitations="SendToChangedAndSaveCopy")

    assert answers(server) == [["Accept"]]
    assert (taken(server), taken(server, OTHER)) == ([], [utc(8)])


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_cancelled_meeting_leaves_the_room(server, anna, how):
    item = meeting(anna)
    item.refresh()
    item.cancel() if how == "cancel" else item.delete(send_meeting_cancellations=ALL)

    assert (taken(server), answers(server)) == ([], [])


def test_a_quietly_deleted_meeting_stays_in_the_room(server, anna):
    item = meeting(anna)
    item.delete(send_meeting_cancellations="SendToNone")

    assert taken(server) == [utc(8)]


def test_only_the_organiser_cancels(server, anna):
    meeting(anna)
    [room] = account_of(server, ROOM).calendar.view(at(0), at(24), max_items=5)

    with pytest.raises(ErrorCalendarIsNotOrganizer):
        room.cancel()


def weekly(server: ExchangeServer, times: int | None = 4) -> str:
    series = Recurrence("Weekly", date(2026, 11, 30), days=("Monday",), times=times)
    return server.outlook.book(ANNA, utc(8), utc(9), recurrence=series, rooms=(ROOM,))


def test_a_series_is_taken_whole_or_not_at_all(server):
    server.outlook.book(ROOM, utc(8, 14), utc(9, 14))
    weekly(server)
    whole = answers(server), taken(server)
    policy(server).conflict_percentage = 25
    weekly(server)

    assert whole == ([["Decline"]], [utc(8, 14)])
    assert answers(server) == [["Decline"], ["Accept"]]
    assert taken(server) == [utc(8, day) for day in (0, 7, 14, 21)]


def test_an_endless_series_runs_past_the_booking_window(server):
    weekly(server, times=None)
    declined = answers(server)
    policy(server).enforce_horizon = False
    weekly(server, times=None)

    assert (declined, answers(server)) == ([["Decline"]], [["Decline"], ["Accept"]])


def test_one_date_of_a_series_moves_and_goes_in_the_room_too(server):
    uid = weekly(server)
    server.outlook.move(ANNA, uid, utc(12, 7), original=utc(8, 7))
    server.outlook.delete(ANNA, uid, original=utc(8, 14))

    assert taken(server) == [utc(8), utc(12, 7), utc(8, 21)]


def test_a_room_can_be_invited_to_one_date_of_a_series(server, anna):
    server.outlook.book(ANNA, utc(8), utc(9), recurrence=Recurrence("Daily", date(2026, 11, 30), times=3))
    [second] = anna.calendar.view(at(0, 1), at(0, 2), max_items=5)
    second.resources = [Attendee(mailbox=Mailbox(email_address=ROOM))]
    second.save(update_fields=["resources"], send_meeting_invitations=ALL)

    shown = [[one.response for one in seen.attendees] for seen in server.outlook.calendar(ANNA, utc(0), utc(0, 3))]
    assert (taken(server), shown) == ([utc(8, 1)], [[], ["Accept"], []])


@pytest.mark.parametrize(
    ("settings", "day", "reason"),
    [
        ({"booking_window_days": 1}, 0, "days ahead"),
        ({"max_minutes": 30}, 0, "longer than 30 minutes"),
        ({"only_work_hours": True}, 5, "working hours"),
        ({"book_in_policy": (BO,)}, 0, "permission"),
    ],
)
def test_a_policy_says_no_and_why(server, settings, day, reason):
    for key, value in settings.items():
        setattr(policy(server), key, value)
    server.outlook.book(ANNA, utc(8, day), utc(9, day), rooms=(ROOM,))

    [answer] = [one for one in server.world.posted if one["kind"] == "response"]
    assert answer["answer"] == "Decline"
    assert reason in answer["reason"]


def test_a_delegate_declines_by_hand_and_people_answer(server):
    uid = server.outlook.book(ANNA, utc(8), utc(9), rooms=(ROOM,), people=(BO,))
    server.outlook.answer(BO, uid, "Tentative")
    server.outlook.answer(ROOM, uid, "Decline")

    entry = server.outlook.entry(ANNA, uid)
    assert entry
    assert {one.address.email: one.response for one in entry.attendees} == {ROOM: "Decline", BO: "Tentative"}
    assert taken(server) == []


def test_somebody_invited_finds_the_request_and_a_cancelled_meeting_stays_marked(server):
    uid = server.outlook.book(ANNA, utc(8), utc(9), people=(BO,), Subject="Møde")
    bo = account_of(server, BO)
    [request] = bo.inbox.all()
    [mine] = bo.calendar.view(at(0), at(24), max_items=5)
    mine.accept()
    server.outlook.delete(ANNA, uid)
    [cancelled] = bo.calendar.view(at(0), at(24), max_items=5).only("subject", "is_cancelled", "start")

    assert (request.subject, mine.my_response_type, plain(mine.start)) == ("Møde", "NoResponseReceived", utc(8))
    assert (cancelled.subject, cancelled.is_cancelled) == ("Canceled: Møde", True)


def test_a_room_may_hide_who_organised_it_too(server, anna):
    policy(server).organizer_in_subject = False

    meeting(anna)
    server.settle()

    assert [seen.values["Subject"] for seen in server.outlook.calendar(ROOM, utc(0), utc(0, 10))] == [""]
