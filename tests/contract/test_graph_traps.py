"""Every complaint that people have about programs over Graph, as a test of ours (reference/graph.md, last table)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.adapters.graph.ours import CLOSED, Copies
from syncd.adapters.graph.schedule import free
from syncd.errors import (
    AccessDenied,
    CalendarError,
    EntryRemoved,
    OutcomeUnknown,
    Rejected,
    TokenExpired,
    Transient,
    VersionConflict,
)
from syncd.model.busy import BusyType
from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Resource
from syncd.model.interval import Interval
from syncd.model.zones import whole_days
from syncd.observe.metrics import GRAPH_DRIFT, GRAPH_TEAMS_MISSING
from tests.contract.calendar_contract import LATER, WINDOW, at, draft
from tests.contract.mirror import Mirror
from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import weekly
from tests.servers.graph.wire import GraphError
from tests.servers.graph.world import RoomPolicy

ZONE = "Europe/Copenhagen"
ANNA, ROOM, OTHER = "anna@byhavn.example", "r204@byhavn.example", "r205@byhavn.example"
INVITED = Resource(ROOM, "Lokale 2.04", invited=True)
FIRST = date(2026, 11, 30)


class Scene:
    """Anna's calendar, her program, and what it holds of it."""

    def __init__(self, graph: GraphServer) -> None:
        self.graph = graph
        self.outlook = graph.outlook
        account = GraphAccount(
            "main", "t", "app-1", (Credential(secret="s"),), graph.base, graph.base, page=50, teams=True
        )
        self.port = GraphCalendar(account, obeyed=("Selvbook", "Udeblevet"))
        self.anna = Mailbox("anna", MailboxKind.PERSON, "main", ANNA, ZONE)
        self.room = Mailbox("r204", MailboxKind.ROOM, "main", ROOM, ZONE, invited=True)
        self.mirror = Mirror()

    def follow(self, **more: Any) -> Any:
        return self.mirror.follow(self.port, self.anna, WINDOW, **more)

    def book(self, hour: int, day: int = 0, **more: Any) -> Any:
        return self.outlook.book(ANNA, at(hour, day).start, at(hour, day).end, **more)

    def series(self, times: int = 4, **more: Any) -> Any:
        return self.book(8, recurrence=weekly(FIRST, times), **more)

    @property
    def times(self) -> list[Interval]:
        return self.mirror.times(WINDOW)

    @property
    def events(self) -> list[Any]:
        return [*self.graph.world.box(ANNA).events.values()]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as graph:
        graph.door.application("app-1", secret="s")
        graph.mailbox(ANNA, "Anna")
        graph.room(ROOM, "Lokale 2.04")
        made = Scene(graph)
        yield made
        made.port.close()
        assert graph.validator is not None
        assert graph.validator.violations == []


# Recurring meetings do not block


def test_a_recurring_meeting_blocks_on_each_of_its_dates_as_its_series_says(scene: Scene):
    scene.series(showAs="oof")

    scene.follow()

    assert scene.times == [at(8, 7 * week) for week in range(4)]
    assert {one.busy for one in scene.mirror.busy(WINDOW)} == {BusyType.OUT_OF_OFFICE}


def test_the_series_itself_takes_no_time_though_it_has_a_start(scene: Scene):
    long_ago = WINDOW.start - timedelta(days=700)
    rule = weekly((long_ago + timedelta(hours=9)).date(), interval=60)
    scene.outlook.book(ANNA, long_ago + timedelta(hours=9), long_ago + timedelta(hours=10), recurrence=rule)

    scene.follow()

    assert scene.mirror.times(Interval(long_ago, WINDOW.end)) == scene.times
    assert len(scene.times) <= 1


# Old occurrences stay after a series moved


def test_a_moved_series_leaves_nothing_behind_and_comes_once(scene: Scene):
    series = scene.series()
    scene.follow()
    scene.outlook.move_series(series, at(8, 1).start, at(8, 1).end, weekly(date(2026, 12, 1), 4))

    scene.follow()

    assert scene.times == [at(8, 7 * week + 1) for week in range(4)]
    assert len(scene.mirror.groups) == 1


