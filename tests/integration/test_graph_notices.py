"""Microsoft 365 tells of changes: subscriptions, notifications, forgers, and that nothing rests on any of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from syncd.clock import FixedClock
from syncd.config import load
from syncd.config.notices import PATH
from syncd.daemon.notices import EARLY, LASTS, Keeper, hear, notice_listeners
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force, rebuilt
from syncd.daemon.polling import due
from syncd.store import notices
from syncd.web.notices import PER_MINUTE
from syncd.web.pace import Pace
from tests.environment import shared
from tests.integration.test_marks_caldav import CONFIG, NOW, RULES
from tests.integration.test_marks_graph import ANNA, CLOUD, LARGE, SMALL
from tests.integration.web_town import Served, Town
from tests.servers.graph import GraphServer
from tests.servers.graph.subscriptions import HANDSHAKE

OFFICE = (ANNA, LARGE, SMALL)


@dataclass
class Office:
    """An installation that Microsoft can call, and the hand of Anna in Outlook."""

    graph: GraphServer
    parts: Parts
    clock: FixedClock
    keeper: Keeper
    served: Served
    folder: Path

    def keep(self) -> None:
        """A minute's care for the subscriptions."""
        self.keeper.keep(self.parts, self.clock.now(), lambda: None, lambda: False)

    def hear(self) -> None:
        """Look at what was told."""
        self.clock.at += timedelta(seconds=2)
        hear(self.parts, self.clock, lambda: None, lambda: False)

    def meets(self, hour: int) -> None:
        """A meeting of Anna's."""
        start = NOW.replace(hour=hour, minute=0)
        self.graph.outlook.book(ANNA, start, start + timedelta(hours=1), subject="Andet")

    @property
    def busy(self) -> list[int]:
        """When Anna is busy (UTC), as far as we know."""
        with self.parts.store.read() as tx:
            status = tx.mailboxes.status("anna")
            assert status is not None
            assert status.covered is not None
            found = tx.mailboxes.occurrences(["anna"], status.covered)["anna"]
        return [one.interval.start.hour for one in found]

    @property
    def subscribed(self) -> list[str]:
        """Whose calendars we are told of."""
        now = self.clock.now()
        return sorted(one.address for one in self.graph.subscriptions.known.values() if one.until > now)

    def post(self, path: str = PATH, **more: Any) -> httpx2.Response:
        """What anybody may send."""
        return httpx2.post(self.served.base + path, **more)

    def configure(self, url: str) -> None:
        """Another configuration comes into force."""
        lines = f'[notices]\nurl = "{url}"\n[calendars.main]' if url else "[calendars.main]"
        config = CONFIG.format(url=self.graph.base, user="-").replace('"caldav"', '"graph"')
        config = config.replace("[calendars.main]", lines, 1)
        config = config.replace("[sites.hq]", CLOUD.format(url=self.graph.base), 1)
        (self.folder / "syncd.toml").write_text(config)


@pytest.fixture
def office(tmp_path: Path, town: Town, served: Served) -> Iterator[Office]:
    clock = FixedClock(NOW)
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml"), clock=lambda: clock.at) as graph:
        graph.door.application("app-1", secret="geheim")
        graph.mailbox(ANNA, "Anna")
        graph.room(SMALL, "1.07")
        graph.room(LARGE, "2.14")
        (tmp_path / "password").write_text("geheim")
        (tmp_path / "offers.toml").write_text(RULES)
        made = Office(graph, None, clock, Keeper(), served, tmp_path)  # type: ignore[arg-type]  # its parts follow below
        made.configure(served.base + PATH)
        loaded = load(tmp_path / "syncd.toml")
        made.parts = assemble(loaded, open_store(loaded), clock)
        put_in_force(made.parts, clock)
        served.app.state.deps = replace(
            town.deps(), store=made.parts.store, clock=clock, notices=loaded.notices.by, pace=Pace()
        )
        for box in made.parts.directory.mailboxes:
            made.parts.engine.sync_mailbox(box, NOW, force=True)
        clock.at += timedelta(seconds=5)
        yield made
        made.parts.close()
        assert graph.validator is not None
        assert graph.validator.violations == []


def test_a_change_is_read_when_microsoft_tells_of_it_and_nobody_elses_calendar_is_asked(office: Office) -> None:
    office.keep()
    assert sorted(OFFICE) == office.subscribed
    office.hear()  # what may have happened while subscriptions were made
    before = office.graph.count("delta", LARGE)

    office.meets(10)
    office.hear()
    assert [] == office.busy
    assert 1 == office.graph.subscriptions.deliver()
    office.hear()

    assert [10] == office.busy
    assert before == office.graph.count("delta", LARGE)
    asked = office.graph.count("delta", ANNA)
    office.hear()
    assert asked == office.graph.count("delta", ANNA)


def test_who_does_not_bring_the_word_changes_nothing_and_learns_nothing(office: Office) -> None:
    office.keep()
    office.hear()
    office.meets(10)

    assert 1 == office.graph.subscriptions.deliver(word="forged")
    stranger = {"value": [{"subscriptionId": "sub-99", "clientState": "x"}, {"subscriptionId": "sub-1"}]}
    assert 202 == office.post(json=stranger).status_code
    office.hear()

    assert [202] == office.graph.subscriptions.answers
    assert [] == office.busy


