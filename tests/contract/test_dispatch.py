"""What every dispatcher promises, kept by threads on SQLite and by the engine of many nodes on PostgreSQL alike."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from unittest.mock import AsyncMock, patch

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy import make_url

from syncd.clock import SystemClock
from syncd.dispatch.cluster import COMMON, COMMON_HANDS, ClusterDispatcher
from syncd.dispatch.engine import SCHEMA, prepare
from syncd.dispatch.local import LocalDispatcher
from syncd.dispatch.port import Dispatcher, Scope, Task
from syncd.errors import StoreError
from syncd.observe.metrics import TASK_FAILURES

PATIENCE = 30.0


@dataclass
class Works:
    """Work that can be watched and held up."""

    begun: list[str] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    def task(self, name: str, *, by: str = "", seconds: float = 1.0, queue: str = "", scope: Scope = Scope.ANY) -> Task:
        def run(beat: Callable[[], None]) -> None:
            with self.lock:
                self.begun.append(f"{name}{by}")
                self.at_once += 1
                self.most = max(self.most, self.at_once)
            self.gate.wait(PATIENCE)
            beat()
            with self.lock:
                self.at_once -= 1

        return Task(name, seconds, run, queue=queue, scope=scope)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        threading.Event().wait(0.02)


@pytest.fixture
def works() -> Iterator[Works]:
    made = Works()
    yield made
    made.gate.set()


@pytest.fixture(scope="module")
def conninfo(postgres) -> Iterator[str]:
    url = postgres.database()
    yield make_url(url).set(drivername="postgresql").render_as_string()
    postgres.drop(url)


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> None:
    if "conninfo" in request.fixturenames or "cluster" in str(request.node.name):
        info = request.getfixturevalue("conninfo")
        prepare(info)
        with psycopg.connect(info, options=f"-c search_path={SCHEMA}") as connection:
            connection.execute(
                "TRUNCATE procrastinate_jobs, procrastinate_periodic_defers, procrastinate_workers CASCADE"
            )


@pytest.fixture
def member(conninfo: str) -> Iterator[Callable[..., ClusterDispatcher]]:
    """Makes nodes, which end with the test."""
    made: list[ClusterDispatcher] = []

    def make(*, keeps: bool = True, works: bool = True) -> ClusterDispatcher:
        made.append(ClusterDispatcher(conninfo, 4, SystemClock(), lambda _name: keeps, works=works))
        return made[-1]

    yield make
    for node in made:
        node.stop(5)


@pytest.fixture(params=["local", "cluster"])
def dispatcher(request: pytest.FixtureRequest) -> Iterator[Dispatcher]:
    if request.param == "local":
        made: Dispatcher = LocalDispatcher(4)
    else:
        made = request.getfixturevalue("member")()
    yield made
    made.stop(5)


def test_a_task_begins_at_once_and_again_and_again(dispatcher: Dispatcher, works: Works) -> None:
    for scope in Scope:
        dispatcher.every(works.task(scope.value, scope=scope))
    dispatcher.start()

    until(lambda: all(works.begun.count(scope.value) >= 2 for scope in Scope), "two runs of each")
    assert {scope.value for scope in Scope} == set(works.begun)


def test_a_task_never_runs_twice_at_a_time_and_others_run_beside_it(dispatcher: Dispatcher, works: Works) -> None:
    works.gate.clear()
    beside = Works()
    dispatcher.every(works.task("slow"))
    dispatcher.every(beside.task("quick"))
    dispatcher.start()
    until(lambda: len(beside.begun) >= 3, "three runs of the quick one")

    assert (["slow"], 1) == (works.begun, works.most)


def test_a_task_that_fails_is_counted_and_runs_again(dispatcher: Dispatcher) -> None:
    begun: list[int] = []

    def fail(_beat: Callable[[], None]) -> None:
        begun.append(1)
        raise StoreError("no") if len(begun) % 2 else ValueError("a defect")

    counted = TASK_FAILURES.labels("failing")
    before = counted._value.get()
    dispatcher.every(Task("failing", 1, fail))
    dispatcher.start()
    until(lambda: counted._value.get() >= before + 2, "two failures")

    assert len(begun) >= 2


def test_a_task_of_the_same_name_takes_the_place_of_the_one_before(dispatcher: Dispatcher, works: Works) -> None:
    dispatcher.every(works.task("one", by=" before"))
    dispatcher.start()
    until(lambda: works.begun, "a run")
    dispatcher.every(works.task("one", by=" after"))
    until(lambda: "one after" in works.begun, "a run of the new one")
    settled = len(works.begun)
    until(lambda: len(works.begun) > settled, "another run")

    assert ["one after"] * (len(works.begun) - settled) == works.begun[settled:]


def test_a_stop_waits_for_what_runs_and_begins_nothing_more(dispatcher: Dispatcher, works: Works) -> None:
    works.gate.clear()
    dispatcher.every(works.task("slow"))
    dispatcher.start()
    until(lambda: works.begun, "a run")
    threading.Timer(0.3, works.gate.set).start()

    assert dispatcher.stop(10)
    assert (["slow"], 0) == (works.begun, works.at_once)


def test_a_stop_gives_up_on_what_hangs(dispatcher: Dispatcher, works: Works) -> None:
    works.gate.clear()
    dispatcher.every(works.task("hanging"))
    dispatcher.start()
    until(lambda: works.begun, "a run")

    assert not dispatcher.stop(0.2)
    works.gate.set()


def test_nothing_is_late_that_goes_on(dispatcher: Dispatcher, works: Works) -> None:
    dispatcher.every(works.task("one"))
    dispatcher.start()
    until(lambda: works.begun, "a run")

    assert [] == dispatcher.late()


def test_two_nodes_do_each_thing_once_each_time(member, conninfo: str, works: Works) -> None:
    nodes = [member() for _ in range(2)]
    for number, node in enumerate(nodes):
        for name in "abcdef":
            node.every(works.task(name, by=f" on {number}", seconds=3600))
        node.start()
    until(lambda: len(works.begun) >= 6, "each once")
    put = [node.tick() for node in nodes]
    for node in nodes:
        node.stop(5)

    assert list("abcdef") == sorted(one[0] for one in works.begun)
    assert [0, 0] == put


def test_a_node_that_only_answers_does_nothing_but_look_after_itself(member, conninfo: str, works: Works) -> None:
    node = member(works=False)
    for scope in Scope:
        node.every(works.task(scope.value, scope=scope, seconds=0.1))
    node.start()
    until(lambda: len(works.begun) >= 3, "three runs")
    node.stop(5)

    assert {"each"} == set(works.begun)


def test_one_node_alone_does_what_only_one_may(member, conninfo: str, works: Works) -> None:
    nodes = [member(keeps=keeps) for keeps in (False, True)]
    for number, node in enumerate(nodes):
        node.every(works.task("listen", by=f" on {number}", seconds=0.1, scope=Scope.ONE))
        node.start()
    until(lambda: len(works.begun) >= 3, "three runs")

    assert {"listen on 1"} == set(works.begun)


def test_what_a_dead_node_was_doing_begins_anew_on_another(member, conninfo: str, works: Works) -> None:
    """Its thread goes on here, as that of a frozen process would: its lock is free all the same."""
    works.gate.clear()
    dead, living = member(), member()
    dead.every(works.task("sync", by=" on the dead", seconds=3600))
    dead.start()
    until(lambda: works.begun, "a run")
    again = Works()
    living.every(again.task("sync", by=" on the living", seconds=3600))
    living.start()
    assert [] == living.watch()
    dead.engine._workers[COMMON].stop()  # it takes no more, and is heard of no more
    with psycopg.connect(conninfo, options=f"-c search_path={SCHEMA}") as connection:
        late = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '21 s' WHERE id IN (%s)"
        connection.execute((late % "SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing'").encode())

    living.watch()  # unless its own clock was faster
    until(lambda: again.begun, "a run on the other node")
    assert [] == living.watch()
    works.gate.set()


def test_what_a_dead_node_was_doing_is_not_kept_by_heartbeats_of_a_clock_that_was_set_back(
    member, conninfo: str, works: Works
) -> None:
    works.gate.clear()
    dead, living = member(), member()
    dead.every(works.task("sync", seconds=3600))
    dead.start()
    until(lambda: works.begun, "a run")
    living.start()
    dead.engine._workers[COMMON].stop()
    ahead = "UPDATE procrastinate_workers SET last_heartbeat = now() + interval '10 min' WHERE id IN (%s)"
    doing = "SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing'"
    heard = f"SELECT last_heartbeat <= now() FROM procrastinate_workers WHERE id IN ({doing})"
    with psycopg.connect(conninfo, options=f"-c search_path={SCHEMA}", autocommit=True) as connection:
        connection.execute((ahead % doing).encode())
        living.watch()
        assert (True,) == connection.execute(heard.encode()).fetchone()
    works.gate.set()


def test_tasks_of_one_queue_run_one_after_the_other_on_each_node(member, conninfo: str, works: Works) -> None:
    node = member()
    for number in range(4):
        node.every(works.task(f"share/{number}", queue="sync.main", seconds=3600))
    node.start()
    until(lambda: len(works.begun) == 4, "all four")
    node.stop(5)

    assert 1 == works.most


def test_a_node_does_as_many_things_at_once_as_it_has_hands_however_few_processors(
    member, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    for counts in ("cpu_count", "process_cpu_count"):
        monkeypatch.setattr(os, counts, lambda: 1, raising=False)
    works.gate.clear()
    node = member()
    for number in range(COMMON_HANDS):
        node.every(works.task(f"task-{number}", seconds=3600))
    node.start()
    until(lambda: works.at_once == COMMON_HANDS, "all hands")
    works.gate.set()

    assert COMMON_HANDS == works.most


def test_servers_that_hang_hold_up_only_their_own_queues_however_many_they_are(member, works: Works) -> None:
    works.gate.clear()
    node, beside = member(), Works()
    for number in range(20):
        node.every(works.task(f"hanging-{number}", seconds=3600, queue=f"sync.{number}"))
    node.start()
    until(lambda: works.at_once == 20, "all of them")
    for number in range(2):  # as a reload does, with more accounts
        node.every(beside.task(f"well-{number}", seconds=3600, queue=f"sync.new-{number}"))
    until(lambda: len(beside.begun) == 2, "the others")

    assert 20 == works.at_once
    works.gate.set()


def test_signals_are_left_to_the_daemon(member, works: Works) -> None:
    ours = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    node = member()
    node.every(works.task("one", seconds=3600))
    node.start()
    until(lambda: works.begun, "a run")

    assert ours == {number: signal.getsignal(number) for number in ours}
    assert [False] == [worker.install_signal_handlers for worker in node.engine._workers.values()]


def test_jobs_that_ended_badly_are_forgotten_after_a_day_and_no_sooner(member, conninfo: str) -> None:
    node = member()
    node.start()
    with psycopg.connect(conninfo, options=f"-c search_path={SCHEMA}") as connection:
        for status in ("failed", "cancelled", "aborted"):
            for age in ("23 hours", "25 hours"):
                connection.execute(
                    "WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
                    " VALUES ('work', 'syncd.run', %s, jsonb_build_object('age', %s::text)) RETURNING id)"
                    " INSERT INTO procrastinate_events (job_id, type, at)"
                    " SELECT id, 'deferred', now() - %s::interval FROM job",
                    [status, age, age],
                )
        connection.execute(  # what the engine's own triggers said of them just now
            "DELETE FROM procrastinate_events WHERE at > now() - interval '1 hour'"
        )
    node.engine.purge()

    with psycopg.connect(conninfo, options=f"-c search_path={SCHEMA}") as connection:
        left = connection.execute("SELECT status, args->>'age' FROM procrastinate_jobs ORDER BY status").fetchall()
        schemas = connection.execute("SELECT to_regclass('public.procrastinate_jobs')").fetchone()
    assert [("failed", "23 hours"), ("cancelled", "23 hours"), ("aborted", "23 hours")] == left
    assert (None,) == schemas


def test_work_that_ended_leaves_nothing_behind_in_the_engine(member, conninfo: str, works: Works) -> None:
    node = member()
    node.every(works.task("one", seconds=3600))
    node.start()
    until(lambda: works.begun, "a run")
    node.engine.purge()
    node.stop(5)

    with psycopg.connect(conninfo, options=f"-c search_path={SCHEMA}") as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM procrastinate_{table}".encode()).fetchone()
            for table in ("jobs", "events", "workers")
        ]
    assert [(0,), (0,), (0,)] == counts


def test_work_goes_on_after_the_database_was_away(member, conninfo: str, works: Works) -> None:
    node = member()
    node.every(works.task("one"))
    node.start()
    until(lambda: works.begun, "a run")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        mine = "pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}".encode())
    before = len(works.begun)
    until(lambda: len(works.begun) >= before + 2, "two runs more")
    assert works.begun[before:] == ["one"] * (len(works.begun) - before)


def test_a_run_whose_end_the_database_did_not_hear_of_begins_anew(member, conninfo: str, works: Works) -> None:
    node = member()
    node.every(works.task("one"))
    jobs, failed = node.engine._app.job_manager, list[bool]()
    finish = jobs.finish_job

    async def lost(*given: object, **more: object) -> None:
        if not failed:
            failed.append(True)
            raise ConnectorException("the connection ended")
        await finish(*given, **more)

    with patch.object(jobs, "finish_job", lost):
        node.start()
        until(lambda: failed, "an end that was lost")
        before = len(works.begun)
        until(lambda: len(works.begun) >= before + 2, "two runs more")

    assert 1 == works.most


def test_a_job_that_was_handed_out_this_very_moment_is_not_taken_for_one_that_fell(member, works: Works) -> None:
    node = member()
    node.every(works.task("one", seconds=3600))
    node.start()
    until(lambda: works.begun, "a run")
    engine, listed = node.engine, AsyncMock(return_value=[SimpleNamespace(id=7)])
    with (
        patch.object(engine, "take_over", return_value=[]),
        patch.object(engine._app.job_manager, "list_jobs_async", listed),
    ):
        looks = [engine.ask(engine._fallen()) for _ in range(2)]

    assert [[], [7]] == [[job.id for job in look] for look in looks]