def test_a_series_made_of_a_single_event_and_back_comes_once(scene: Scene):
    event = scene.book(8)
    scene.follow()
    event.recurrence = weekly(FIRST, 2)
    scene.outlook.change(event)
    scene.follow()
    assert scene.times == [at(8), at(8, 7)]

    event.recurrence = None
    scene.outlook.change(event)
    scene.follow()
    assert scene.times == [at(8)]


# Deleted single occurrence still blocks


def test_a_deleted_date_is_free_after_the_next_poll(scene: Scene):
    series = scene.series()
    scene.follow()
    scene.outlook.drop(series, date(2026, 12, 7))

    scene.follow()

    assert scene.times == [at(8), at(8, 14), at(8, 21)]


def test_time_is_not_free_because_a_round_left_some_dates_out(scene: Scene):
    series = scene.series(times=4)
    scene.follow()
    for _ in range(4):
        scene.graph.faults.add("partial", "delta", times=1)
        scene.outlook.change(series, subject="x")
        scene.follow()
        assert scene.times == [at(8, 7 * week) for week in range(4)]


def test_a_new_series_whose_round_leaves_dates_out_is_taken_whole(scene: Scene):
    scene.follow()
    scene.graph.world.dice.seed(1)
    scene.graph.faults.add("partial", "delta", times=1)
    scene.series(times=4)

    scene.follow()

    assert scene.times == [at(8, 7 * week) for week in range(4)]


def test_a_date_called_off_is_free_and_the_rest_is_not(scene: Scene):
    series = scene.series(times=2)
    scene.follow()
    scene.outlook.change(series, FIRST, isCancelled=True)

    scene.follow()

    assert scene.times == [at(8, 7)]


def test_a_deleted_series_frees_all_its_dates_though_its_tombstone_names_the_series_alone(scene: Scene):
    series = scene.series()
    scene.book(12)
    scene.follow()
    scene.outlook.delete(ANNA, series)

    told = scene.follow()

    assert scene.times == [at(12)]
    assert len(told.gone) == 1


def test_a_tombstone_of_something_never_seen_says_nothing(scene: Scene):
    scene.book(9)
    scene.follow()
    away = scene.book(9, 900)
    scene.outlook.change(away, start=at(9, 901).start, end=at(9, 901).end)
    scene.outlook.delete(ANNA, scene.book(10))

    told = scene.follow()

    assert (told.gone, told.groups) == ((), ())
    assert scene.times == [at(9)]


# Duplicate events after a timeout


def test_a_create_whose_answer_was_lost_makes_one_event(scene: Scene):
    scene.graph.faults.add("lose", "create", times=1)
    with pytest.raises(OutcomeUnknown):
        scene.port.create(scene.anna, draft())

    entry = scene.port.create(scene.anna, draft())

    assert len(scene.events) == 1
    assert entry.stamp == draft().stamp


def test_what_a_search_finds_behind_an_empty_page_is_found(scene: Scene):
    entry = scene.port.create(scene.anna, draft())
    scene.events[0].values["transactionId"] = None  # it came from an Exchange server
    scene.graph.faults.add("empty_page", "find", times=2)

    assert scene.port.find(scene.anna, entry.uid) == (entry,)
    scene.graph.faults.add("empty_page", "find", times=1)
    assert scene.port.create(scene.anna, draft()).key == entry.key
    assert len(scene.events) == 1


def test_a_search_that_does_not_come_to_an_end_is_not_taken_for_an_empty_one(scene: Scene):
    scene.graph.faults.add("empty_page", "find")

    with pytest.raises(Transient, match="does not come to the end"):
        scene.port.find(scene.anna, draft().uid)


@pytest.mark.parametrize("repeated", [201, 409, 400])
def test_a_create_that_the_search_does_not_show_yet_is_known_by_its_transaction(scene: Scene, repeated: int):
    scene.graph.writer.repeated = repeated
    first = scene.port.create(scene.anna, draft())
    [event] = scene.events
    hidden, event.extended = event.extended, {}

    def found() -> Any:
        event.extended = hidden
        return scene.port.find(scene.anna, draft().uid)

    try:
        again = scene.port.create(scene.anna, draft())
        assert again.key == first.key
    except EntryRemoved:
        assert repeated != 201, "which is believed after a second look only, and that one finds it"
    assert len(scene.events) == 1
    assert [one.key for one in found()] == [first.key]


