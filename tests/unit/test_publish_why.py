"""Why a time is on offer or not: the step that removed it, in Danish and English, and nothing anybody wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from syncd.errors import BadRequest, UnknownCaseworker, UnknownOffer
from syncd.model.busy import BusyType
from syncd.model.directory import RoomRules
from syncd.model.eligibility import Traits, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from syncd.publish.words import SENTENCES
from tests.unit.publishing import NOW, RULES, TODAY, Town, wall

LIVE = "[teams.job]\nmode = 'live'\n"
CHOOSY = RULES.replace(
    'who = ["team:job"]', 'who = ["team:job"]\nown = "only"\nopen_to = [{contact_groups = ["1"]}]', 1
)
OPENING = "[[openings]]\ndays = 'mon-fri'\nhours = ['09:00-10:30', '11:00-12:00']\n"
PAIRED = RULES.replace('who = ["team:job"]', 'who = ["team:job"]\npartners = [["cara"]]')
RESERVED = RULES.replace(
    'who = ["team:job"]', 'who = ["team:job"]\nreserve = {hours = ["10:00-11:00"], release_hours = 1}'
)


@pytest.fixture
def town(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url)


def full_rooms(town: Town) -> None:
    town.event("r1", "09:00", "12:00")
    town.event("r2", "09:00", "12:00")


def full_group(town: Town) -> None:
    town.apply(RULES.replace('who = ["team:job"]', 'who = ["team:job"]\nseats = 2', 1))
    town.book("10:00"), town.book("10:00")


def far_rules(more: str = "") -> str:
    return RULES.replace("horizon_days = 14", "horizon_days = 60") + more


def narrow_mirror(town: Town) -> None:
    with town.store.begin() as tx:
        end = int(wall("10:15").timestamp())
        tx.session.connection().exec_driver_sql("UPDATE mailboxes SET covered_end = ?", (end,))
        tx.settings.bump()


def away(town: Town) -> None:
    span = Interval(wall("09:45"), wall("12:00"))
    with town.store.begin() as tx:
        tx.absences.add("anna", span, reachable=False, actor="cli:test", now=NOW)


def busy_and_shaped(town: Town) -> None:
    """One room is taken all day; a talk at half past would leave half an hour in the other one that nobody can use."""
    rooms = {name: replace(room, opens=time(9), closes=time(12)) for name, room in town.people.rooms.items()}
    site = replace(town.people.sites["hq"], rooms=RoomRules(shape=True))
    town.people = replace(town.people, rooms=rooms, sites={"hq": site})
    town.event("r1", "09:00", "12:00")


CASES: list[tuple[Reason, Callable[[Town], object], dict[str, object]]] = [
    (Reason.OFFERED, lambda town: None, {}),
    (Reason.NOT_SERVING, lambda town: None, {"who": "cara"}),
    (Reason.TEAM_CLOSED, lambda town: town.apply(RULES + "[teams.job]\nmode = 'closed'\n"), {}),
    (Reason.TEAM_IN_SHADOW, lambda town: town.apply(RULES + "[teams.job]\nmode = 'shadow'\n"), {}),
    (Reason.NEVER_READ, lambda town: town.forget("anna"), {}),
    (Reason.REFUSED_LOSS, lambda town: town.refuse("anna"), {}),
    (Reason.UNREADABLE, lambda town: town.unreadable("anna"), {}),
    (Reason.STALE, lambda town: town.stale(), {}),
    (Reason.NOT_COVERED, narrow_mirror, {}),
    (Reason.PAST, lambda town: None, {"start": "07:00"}),
    (Reason.OFF_GRID, lambda town: None, {"start": "10:15"}),
    (Reason.CLOSED_DAY, lambda town: town.apply(RULES + "[[closings]]\nfirst = 2026-11-23\nwhy = 'Flytning'\n"), {}),
    (
        Reason.EXCEPTION,
        lambda town: town.apply(
            RULES + "[[exceptions]]\nwho = ['anna']\nfirst = 2026-11-23\nhours = ['09:00-10:00']\n"
        ),
        {},
    ),
    (Reason.NO_HOURS, lambda town: None, {"day": date(2026, 11, 28)}),
    (Reason.OUTSIDE_HOURS, lambda town: None, {"start": "11:30", "form": Form.IN_PERSON}),
    (Reason.CALENDAR_HOURS, lambda town: town.event("anna", "09:30", "10:15", BusyType.UNAVAILABLE), {}),
    (Reason.NOT_MARKED, lambda town: town.apply(RULES + LIVE + "publish = 'marked'\n"), {}),
    (Reason.EVENT, lambda town: town.event("anna", "09:30", "10:15", BusyType.TENTATIVE), {}),
    (Reason.AWAY, away, {}),
    (Reason.BOOKED, lambda town: town.book("10:00"), {}),
    (Reason.HELD, lambda town: town.hold("10:00"), {}),
    (Reason.NOTICE, lambda town: None, {"offer": "call", "start": "08:00", "soon": True}),
    (Reason.HORIZON, lambda town: None, {"day": TODAY + timedelta(days=15)}),
    (Reason.CAP, lambda town: (town.apply(RULES + LIVE + "per_day = 1\n"), town.book("11:00")), {}),
    (Reason.NO_ROOM, full_rooms, {"form": Form.IN_PERSON}),
    (Reason.SHAPED, busy_and_shaped, {"form": Form.IN_PERSON, "start": "09:30"}),
    (Reason.SITE_CLOSED, lambda town: town.apply(RULES + OPENING), {"form": Form.IN_PERSON}),
    (Reason.NO_PARTNER, lambda town: (town.apply(PAIRED), town.event("cara", "10:15", "10:30")), {}),
    (Reason.NOT_ENTITLED, lambda town: town.apply(CHOOSY), {"whom": Whom(Traits("2"))}),
    (Reason.NOT_OWN, lambda town: town.apply(CHOOSY), {"whom": Whom(Traits("1", caseworker="bo"))}),
    (Reason.AFTER_LATEST, lambda town: None, {"whom": Whom(latest=TODAY - timedelta(days=1))}),
    (Reason.FULL, full_group, {"who": "anna"}),
    (Reason.RESERVED, lambda town: town.apply(RESERVED), {}),
]


@pytest.mark.parametrize(("reason", "prepare", "asked"), CASES, ids=[case[0].value for case in CASES])
def test_the_step_that_removed_a_time_is_named_in_both_languages(
    town: Town, reason: Reason, prepare: Callable[[Town], object], asked: dict[str, Any]
) -> None:
    if asked.pop("soon", False):
        town.apply(RULES.replace('from = "09:00"', 'from = "07:00"'))
    prepare(town)
    verdict = town.why(str(asked.pop("start", "10:00")), **asked)

    assert reason is verdict.reason
    assert {"da", "en"} == set(verdict.says)
    assert "{" not in "".join(verdict.says.values())


def test_every_reason_has_a_sentence_and_a_case() -> None:
    # tests/integration/test_cli_daily.py closes all offers for maintenance.
    assert set(Reason) == set(SENTENCES) == {reason for reason, _, _ in CASES} | {Reason.MAINTENANCE}


def test_an_event_is_told_by_its_time_and_kind_only(town: Town) -> None:
    town.event("anna", "09:30", "10:15", BusyType.OUT_OF_OFFICE, uid="secret-uid", categories=("Privat sag",))
    verdict = town.why("10:00")

    assert {
        "da": "Optaget i kalenderen (ikke til stede) 09:30–10:15.",
        "en": "Taken in the calendar (out-of-office) 09:30–10:15.",
    } == verdict.says
    assert ("2026-11-23T08:30:00Z", "2026-11-23T09:15:00Z") == (verdict.facts["start"], verdict.facts["end"])
    assert "secret" not in repr(verdict)
    assert "Privat" not in repr(verdict)


def test_an_event_that_only_leaves_no_room_for_the_buffer_says_so(town: Town) -> None:
    town.event("anna", "10:30", "11:00")

    assert (
        "Taken in the calendar (busy) 10:30–11:00, which leaves no room for the buffer."
        == town.why("10:00", offer="call").says["en"]
    )


def test_an_all_day_entry_is_told_with_its_dates(town: Town) -> None:
    town.event("anna", "00:00", "23:59", BusyType.FREE, all_day=True)

    assert "Optaget i kalenderen (heldagsaftale) 00:00–23:59." == town.why("10:00").says["da"]


def test_without_a_form_the_one_that_got_furthest_is_told(town: Town) -> None:
    full_rooms(town)
    offered = town.publisher.why("talk", "anna", wall("10:00"), NOW)
    town.event("anna", "10:30", "11:00")
    town.event("anna", "09:00", "10:10")
    taken = town.publisher.why("talk", "anna", wall("10:00"), NOW)

    assert (True, Form.PHONE) == (offered.offered, offered.form)
    assert Reason.EVENT is taken.reason


def test_the_days_candidates_are_counted_step_by_step(town: Town) -> None:
    town.event("anna", "09:00", "10:00")
    town.event("anna", "09:00", "10:00", day=TODAY + timedelta(days=1))
    town.hold("11:00")

    assert [48, 6, 6, 4, 3, 3, 3, 3, 3, 3, 3, 3] == list(town.why("10:00").counts.values())


def test_nobody_learns_of_rooms_that_were_not_read_as_free(town: Town) -> None:
    town.event("r1", "09:00", "12:00")
    town.refuse("r2")
    facts = town.why("10:00", form=Form.IN_PERSON).facts

    assert {"suitable": "2", "unknown": "1"} == facts


@pytest.mark.parametrize(
    ("offer", "who", "start", "error"),
    [
        ("tlak", "anna", wall("10:00"), UnknownOffer),
        ("talk", "dorte", wall("10:00"), UnknownCaseworker),
        ("talk", "anna", datetime(2026, 11, 23, 10), BadRequest),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    town: Town, offer: str, who: str, start: datetime, error: type[Exception]
) -> None:
    with pytest.raises(error):
        town.publisher.why(offer, who, start, NOW)


def test_a_time_between_two_seconds_is_on_no_grid(town: Town) -> None:
    assert (
        Reason.OFF_GRID
        is town.publisher.why("talk", "anna", wall("10:00") + timedelta(microseconds=5), NOW, Form.PHONE).reason
    )


def test_every_time_on_the_grid_is_either_offered_or_has_another_reason(town: Town) -> None:
    town.event("anna", "09:20", "09:50")
    town.event("r1", "10:00", "11:00")
    town.event("r2", "10:00", "10:30")
    town.hold("11:30")
    for form in (Form.PHONE, Form.IN_PERSON):
        offered = {slot.interval.start for slot in town.answer(form=form, caseworker="anna").slots}
        for half_hour in range(48):
            start = wall("00:00") + timedelta(minutes=30 * half_hour)
            verdict = town.publisher.why("talk", "anna", start, NOW, form)
            assert (start in offered) is verdict.offered
