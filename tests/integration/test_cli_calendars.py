"""`syncd check` and `syncd sync` on a real calendar server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest

from syncd.model.mirror import UnreadableObject
from syncd.sync.engine import Engine
from syncd.sync.outcome import LossPreview, acknowledging
from tests.integration.cli_office import Done, Office, beside_other_tests
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
DTSTART:{start}
DURATION:PT30M
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


class Street(Office):
    """An office whose calendars are on a server."""

    server: DavServer

    def put(self, name: str, hours: int = 5, uid: str | None = None) -> None:
        """Put an event into Anna's calendar."""
        start = datetime.now(UTC) + timedelta(hours=hours)
        text = EVENT.format(uid=uid or name, start=start.strftime("%Y%m%dT%H%M%SZ"))
        self.server.put(f"{self.server.home}anna/{quote(name)}", text)

    def remove(self, name: str) -> None:
        """Take an event out of Anna's calendar."""
        self.server.delete(f"{self.server.home}anna/{name}")

    def unreadable(self, name: str) -> None:
        """Put an object there that syncd refuses to understand."""
        self.put(name, uid=name + "u" * 5000)

    def listed(self) -> dict[str, dict[str, Any]]:
        """What ``syncd check`` tells about each object that could not be understood."""
        objects = self.syncd("check", "anna", "--json").json["unreadable"]
        return {item["object"]: item for item in objects}


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def street(served: DavServer, tmp_path: Path) -> Iterator[Street]:
    for name in ("anna", "lokale-1"):
        served.make_calendar(name)
    (tmp_path / "password").write_text(served.password)
    account = f'[calendars.dav]\nadapter = "caldav"\nurl = "{served.url}"\nusername = "{served.username}"\n'
    street = Street(tmp_path, account + 'password = {file = "password"}\n', served.home)
    street.server = served
    yield street
    for name in ("anna", "lokale-1"):
        served.delete(f"{served.home}{name}/")


def results(done: Done) -> dict[str, str]:
    return {outcome["mailbox"]: outcome["result"] for outcome in done.json}


def test_check_contacts_every_calendar(street: Street) -> None:
    done = street.syncd("check")

    assert (0, "") == (done.code, done.err)
    said = re.sub(r" +", " ", done.out)
    assert "ok anna /syncd/anna/ can be read and written; changes by sync-collection." in said
    assert "2 of 2 calendars can be used." in done.out


def test_check_fails_where_one_calendar_does_and_still_tells_the_others(street: Street) -> None:
    street.config.write_text(street.config.read_text().replace("/lokale-1/", "/lokale-9/"))
    done = street.syncd("check", "--json")

    assert 1 == done.code
    assert {"anna": True, "lokale-1": False} == {name: box["ok"] for name, box in done.json["mailboxes"].items()}
    assert not done.json["ok"]


def test_check_with_a_wrong_password_says_so(street: Street) -> None:
    (street.folder / "password").write_text("wrong")
    done = street.syncd("check", "anna")

    assert 1 == done.code
    assert "FAIL anna" in done.out
    assert "password" in done.out


def test_an_unknown_mailbox_is_told_with_those_there_are(street: Street) -> None:
    for command in ("check", "sync"):
        done = street.syncd(command, "berta")
        assert (1, "") == (done.code, done.out)
        assert "No such mailbox: berta. Nothing was done. Known: anna, lokale-1." in done.err


def test_sync_reads_calendars_and_tells_each_as_json(street: Street) -> None:
    street.put("a.ics")
    first, second = street.syncd("sync", "--json"), street.syncd("sync", "--json")

    assert (0, 0) == (first.code, second.code)
    assert {"anna": "ok", "lokale-1": "unchanged"} == results(first)
    assert {"anna": "unchanged", "lokale-1": "unchanged"} == results(second)
    assert 1 == first.json[0]["changed"]
    assert "anna     unchanged" in street.syncd("sync", "anna").out


def lose_six_of_eight(street: Street) -> None:
    for n in range(8):
        street.put(f"e{n}.ics", hours=n + 1)
    assert 0 == street.syncd("sync", "anna").code
    for n in range(6):
        street.remove(f"e{n}.ics")


def test_a_refused_loss_is_shown_asked_about_let_go_and_kept_in_the_audit(street: Street) -> None:
    lose_six_of_eight(street)
    refused = street.syncd("sync", "anna", "--json")
    assert (1, {"anna": "refused"}) == (refused.code, results(refused))
    assert refused.json[0]["problem"].endswith("run: syncd sync --accept-loss anna")

    declined = street.syncd("sync", "--accept-loss", "anna", answer="n\n")
    assert 1 == declined.code
    assert "anna: 6 of 8 entries to come would go:" in declined.out
    assert "e5.ics" in declined.out
    assert "Nothing was changed." in declined.err
    assert [] == street.audit("loss.accepted")

    accepted = street.syncd("sync", "--accept-loss", "anna", "--json", answer="y\n")
    assert (0, {"anna": "ok"}, 6) == (accepted.code, results(accepted), accepted.json[0]["removed"])
    assert "6 of 8 entries to come would go:" in accepted.err
    detail = "anna: 6 of 8 entries to come, 0 meeting(s) of ours"
    assert [("cli:drift", detail, None)] == street.audit("loss.accepted")
    assert 0 == street.syncd("sync", "anna").code