def test_an_entry_that_came_with_its_mailbox_from_an_exchange_server_is_known_as_ours(scene: Scene):
    entry = scene.port.create(scene.anna, draft())
    scene.events[0].values["transactionId"] = None  # EWS writes none

    scene.follow()
    scene.outlook.change(scene.events[0], start=at(11).start, end=at(11).end)
    scene.follow()

    [shown] = scene.mirror.busy(WINDOW)
    assert (shown.uid, shown.stamp, shown.interval) == (entry.uid, entry.stamp, at(11))


# Mass mails to attendees caused by a sync


@pytest.mark.parametrize("addressed", [False, True])
def test_a_change_that_changes_nothing_is_not_sent_and_nobody_is_mailed(scene: Scene, addressed: bool):
    scene.graph.writer.addressed = addressed
    entry = scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()
    posted = [*scene.graph.world.posted]
    [entry] = scene.port.find(scene.anna, entry.uid)

    for _ in range(5):
        scene.follow()
        entry = scene.port.update(scene.anna, entry, draft(room=INVITED))

    assert scene.graph.count("update") == 0
    assert scene.graph.world.posted == posted


def test_a_new_stamp_alone_mails_nobody_and_the_rooms_answer_stays(scene: Scene):
    scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()
    [entry] = scene.port.find(scene.anna, draft().uid)
    assert entry.rooms == ((ROOM, "ACCEPTED"),)
    posted = [*scene.graph.world.posted]

    entry = scene.port.update(scene.anna, entry, draft(room=INVITED, generation=2))

    assert scene.graph.world.posted == posted
    assert (entry.rooms, entry.stamp) == (((ROOM, "ACCEPTED"),), draft(generation=2).stamp)


def test_a_new_stamp_alone_is_all_that_is_sent_though_the_rooms_address_is_not_shown(scene: Scene):
    entry = scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()
    [event] = scene.events
    bo = {"type": "required", "emailAddress": {"address": "bo@byhavn.example", "name": "Bo"}}
    none = {"status": {"response": "none", "time": "0001-01-01T00:00:00Z"}}
    scene.outlook.change(event, attendees=[*event.values["attendees"], {**bo, **none}])
    [entry] = scene.port.find(scene.anna, entry.uid)

    scene.port.update(scene.anna, entry, draft(room=INVITED, generation=2))

    [patch] = [msgspec.json.decode(one.body) for one in scene.graph.seen if one.operation == "update"]
    assert [*patch] == ["singleValueExtendedProperties"]


def test_another_room_of_the_same_words_is_told_though_no_address_is_shown(scene: Scene):
    scene.graph.room(OTHER)
    entry = scene.port.create(scene.anna, draft(room=INVITED))

    scene.port.update(scene.anna, entry, draft(room=Resource(OTHER, "Lokale 2.04", invited=True), generation=2))

    [patch] = [msgspec.json.decode(one.body) for one in scene.graph.seen if one.operation == "update"]
    assert patch["location"]["locationEmailAddress"] == OTHER


def test_people_whom_somebody_invited_by_hand_stay_invited(scene: Scene):
    entry = scene.port.create(scene.anna, draft())
    [event] = scene.events
    bo = {"type": "required", "emailAddress": {"address": "bo@byhavn.example", "name": "Bo"}}
    scene.outlook.change(event, attendees=[{**bo, "status": {"response": "none", "time": "0001-01-01T00:00:00Z"}}])
    [entry] = scene.port.find(scene.anna, entry.uid)

    scene.port.update(scene.anna, entry, draft(room=INVITED, generation=2))

    shown = [(one["type"], one["emailAddress"]["address"]) for one in event.values["attendees"]]
    assert shown == [("required", "bo@byhavn.example"), ("resource", ROOM)]


