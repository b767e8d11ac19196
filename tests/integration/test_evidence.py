"""The record of what was on offer, on both databases and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.eligibility import Traits
from syncd.model.evidence import DAY, Standing, packed, unpacked
from syncd.model.interval import Interval
from syncd.publish.past import Past, past
from syncd.publish.recording import Recorder
from syncd.publish.statement import Kind, disturbances
from syncd.store import Store
from syncd.web.statement import statement_page
from tests.integration.web_town import NOW, ZONE, Client, Town

WEEK = Interval(NOW, NOW + timedelta(days=8))


@pytest.fixture
def place(migrated_url: str) -> Iterator[Town]:
    store = Store(migrated_url)
    yield Town(store)
    store.close()


class Keeper:
    """Records as the daemon does, at set times; never rests."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.recorder = Recorder(town.store, town.publisher)

    def tick(self, minutes: float = 0) -> dict[str, list[str]]:
        self.town.clock.at += timedelta(minutes=minutes)
        self.recorder._rest = 0.0
        return {name: [str(day) for day in days] for name, days in self.recorder.record(self.town.clock.now()).items()}

    def run(self, minutes: int) -> None:
        for _ in range(minutes):
            self.town.sync()
            self.tick(1)


def starts(town: Town, at: datetime, offer: str = "jobsamtale", window: Interval = WEEK) -> list[datetime]:
    with town.store.read() as tx:
        seen = tx.evidence.seen(offer, at, window)
    return sorted({start for times in seen.times.values() for start in times})


def on_offer(town: Town, offer: str = "jobsamtale", window: Interval = WEEK) -> list[datetime]:
    answer = town.publisher.answer(offer, window, town.clock.now())
    return sorted({slot.interval.start for slot in answer.slots})


@given(st.lists(st.integers(0, 1439), unique=True), st.integers(0, 40_000))
def test_packing_loses_nothing(minutes: list[int], day: int) -> None:
    starts_of_day = [day * DAY + minute * 60 for minute in sorted(minutes)]
    assert unpacked(day, packed(starts_of_day)) == starts_of_day


def test_the_past_is_told_as_it_was_and_not_as_it_is(place: Town) -> None:
    keeper = Keeper(place)
    keeper.tick()
    before, offered = place.clock.now(), on_offer(place)
    place.busy("anna", datetime(2026, 12, 1, 8, tzinfo=UTC), 180)
    place.busy("bo", datetime(2026, 12, 1, 8, tzinfo=UTC), 180)
    place.clock.at += timedelta(minutes=1)
    place.sync()
    assert keeper.tick() == {"jobsamtale": ["2026-12-01"], "opfoelgning": ["2026-12-01"]}
    assert starts(place, before) == offered
    assert starts(place, place.clock.now()) == on_offer(place) != offered


def test_nothing_is_written_while_nothing_changes_and_the_notice_needs_no_row(place: Town) -> None:
    keeper = Keeper(place)
    keeper.tick()
    assert keeper.tick(1) == {}
    first = on_offer(place)[0]
    place.clock.at = first - timedelta(minutes=59)
    place.sync()
    assert keeper.tick() == {}
    assert first not in starts(place, place.clock.now())
    assert starts(place, place.clock.now()) == on_offer(place)


def test_a_hold_that_runs_out_gives_its_time_back_in_the_record(town: Town, portal: Client) -> None:
    keeper = Keeper(town)
    keeper.tick()
    portal.hold("2026-12-01T08:00:00Z", caseworker="anna")
    portal.hold("2026-12-01T08:00:00Z", caseworker="bo", form="phone")
    eight = datetime(2026, 12, 1, 8, tzinfo=UTC)
    keeper.tick(1)
    assert eight not in starts(town, town.clock.now())
    keeper.tick(10)
    town.sync()
    keeper.tick()
    assert starts(town, town.clock.now()) == on_offer(town)
    assert eight in starts(town, town.clock.now())


def test_a_time_without_record_is_not_taken_for_a_time_without_supply(place: Town) -> None:
    keeper = Keeper(place)
    keeper.run(3)
    died = place.clock.now()
    place.clock.at += timedelta(hours=2)
    place.sync()
    keeper.tick()
    with place.store.read() as tx:
        assert tx.evidence.seen("jobsamtale", died + timedelta(seconds=90), WEEK).watched
        assert not tx.evidence.seen("jobsamtale", died + timedelta(hours=1), WEEK).watched
        assert tx.evidence.seen("jobsamtale", place.clock.now(), WEEK).watched
    keeper.tick(1)
    with place.store.read() as tx:
        found = disturbances(tx, place.rules(), Interval(NOW, place.clock.now()))
    assert {(one.offer, one.kind, one.span.start) for one in found} == {
        (name, Kind.DOWN, died + timedelta(minutes=2)) for name in ("jobsamtale", "opfoelgning")
    }
    assert all(one.after is not None and one.before >= one.after > 0 for one in found)


