"""The simulated Graph does what the reports say of the real one, and speaks as Microsoft's metadata has it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import weekly
from tests.servers.graph.world import RoomPolicy

ANNA, ROOM = "anna@byhavn.example", "r204@byhavn.example"
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
PROPERTY = "String {6d3a1f0e-52c4-4c7b-9d1d-8b6f2c41a7e5} Name syncd-uid"
PREFER = 'odata.maxpagesize=50, IdType="ImmutableId", outlook.timezone="UTC"'


def at(hour: int, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def said(moment: datetime) -> dict[str, str]:
    return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


class Hours:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


class Caller:
    """A client that does no more than HTTP."""

    def __init__(self, graph: GraphServer) -> None:
        self.graph = graph
        self.http = httpx2.Client(base_url=graph.url, headers={"Prefer": PREFER}, trust_env=False)

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return self.http.request(method, path, **more)

    def rows(self, link: str | None = None, prefer: str = PREFER, days: int = 28) -> tuple[list[dict[str, Any]], str]:
        """One whole round of delta, and its deltaLink."""
        start, end = MONDAY, MONDAY + timedelta(days=days)
        first = f"/users/{ANNA}/calendarView/delta?startDateTime={start:%FT%TZ}&endDateTime={end:%FT%TZ}"
        found: list[dict[str, Any]] = []
        link = link or first
        while True:
            answer = self.ask("GET", link, headers={"Prefer": prefer})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["value"]
            if "@odata.deltaLink" in page:
                return found, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]

    def create(self, start: datetime, **more: Any) -> httpx2.Response:
        body = {"subject": "Samtale", "start": said(start), "end": said(start + timedelta(hours=1)), **more}
        return self.ask("POST", f"/users/{ANNA}/events", json=body)


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def graph(clock: Hours) -> Iterator[GraphServer]:
    metadata = shared("reference/graph-metadata/cleanMetadata.xml")
    with GraphServer(metadata, clock=clock) as server:
        server.mailbox(ANNA, "Anna")
        server.room(ROOM, "Lokale 2.04")
        yield server
        assert server.validator is not None
        assert [one for one in server.validator.violations if not one.startswith("request")] == []


@pytest.fixture
def caller(graph: GraphServer) -> Iterator[Caller]:
    made = Caller(graph)
    yield made
    made.http.close()


def series(graph: GraphServer, times: int = 4, **more: Any) -> Any:
    rule = weekly(date(2026, 11, 30), times)
    return graph.outlook.book(ANNA, at(8), at(9), recurrence=rule, **more)


def starts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["start"]["dateTime"][:13] for row in rows if row.get("type") in ("occurrence", "exception")]


# Reading


def test_the_first_round_shows_the_series_itself_and_bare_occurrences(graph: GraphServer, caller: Caller):
    series(graph, showAs="oof")

    rows, _ = caller.rows()

    [master] = [row for row in rows if row.get("type") == "seriesMaster"]
    assert master["showAs"] == "oof"
    assert starts(rows) == ["2026-11-30T08", "2026-12-07T08", "2026-12-14T08", "2026-12-21T08"]
    for row in rows[1:]:
        assert set(row) == {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
        assert row["seriesMasterId"] == master["id"]


def test_a_deleted_occurrence_gets_no_tombstone_but_the_rest_comes_again(graph: GraphServer, caller: Caller):
    one = series(graph)
    _, link = caller.rows()
    graph.outlook.drop(one, date(2026, 12, 7))

    rows, _ = caller.rows(link)

    assert not [row for row in rows if "@removed" in row]
    assert starts(rows) == ["2026-11-30T08", "2026-12-14T08", "2026-12-21T08"]
    assert rows[0]["cancelledOccurrences"] == [f"OID.{rows[0]['id']}.2026-12-07"]


def test_a_moved_series_has_new_ids_and_the_old_ones_are_not_removed(graph: GraphServer, caller: Caller):
    one = series(graph)
    first, link = caller.rows()
    graph.outlook.move_series(one, at(8, 1), at(9, 1), weekly(date(2026, 12, 1), 4))

    second, _ = caller.rows(link)

    before, after = ({row["id"] for row in rows if row["type"] == "occurrence"} for rows in (first, second))
    assert len(before) == len(after) == 4
    assert not before & after
    assert not [row for row in second if "@removed" in row]


def test_an_exception_is_full_and_says_where_the_rule_had_it(graph: GraphServer, caller: Caller):
    one = series(graph)
    graph.outlook.change(one, date(2026, 12, 7), start=at(13, 8), end=at(14, 8), showAs="tentative")

    rows, _ = caller.rows()

    [row] = [row for row in rows if row["type"] == "exception"]
    assert row["showAs"] == "tentative"
    assert row["originalStart"] == "2026-12-07T08:00:00Z"
    assert row["start"]["dateTime"].startswith("2026-12-08T13")


def test_a_series_keeps_its_wall_clock_when_clocks_change(graph: GraphServer, caller: Caller):
    start = datetime(2027, 3, 22, 8, tzinfo=UTC)
    graph.outlook.book(ANNA, start, start + timedelta(hours=1), recurrence=weekly(date(2027, 3, 22), 2))

    rows, _ = caller.rows(days=150)

    assert starts(rows) == ["2027-03-22T08", "2027-03-29T07"]


def test_what_is_deleted_or_drifts_out_of_the_window_is_an_id_without_a_type(graph: GraphServer, caller: Caller):
    gone, drifted = (graph.outlook.book(ANNA, at(hour), at(hour + 1)) for hour in (8, 10))
    first, link = caller.rows()
    graph.outlook.delete(ANNA, gone)
    graph.outlook.change(drifted, start=at(10, 99), end=at(11, 99))
    graph.outlook.book(ANNA, at(10, 120), at(11, 120))

    rows, _ = caller.rows(link)

    assert all(set(row) == {"@odata.type", "id", "@removed"} for row in rows)
    assert {row["id"] for row in first} < {row["id"] for row in rows}
    assert len(rows) == 3


def test_a_round_without_changes_is_empty(graph: GraphServer, caller: Caller):
    series(graph)
    _, link = caller.rows()

    assert caller.rows(link)[0] == []


def test_pages_of_any_size_make_the_same_round(graph: GraphServer, caller: Caller):
    series(graph)
    whole, _ = caller.rows()

    for size in (1, 2, 5):
        assert caller.rows(prefer=PREFER.replace("50", str(size)))[0] == whole


def test_a_change_between_two_pages_comes_in_the_next_round(graph: GraphServer, caller: Caller):
    for hour in (8, 9):
        graph.outlook.book(ANNA, at(hour), at(hour + 1))
    query = f"startDateTime={MONDAY:%FT%TZ}&endDateTime={at(0, 7):%FT%TZ}"
    one_row = {"Prefer": PREFER.replace("50", "1")}
    page = caller.ask("GET", f"/users/{ANNA}/calendarView/delta?{query}", headers=one_row).json()
    late = graph.outlook.book(ANNA, at(12), at(13))

    rest, link = caller.rows(page["@odata.nextLink"])

    assert len(rest) == 1
    assert [row["iCalUId"] for row in caller.rows(link)[0]] == [late.uid]


def test_a_page_asked_without_the_header_has_ids_of_the_other_kind(graph: GraphServer, caller: Caller):
    graph.outlook.book(ANNA, at(8), at(9))

    lasting, passing = caller.rows()[0][0]["id"], caller.rows(prefer="odata.maxpagesize=50")[0][0]["id"]

    assert lasting != passing


def test_history_that_was_lost_is_410_with_both_generations(graph: GraphServer, caller: Caller):
    _, link = caller.rows()
    graph.outlook.forget(ANNA)

    answer = caller.ask("GET", link)

    assert answer.status_code == 410
    assert answer.json()["error"]["code"] == "SyncStateNotFound"
    assert "generation=149;[highest=157]" in answer.json()["error"]["message"]
    assert caller.ask("GET", link.partition("=")[0] + "=rubbish").json()["error"]["code"] == "SyncStateInvalid"


def test_delta_refuses_select_and_the_rest(caller: Caller):
    query = f"startDateTime={MONDAY:%FT%TZ}&endDateTime={at(0, 7):%FT%TZ}&$select=start"

    assert caller.ask("GET", f"/users/{ANNA}/calendarView/delta?{query}").status_code == 400


def test_the_offset_in_a_windows_bound_counts(graph: GraphServer, caller: Caller):
    graph.outlook.book(ANNA, at(8), at(9))
    for bound, seen in (("2026-11-30T09:00:00Z", 0), ("2026-11-30T09:00:00%2B01:00", 1), ("2026-11-30T09:00:00", 0)):
        query = f"startDateTime={bound}&endDateTime=2026-12-01T00:00:00Z"
        assert len(caller.ask("GET", f"/users/{ANNA}/calendarView?{query}").json()["value"]) == seen


def test_whole_days_keep_their_dates_in_every_zone(graph: GraphServer, caller: Caller):
    graph.outlook.days(ANNA, date(2026, 12, 7), date(2026, 12, 9))

    for name in ("UTC", "Pacific Standard Time"):
        [row] = caller.rows(prefer=f'outlook.timezone="{name}"')[0]
        assert (row["start"]["dateTime"][:10], row["end"]["dateTime"][:10]) == ("2026-12-07", "2026-12-09")


def test_duplicates_empty_pages_and_disorder_can_be_had(graph: GraphServer, caller: Caller):
    series(graph)
    for kind in ("duplicate", "empty_page", "shuffle"):
        graph.faults.add(kind, "delta")

    rows, _ = caller.rows()

    assert len({row["id"] for row in rows}) == 5
    assert len(rows) == 7


# Writing


def test_one_transaction_id_makes_one_event_also_when_the_answer_is_lost(graph: GraphServer, caller: Caller):
    graph.faults.add("lose", "create", times=1)
    with pytest.raises(httpx2.TransportError):
        caller.create(at(9), transactionId="t-1")

    again = caller.create(at(9), transactionId="t-1")

    assert again.status_code == 201
    assert len(graph.world.box(ANNA).events) == 1
    graph.writer.repeated = 409
    assert caller.create(at(9), transactionId="t-1").status_code == 409
    [row] = caller.rows()[0]
    assert row["transactionId"] == "t-1"


def test_an_event_is_found_by_our_own_property_and_shows_it_only_when_asked(caller: Caller):
    made = caller.create(at(9), singleValueExtendedProperties=[{"id": PROPERTY, "value": "m-1"}]).json()
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq 'm-1')"
    expand = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"

    [found] = caller.ask("GET", f"/users/{ANNA}/events", params={"$filter": wanted}).json()["value"]
    [shown] = caller.ask("GET", f"/users/{ANNA}/events", params={"$filter": wanted, "$expand": expand}).json()["value"]

    assert found["id"] == made["id"]
    assert "singleValueExtendedProperties" not in found
    assert shown["singleValueExtendedProperties"] == [{"id": PROPERTY, "value": "m-1"}]
    assert (
        caller.ask("GET", f"/users/{ANNA}/events", params={"$filter": wanted.replace("m-1", "m-2")}).json()["value"]
        == []
    )


def test_an_older_version_is_412_and_every_patch_makes_a_new_one(caller: Caller):
    made = caller.create(at(9)).json()
    path, match = f"/users/{ANNA}/events/{made['id']}", {"If-Match": made["@odata.etag"]}

    moved = caller.ask("PATCH", path, json={"start": said(at(8))}, headers=match)

    assert moved.status_code == 200
    assert moved.json()["changeKey"] != made["changeKey"]
    late = caller.ask("PATCH", path, json={"subject": "x"}, headers=match)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "ErrorIrresolvableConflict")
    assert caller.ask("DELETE", path, headers=match).status_code == 412
    assert caller.ask("DELETE", path).status_code == 204
    assert caller.ask("GET", path).json()["error"]["code"] == "ErrorItemNotFound"


def test_a_property_that_the_metadata_does_not_have_is_refused(graph: GraphServer, caller: Caller):
    answer = caller.create(at(9), legacyFreeBusyStatus="busy")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "RequestBodyRead")
    assert caller.create(at(9), showAs="Busy").status_code == 400
    assert graph.validator is not None
    assert len(graph.validator.violations) == 2


def test_who_overwrites_the_body_loses_the_teams_link(graph: GraphServer, caller: Caller):
    wish = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
    made = caller.create(at(9), **wish).json()
    path = f"/users/{ANNA}/events/{made['id']}"

    assert made["onlineMeeting"]["joinUrl"]
    assert caller.ask("PATCH", path, json={"start": said(at(8))}).json()["isOnlineMeeting"]
    broken = caller.ask("PATCH", path, json={"body": {"contentType": "text", "content": "ny"}}).json()
    assert (broken["isOnlineMeeting"], broken["onlineMeeting"]) == (False, None)
    graph.world.box(ANNA).teams = False
    assert caller.create(at(12), **wish).json()["onlineMeetingProvider"] == "unknown"


# Rooms


def invited(caller: Caller, start: datetime) -> dict[str, Any]:
    room = {"type": "resource", "emailAddress": {"address": ROOM, "name": "Lokale 2.04"}}
    made: dict[str, Any] = caller.create(start, attendees=[room]).json()
    return made


def response(caller: Caller, event: dict[str, Any]) -> str:
    found = caller.ask("GET", f"/users/{ANNA}/events/{event['id']}").json()
    return str(found["attendees"][0]["status"]["response"])


def test_a_room_answers_later_and_declines_what_is_taken(graph: GraphServer, caller: Caller, clock: Hours):
    graph.world.box(ROOM).policy = RoomPolicy(delay=30)
    first = invited(caller, at(9))
    assert first["attendees"][0]["status"]["response"] == "none"
    assert response(caller, first) == "none"
    clock.now += timedelta(seconds=31)
    assert response(caller, first) == "accepted"

    second = invited(caller, at(9))
    clock.now += timedelta(seconds=31)

    assert response(caller, second) == "declined"
    [held] = graph.world.box(ROOM).events.values()
    assert (held.uid, held.values["subject"]) == (first["iCalUId"], "Anna")


def test_a_deleted_meeting_frees_its_room_and_a_moved_one_takes_it_along(graph: GraphServer, caller: Caller):
    made = invited(caller, at(9))
    assert response(caller, made) == "accepted"
    path = f"/users/{ANNA}/events/{made['id']}"

    moved = caller.ask("PATCH", path, json={"start": said(at(13)), "end": said(at(14))}).json()
    assert moved["attendees"][0]["status"]["response"] == "none"
    assert response(caller, made) == "accepted"
    [held] = graph.world.box(ROOM).events.values()
    assert held.values["start"] == at(13)

    caller.ask("DELETE", path)
    assert graph.world.box(ROOM).events == {}


def test_a_room_outside_of_its_policy_declines_without_a_word_on_create(graph: GraphServer, caller: Caller):
    graph.world.box(ROOM).policy = RoomPolicy(book_in_policy=("boss@byhavn.example",))

    assert response(caller, invited(caller, at(9))) == "declined"


def test_schedules_of_many_come_at_once_with_errors_beside(graph: GraphServer, caller: Caller):
    graph.outlook.book(ANNA, at(9), at(10), showAs="workingElsewhere")
    asked: dict[str, Any] = {
        "schedules": [ANNA, "nobody@byhavn.example"],
        "startTime": said(at(8)),
        "endTime": said(at(12)),
        "availabilityViewInterval": 60,
    }

    [anna, nobody] = caller.ask("POST", f"/users/{ANNA}/calendar/getSchedule", json=asked).json()["value"]

    assert anna["availabilityView"] == "0000"
    assert [row["status"] for row in anna["scheduleItems"]] == ["workingElsewhere"]
    assert nobody["error"]["responseCode"]
    path = f"/users/{ANNA}/calendar/getSchedule"
    assert caller.ask("POST", path, json=asked | {"availabilityViewInterval": None}).status_code == 500
    too_many = caller.ask("POST", path, json=asked | {"schedules": [ANNA] * 101})
    assert too_many.json()["error"]["code"] == "ErrorMailboxDataArrayTooBig"


def test_places_are_listed_in_pages(graph: GraphServer, caller: Caller):
    graph.room("r1@byhavn.example", capacity=2)

    page = caller.ask("GET", "/places/microsoft.graph.room?$top=1").json()
    rest = caller.ask("GET", page["@odata.nextLink"]).json()

    assert [row["emailAddress"] for row in page["value"] + rest["value"]] == ["r1@byhavn.example", ROOM]
    assert "@odata.nextLink" not in rest


def test_members_of_inner_groups_are_members(graph: GraphServer, caller: Caller):
    graph.mailbox("bo@byhavn.example")
    graph.world.groups |= {"g-all": [ANNA, "g-more"], "g-more": ["bo@byhavn.example", ANNA]}

    found = caller.ask("GET", "/groups/g-all/transitiveMembers").json()["value"]
    rows = [one for one in found if one["@odata.type"] == "#microsoft.graph.user"]

    assert sorted(row["mail"] for row in rows) == [ANNA, "bo@byhavn.example"]
    assert caller.ask("GET", "/groups/nope/transitiveMembers").status_code == 404


# Trouble


def test_what_is_throttled_says_for_how_long(graph: GraphServer, caller: Caller):
    graph.faults.add("throttle", "delta", ANNA, times=1, retry_after=7)
    graph.faults.add("unavailable", "get", times=1, retry_after=3)

    refused = caller.ask("GET", f"/users/{ANNA}/calendarView/delta")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert refused.json()["error"]["code"] == "ApplicationThrottled"
    busy = caller.ask("GET", f"/users/{ANNA}/events/x")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "3")
    assert caller.ask("GET", f"/users/{ANNA}/events/x").status_code == 404


def test_a_fifth_request_at_a_time_is_too_many_for_one_mailbox(graph: GraphServer):
    graph.faults.add("hang", "find", ANNA, seconds=2)
    graph.mailbox("bo@byhavn.example")

    def ask(who: str) -> int:
        return httpx2.get(f"{graph.url}/users/{who}/events", trust_env=False, timeout=5).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, [ANNA] * 5 + ["bo@byhavn.example"]))

    assert sorted(answers[:5]) == [200] * 4 + [429]
    assert answers[5] == 200


def test_a_mailbox_on_premise_and_one_out_of_scope_say_so(graph: GraphServer, caller: Caller):
    graph.world.box(ANNA).hosted = "onprem"
    answer = caller.ask("GET", f"/users/{ANNA}/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "MailboxNotEnabledForRESTAPI")

    graph.mailbox("bo@byhavn.example", allowed=False)
    assert caller.ask("GET", "/users/bo@byhavn.example/events").status_code == 403
    assert caller.ask("GET", "/users/no@byhavn.example/events").json()["error"]["code"] == "ErrorInvalidUser"


def test_a_fault_that_nobody_knows_is_refused(graph: GraphServer):
    with pytest.raises(ValueError, match="there are: conflict"):
        graph.faults.add("earthquake")


def life(seed: int) -> list[tuple[int, list[tuple[str, object]]]]:
    """Twelve rounds with trouble in every second one or so: status, ids and UIDs of each answer."""
    with GraphServer(seed=seed, clock=Hours()) as graph:
        graph.mailbox(ANNA)
        for kind in ("shuffle", "partial", "duplicate", "throttle"):
            graph.faults.add(kind, "delta", chance=0.5)
        weeks, caller, answers = [series(graph) for _ in range(3)], Caller(graph), []
        link = f"/users/{ANNA}/calendarView/delta?startDateTime=2026-11-30T00:00:00Z&endDateTime=2026-12-28T00:00:00Z"
        for number in range(12):
            graph.outlook.change(weeks[number % 3], subject="x")
            answer = caller.ask("GET", link)
            body = answer.json()
            link = body.get("@odata.deltaLink", link)
            answers.append((answer.status_code, [(one["id"], one.get("iCalUId")) for one in body.get("value", ())]))
        caller.http.close()
        return answers


def test_the_same_seed_makes_the_same_trouble_and_another_one_other_trouble():
    once, again, other = life(1), life(1), life(2)

    assert once == again
    assert once != other
    assert {status for status, _ in once} == {200, 429}