# A 429/401 taken for "deleted"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttle", "retry_after": 0},
        {"kind": "unavailable", "retry_after": 0},
        *({"kind": "error", "status": status} for status in (400, 401, 403, 404, 409, 412, 423, 500, 504)),
        {"kind": "error", "status": 404, "code": "MailboxNotEnabledForRESTAPI"},
        {"kind": "error", "status": 404, "code": "ErrorInvalidUser"},
        {"kind": "drop"},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}{fault.get('code', '')}",
)
def test_no_refusal_is_taken_for_a_deletion(scene: Scene, fault: dict[str, Any]):
    entry = scene.port.create(scene.anna, draft())
    scene.book(12)
    scene.follow()
    held = dict(scene.mirror.groups)
    scene.graph.faults.add(fault.pop("kind"), "*", ANNA, times=9, **fault)

    for ask in (scene.follow, lambda: scene.port.find(scene.anna, entry.uid)):
        with pytest.raises(CalendarError):
            ask()

    assert scene.mirror.groups == held
    scene.graph.faults.clear()
    scene.port.client.gate.welcome()
    scene.follow()
    assert scene.times == [at(9), at(12)]


def test_an_entry_of_ours_is_gone_only_when_graph_has_no_such_event(scene: Scene):
    entry = scene.port.create(scene.anna, draft())
    scene.follow()
    [event] = scene.events
    scene.outlook.change(event, start=at(9, 99).start, end=at(9, 99).end)

    away = scene.follow()

    assert away.gone == ()
    assert [(one.key, one.occurrences) for one in away.groups] == [(entry.key, ())]
    scene.outlook.delete(ANNA, event)
    assert scene.follow().gone == (entry.key,)


def test_an_entry_of_ours_is_not_said_to_be_gone_while_that_cannot_be_asked(scene: Scene):
    scene.port.create(scene.anna, draft())
    scene.follow()
    scene.outlook.delete(ANNA, scene.events[0])
    scene.graph.faults.add("unavailable", "get", ANNA, times=1, retry_after=0)

    with pytest.raises(Transient):
        scene.follow()
    assert scene.times == [at(9)]
    scene.follow()
    assert scene.times == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "SyncStateNotFound"), (400, "SyncStateInvalid"), (404, "SyncStateNotFound"), (410, "resyncRequired")],
)
def test_a_history_that_is_lost_is_begun_anew(scene: Scene, status: int, code: str):
    scene.book(9)
    scene.follow()
    scene.graph.faults.add("expired", "delta", times=1, status=status, code=code)

    with pytest.raises(TokenExpired):
        scene.follow()
    scene.follow(full=True)

    assert scene.times == [at(9)]


# Time zones


def test_times_in_windows_zones_and_with_offsets_are_the_same_instants(scene: Scene):
    event = scene.book(9)
    for raw in (
        {"dateTime": "2026-11-30T10:00:00.0000000", "timeZone": "Romance Standard Time"},
        {"dateTime": "2026-11-30T10:00:00.0000000", "timeZone": "Europe/Copenhagen"},
        {"dateTime": "2026-11-30T10:00:00+01:00", "timeZone": "Pacific Standard Time"},
        {"dateTime": "2026-11-30T09:00:00.0000000", "timeZone": "UTC"},
    ):
        event.raw = {"start": raw}
        scene.outlook.change(event)
        scene.follow()
        assert scene.times == [at(9)]


def test_a_zone_that_nobody_knows_closes_the_calendar_and_spoils_no_other_event(scene: Scene):
    scene.book(9)
    scene.book(11).raw = {"end": {"dateTime": "2026-11-30T12:00:00", "timeZone": "tzone://Microsoft/Custom"}}

    delta = scene.follow()

    assert scene.times == [at(9)]
    assert [one.reason for one in delta.unreadable] == ["its time zone has no known name"]


def test_the_hour_that_comes_twice_is_written_in_utc_and_others_on_the_wall_clock(scene: Scene):
    night = Interval.at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 30)
    for uid, interval in (("night@syncd", night), ("day@syncd", at(9))):
        scene.port.create(scene.anna, draft(uid, interval))

    bodies = [msgspec.json.decode(one.body) for one in scene.graph.seen if one.operation == "create"]

    assert [one["start"] for one in bodies] == [
        {"dateTime": "2026-10-25T01:30:00", "timeZone": "UTC"},
        {"dateTime": "2026-11-30T10:00:00", "timeZone": "Europe/Copenhagen"},
    ]


