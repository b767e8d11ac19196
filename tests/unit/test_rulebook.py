"""Rules as data: read completely, resolved to people, warned about, written back."""

from __future__ import annotations

from datetime import date, time

import pytest

from syncd.errors import ConfigError
from syncd.model.busy import BusyType
from syncd.model.offer import AvailabilityRule, Form
from syncd.model.policy import Blocks, Mode, Source
from syncd.rulebook import apply_file_if_changed, apply_text, export, parse, read, warnings
from syncd.store import Store
from tests.unit.publishing import NOW, RULES, directory

TALK = """
[offers.talk]
title = {da = "Samtale"}
minutes = {in-person = 45}
who = ["everyone"]
"""
HOURS = """
[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "15:00"
"""
PEOPLE = directory()


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, PEOPLE, 1)
    return list(caught.value.problems)


def advice(text: str, mirrored: int | None = None) -> list[str]:
    return warnings(parse(text, PEOPLE, 1), PEOPLE, date(2026, 11, 23), mirrored)


def test_teams_and_sites_are_resolved_to_people() -> None:
    text = TALK.replace('["everyone"]', '["team:youth", "bo"]')

    assert ("bo", "cara") == parse(text, PEOPLE, 1).offers["talk"].caseworkers


def test_all_problems_come_at_once_each_with_its_path_and_a_hint() -> None:
    text = TALK.replace("everyone", "team:jobs") + "stepp = 5\n" + HOURS.replace("mon-fri", "mon-fry")

    assert [
        "offers.talk.stepp: unknown key; did you mean 'step'?",
        "hours[0].days: 'fry' is not a weekday; did you mean 'fri'?; weekdays are mon, tue, wed, thu, fri, sat, sun",
        "offers.talk.who[0]: no team called 'jobs'; teams are: job, youth",
    ] == problems(text)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[offers.talk]", "[offers.Talk]"), "offers.Talk: an offer's name is small letters"),
        (('da = "Samtale"', 'en = "Talk"'), "offers.talk.title: needs a Danish name"),
        (
            ("in-person = 45", "in-persn = 45"),
            "offers.talk.minutes.in-persn: should be 'in-person', 'phone' or 'video'",
        ),
        (("in-person = 45", "in-person = 2"), "offers.talk.minutes.in-person: should be greater than or equal to 5"),
        (('who = ["everyone"]', 'who = ["annna"]'), "offers.talk.who[0]: no caseworker called 'annna'"),
        (('who = ["everyone"]', 'who = ["site:x"]'), "offers.talk.who[0]: no site called 'x'; sites are: hq"),
        (('who = ["everyone"]', "who = []"), "offers.talk.who: tuple should have at least 1 item"),
    ],
)
def test_each_mistake_is_named_where_it_stands(change: tuple[str, str], problem: str) -> None:
    told = problems(TALK.replace(*change, 1))

    assert any(line.startswith(problem) for line in told), told


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("[teams.jbo]\nmode = 'live'\n", "teams.jbo: no team called 'jbo'; teams are: job, youth"),
        ("[[closings]]\nfirst = 2026-12-24\nlast = 2026-12-23\nwhy = 'Jul'\n", "closings[0]: last is before first"),
        (
            "[[closings]]\nfirst = 2026-12-24\nwhy = 'Jul'\nsites = ['nord']\n",
            "closings[0].sites[0]: no site called 'nord'",
        ),
        (HOURS.replace("15:00", "09:00"), "hours[0]: from and to are the same time"),
        (HOURS + "breaks = ['12-13']\n", "hours[0].breaks[0][0]: "),
        (HOURS + "valid_from = 2027-01-01\nvalid_to = 2026-01-01\n", "hours[0]: valid_from is after valid_to"),
        (HOURS.replace('"09:00"', '"09:00+01:00"'), "hours[0].from: should be a wall-clock time without a zone"),
        ("[[exceptions]]\nwho = ['anna']\nfirst = 2026-12-22\nhours = ['9-12']\n", "exceptions[0].hours[0]"),
    ],
)
def test_mistakes_in_other_tables_are_named_too(table: str, problem: str) -> None:
    told = problems(TALK + table)

    assert any(line.startswith(problem) for line in told), told


def test_hours_named_for_a_person_replace_her_teams_and_those_replace_everyones() -> None:
    text = TALK + HOURS + HOURS.replace("everyone", "team:job").replace("09:00", "10:00")
    text += HOURS.replace("everyone", "anna").replace("09:00", "11:00")
    hours = parse(text, PEOPLE, 1).hours

    assert {"anna": 11, "bo": 10, "cara": 9} == {one: rules[0].starts.hour for one, rules in hours.items()}