def test_nothing_is_let_go_without_a_mailbox_or_an_answer(street: Street) -> None:
    lose_six_of_eight(street)

    assert "Name exactly one MAILBOX" in street.syncd("sync", "--accept-loss", "--yes").err
    assert 1 == street.syncd("sync", "--accept-loss", "anna").code
    assert [] == street.audit("loss.accepted")
    assert {"anna": "refused"} == results(street.syncd("sync", "anna", "--json"))


@contextmanager
def meanwhile(street: Street, *names: str) -> Iterator[None]:
    """Somebody removes *names* between the preview and the answer."""
    preview = Engine.preview_loss

    def look(engine: Engine, mailbox: str, now: datetime) -> LossPreview:
        shown = preview(engine, mailbox, now)
        for name in names:
            street.remove(name)
        return shown

    with patch.object(Engine, "preview_loss", look):
        yield


def test_what_vanished_after_the_question_is_refused_again(street: Street) -> None:
    for n in range(14):
        street.put(f"e{n}.ics", hours=n + 1)
    street.syncd("sync", "anna")
    for n in range(6):
        street.remove(f"e{n}.ics")
    with meanwhile(street, *(f"e{n}.ics" for n in range(6, 12))):
        done = street.syncd("sync", "--accept-loss", "anna", "--yes", "--json")

    assert (1, {"anna": "refused"}) == (done.code, results(done))
    assert "6 of 14 items vanished at once" in done.json[0]["problem"]
    assert [] == street.audit("loss.accepted")
    assert "anna: 12 of 14 entries" in street.syncd("sync", "--accept-loss", "anna", "--yes").out
    assert 1 == len(street.audit("loss.accepted"))


def test_check_lists_all_unreadable_objects_and_the_printed_command_settles_them(street: Street) -> None:
    for name in ("a(1) &b.ics", "b.ics"):
        street.unreadable(name)
    read = street.syncd("sync", "anna", "--json")
    assert 2 == read.json[0]["unreadable"]
    assert "2 object(s) cannot be understood" in read.json[0]["problem"]

    listed = street.listed()
    digests = [item["sha256"] for _, item in sorted(listed.items())]
    assert (2, {64}) == (len(set(digests)), {len(digest) for digest in digests})
    assert all("UID" in item["reason"] and not item["acknowledged"] for item in listed.values())
    told = street.syncd("check", "anna").out
    assert all(digest in told for digest in digests)

    printed = read.json[0]["problem"].partition(" run: ")[2]
    first = street.syncd(*shlex.split(printed)[1:], "--json")
    assert (0, 1) == (first.code, first.json[0]["unreadable"])
    lines = [line.strip() for line in told.splitlines() if line.strip().startswith("syncd sync anna --acknowledge")]
    second = street.syncd(*shlex.split(lines[1])[1:], "--json")
    assert (0, 0, None) == (second.code, second.json[0]["unreadable"], second.json[0]["problem"])
    assert "closes offers" not in street.syncd("check", "anna").out

    rows = street.audit("object.acknowledged")
    assert ["cli:drift", "cli:drift"] == [actor for actor, _, _ in rows]
    assert all(digest in str(detail) for digest, (_, detail, _) in zip(digests, rows, strict=True))


def test_an_acknowledgement_for_other_content_changes_nothing(street: Street) -> None:
    street.unreadable("bad.ics")
    street.syncd("sync", "anna")
    digest = street.listed()["bad.ics"]["sha256"]
    wrong = street.syncd("sync", "anna", "--acknowledge", "bad.ics", "--digest", "0" * 64)
    unknown = street.syncd("sync", "anna", "--acknowledge", "good.ics")

    assert (1, 1) == (wrong.code, unknown.code)
    assert f"bad.ics of anna has SHA-256 {digest}, not {'0' * 64}; nothing was changed." in wrong.err
    assert "anna has no unreadable object 'good.ics'; nothing was changed." in unknown.err
    assert not street.listed()["bad.ics"]["acknowledged"]
    assert [] == street.audit("object.acknowledged")
    assert 2 == street.syncd("sync", "anna", "--digest", digest).code
    assert 0 == street.syncd("sync", "anna", "--acknowledge", "bad.ics", "--digest", digest.upper()).code


def test_the_printed_command_is_quoted_for_a_shell() -> None:
    item = UnreadableObject("anna", "Anna's day; rm.ics", "0" * 64, "broken", datetime.now(UTC), acknowledged=False)

    assert ["syncd", "sync", "anna", "--acknowledge", item.key] == shlex.split(acknowledging(item))