# All-day events on the wrong day


@pytest.mark.parametrize("zone", ["UTC", "Pacific Standard Time", "tzone://Microsoft/Custom"])
def test_whole_days_are_dates_whatever_zone_stands_beside_them(scene: Scene, zone: str):
    event = scene.outlook.days(ANNA, date(2026, 12, 7), date(2026, 12, 9))
    event.raw = {
        "start": {"dateTime": "2026-12-07T00:00:00.0000000", "timeZone": zone},
        "end": {"dateTime": "2026-12-09T00:00:00.0000000", "timeZone": zone},
    }

    scene.follow()

    assert scene.times == [whole_days(date(2026, 12, 7), date(2026, 12, 8), ZONE)]


# Working elsewhere or tentative wrongly free or busy


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("free", BusyType.FREE),
        ("tentative", BusyType.TENTATIVE),
        ("busy", BusyType.BUSY),
        ("oof", BusyType.OUT_OF_OFFICE),
        ("workingElsewhere", BusyType.WORKING_ELSEWHERE),
        ("unknown", BusyType.BUSY),
        (None, BusyType.BUSY),
    ],
)
def test_each_kind_of_busy_is_kept_and_what_is_not_known_blocks(scene: Scene, said: str | None, expected: BusyType):
    scene.book(9, showAs=said)

    scene.follow()

    assert [one.busy for one in scene.mirror.busy(WINDOW)] == [expected]


# Private events leak


def test_nothing_of_anybodys_words_is_kept(scene: Scene):
    secret = "Læge, tlf. 12345678"
    body = {"contentType": "text", "content": secret}
    people = [{"type": "required", "emailAddress": {"address": "laege@klinik.example", "name": secret}}]
    scene.book(9, subject=secret, body=body, attendees=people, categories=["Privat", "Selvbook"])
    scene.series(subject=secret, location={"displayName": secret})

    delta = scene.follow()

    assert secret not in repr(delta)
    assert "klinik" not in repr(delta)
    assert [one.categories for one in scene.mirror.busy(WINDOW)].count(("Selvbook",)) == 1
    assert "Privat" not in repr(delta)


# Reschedule destroys the Teams link


def test_a_meeting_by_video_keeps_its_link_when_it_moves(scene: Scene):
    entry = scene.port.create(scene.anna, draft(online=True))
    [event] = scene.events
    link = event.values["onlineMeeting"]["joinUrl"]
    assert link

    scene.port.update(scene.anna, entry, draft(online=True, interval=at(13), generation=2, description="Andet"))

    assert event.values["onlineMeeting"]["joinUrl"] == link
    assert event.values["isOnlineMeeting"]
    assert event.values["start"] == at(13).start


def test_a_link_that_microsoft_did_not_make_is_counted(scene: Scene):
    before = GRAPH_TEAMS_MISSING._value.get()
    scene.graph.world.box(ANNA).teams = False

    scene.port.create(scene.anna, draft(online=True))

    assert GRAPH_TEAMS_MISSING._value.get() == before + 1


# What the documents promise of delta, and what it does


@pytest.mark.parametrize("kind", ["duplicate", "shuffle", "empty_page"])
def test_rows_twice_in_any_order_or_after_an_empty_page_are_one_round(scene: Scene, kind: str):
    scene.series()
    scene.book(11)
    scene.graph.faults.add(kind, "delta", times=9)

    scene.follow()

    assert scene.times == [at(8), at(11), at(8, 7), at(8, 14), at(8, 21)]


def test_a_round_that_breaks_off_leaves_everything_as_it_was(scene: Scene):
    for hour in range(8, 12):
        scene.book(hour)
    scene.port.client.account = paged(scene.port.client.account, 2)
    scene.graph.faults.add("unavailable", "delta", times=1, skip=1, retry_after=0)

    with pytest.raises(Transient):
        scene.follow()
    assert (scene.mirror.groups, scene.mirror.since) == ({}, None)
    scene.follow()
    assert len(scene.times) == 4


