"""Commands on rules, supply, bookings and the database, over calendars in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from unittest.mock import patch

import pytest

from syncd.booking import texts
from syncd.booking.brake import STOPPED
from syncd.cli import screen
from syncd.cli.opening import parts_of
from syncd.model.offer import Form
from syncd.model.task import Facts, TaskKind
from tests.integration.cli_office import RULES, Office, beside_other_tests, spoken


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with rules in force, every calendar read and one booking."""
    office = Office(tmp_path_factory.mktemp("prepared"))
    assert 0 == office.syncd("offers", "apply", office.rules).code
    assert 0 == office.syncd("sync").code
    with parts_of(office.config) as parts:
        now = datetime.now(UTC).replace(microsecond=0)
        start = office.syncd("slots", "samtale", "--json").json["slots"][5]["start"]
        held = parts.desk.hold("portal", "samtale", datetime.fromisoformat(start), "anna", Form.PHONE, None, now)
        parts.desk.book("portal", held.booking.id, "borger-1", now)
    with sqlite3.connect(office.folder / "syncd.sqlite3") as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return office.folder / "syncd.sqlite3"


@pytest.fixture
def office(prepared: Path, tmp_path: Path) -> Office:
    copyfile(prepared, tmp_path / "syncd.sqlite3")
    return Office(tmp_path)


def test_apply_puts_rules_in_force_and_history_tells_who(office: Office) -> None:
    office.rules.write_text(RULES.replace("step = 30", "step = 15"))
    done = office.syncd("offers", "apply", office.rules)

    assert (0, "") == (done.code, done.err)
    assert "Revision 2 is in force." in done.out
    history = office.syncd("offers", "history", "--json").json
    assert [(2, "cli:drift"), (1, "cli:drift")] == [(each["number"], each["actor"]) for each in history]
    assert all(each["applied"].endswith("Z") for each in history)


def test_export_prints_what_was_applied(office: Office) -> None:
    assert RULES == office.syncd("offers", "export").out
    assert RULES == office.syncd("offers", "export", "--revision", "1").out
    missing = office.syncd("offers", "export", "--revision", "7")
    assert (1, "") == (missing.code, missing.out)
    assert "There is no revision 7." in missing.err


def test_preview_counts_slots_and_changes_nothing(office: Office) -> None:
    office.rules.write_text(RULES.replace("step = 30", "step = 15"))
    done = office.syncd("offers", "preview", office.rules, "--days", "3", "--json")
    (row,) = done.json

    assert 0 == done.code
    assert ("samtale", "anna") == (row["offer"], row["caseworker"])
    assert 0 < row["now"] < row["then"]
    assert 1 == len(office.syncd("offers", "history", "--json").json)


@pytest.mark.parametrize("command", ["apply", "preview"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[offers", "is not TOML"),
        (RULES.replace('who = ["anna"]', 'who = ["berta"]').replace("step = 30", "step = 0"), "berta"),
    ],
)
def test_a_broken_rules_file_exits_78_and_changes_nothing(office: Office, command: str, text: str, told: str) -> None:
    office.rules.write_text(text)
    done = office.syncd("offers", command, office.rules)

    assert (78, "") == (done.code, done.out)
    assert told in done.err
    assert 1 == len(office.syncd("offers", "history", "--json").json)


def test_a_rules_file_that_is_not_there_exits_78(office: Office) -> None:
    done = office.syncd("offers", "apply", office.folder / "none.toml")

    assert 78 == done.code
    assert "cannot be read: No such file or directory" in done.err


def test_slots_are_told_in_utc(office: Office) -> None:
    told = office.syncd("slots", "samtale", "--form", "phone", "--json").json

    assert told["slots"]
    assert {"start", "end", "caseworker", "form"} == told["slots"][0].keys()
    assert told["slots"][0]["start"].endswith("Z")
    assert {} == told["closed"]
    assert "anna" in office.syncd("slots", "samtale").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing",), "nothing"),
        (("samtale", "--caseworker", "berta"), "berta"),
        (("samtale", "--from", "2026-01-01", "--to", "2045-12-31"), "days may be asked at once"),
        (("samtale", "--from", "1990-01-01", "--to", "2045-12-31"), "at most 20 years"),
    ],
)
def test_slots_that_cannot_be_had_are_told_precisely(office: Office, arguments: tuple[str, ...], told: str) -> None:
    done = office.syncd("slots", *arguments)

    assert (1, "") == (done.code, done.out)
    assert told in done.err