def test_subscriptions_are_renewed_a_fifth_before_their_end(office: Office) -> None:
    office.keep()
    office.clock.at += LASTS - EARLY - timedelta(minutes=1)
    office.keep()
    assert 0 == office.graph.count("renew")
    office.clock.at += timedelta(minutes=1)
    office.keep()

    assert 3 == office.graph.count("renew")
    assert 3 == office.graph.count("subscribe")
    office.clock.at += EARLY + timedelta(hours=1)
    assert sorted(OFFICE) == office.subscribed


@pytest.mark.parametrize(
    ("event", "subscribed", "renewed"),
    [("missed", 3, 0), ("reauthorizationRequired", 3, 1), ("subscriptionRemoved", 4, 1)],
)
def test_what_happens_to_a_subscription_is_made_good_and_the_calendar_looked_at(
    office: Office, event: str, subscribed: int, renewed: int
) -> None:
    office.keep()
    office.hear()
    office.meets(10)
    office.graph.subscriptions.lifecycle(ANNA, event)
    office.hear()
    office.keep()
    office.keep()

    assert [10] == office.busy
    assert sorted(OFFICE) == office.subscribed
    assert (subscribed, renewed) == (office.graph.count("subscribe"), office.graph.count("renew"))


def test_nothing_rests_on_it_when_microsoft_cannot_reach_us(office: Office) -> None:
    office.served.app.state.deps = replace(office.served.app.state.deps, notices=None)
    office.keep()
    office.keep()
    assert [] == office.subscribed
    assert 3 == office.graph.count("subscribe")

    office.meets(10)
    office.parts.engine.sync_mailbox("anna", office.clock.now())
    assert [10] == office.busy

    office.served.app.state.deps = replace(office.served.app.state.deps, notices="")
    office.clock.at += timedelta(hours=1)
    office.keep()
    assert sorted(OFFICE) == office.subscribed


def test_subscriptions_end_when_the_address_is_taken_out_of_the_configuration(office: Office) -> None:
    office.keep()
    office.configure("")
    office.parts = rebuilt(office.parts, load(office.folder / "syncd.toml"), office.clock)
    office.keep()

    assert [] == office.subscribed
    with office.parts.store.read() as tx:
        assert [] == notices.kept(tx.session)


def test_it_is_off_unless_it_is_configured(office: Office, town: Town) -> None:
    office.served.app.state.deps = town.deps()

    assert 404 == office.post(f"{PATH}?validationToken=x").status_code


def test_the_address_proves_itself_with_the_token_and_nothing_else(office: Office) -> None:
    answer = office.post(params={"validationToken": HANDSHAKE})

    assert (200, HANDSHAKE) == (answer.status_code, answer.text)
    assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"value": [1]}', 400),
        (b'{"value": []}', 202),
        (b" " * 70_000, 413),
        (b'{"x":' + b"[" * 30_000, 400),
    ],
)
def test_what_is_no_notification_is_refused(office: Office, content: bytes, status: int) -> None:
    assert status == office.post(content=content).status_code


def test_too_many_requests_are_turned_away(office: Office) -> None:
    pace = Pace(clock=lambda: 0.0)
    for _ in range(PER_MINUTE):
        pace.wait(PATH, PER_MINUTE)
    office.served.app.state.deps = replace(office.served.app.state.deps, pace=pace)

    refused = office.post(json={"value": []})
    assert 429 == refused.status_code
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_listener_of_its_own_answers_this_path_alone(office: Office) -> None:
    config = office.parts.config
    own = config.model_copy(update={"notices": config.notices.model_copy(update={"listen": "127.0.0.1:0"})})
    office.served.app.state.deps = replace(office.served.app.state.deps, notices=own.notices.by)
    [listener] = notice_listeners(own, office.served.app)
    listener.start()
    try:
        token = {"validationToken": "x"}
        assert 200 == httpx2.post(listener.address + PATH, params=token).status_code
        assert 404 == httpx2.get(listener.address + "/livez").status_code
        assert 404 == office.post(params=token).status_code
    finally:
        listener.ask_to_stop()
        listener.join(5)


def test_who_is_offered_is_read_each_round_in_office_hours_and_all_others_seldom(office: Office) -> None:
    def read(hours: float) -> list[str]:
        office.clock.at = NOW + timedelta(hours=hours)
        found = due(office.parts, [*office.parts.directory.mailboxes.values()], office.clock.at)
        office.parts.engine.sync_many(found, office.clock)
        return sorted(found)

    office.graph.mailbox("bo@example.dk", "Bo")
    with (office.folder / "syncd.toml").open("a") as file:
        file.write('[[caseworkers]]\nid = "bo"\nname = "Bo"\naddress = "bo@example.dk"\nsite = "hq"\n')
    office.parts = rebuilt(office.parts, load(office.folder / "syncd.toml"), office.clock)
    minute, night = 1 / 60, 14
    few, all_of_them = ["anna", "large", "small"], ["anna", "bo", "large", "small"]

    assert [all_of_them, few, few, few, few, all_of_them] == [read(1 + n * minute) for n in range(6)]
    assert [all_of_them, [], [], [], [], all_of_them] == [read(night + n * minute) for n in range(6)]
    office.graph.faults.add("error", "delta", "bo@example.dk", times=2, status=500)
    assert all_of_them == read(night + 10 * minute)
    assert ["bo"] == read(night + 11 * minute), "trouble is looked at again at once"