def test_a_link_of_a_round_that_leads_to_another_server_is_not_followed(scene: Scene):
    scene.book(9)
    scene.follow()
    assert scene.mirror.since is not None
    token = (scene.mirror.since.token or "").replace(scene.graph.base, "https://evil.example")
    scene.mirror.since = Since(token, WINDOW)

    with pytest.raises(Rejected, match="another server"):
        scene.follow()


def test_every_page_wants_lasting_ids(scene: Scene):
    for hour in range(8, 12):
        scene.book(hour)
    scene.port.client.account = paged(scene.port.client.account, 1)

    scene.follow()

    asked = [one.headers["prefer"] for one in scene.graph.seen if one.operation == "delta"]
    assert len(asked) == 4
    assert all('IdType="ImmutableId"' in one and 'outlook.timezone="UTC"' in one for one in asked)


def test_a_window_beyond_what_was_read_is_read_anew(scene: Scene):
    scene.book(9, day=100)
    scene.follow()
    far = Interval(WINDOW.start + timedelta(days=90), WINDOW.end + timedelta(days=90))

    delta = scene.mirror.follow(scene.port, scene.anna, far)

    assert delta.present is not None
    assert scene.mirror.times(far) == [at(9, day=100)]


def test_a_complete_reading_counts_what_polls_had_missed(scene: Scene):
    scene.book(9)
    hidden = scene.book(10)
    scene.follow()
    scene.book(11)
    before = GRAPH_DRIFT._value.get()
    scene.follow(full=True)
    assert GRAPH_DRIFT._value.get() == before  # delta itself would have told of it

    hidden.values["start"] += timedelta(minutes=15)  # a change that no history knows
    scene.mirror.follow(scene.port, scene.anna, LATER)
    scene.follow(full=True)

    assert GRAPH_DRIFT._value.get() == before + 1


def test_a_category_of_ours_is_kept_and_invitations_of_others_are_told_from_ones_own(scene: Scene):
    scene.book(9, categories=["Gul", "Selvbook"])
    scene.book(10, categories=["udeblevet"], isOrganizer=False)
    scene.book(11, isOrganizer=False)

    scene.follow()

    shown = [(one.categories, one.guest) for one in scene.mirror.busy(WINDOW)]
    assert shown == [(("Selvbook",), False), (("udeblevet",), True), ((), False)]


# Writing


@pytest.mark.parametrize("method", ["update", "delete"])
def test_a_412_that_is_not_meant_is_tried_once_more_and_one_that_is_stays(scene: Scene, method: str):
    act = {
        "update": lambda entry: scene.port.update(scene.anna, entry, draft(interval=at(12), generation=2)),
        "delete": lambda entry: scene.port.delete(scene.anna, entry),
    }[method]
    entry = scene.port.create(scene.anna, draft())
    scene.graph.faults.add("conflict", method, times=2)
    with pytest.raises(VersionConflict):
        act(entry)

    scene.graph.faults.clear()
    scene.graph.faults.add("conflict", method, times=1)
    act(entry)

    assert scene.graph.count(method) == 4
    assert [one.values["start"] for one in scene.events] == ([at(12).start] if method == "update" else [])


@pytest.mark.parametrize("repeated", [201, 409, 400])
def test_graph_remembers_the_transaction_of_an_event_that_was_deleted_and_so_do_we(scene: Scene, repeated: int):
    scene.port.create(scene.anna, draft())
    [event] = scene.events
    scene.outlook.delete(ANNA, event)
    create = scene.graph.writer.create

    def remembering(box: Any, body: dict[str, Any]) -> Any:
        if body["transactionId"] != event.values["transactionId"]:
            return create(box, body)
        if repeated != 201:
            raise GraphError(repeated, "ErrorDuplicateTransactionId", "Your request can't be completed.")
        return event.whole()

    scene.graph.writer.create = remembering  # type: ignore[method-assign]  # a server with a longer memory
    with pytest.raises(EntryRemoved):
        scene.port.create(scene.anna, draft())
    assert [] == scene.events

    scene.port.create(scene.anna, draft(generation=2))
    assert len(scene.events) == 1