def test_why_names_the_booking_that_took_a_time_and_says_what_is_offered(office: Office) -> None:
    (booking,) = office.syncd("bookings", "--json").json
    free = office.syncd("slots", "samtale", "--form", "phone", "--json").json["slots"][-1]["start"]
    taken = office.syncd("why", "samtale", "anna", booking["start"], "--form", "phone", "--json").json
    offered = office.syncd("why", "samtale", "anna", free, "--form", "phone")

    assert not taken["offered"]
    assert {"da", "en"} == taken["says"].keys()
    assert offered.out.startswith("offered")


def test_bookings_tell_nothing_about_citizens(office: Office) -> None:
    done = office.syncd("bookings", "--json")
    (booking,) = done.json

    assert ("pending", "anna", "phone", False) == tuple(
        booking[key] for key in ("state", "caseworker", "form", "settled")
    )
    assert "borger" not in done.out + office.syncd("bookings").out
    assert [] == office.syncd("bookings", "--state", "cancelled", "--json").json
    assert 1 == len(office.syncd("bookings", "--state", "pending", "--json").json)
    assert [] == office.syncd("bookings", "--attention", "--json").json


def test_a_state_that_does_not_exist_is_wrong_usage(office: Office) -> None:
    done = office.syncd("bookings", "--state", "bogus")

    assert (2, "") == (done.code, done.out)
    assert "bogus" in done.err
    assert "confirmed" in done.err


def test_rooms_are_listed_with_their_week(office: Office) -> None:
    (room,) = office.syncd("rooms", "--json").json

    assert ("lokale-1", "torvet", 0, 0) == (room["id"], room["site"], room["meetings"], room["entries"])
    assert "Lokale 1" in office.syncd("rooms").out


def test_writing_that_was_stopped_goes_on_when_a_person_says_so(office: Office) -> None:
    going = office.syncd("writes", "status")
    assert 0 == going.code
    assert "1 meeting(s) wait to be written" in going.out
    with parts_of(office.config) as parts, parts.store.begin() as tx:
        tx.settings.put(STOPPED, "Look at the calendars.")

    stopped = office.syncd("writes", "status")
    assert 1 == stopped.code
    assert "Look at the calendars." in stopped.out
    assert "Writing goes on." in office.syncd("writes", "resume").out
    assert "had not stopped; nothing was changed" in office.syncd("writes", "resume").out
    assert ["cli:drift"] == [actor for actor, _, _ in office.audit("writes.released")]


def test_a_calendar_that_lost_our_meetings_is_written_again_when_a_person_says_so(office: Office) -> None:
    assert 1 == office.syncd("writes", "retry", "nobody", "--yes").code
    assert 1 == office.syncd("writes", "retry", "anna", answer="n\n").code
    assert [] == office.audit("calendar.written-again")

    done = office.syncd("writes", "retry", "anna", "--yes")

    assert "1 meeting(s) will be written" in done.out
    assert "syncd sync --accept-loss anna" in done.out
    assert [("cli:drift", "anna", None)] == office.audit("calendar.written-again")