def test_an_outage_of_the_calendars_is_told_from_its_beginning_to_its_end(place: Town) -> None:
    keeper = Keeper(place)
    keeper.run(2)
    for _ in range(20):
        keeper.tick(1)
    closed_at = place.clock.now()
    with place.store.read() as tx:
        assert tx.evidence.standings(closed_at)["jobsamtale"].standing is Standing.TEMPORARILY_CLOSED
        (one, _) = disturbances(tx, place.rules(), Interval(NOW, closed_at))
    assert (one.kind, one.after) == (Kind.CLOSED, None)
    assert one.span.start - NOW == pytest.approx(timedelta(minutes=16), abs=timedelta(minutes=2))
    keeper.run(2)
    with place.store.read() as tx:
        over = disturbances(tx, place.rules(), Interval(NOW, place.clock.now()), ("jobsamtale",))
    assert [(found.kind, found.after is None) for found in over] == [(Kind.CLOSED, False)]
    text = statement_page(over, place.directory, place.rules(), Interval(NOW, place.clock.now()), ZONE, NOW)
    assert "Jobsamtale" in text
    assert "Kalenderne kunne ikke læses sikkert" in text


def test_an_offer_that_the_rules_drop_is_withdrawn_on_record(place: Town) -> None:
    keeper = Keeper(place)
    keeper.tick()
    with place.store.begin() as tx:
        text = tx.rules.newest()
        assert text is not None
        tx.rules.add(text[1].replace("offers.opfoelgning", "offers.andet"), "test", place.clock.now())
    keeper.tick(1)
    with place.store.read() as tx:
        now = tx.evidence.standings(place.clock.now())
    assert now["opfoelgning"].standing is Standing.WITHDRAWN
    assert now["andet"].rules == 2
    assert starts(place, place.clock.now(), "opfoelgning") == []


def test_a_restart_goes_on_where_the_record_ended(place: Town) -> None:
    Keeper(place).tick()
    assert Keeper(place).tick(1) == {}


def test_listeners_hear_of_other_times_but_not_of_time_that_passes(place: Town) -> None:
    keeper = Keeper(place)
    keeper.tick()
    with place.store.begin() as tx:
        for event in tx.events.waiting(10):
            tx.events.take_up(event.id)
    place.clock.at += timedelta(days=1)
    keeper.tick()
    with place.store.read() as tx:
        assert [event.kind for event in tx.events.waiting(10)] == []


def test_auditors_ask_over_http_and_others_may_not(town: Town, portal: Client, rival: Client) -> None:
    Keeper(town).run(3)
    window = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
    at = town.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    content = portal.get("/offers/jobsamtale/evidence", at=at, **window).json()
    assert content["on_record"] is True
    assert {one["start"] for one in content["times"]} == set(portal.slots())
    assert portal.get("/offers/jobsamtale/evidence", at="2030-01-01T00:00:00Z", **window).status_code == 422
    assert rival.get("/offers/jobsamtale/evidence", at=at, **window).status_code == 403
    past = {"from": "2026-11-30T00:00:00Z", "to": at}
    assert portal.get("/offers/jobsamtale/disturbances", **past).json()["disturbances"] == []
    assert portal.get("/offers/nix/disturbances", **past).status_code == 404
    before = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    assert portal.get("/offers/jobsamtale/disturbances", **before).json()["disturbances"] == []


def test_a_class_of_citizens_is_judged_by_the_rules_of_that_time(place: Town) -> None:
    keeper = Keeper(place)
    open_to = '[[offers.opfoelgning.open_to]]\ncontact_groups = ["1"]\n'
    with place.store.begin() as tx:
        newest = tx.rules.newest()
        assert newest is not None
        closed = tx.rules.add(newest[1] + open_to, "test", NOW)
    keeper.tick()
    then = place.clock.now()
    with place.store.begin() as tx:
        tx.rules.add(newest[1], "test", NOW)
    keeper.tick(1)

    def asked(at: datetime, traits: Traits | None) -> Past:
        with place.store.read() as tx:
            return past(tx, place.directory, "opfoelgning", at, WEEK, traits)

    stranger, known = Traits(contact_group="2"), Traits(contact_group="1")
    assert asked(then, None).entitled is None
    assert (asked(then, stranger).entitled, asked(then, stranger).times) == (False, {})
    assert asked(then, known).times == asked(then, None).times != {}
    assert asked(then, known).seen.since is not None
    assert asked(place.clock.now(), stranger).entitled is True
    assert closed == 2
