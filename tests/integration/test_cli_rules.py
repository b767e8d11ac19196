"""Revisions on the command line: compared, undone, and a team gone live after a look at its week."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli_office import RULES, Office, beside_other_tests

TEAM = RULES + "\n[teams.job]\nmode = 'shadow'\npublish = 'rules'\n"


@pytest.fixture(autouse=True)
def _beside() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.config.write_text(made.config.read_text().replace('name = "Anna Holm"', 'name = "Anna Holm"\nteams = ["job"]'))
    made.rules.write_text(TEAM)
    assert 0 == made.syncd("offers", "apply", made.rules).code
    assert 0 == made.syncd("sync").code
    return made


def test_undo_puts_the_revision_before_in_force_as_a_new_one(office: Office) -> None:
    office.rules.write_text(TEAM.replace("step = 30", "step = 15"))
    office.syncd("offers", "apply", office.rules)
    done = office.syncd("offers", "undo")

    assert (0, "Revision 3 is in force; it says what revision 2 said.") != (done.code, done.out.strip())
    assert "Revision 3 is in force; it says what revision 1 said." in done.out
    assert TEAM == office.syncd("offers", "export").out
    assert 1 == office.syncd("offers", "undo", "--to", "9").code


def test_diff_shows_the_lines_that_differ(office: Office) -> None:
    office.rules.write_text(TEAM.replace("step = 30", "step = 15"))
    file = office.syncd("offers", "diff", office.rules).out
    office.syncd("offers", "apply", office.rules)
    older = office.syncd("offers", "diff").out

    for told in (file, older):
        assert ["-step = 30", "+step = 15"] == [line for line in told.splitlines() if line[:2] in ("-s", "+s")]
    assert "No difference." in office.syncd("offers", "diff", office.rules).out


def test_going_live_first_shows_the_week_and_then_needs_a_yes(office: Office) -> None:
    looked = office.syncd("offers", "mode", "job", "live")
    before = office.syncd("slots", "samtale", "--json").json["slots"]
    done = office.syncd("offers", "mode", "job", "live", "--yes")
    after = office.syncd("slots", "samtale", "--json").json["slots"]
    office.syncd("offers", "mode", "job", "closed", "--yes")

    assert "Nothing was changed. Do it with: syncd offers mode job live --yes" in looked.out
    assert "anna" in looked.out
    assert not before
    assert "team job is live" in done.out
    assert after
    assert not office.syncd("slots", "samtale", "--json").json["slots"]


def test_a_new_team_that_goes_live_keeps_its_marks_and_its_cap(office: Office) -> None:
    office.rules.write_text(RULES + "\n[teams.job]\n")
    office.syncd("offers", "apply", office.rules)
    office.syncd("offers", "mode", "job", "live", "--yes")
    told = office.syncd("offers", "export").out

    assert '[teams.job]\nmode = "live"\npublish = "marked"\nper_day = 4' in told
    assert 78 == office.syncd("offers", "mode", "jobs", "live").code