def test_an_erased_citizen_stays_erased_after_a_restore(office: Office) -> None:
    file = office.folder / "backup.sqlite3"
    with parts_of(office.config) as parts:
        bookings = office.syncd("bookings", "--json").json
        parts.desk.cancel("portal", bookings[0]["id"], datetime.now(UTC))
    office.syncd("db", "backup", file)
    assert 1 == office.syncd("bookings", "erase", "--citizen", "borger-1", answer="n\n").code

    done = office.syncd("bookings", "erase", "--citizen", "borger-1", "--yes")
    assert "1 booking(s) no longer say whose they were" in done.out
    assert "borger-1" not in (office.folder / "erased.ledger").read_text()
    again = office.syncd("db", "restore", file, "--yes")

    assert "1 booking(s) of citizens who had been erased were erased again" in again.out
    report = office.syncd("bookings", "erase", "--citizen", "borger-1", "--yes", "--json").json
    assert {"bookings": [], "answers": 0, "live": [], "contacts": 0, "letters": 0} == report


def test_erasing_for_a_client_nobody_knows_says_so(office: Office) -> None:
    done = office.syncd("bookings", "erase", "--citizen", "borger-1", "--client", "portl", "--yes")

    assert "there is no client 'portl'" in done.err
    assert "" == office.syncd("bookings", "erase", "--citizen", "borger-1", "--yes").err


def test_an_unknown_caseworker_or_a_time_to_come_is_not_answered_as_if_all_were_well(office: Office) -> None:
    assert "There is no caseworker 'nobody'" in office.syncd("absence", "suggest", "nobody").err
    assert "is still to come" in office.syncd("slots", "samtale", "--as-of", "2190-01-01").err


def test_what_is_still_ahead_is_listed_and_kept(office: Office) -> None:
    done = office.syncd("bookings", "erase", "--citizen", "borger-1", "--yes")

    assert "0 booking(s)" in done.out
    assert office.syncd("bookings", "--json").json[0]["id"] in done.out
    assert 1 == len(office.syncd("bookings", "--state", "pending", "--json").json)


def test_an_absence_gets_proposals_and_is_settled(office: Office) -> None:
    booking = office.syncd("bookings", "--json").json[0]
    day, end = booking["start"][:10], (datetime.fromisoformat(booking["start"]) + timedelta(days=1)).isoformat()[:10]

    given = office.syncd("absence", "give", "anna", "--from", day, "--to", f"{end}T23:00")
    assert "1 meeting(s) need a solution" in given.out
    assert "syncd absence settle 1" in given.out
    listed = office.syncd("absence", "--json").json
    assert [("1", "anna", "given")] == [(one["id"], one["caseworker"], one["why"]) for one in listed]
    (proposal,) = office.syncd("absence", "show", "1", "--json").json
    assert ("new-time", "anna") == (proposal["remedy"], proposal["to"])  # nobody else serves the offer

    assert 1 == office.syncd("absence", "settle", "1", answer="n\n").code
    assert 1 == office.syncd("absence", "settle", "1", "--choose", "nothing=cancel", "--yes").code
    done = office.syncd("absence", "settle", "1", "--choose", f"{proposal['meeting']}=cancel", "--yes")
    assert 0 == done.code
    assert "cancelled" == office.syncd("bookings", "--json").json[0]["state"]
    assert "is offered again" in office.syncd("absence", "end", "1").out
    assert 1 == office.syncd("absence", "end", "1").code
    assert "0 absence(s)" in office.syncd("absence").out
    assert 1 == office.syncd("absence", "suggest", "anna").code


def test_a_meeting_is_handed_over_from_the_command_line(office: Office) -> None:
    booking = office.syncd("bookings", "--json").json[0]

    shown = office.syncd("bookings", "handover", booking["id"], "--json").json
    refused = office.syncd("bookings", "handover", booking["id"], "--to", "nobody")

    assert [] == shown[0]["colleagues"]
    assert (1, True) == (refused.code, "There is no caseworker" in refused.out)
    assert 0 == office.syncd("bookings", "handover", shown[0]["meeting"], "--to", "anna").code
    assert 1 == office.syncd("bookings", "handover", "nothing").code