def test_a_text_that_comes_back_as_html_is_not_written_again_until_it_says_something_else(scene: Scene):
    words = "Sag: https://sag.example.dk/1?a=b&c=d\n\nA < B"
    entry = scene.port.create(scene.anna, draft(description=words))

    entry = scene.port.update(scene.anna, entry, draft(description=words))
    assert scene.graph.count("update") == 0
    entry = scene.port.update(scene.anna, entry, draft(description=f"{words}!"))
    scene.port.update(scene.anna, entry, draft(description=f"{words}!"))

    assert scene.graph.count("update") == 1
    assert "A &lt; B!" in scene.events[0].values["body"]["content"]


def test_what_a_caseworker_writes_around_our_text_stays(scene: Scene):
    entry = scene.port.create(scene.anna, draft())
    [event] = scene.events
    html = "<html><body><p>Husk sagen</p><div>[syncd]<br>gammelt<br>[/syncd]</div></body></html>"
    scene.outlook.change(event, body={"contentType": "html", "content": html})
    [entry] = scene.port.find(scene.anna, entry.uid)

    scene.port.update(scene.anna, entry, draft(description="nyt", generation=2))

    content = event.values["body"]["content"]
    assert "Husk sagen" in content
    assert "nyt" in content
    assert "gammelt" not in content


# Rooms


def test_a_room_that_is_taken_by_now_is_not_invited_and_counts_as_declined(scene: Scene):
    scene.outlook.book(ROOM, at(9).start, at(9).end)

    entry = scene.port.create(scene.anna, draft(room=INVITED))

    assert entry.rooms == ((ROOM, "DECLINED"),)
    assert scene.port.find(scene.anna, entry.uid) == (entry,)
    assert scene.graph.world.posted == []
    scene.graph.room(OTHER)
    other = scene.port.update(scene.anna, entry, draft(room=Resource(OTHER, "2.05", invited=True), generation=2))
    assert [room for room, _ in other.rooms] == [OTHER]


def test_a_room_that_was_passed_over_is_known_by_a_program_just_started_and_looked_at_again(scene: Scene):
    taken = scene.outlook.book(ROOM, at(9).start, at(9).end)
    scene.port.create(scene.anna, draft(room=INVITED))
    fresh = Scene(scene.graph)

    [entry] = fresh.port.find(fresh.anna, draft().uid)
    assert entry.rooms == ((ROOM, "DECLINED"),)
    assert fresh.port.update(fresh.anna, entry, draft(room=INVITED)) == entry
    scene.outlook.delete(ROOM, taken)
    again = fresh.port.update(fresh.anna, entry, draft(room=INVITED, generation=2))

    assert again.rooms == ((ROOM, "ACCEPTED"),)
    assert scene.graph.count("update") == 1
    fresh.port.close()


def test_an_entry_names_no_room_as_declined_after_the_meeting_was_written_without_one(scene: Scene):
    scene.outlook.book(ROOM, at(9).start, at(9).end)
    entry = scene.port.create(scene.anna, draft(room=INVITED))

    assert scene.port.update(scene.anna, entry, draft(generation=2)).rooms == ()


def test_the_last_look_at_rooms_reads_the_items_for_the_view_calls_working_elsewhere_free(scene: Scene):
    scene.graph.room(OTHER)
    scene.outlook.book(ROOM, at(9).start, at(9).end, showAs="workingElsewhere")
    scene.outlook.book(OTHER, at(9).start, at(9).end, showAs="free")

    seen = free(scene.port.client, ANNA, [ROOM, OTHER, "nobody@byhavn.example"], at(9))

    assert seen == {ROOM: False, OTHER: True}


def test_a_room_that_is_invited_holds_only_the_copy_of_the_invitation(scene: Scene):
    scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()

    [copy] = scene.graph.world.box(ROOM).events.values()

    assert copy.values["organizer"]["emailAddress"]["address"] == ANNA
    assert (ANNA, ROOM, "invitation") in scene.graph.world.posted