def test_a_break_leaves_a_rule_on_each_side_of_it() -> None:
    rules = parse(TALK + HOURS + 'breaks = ["12:00-12:30", "09:00-09:15"]\n', PEOPLE, 1).hours["anna"]

    assert [(time(9, 15), time(12)), (time(12, 30), time(15))] == [(rule.starts, rule.ends) for rule in rules]


def test_weekdays_may_wrap_around_the_week() -> None:
    rules = parse(TALK + HOURS.replace("mon-fri", "sat-mon, wed"), PEOPLE, 1).hours["anna"]

    assert (AvailabilityRule(frozenset({0, 2, 5, 6}), time(9), time(15)),) == rules


def test_a_new_team_starts_in_shadow_with_marked_time_and_a_cap_until_its_mode_is_written() -> None:
    new = parse(TALK + "[teams.job]\n", PEOPLE, 1).policy("anna")
    live = parse(TALK + "[teams.job]\nmode = 'live'\n", PEOPLE, 1).policy("anna")

    assert (Mode.SHADOW, Source.MARKED, 4) == (new.mode, new.source, new.per_day)
    assert (Mode.LIVE, Source.RULES, None) == (live.mode, live.source, live.per_day)


def test_what_events_block_is_a_policy_of_the_team() -> None:
    text = TALK + "[teams.job]\nmode = 'live'\nblocks = {tentative = 'none', working-elsewhere = 'all'}\n"
    blocks = parse(text, PEOPLE, 1).policy("anna").blocks

    assert (Blocks.NONE, Blocks.ALL, Blocks.ALL) == (
        blocks[BusyType.TENTATIVE],
        blocks[BusyType.WORKING_ELSEWHERE],
        blocks[BusyType.OUT_OF_OFFICE],
    )


def test_the_most_particular_exception_comes_last() -> None:
    entry = "[[exceptions]]\nwho = ['{}']\nfirst = 2026-12-22\nwhy = '{}'\n"
    text = TALK + entry.format("anna", "own") + entry.format("everyone", "all") + entry.format("team:job", "team")

    assert ["all", "team", "own"] == [one.why for one in parse(text, PEOPLE, 1).exceptions["anna"]]


def test_somebody_who_left_does_not_void_a_revision_in_force() -> None:
    text = TALK.replace('["everyone"]', '["anna", "dorte"]')

    assert ("anna",) == parse(text, PEOPLE, 1, leavers=True).offers["talk"].caseworkers


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (TALK + HOURS + "", None),
        (
            TALK.replace("everyone", "anna") + "notice = 2880\nhorizon_days = 2\n" + HOURS,
            "offers.talk: horizon_days = 2 is not",
        ),
        (TALK, "caseworker 'anna': serves an offer but has no hours; never offered"),
        (TALK + HOURS + "valid_to = 2026-11-22\n", "caseworker 'anna': the hours have all ended"),
        (TALK.replace("45", "400") + HOURS, "offers.talk: minutes.in-person: 400 minutes fit into nobody's hours"),
        (TALK + "room = {seats = 9}\n" + HOURS, "offers.talk: room: site 'hq' has no room that meets the requirement"),
        (
            TALK + HOURS.replace("mon-fri", "sun").replace("09:00", "01:00"),
            "caseworker 'anna': works on Sundays between",
        ),
        (
            TALK
            + HOURS
            + "[[exceptions]]\nwho=['anna']\nfirst=2026-12-01\nwhy='a'\n" * 1
            + "[[exceptions]]\nwho=['anna']\nfirst=2026-12-01\nwhy='b'\n",
            "caseworker 'anna': two exceptions hold on 2026-12-01",
        ),
    ],
)
def test_rules_that_can_never_yield_a_time_are_told_before_they_go_live(text: str, warning: str | None) -> None:
    told = advice(text)

    assert (warning is None and not told) or any(line.startswith(str(warning)) for line in told), told


def test_a_horizon_beyond_what_is_mirrored_is_told() -> None:
    assert ["offers.talk: horizon_days = 28, but calendars are read 20 days ahead only"] == advice(TALK + HOURS, 20)


def test_rules_can_be_written_back_and_mean_the_same() -> None:
    text = RULES + "[teams.job]\n[[exceptions]]\nwho=['anna']\nfirst=2026-12-01\nhours=['09:00-10:00']\n"
    again = export(read(text))

    assert parse(text, PEOPLE, 1) == parse(again, PEOPLE, 1)
    assert again == export(read(again))


def test_the_same_text_stays_the_same_revision(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)

    assert [1, 1, 2, 3] == [apply_text(store, text, PEOPLE, "test", NOW) for text in (TALK, TALK, TALK + HOURS, TALK)]
    with store.read() as tx:
        assert [(3, "test"), (2, "test"), (1, "test")] == [(one.number, one.actor) for one in tx.rules.history()]