def test_a_colleague_whose_calendar_was_never_read_gets_no_meeting(office: Office) -> None:
    office.config.write_text(office.config.read_text() + office._box("caseworkers", "bo", "Bo Dam"))
    booking = office.syncd("bookings", "--json").json[0]

    done = office.syncd("bookings", "handover", booking["id"], "--to", "bo", "--json")

    assert 1 == done.code
    assert "has not been read yet" in done.json[0]["refused"]
    assert "Nothing was changed; try again when" in done.json[0]["refused"]
    assert "anna" == office.syncd("bookings", "--json").json[0]["caseworker"]


def test_upgrade_sets_a_database_up_once(tmp_path: Path) -> None:
    fresh = Office(tmp_path)

    assert "upgraded from nothing" in fresh.syncd("db", "upgrade").out
    assert "was up to date" in fresh.syncd("db", "upgrade").out


def test_nodes_on_sqlite_names_what_several_need_instead_of_a_command_that_is_refused(office: Office) -> None:
    done = office.syncd("nodes")

    assert 0 == done.code
    assert "need PostgreSQL" in done.out
    assert "syncd db move --to postgresql://" in done.out
    assert "--role" not in done.out


def test_a_task_says_in_english_what_to_do_and_in_danish_what_staff_are_told(office: Office) -> None:
    facts: Facts = {"when": "30.11.2026 09:15", "caseworker": "Anna", "reference": "5A4C-2133", "says": texts.CONFLICT}
    refused: Facts = {"when": "30.11.2026 09:15", "record": "7", "reference": "5A4C-2133", "says": "Ret det."}
    with parts_of(office.config) as parts, parts.store.begin() as tx:
        tx.tasks.raise_(TaskKind.LOOK_AT_MEETING, "meeting:x", facts, datetime(2026, 1, 5, 8, tzinfo=UTC))
        tx.tasks.raise_(TaskKind.REPORT_REFUSED, "record:7", refused, datetime(2026, 1, 6, 8, tzinfo=UTC))
    with patch.multiple(screen.out, _width=80, _force_terminal=True, _color_system=None):
        shown = office.syncd("tasks").out
    lines = [" ".join(line.split()) for line in shown.splitlines()]

    first = lines.index("staff are told Mødet overlapper noget andet i kalenderen. Flyt en af")
    assert "aftalerne, eller lad dem stå." == lines[first + 1]
    assert lines[first - 1].endswith("needs a look.")
    assert "staff are told Ret det." in lines
    assert "try again: syncd dfdg retry 7" in " ".join(lines)
    [_, task] = office.syncd("tasks", "--json").json
    assert "record 7). Ret det. Put it right" in task["says"]["en"]


BESIDE = ("syncd.sqlite3-wal", "syncd.sqlite3-shm")


def _gone(office: Office, *left: str, backup: bool = False) -> Path:
    """The office without its database. :param left: what stays beside it."""
    kept = office.folder / "backups" / "syncd-20260105T080000Z.sqlite3"
    if backup:
        kept.parent.mkdir()
        assert 0 == office.syncd("db", "backup", kept).code
    for name in ("syncd.sqlite3", *BESIDE):
        (office.folder / name).unlink(missing_ok=True)
    for name in left:
        (office.folder / name).touch()
    return kept


@pytest.mark.parametrize("command", ["bookings", "tasks", "nodes", "sync", "run"])
@pytest.mark.parametrize("left", [BESIDE, ()])
def test_a_database_that_was_there_before_is_not_replaced_by_an_empty_one(
    office: Office, command: str, left: tuple[str, ...]
) -> None:
    kept = _gone(office, *left, backup=not left)
    done = office.syncd(command)

    assert (1, "") == (done.code, done.out)
    assert f"{office.folder}/syncd.sqlite3 is gone, but was in use before: " in done.err
    assert f"syncd db restore {'FILE' if left else kept}. " in done.err
    assert "syncd db upgrade" in done.err
    assert not (office.folder / "syncd.sqlite3").exists()