def test_a_room_that_cannot_be_looked_at_is_left_to_its_attendant(scene: Scene):
    scene.outlook.book(ROOM, at(9).start, at(9).end)
    scene.graph.faults.add("error", "schedule", times=1, status=500)

    scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()

    [entry] = scene.port.find(scene.anna, draft().uid)
    assert entry.rooms == ((ROOM, "DECLINED"),)
    assert (ANNA, ROOM, "invitation") in scene.graph.world.posted


def test_the_copy_that_a_room_makes_of_our_meeting_is_known_as_ours_also_by_a_program_just_started(scene: Scene):
    scene.port.create(scene.anna, draft("m1@syncd", room=INVITED))
    scene.outlook.book(ROOM, at(11).start, at(11).end, organizer={"emailAddress": {"address": ANNA, "name": "Anna"}})
    scene.graph.world.settle()
    fresh = Scene(scene.graph)

    for program in (scene, fresh):
        room = Mirror()
        room.follow(program.port, scene.room, WINDOW)
        shown = [(one.interval, one.stamp.meeting if one.stamp else None) for one in room.busy(WINDOW)]
        assert shown == [(at(9), "meeting-1"), (at(11), None)]
    fresh.port.close()


def test_organisers_out_of_reach_are_asked_once_in_an_hour_however_many_meetings_a_room_has_of_theirs(scene: Scene):
    elapsed = [0.0]
    copies = scene.port._copies = Copies(lambda: elapsed[0])
    entry = scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()
    for hour in range(10, 15):
        boss = {"emailAddress": {"address": "boss@byhavn.example", "name": "Boss"}}
        scene.outlook.book(ROOM, at(hour).start, at(hour).end, organizer=boss)
    scene.graph.mailbox("boss@byhavn.example", allowed=False)

    for _ in range(2):
        Mirror().follow(scene.port, scene.room, WINDOW)
    assert scene.graph.count("find", "boss@byhavn.example") == 1

    copies._known.clear()
    scene.graph.world.box(ANNA).allowed = False
    Mirror().follow(scene.port, scene.room, WINDOW)
    scene.graph.world.boxes[ANNA].allowed = True  # she joined the scope
    elapsed[0] += CLOSED
    room = Mirror()
    room.follow(scene.port, scene.room, WINDOW)
    assert [one.uid for one in room.busy(WINDOW) if one.stamp] == [entry.uid]


def test_rooms_that_are_read_side_by_side_ask_their_common_organiser_one_at_a_time(scene: Scene):
    rooms = [f"r{n}@byhavn.example" for n in range(6)]
    anna = {"emailAddress": {"address": ANNA, "name": "Anna"}}
    for address in rooms:
        scene.graph.room(address)
        for hour in range(9, 12):
            scene.outlook.book(address, at(hour).start, at(hour).end, organizer=anna)
    scene.graph.concurrency = 1
    scene.graph.faults.add("hang", "find", ANNA, seconds=0.02)
    boxes = [replace(scene.room, id=address, address=address) for address in rooms]

    with ThreadPoolExecutor(6) as pool:
        read = [*pool.map(lambda box: Mirror().follow(scene.port, box, WINDOW), boxes)]

    assert [len(one.groups) for one in read] == [3] * 6
    assert scene.graph.count("find", ANNA) == 18


def test_a_room_does_not_learn_what_a_talk_is_about(scene: Scene):
    scene.graph.world.box(ROOM).policy = RoomPolicy()
    scene.port.create(scene.anna, draft(room=INVITED))
    scene.graph.world.settle()

    [copy] = scene.graph.world.box(ROOM).events.values()

    assert copy.values["subject"] == "Anna"
    assert copy.values["sensitivity"] == "private"


def test_a_mailbox_out_of_scope_is_an_error_and_not_an_empty_calendar(scene: Scene):
    scene.graph.world.box(ANNA).allowed = False

    with pytest.raises(AccessDenied):
        scene.follow()
    assert not scene.port.check(scene.anna).ok


def paged(account: GraphAccount, page: int) -> GraphAccount:
    return replace(account, page=page)
