"""Group meetings hold citizens seat by seat; collective ones hold everybody whom they need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from syncd.booking.handover import Choice, Handover
from syncd.booking.proposals import Remedy
from syncd.booking.reconcile import Reconciler
from syncd.booking.results import Appointment
from syncd.errors import BookingError, HoldExpired, NotAllowed, SlotGone
from syncd.model.booking import BookingState
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from tests.unit.publishing import RULES, TODAY, Town, wall

GROUP = RULES.replace('who = ["team:job"]', 'who = ["team:job"]\nseats = 3', 1)
PAIR = RULES.replace('who = ["team:job"]', 'who = ["anna"]\npartners = [["bo", "cara"]]', 1)
PHONE = Form.PHONE


@pytest.fixture
def town(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url, GROUP)


def book(town: Town, citizen: str, start: str = "10:00", who: str | None = "anna") -> Appointment:
    hold = town.desk.hold("portal", "talk", wall(start), who, PHONE, citizen, town.now)
    return town.desk.book("portal", hold.booking.id, citizen, town.now)


def seats(town: Town, start: str = "10:00", who: str | None = "anna") -> int:
    answer = town.answer(caseworker=who, form=PHONE)
    return sum(time.seats for time in answer.slots.times() if time.start == wall(start).timestamp())  # type: ignore[attr-defined]  # a SlotTable


def reconcile(town: Town) -> None:
    worker = Reconciler(town.store, lambda: {"server": town.calendar}, lambda: town.people, town.rules)
    worker.run_due(town.now)


def test_citizens_share_one_meeting_and_the_answer_counts_the_seats_left(town: Town) -> None:
    before = seats(town)
    first, second = book(town, "one"), book(town, "two")

    assert (3, 1) == (before, seats(town))
    assert first.meeting.id == second.meeting.id
    assert 4 == seats(town, who=None)


def test_a_full_meeting_is_no_time_any_more_and_why_says_so(town: Town) -> None:
    for citizen in ("one", "two", "three"):
        book(town, citizen)
    with pytest.raises(SlotGone):
        book(town, "four")

    assert 0 == seats(town)
    assert Reason.FULL is town.why("10:00").reason
    assert Reason.OFFERED is town.why("11:00").reason


def test_a_citizen_has_one_seat_in_a_meeting(town: Town) -> None:
    book(town, "one")
    with pytest.raises(NotAllowed, match="a seat in this meeting already"):
        book(town, "one")


def test_two_who_do_not_say_who_they_are_get_a_seat_each_but_one_who_says_so_only_one(town: Town) -> None:
    holds = [town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, None, town.now) for _ in range(2)]
    town.desk.book("portal", holds[0].booking.id, "one", town.now)

    with pytest.raises(NotAllowed, match="a seat in this meeting already"):
        town.desk.book("portal", holds[1].booking.id, "one", town.now)
    assert "two" == town.desk.book("portal", holds[1].booking.id, "two", town.now).booking.citizen


def test_a_hold_that_runs_out_frees_its_seat_and_leaves_the_meeting_to_others(town: Town) -> None:
    town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "early", town.now)
    town.now += timedelta(minutes=6)
    made = book(town, "one")
    town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "late", town.now)
    full = seats(town)
    edge = town.answer(caseworker="anna", form=PHONE).valid_until
    town.now += timedelta(minutes=5)
    with town.store.begin() as tx:
        tx.bookings.expire_all(town.now, 100)
        claims = tx.meetings.claims(made.meeting.id)

    assert 0 == full
    assert town.now >= edge
    assert 1 == seats(town)
    assert ["anna"] == [claim.mailbox for claim in claims]


def test_the_meeting_goes_with_its_last_seat(town: Town) -> None:
    first, second = book(town, "one"), book(town, "two")
    town.desk.cancel("portal", first.booking.id, town.now)
    with town.store.read() as tx:
        kept = tx.meetings.get(first.meeting.id)
    town.desk.cancel("portal", second.booking.id, town.now)
    with town.store.read() as tx:
        gone = tx.meetings.get(first.meeting.id)
        claims = tx.meetings.claims(first.meeting.id)

    assert kept is not None
    assert kept.wanted
    assert gone is not None
    assert not gone.wanted
    assert not claims
    assert 3 == seats(town)


def test_when_only_a_hold_stays_the_calendar_is_cleaned_and_the_time_kept_for_it(town: Town) -> None:
    first = book(town, "one")
    hold = town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "two", town.now)
    town.desk.cancel("portal", first.booking.id, town.now)
    with town.store.read() as tx:
        between = tx.meetings.get(first.meeting.id)
    second = town.desk.book("portal", hold.booking.id, "two", town.now)

    assert between is not None
    assert not between.wanted
    assert first.meeting.id == second.meeting.id
    assert second.meeting.wanted
    assert 2 == seats(town)


@pytest.mark.parametrize("by", ["caseworker", "staff"])
def test_a_seat_that_is_only_held_goes_with_a_meeting_that_is_taken_away(town: Town, by: str) -> None:
    made = book(town, "one")
    reconcile(town)
    town.sync()
    hold = town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "two", town.now)
    if by == "staff":
        choice = Choice(made.meeting.id, Remedy.CANCEL)
        Handover(town.store, town.publisher, lambda: town.people).carry_out([choice], "cli:olga", town.now)
    else:
        town.calendar.remove("anna", made.meeting.uid)
        _see_it_twice(town)

    with pytest.raises(HoldExpired):
        town.desk.book("portal", hold.booking.id, "two", town.now)
    _see_it_twice(town)
    third = book(town, "three")
    with town.store.read() as tx:
        gone = tx.meetings.get(made.meeting.id)
        claimed = [claim.mailbox for claim in tx.meetings.claims(third.meeting.id)]

    assert gone is not None
    assert not gone.wanted
    assert gone.id != third.meeting.id
    assert ["anna"] == claimed


def _see_it_twice(town: Town) -> None:
    for _ in range(3):
        town.sync("anna")
        reconcile(town)
        town.now += timedelta(seconds=61)


def test_a_citizen_who_moves_leaves_the_others_where_they_are(town: Town) -> None:
    first, second = book(town, "one"), book(town, "two")
    third = book(town, "three", "11:00")
    joined = town.desk.reschedule("portal", second.booking.id, wall("11:00"), None, None, town.now)
    alone = town.desk.reschedule("portal", joined.booking.id, wall("09:00"), None, None, town.now)
    back = town.desk.reschedule("portal", first.booking.id, wall("09:00"), None, None, town.now)

    assert third.meeting.id == joined.meeting.id
    assert alone.meeting.id not in (first.meeting.id, third.meeting.id)
    assert alone.meeting.id == back.meeting.id
    assert (1, 3, 2) == (seats(town, "09:00"), seats(town, "10:00"), seats(town, "11:00"))


def test_moving_the_only_seat_moves_the_meeting(town: Town) -> None:
    made = book(town, "one")
    moved = town.desk.reschedule("portal", made.booking.id, wall("10:30"), None, None, town.now)

    assert (made.meeting.id, wall("10:30")) == (moved.meeting.id, moved.meeting.interval.start)


def test_each_seat_is_confirmed_once_the_calendar_holds_the_meeting(town: Town) -> None:
    first = book(town, "one")
    reconcile(town)
    second = book(town, "two")
    reconcile(town)
    states = [town.desk.booking("portal", one.booking.id, town.now).booking.state for one in (first, second)]

    assert [BookingState.CONFIRMED] * 2 == states
    assert second.meeting.desired_generation > first.meeting.desired_generation


def test_nobody_joins_a_meeting_that_a_human_moved_into_the_past_or_whose_calendar_is_unknown(town: Town) -> None:
    book(town, "one")
    town.refuse("anna")

    assert 0 == seats(town)
    with pytest.raises(BookingError):
        book(town, "two")


def test_a_group_meeting_weighs_once_however_many_seats_it_has(town: Town) -> None:
    book(town, "one"), book(town, "two")
    with town.store.read() as tx:
        window = town.answer().slots[0].interval.padded(timedelta(days=1), timedelta(days=1))
        assert {"anna": 1} == tx.meetings.starting(["anna"], window, town.now)


def test_the_last_seat_has_exactly_one_winner(migrated_url: str) -> None:
    town = Town.open(migrated_url, GROUP)
    book(town, "one"), book(town, "two")

    def attempt(number: int) -> bool:
        try:
            book(town, f"rival-{number}")
        except BookingError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(attempt, range(6)))

    assert 1 == sum(won)
    assert 0 == seats(town)
    with town.store.read() as tx:
        assert 3 == len([b for b in tx.bookings.of(_meeting(town)) if b.state is BookingState.PENDING])


def test_a_hold_that_runs_out_while_somebody_joins_does_not_free_the_time(migrated_postgres_url: str) -> None:
    town = Town.open(migrated_postgres_url, GROUP)
    first = town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "one", town.now)
    over = first.booking.expires or town.now
    with town.store.begin() as joining:
        early = over - timedelta(seconds=1)
        second = town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, "two", early, tx=joining)
        with town.store.begin() as tx:  # another node, whose clock is a second ahead
            left_alone = tx.bookings.expire_all(over, 100)
    with town.store.begin() as tx:
        freed = tx.bookings.expire_all(over, 100)
        claims = tx.meetings.claims(second.meeting.id)

    assert first.meeting.id == second.meeting.id
    assert (0, 1) == (left_alone, freed)
    assert ["anna"] == [claim.mailbox for claim in claims]


def test_many_who_come_at_once_to_an_empty_time_share_one_meeting_per_caseworker(migrated_url: str) -> None:
    town = Town.open(migrated_url, GROUP)

    def attempt(number: int) -> str | None:
        try:
            return book(town, f"rival-{number}", "09:30").meeting.id
        except BookingError:
            return None

    with ThreadPoolExecutor(5) as pool:
        made = [one for one in pool.map(attempt, range(5)) if one is not None]

    assert {3} == {len(made)}
    assert 1 == len(set(made))


def _meeting(town: Town) -> str:
    with town.store.read() as tx:
        (meeting,) = tx.meetings.of_caseworker(
            "anna", town.answer(days=2).slots[0].interval.padded(timedelta(days=1), timedelta(days=1)), town.now
        )
    return meeting.id


@pytest.fixture
def paired(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url, PAIR)


def test_everybody_of_a_collective_meeting_is_taken_and_gets_the_entry(paired: Town) -> None:
    paired.event("bo", "10:00", "10:30")
    made = book(paired, "one")
    reconcile(paired)
    paired.sync()
    with paired.store.read() as tx:
        claimed = sorted(claim.mailbox for claim in tx.meetings.claims(made.meeting.id))
        places = sorted(entry.mailbox for entry in tx.meetings.entries(made.meeting.id) if entry.generation)

    assert ("cara",) == made.meeting.partners
    assert ["anna", "cara"] == claimed == places
    assert BookingState.CONFIRMED is paired.desk.booking("portal", made.booking.id, paired.now).booking.state


def test_who_is_a_partner_cannot_be_booked_by_another_offer(paired: Town) -> None:
    paired.event("bo", "09:00", "12:00")
    book(paired, "one")

    assert "10:00" not in paired.times("cara", offer="call")
    with pytest.raises(SlotGone):
        paired.hold("10:00", "cara", offer="call")


def test_the_partner_with_least_to_do_is_taken(paired: Town) -> None:
    paired.book("11:00", "bo", offer="call")

    assert ("cara",) == book(paired, "one", "09:00").meeting.partners


def test_a_collective_meeting_that_moves_or_ends_takes_everybody_along(paired: Town) -> None:
    made = book(paired, "one")
    moved = paired.desk.reschedule("portal", made.booking.id, wall("10:30"), None, None, paired.now)
    with paired.store.read() as tx:
        spans = {claim.interval for claim in tx.meetings.claims(made.meeting.id)}
    paired.desk.cancel("portal", made.booking.id, paired.now)

    assert {moved.meeting.interval} == spans
    assert "10:30" in paired.times("bo", offer="call", day=TODAY)


def test_a_partner_is_taken_once_though_two_meetings_want_her(migrated_url: str) -> None:
    rules = RULES.replace('who = ["team:job"]', 'who = ["team:job"]\npartners = [["cara"]]', 1)
    town = Town.open(migrated_url, rules)

    def attempt(who: str) -> bool:
        try:
            book(town, who, who=who)
        except BookingError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert 1 == sum(pool.map(attempt, ["anna", "bo"]))


def test_the_topics_that_citizens_chose_stand_in_the_caseworkers_entry(migrated_url: str) -> None:
    town = Town.open(migrated_url, GROUP.replace("seats = 3", 'seats = 3\ntopics = ["CV", "Uddannelse"]'))
    for citizen, topic in (("one", "Uddannelse"), ("two", "CV")):
        hold = town.desk.hold("portal", "talk", wall("10:00"), "anna", PHONE, citizen, town.now)
        made = town.desk.book("portal", hold.booking.id, citizen, town.now, topic=topic)
        reconcile(town)
    (entry,) = town.calendar.find(town.people.caseworkers["anna"].mailbox, made.meeting.uid)
    settled = town.desk.booking("portal", made.booking.id, town.now)

    assert BookingState.CONFIRMED is settled.booking.state
    assert settled.meeting.settled
    assert entry.stamp is not None
    assert settled.meeting.desired_generation == entry.stamp.generation
    (thing,) = town.calendar._calendar("anna").things.values()
    assert thing.draft is not None
    assert thing.draft.description.startswith("Samtale: CV, Uddannelse\n")