def test_rules_with_a_problem_change_nothing(migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)

    with pytest.raises(ConfigError):
        apply_text(store, TALK.replace("everyone", "nobody"), PEOPLE, "test", NOW)
    with store.read() as tx:
        assert tx.rules.newest() is None


def test_a_rules_file_is_applied_when_it_changed_and_else_leaves_what_was_applied_by_hand(
    migrated_sqlite_url: str, tmp_path
) -> None:
    store, path = Store(migrated_sqlite_url), tmp_path / "offers.toml"
    path.write_text(TALK, encoding="utf-8")
    numbers = [apply_file_if_changed(store, path, PEOPLE, NOW), apply_file_if_changed(store, path, PEOPLE, NOW)]
    numbers.append(apply_text(store, TALK + HOURS, PEOPLE, "test", NOW))
    numbers.append(apply_file_if_changed(store, path, PEOPLE, NOW))
    path.write_text(TALK + "step = 30\n", encoding="utf-8")
    numbers.append(apply_file_if_changed(store, path, PEOPLE, NOW))

    assert [1, None, 2, None, 3] == numbers


def test_every_form_that_needs_no_room_is_left_out_of_the_rooms() -> None:
    offer = parse(TALK.replace("in-person = 45", "phone = 20"), PEOPLE, 1).offers["talk"]

    assert (frozenset(), (Form.PHONE,)) == (offer.room_forms, offer.forms)


@pytest.mark.parametrize(
    ("offer", "more", "told"),
    [
        ("horizon_days = 2\nnotice = 2880\n", "", "horizon_days = 2 is not longer than notice = 2880 minutes"),
        (
            "supply = [{from_days = 40, to_days = 41, at_least = 1}]\n",
            "",
            "supply[0]: its days begin after horizon_days",
        ),
        (
            'reserve = {hours = ["10:00-11:00"], within_days = 0}\nnotice = 60\n',
            "",
            "reserve: within_days = 0 is shorter than notice; nothing is immediate",
        ),
        (
            "",
            "[[openings]]\ndays = 'mon-fri'\nhours = ['10:00-10:30']\n",
            "openings: site 'hq' is never open for 45 minutes",
        ),
        (
            "",
            "[[limits]]\nmost = 3\n[[limits]]\nmost = 5\n",
            "more than 5 in 30 days is already told by a stricter limit",
        ),
        ("", HOURS.replace("09:00", "22:00").replace("15:00", "06:00"), "the hours 22:00-06:00 cross midnight"),
        (
            "",
            HOURS.replace("mon-fri", "sun").replace("09:00", "00:00"),
            "works on Sundays between 02:00 and 03:00",
        ),
    ],
)
def test_rules_that_can_hardly_be_meant_are_warned_of(offer: str, more: str, told: str) -> None:
    found = advice(TALK + offer + HOURS + more)

    assert any(told in one for one in found), found


def test_a_role_that_nobody_else_can_fill_is_warned_of() -> None:
    text = TALK.replace("everyone", "anna") + 'partners = [["anna"]]\n' + HOURS

    assert any("partners[0]: nobody else can fill this role" in one for one in advice(text))


def test_every_new_key_survives_an_export() -> None:
    text = (
        TALK
        + """own = "first"
competences = []
partners = [["bo"]]
open_to = [{contact_groups = ["1"]}, {groups = ["x"], not_groups = ["y"]}]
reserve = {days = "mon-fri", hours = ["13:00-15:00"], release_hours = 12}
supply = [{to_days = 10, at_least = 5, opens_reserve = true}]
move_notice = 60
cancellable = false
"""
        + HOURS
        + """
[[periods]]
name = "jul"
first = 2026-12-21
last = 2027-01-03
[[openings]]
days = ["mon", "tue"]
hours = ["09:00-12:00"]
[[limits]]
most = 4
per = "citizen-and-caseworker"
[teams.job]
mode = "live"
minutes_per_week = 600
expected_per_week = 8
"""
    )

    assert parse(text, PEOPLE, 1) == parse(export(read(text)), PEOPLE, 1)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("seats = 2\npartners = [['bo']]\n", "a group meeting (seats) cannot have partners"),
        ("supply = [{to_days = 1, at_least = 1, opens_reserve = true}]\n", "supply speaks of a reserve"),
        ("supply = [{from_days = 2, to_days = 1, at_least = 1}]\n", "from_days is after to_days"),
        ("open_to = [{}]\n", "names nobody"),
        ("competences = ['x']\n", "offers.talk.competences[0]: no competence called 'x'"),
        ("partners = [['team:joob']]\n", "offers.talk.partners[0][0]: no team called 'joob'"),
    ],
)
def test_finer_rules_that_cannot_be_are_refused_with_their_place(more: str, told: str) -> None:
    assert any(told in one for one in problems(TALK + more + HOURS))
