"""A group of the tenant says who is a caseworker: whoever leaves it is seen through, over the simulated Graph."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.booking.proposals import Remedy
from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force, rebuilt
from syncd.daemon.people import follow_groups, outdated
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from tests.integration.test_groups import CONFIG, RULES, TEAM
from tests.servers.graph import GraphServer

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
WEEK = Interval(NOW, NOW + timedelta(days=5))
CLOUD = """
[calendars.main.graph]
tenant = "tenant-1"
client_id = "app-1"
secret = {{file = "secret"}}
graph_url = "{url}"
login_url = "{url}"
"""


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer(clock=lambda: NOW) as server:
        server.door.application("app-1", secret="s3cret")
        for one in ("anna", "bo"):
            server.mailbox(f"{one}@example.dk", one.title())
        server.world.groups[TEAM] = ["anna@example.dk", "bo@example.dk"]
        yield server


def looked(parts: Parts, clock: FixedClock) -> Parts:
    """One look at the group and at everybody's calendar, as the service takes it."""
    assert [None] == [one.problem for one in follow_groups(parts, clock.now())]
    if outdated(parts, clock.now()):
        parts = rebuilt(parts, parts.config, clock)
    for box in parts.directory.mailboxes:
        parts.engine.sync_mailbox(box, clock.now(), force=True)
    return parts


def test_a_leaver_with_meetings_raises_a_task_and_a_colleague_is_proposed(graph: GraphServer, tmp_path: Path):
    account = f'adapter = "graph"\n{CLOUD.format(url=graph.base)}'
    (tmp_path / "syncd.toml").write_text(CONFIG.replace('adapter = "memory"\n', account))
    (tmp_path / "offers.toml").write_text(RULES)
    (tmp_path / "secret").write_text("s3cret")
    clock = FixedClock(NOW)
    config = load(tmp_path / "syncd.toml")
    parts = assemble(config, open_store(config), clock)
    put_in_force(parts, clock)
    parts = looked(parts, clock)
    start = NOW.replace(hour=9, minute=0)
    held = parts.desk.hold("portal", "call", start, "bo", Form.PHONE, None, NOW)
    booked = parts.desk.book("portal", held.booking.id, "citizen", NOW)
    parts.reconciler.run_due(NOW)

    graph.world.groups[TEAM].remove("bo@example.dk")
    parts = looked(parts, clock)

    with parts.store.read() as tx:
        tasks = [(task.kind, task.about) for task in tx.tasks.waiting()]
    offered = {slot.caseworker for slot in parts.publisher.answer("call", WEEK, NOW, form=Form.PHONE).slots}
    [proposal] = parts.away.proposals("bo", WEEK, NOW)
    assert [(TaskKind.CASEWORKER_LEFT, "mailbox:bo")] == tasks
    assert {"anna"} == offered
    assert (booked.meeting.id, Remedy.COLLEAGUE, "anna") == (proposal.meeting.id, proposal.remedy, proposal.to)
    events = graph.world.box("bo@example.dk").events.values()
    assert [start] == [one.span()[0] for event in events for one in event.instances(WEEK.start, WEEK.end)]
    parts.close()