def test_an_empty_file_in_the_place_of_a_database_with_backups_is_not_taken_for_a_first_start(office: Office) -> None:
    _gone(office, "syncd.sqlite3", backup=True)

    assert "syncd.sqlite3 holds nothing, but was in use before" in office.syncd("bookings").err
    assert "holds nothing, but was in use before" in office.syncd("check").out


def test_a_database_that_is_gone_comes_back_from_a_backup(office: Office) -> None:
    kept = _gone(office, *BESIDE, backup=True)

    assert 0 == office.syncd("db", "restore", kept, "--yes").code
    assert 1 == len(office.syncd("bookings", "--json").json)


def test_a_database_that_is_gone_is_made_anew_when_somebody_says_so(office: Office) -> None:
    _gone(office, *BESIDE, backup=True)

    assert 0 == office.syncd("db", "upgrade").code
    assert [] == office.syncd("bookings", "--json").json


def test_a_first_start_is_one_whatever_lies_in_the_folder_of_backups(tmp_path: Path) -> None:
    fresh = Office(tmp_path)
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "syncd-notes.sqlite3").touch()
    (tmp_path / "erased.ledger").touch()

    assert [] == fresh.syncd("bookings", "--json").json


def test_a_first_start_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    fresh = Office(tmp_path)
    for name in ("syncd.sqlite3", *BESIDE):
        (tmp_path / name).touch()

    assert [] == fresh.syncd("bookings", "--json").json


def test_a_backup_is_verified_and_brings_everything_back(office: Office) -> None:
    file = office.folder / "backup.sqlite3"
    made = office.syncd("db", "backup", file)
    assert 0 == made.code
    assert ": whole; made " in made.out
    assert 1 == office.syncd("db", "backup", file).code
    assert 0 == spoken("db", "verify", file).code
    office.rules.write_text(RULES.replace("step = 30", "step = 15"))
    office.syncd("offers", "apply", office.rules)

    assert 1 == office.syncd("db", "restore", file, answer="n\n").code
    assert 2 == len(office.syncd("offers", "history", "--json").json)
    restored = office.syncd("db", "restore", file, answer="y\n")
    assert 0 == restored.code
    assert "holds the backup now" in restored.out
    assert RULES == office.syncd("offers", "export").out


def test_a_spoilt_backup_is_not_restored(office: Office) -> None:
    file = office.folder / "backup.sqlite3"
    office.syncd("db", "backup", file)
    with sqlite3.connect(file) as spoiler:
        spoiler.execute("DELETE FROM bookings")

    assert 1 == spoken("db", "verify", file).code
    assert 1 == office.syncd("db", "restore", file, "--yes").code
    assert 1 == len(office.syncd("bookings", "--json").json)


def test_nothing_is_offered_before_calendars_were_read(tmp_path: Path) -> None:
    fresh = Office(tmp_path)
    fresh.syncd("offers", "apply", fresh.rules)
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = fresh.syncd("slots", "samtale", "--from", soon, "--json").json

    assert [] == told["slots"]
    assert ["anna"] == list(told["closed"])


def test_tasks_lists_what_waits_and_done_takes_it_off(office: Office) -> None:
    morning = datetime(2026, 1, 5, 8, tzinfo=UTC)
    with parts_of(office.config) as parts, parts.store.begin() as tx:
        tx.tasks.raise_(TaskKind.CASEWORKER_LEFT, "mailbox:anna", {"caseworker": "anna", "id": "anna"}, morning)

    listed = office.syncd("tasks", "--json").json
    assert [("caseworker-left", "mailbox:anna", "2026-01-05T08:00:00Z")] == [
        (one["kind"], one["about"], one["since"]) for one in listed
    ]
    assert "anna is no longer in the group" in office.syncd("tasks").out
    assert 0 == office.syncd("tasks", "done", str(listed[0]["id"])).code
    assert [] == office.syncd("tasks", "list", "--json").json
    again = office.syncd("tasks", "done", str(listed[0]["id"]))
    assert 1 == again.code
    assert f"No task {listed[0]['id']} waits; nothing was changed." in again.err
