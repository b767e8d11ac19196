"""``syncd dfdg`` as an operator meets it, against the simulated DFDG."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from syncd.booking.desire import desire
from syncd.clock import SystemClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store
from syncd.model.interval import Interval
from tests.integration.cli_office import MEMORY, RULES, Office, beside_other_tests
from tests.servers.dfdg import DfdgServer, control, names

ANNE, BENT = "0101901234", "3112851111"
TABLES = """
[jobnet]
cpr_key = {file = "cpr.key"}
jobcentres = {"10101" = ["samtale"]}
certificate_subjects = ["CN=DFDG"]
certificate_issuers = ["CN=CA"]
trusted_proxies = ["127.0.0.1"]

[dfdg]
url = "URL"
organisation_code = "10101"
messages = "poll"
deadlines = true
"""


@dataclass
class Reporting:
    """An installation that reports, and DFDG beside it."""

    office: Office
    dfdg: DfdgServer

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """What the daemon would run."""
        config = load(self.office.config)
        made = assemble(config, open_store(config), SystemClock())
        made.engine.prepare()
        yield made
        made.close()

    def listen(self) -> None:
        """Fetch and handle messages."""
        with self.parts() as parts:
            assert parts.reporting is not None
            assert parts.reporting.inbox is not None
            parts.reporting.inbox.poll(SystemClock().now())
            parts.reporting.inbox.handle_due(SystemClock().now)

    def moved(self, record: str) -> str:
        """Move the meeting of a record by an hour and report it; the meeting's id."""
        with self.parts() as parts:
            assert parts.reporting is not None
            assert parts.reporting.reporter is not None
            with parts.store.begin() as tx:
                link = tx.jobnet.linked(record)
                found = tx.bookings.meeting_of(link.booking) if link is not None else None
                meeting = tx.meetings.get(found or "", lock=True)
                assert meeting is not None
                later = Interval(*(at + timedelta(hours=1) for at in (meeting.interval.start, meeting.interval.end)))
                desire(tx, replace(meeting, interval=later), SystemClock().now())
            parts.reporting.reporter.weigh_changed(SystemClock().now())
            parts.reporting.reporter.send_due(SystemClock().now)
        return meeting.id


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reporting]:
    folder = tmp_path_factory.mktemp("dfdg")
    (folder / "cpr.key").write_text("ab" * 32)
    with DfdgServer(clock=SystemClock().now) as dfdg, beside_other_tests():
        for cpr in (ANNE, BENT):
            dfdg.world.citizen(cpr)
        office = Office(folder, MEMORY + TABLES.replace("URL", dfdg.base))
        office.rules.write_text(RULES.replace("minutes =", 'talk_type = "7"\nminutes =', 1))
        assert 0 == office.syncd("offers", "apply", office.rules).code
        yield Reporting(office, dfdg)


def noon(days: int) -> datetime:
    return SystemClock().now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


def test_where_nothing_happened_yet_each_command_says_so_in_a_sentence(made: Reporting, tmp_path: Path) -> None:
    syncd = made.office.syncd
    status = syncd("dfdg", "status").out

    assert "0 reports are owed." in status
    assert "0 messages wait to be handled; none has come yet." in status
    assert "No reports refused by DFDG." in status
    assert "No open deadlines." in syncd("dfdg", "deadlines").out
    assert "No deadlines in an outage." in syncd("dfdg", "deadlines", "--outages").out
    assert re.search(r"No talk from \S+ to \S+ is known\.", syncd("dfdg", "figures").out)
    assert [[], []] == [syncd("dfdg", one, "--json").json for one in ("figures", "deadlines")]
    nowhere = syncd("dfdg", "figures", "--csv", tmp_path / "no" / "x.csv")
    assert (1, True) == (nowhere.code, "cannot be written" in nowhere.err)


@pytest.mark.parametrize(
    ("line", "typed", "says"),
    [
        (("retry", "nothing"), "", "Nothing of the record nothing was refused. Nothing was changed"),
        (("link", "nothing", "--purpose", "x"), f"{ANNE}\n", "There is no meeting of this id. Nothing was changed."),
        (("link", "nothing", "--purpose", "x"), "123\n", "ten digits that begin with a day and a month"),
        (("figures", "--from", "2026-13-01"), "", "is not a time"),
        (("figures", "--from", "2026-12-01", "--to", "2026-11-01"), "", "must be later than --from"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    made: Reporting, line: tuple[str, ...], typed: str, says: str
) -> None:
    done = made.office.syncd("dfdg", *line, answer=typed)

    assert (1, True) == (done.code, says in done.err), done
    assert ANNE not in done.out + done.err


def test_without_jobnet_the_commands_say_what_to_configure(tmp_path: Path) -> None:
    with beside_other_tests():
        done = Office(tmp_path).syncd("dfdg", "status")

    assert (1, True) == (done.code, "docs/howto/jobnet-reporting.md" in done.err)


def test_a_refused_report_is_shown_tried_again_and_gone(made: Reporting) -> None:
    syncd, end = made.office.syncd, noon(2) + timedelta(minutes=30)
    record = control.summoned(made.dfdg, BENT, names.FOLLOW_UP, noon(2), end, caseworker="anna").id
    made.listen()
    made.dfdg.faults.add("refuse", "update", code=4005)
    meeting = made.moved(record)
    refused = syncd("dfdg", "status")
    as_json = syncd("dfdg", "status", "--json").json
    again = syncd("dfdg", "retry", record)
    owed = syncd("dfdg", "status").out
    made.dfdg.faults.clear()
    other = syncd("dfdg", "link", meeting, "--purpose", "x", "--kind", "7", answer=f"{ANNE}\n")

    assert (record in refused.out, "fejlkode 4005" in refused.out) == (True, True), refused.out
    assert [record] == [one["record"] for one in as_json["refused"]]
    assert "It will be reported again." in again.out
    assert "1 report is owed, the oldest since" in owed
    assert "Another citizen is linked to this meeting. Nothing was changed." in other.err


def test_figures_and_deadlines_are_told_and_exported_with_rule_period_and_coverage(made: Reporting) -> None:
    """[S31, S32 of reference/domain.md; FRI]"""
    syncd, span = made.office.syncd, ("--from", f"{noon(-9):%Y-%m-%d}", "--to", f"{noon(9):%Y-%m-%d}")
    control.summoned(made.dfdg, ANNE, 7, noon(3), noon(3) + timedelta(minutes=30), caseworker="anna")
    made.dfdg.world.deadline(BENT, names.JOB_TALK, noon(5).date(), noon(9).date())
    made.listen()
    told = syncd("dfdg", "figures", *span).out
    table = list(csv.DictReader(StringIO(syncd("dfdg", "figures", *span, "--csv", "-").out)))
    days = syncd("dfdg", "deadlines", "--json").json

    assert "rule of 2016: self-booked x 100 / (self-booked + summoned)" in told
    assert "The case system's summonses are seen by messages." in told
    (row,) = table
    assert ("1", "0", "0.0") == (row["contact_group"], row["self_booked"], row["share_percent"])
    assert f"{noon(-9):%Y-%m-%d}"[:8] in row["from"] or row["from"] < row["to"]
    assert "Records are known since" in row["coverage"]
    assert [{"day": f"{noon(5).date()}", "type": "7", "open": "1"}] == days
