"""The finer rules of an offer: who may book and with whom, what is kept, when one can get in, who must come along."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from syncd.errors import BadRequest, NotAllowed, SlotGone
from syncd.model.directory import Directory
from syncd.model.eligibility import Traits, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.policy import Mode
from syncd.publish.reserve import open_reserve
from tests.unit.publishing import NOW, RULES, TODAY, Town, directory, wall

NEXT = TODAY + timedelta(days=1)


def rules(more: str, tail: str = "") -> str:
    """The usual rules with more keys for the offer ``talk``, and more tables."""
    return RULES.replace('who = ["team:job"]', f'who = ["team:job"]\n{more}', 1) + tail


@pytest.fixture
def town(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url)


def whom(**more: Any) -> Whom:
    return Whom(Traits(**more))


def test_meetings_in_person_lie_in_the_sites_opening_hours_and_others_need_not(town: Town) -> None:
    town.apply(rules("", "[[openings]]\ndays = 'mon-fri'\nhours = ['09:30-10:30', '11:00-12:00']\n"))

    assert "09:30 11:00" == town.times(form=Form.IN_PERSON)
    assert "09:00 09:30 10:00 10:30 11:00 11:30" == town.times()


def test_another_sites_opening_hours_mean_nothing_here(town: Town) -> None:
    with pytest.raises(Exception, match="no site called 'elsewhere'"):
        town.apply(rules("", "[[openings]]\nsites = ['elsewhere']\ndays = 'mon'\nhours = ['09:00-10:00']\n"))


def test_hours_of_a_period_replace_the_usual_ones_in_it_only(town: Town) -> None:
    period = "[[periods]]\nname = 'efterår'\nfirst = 2026-11-24\nlast = 2026-11-24\n"
    town.apply(
        rules(
            "", period + "[[hours]]\nwho = ['team:job']\nduring = 'efterår'\ndays = 'mon-fri'\nfrom='10:00'\nto='11:00'"
        )
    )

    assert "10:00 10:30" == town.times(day=NEXT)
    assert "09:00 09:30 10:00 10:30 11:00 11:30" == town.times(day=NEXT + timedelta(days=1))
    assert "09:00 09:30 10:00 10:30 11:00 11:30" == town.times("cara", offer="call", day=NEXT).replace(":10", ":00")


def test_a_period_that_hours_name_must_exist(town: Town) -> None:
    with pytest.raises(Exception, match=r"hours\[1\].during: no period called 'jul'"):
        town.apply(rules("", "[[hours]]\nwho = ['everyone']\nduring = 'jul'\ndays = 'mon'\nfrom='10:00'\nto='11:00'"))


RESERVE = 'reserve = {hours = ["10:00-11:00"], release_hours = 2, within_days = 1}'


def test_reserved_time_is_for_immediate_booking_until_it_is_released(town: Town) -> None:
    town.apply(rules(RESERVE))
    before = town.times()
    immediate = town.answer(caseworker="anna", form=Form.PHONE, whom=Whom(immediate=True))
    town.now = wall("07:55")
    town.sync()
    edge = town.answer(caseworker="anna", form=Form.PHONE).valid_until
    town.now = edge

    assert "09:00 09:30 11:00 11:30" == before
    assert 6 == len(immediate.slots)
    assert wall("08:00") == edge
    assert "09:00 09:30 10:00 10:30 11:00 11:30" == town.times()


def test_immediate_booking_reaches_no_further_than_the_reserve_says(town: Town) -> None:
    town.apply(rules(RESERVE))
    far = town.answer(day=TODAY + timedelta(days=2), caseworker="anna", form=Form.PHONE, whom=Whom(immediate=True))

    assert not far.slots
    assert 4 == len(town.answer(day=TODAY + timedelta(days=2), caseworker="anna", form=Form.PHONE).slots)


def test_a_reserved_time_is_held_for_immediate_booking_only(town: Town) -> None:
    town.apply(rules(RESERVE))
    with pytest.raises(SlotGone):
        town.hold("10:00")
    kept = town.desk.hold("portal", "talk", wall("10:00"), "anna", Form.PHONE, None, NOW, whom=Whom(immediate=True))

    assert wall("10:00") == kept.meeting.interval.start


def test_an_opened_reserve_is_everybodys_at_once(town: Town) -> None:
    town.apply(rules(RESERVE))
    before = town.times()
    with town.store.begin() as tx:
        assert open_reserve(tx, "talk", wanted=True)
        assert not open_reserve(tx, "talk", wanted=True)

    assert ("09:00 09:30 11:00 11:30", "09:00 09:30 10:00 10:30 11:00 11:30") == (before, town.times())


def test_only_those_whom_the_rules_let_in_see_and_take_times(town: Town) -> None:
    town.apply(rules('open_to = [{contact_groups = ["1", "8"]}, {groups = ["AB-1"], not_groups = ["no"]}]'))

    def count(citizen: Whom) -> tuple[bool, int]:
        answer = town.answer(caseworker="anna", form=Form.PHONE, whom=citizen)
        return answer.entitled, len(answer.slots)

    assert (True, 6) == count(whom(contact_group="8"))
    assert (True, 6) == count(whom(groups=frozenset({"ab-1"})))
    assert (False, 0) == count(whom(groups=frozenset({"ab-1", "no"})))
    assert (False, 0) == count(whom(contact_group="2"))
    with pytest.raises(BadRequest, match="not for everybody"):
        count(Whom())
    with pytest.raises(NotAllowed, match="do not let this citizen"):
        town.desk.hold("portal", "talk", wall("10:00"), None, Form.PHONE, None, NOW, whom=whom(contact_group="2"))


def test_ones_own_caseworker_comes_first_as_long_as_she_has_times(town: Town) -> None:
    town.apply(rules('own = "first"'))
    mine = whom(caseworker="bo")
    first = town.answer(form=Form.PHONE, whom=mine).by_caseworker()
    given = town.desk.hold("portal", "talk", wall("09:00"), None, Form.PHONE, None, NOW, whom=mine).meeting.caseworker
    town.event("bo", "08:00", "13:00")

    assert {"bo": 6} == first
    assert "bo" == given
    assert {"anna": 6} == town.answer(form=Form.PHONE, whom=mine).by_caseworker()
    assert {"anna": 6} == town.answer(form=Form.PHONE, whom=Whom()).by_caseworker()


def test_where_only_ones_own_caseworker_serves_nobody_else_can_be_had(town: Town) -> None:
    town.apply(rules('own = "only"'))

    assert {"bo": 6} == town.answer(form=Form.PHONE, whom=whom(caseworker="bo")).by_caseworker()
    assert not town.answer(form=Form.PHONE, whom=whom(caseworker="cara")).entitled
    with pytest.raises(NotAllowed):
        town.desk.hold("portal", "talk", wall("09:00"), "anna", Form.PHONE, None, NOW, whom=whom(caseworker="bo"))


def test_a_latest_day_ends_the_answer_and_refuses_later_holds(town: Town) -> None:
    answer = town.answer(days=3, caseworker="anna", form=Form.PHONE, whom=Whom(latest=NEXT))
    with pytest.raises(NotAllowed, match="after 2026-11-23"):
        town.desk.hold("portal", "talk", wall("09:00", NEXT), "anna", Form.PHONE, None, NOW, whom=Whom(latest=TODAY))

    assert {TODAY, NEXT} == {slot.interval.start.date() for slot in answer.slots}


def test_who_lacks_a_competence_does_not_serve(town: Town) -> None:
    skilled = {"anna": replace(directory().caseworkers["anna"], competences=("arabisk",))}
    people = directory()
    town.people = Directory.of(people.organisation, people.sites, {**people.caseworkers, **skilled}, people.rooms)
    town.apply(rules('competences = ["arabisk"]'))

    assert ("anna",) == town.rules().offers["talk"].caseworkers
    town.apply(RULES.replace('"team:job"', '"competence:arabisk"'))
    assert ("anna",) == town.rules().offers["talk"].caseworkers


def test_a_quota_of_minutes_leaves_room_for_what_still_fits(town: Town) -> None:
    town.apply(rules("", "[teams.job]\nmode = 'live'\nminutes_per_day = 90\n"))
    town.book("09:00", form=Form.IN_PERSON)

    assert "10:00 10:30 11:00 11:30" == town.times()
    assert "" == town.times(form=Form.IN_PERSON)
    verdict = town.why("10:00", form=Form.IN_PERSON)
    assert "The cap of 90 minutes per day is reached (60 are booked)." == verdict.says["en"]
    town.book("10:00")
    assert "" == town.times()


def test_a_meeting_needs_somebody_free_for_each_further_role(town: Town) -> None:
    town.apply(rules('partners = [["cara"]]'))
    town.event("cara", "10:00", "10:45")

    assert "09:00 09:30 11:00 11:30" == town.times()
    town.forget("cara")
    closed = town.answer(caseworker="anna", form=Form.PHONE)
    assert (0, ["cara"]) == (len(closed.slots), list(closed.closed))


def test_nobody_is_her_own_partner_and_two_roles_take_two_people(town: Town) -> None:
    town.apply(rules('partners = [["team:job"]]'))
    town.event("bo", "10:00", "10:30")
    pair = town.times()
    town.apply(rules('partners = [["team:job"], ["bo", "cara"]]'))
    town.event("cara", "11:00", "11:30")

    assert "09:00 09:30 10:30 11:00 11:30" == pair
    assert "09:00 09:30 10:30 11:30" == town.times()


def test_a_partner_in_shadow_fills_no_role(town: Town) -> None:
    town.apply(rules('partners = [["cara"]]', "[teams.youth]\nmode = 'shadow'\n"))

    assert Mode.SHADOW is town.rules().policy("cara").mode
    assert "" == town.times()


def test_a_day_of_the_answer_is_the_sum_of_its_parts_whatever_the_rules(town: Town) -> None:
    town.apply(rules(RESERVE + '\npartners = [["cara"]]', "[[openings]]\ndays = 'mon'\nhours = ['09:00-11:30']\n"))
    town.event("cara", "09:30", "10:00")
    whole = town.answer(days=2)
    halves = [
        town.publisher.answer("talk", Interval(wall("00:00", day), wall("00:00", day + timedelta(days=1))), NOW)
        for day in (TODAY, NEXT)
    ]

    assert sorted(whole.slots) == sorted(slot for half in halves for slot in half.slots)
    assert date(2026, 11, 24) == NEXT


def test_when_nobody_is_named_the_least_burdened_by_weight_is_taken(town: Town) -> None:
    whom_: list[str] = [town.book(start, None).meeting.caseworker for start in ("09:00", "09:30", "10:00", "10:30")]
    youth = RULES.replace('who = ["team:job"]', 'who = ["everyone"]', 1)
    town.apply(youth + "[teams.youth]\nmode = 'live'\nweight = 2.0\n")
    more = [town.book(start, None).meeting.caseworker for start in ("09:00", "09:30", "10:00", "10:30", "11:00")]

    assert ["anna", "anna", "bo", "bo"] == sorted(whom_)
    assert 4 <= more.count("cara")
