"""procrastinate on PostgreSQL: deals jobs out to nodes, never one of a name twice at a time.

Its rows say who runs what when, and nothing else: they live in a schema of their own, are deleted when done, and may
be lost at any time. Traps (reference, reliability 1): work would run in the few threads of the loop's default executor,
so it is given to threads of our own; signals are the daemon's; a job whose worker died stays "doing", and keeps its
lock, until somebody takes it over. The schema's name holds a digest of its layout, so that nodes of two versions never
share one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, LiteralString, TypeVar

import psycopg
import uvloop
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.schema import SchemaManager
from procrastinate.types import JSONDict
from procrastinate.worker import Worker
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

from syncd.errors import StoreError
from syncd.observe.logs import frames, log

T = TypeVar("T")

SCHEMA = f"syncd_jobs_{sha256(SchemaManager.get_schema().encode()).hexdigest()[:8]}"
LOCK = 7_291_550_133_205
"""Any number; it keeps two nodes from making the schema at once."""
TASK = "syncd.run"
BEAT_SECONDS = 2.0
DEAD_SECONDS = 9.0
"""A worker that was silent for so long loses its jobs. Sooner than a node is dead, because to be wrong here costs but a
second look: calendars, meetings, messages and reports are each taken by a row of their own before anything is done."""
FORGOTTEN_SECONDS = 30.0
"""After which its row goes."""
POLL_SECONDS = 2.0
"""A job that had to wait for its lock is looked for so often; a new one is announced."""
PATIENCE = 10.0
KEPT_HOURS = 24
_SETTINGS = f"-c search_path={SCHEMA} -c timezone=UTC -c lock_timeout=10s -c statement_timeout=30s"
TRIES = 3
_DEFER = f"""
SELECT count(procrastinate_defer_periodic_job_v2(
    queue, name, name, '{TASK}', 0, name, at, jsonb_build_object('name', name, 'timestamp', at)
)) AS number
FROM (
    SELECT name, queue, at
    FROM unnest(%(names)s::varchar[], %(queues)s::varchar[], %(times)s::bigint[]) AS due (name, queue, at)
    WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = name)
    ORDER BY name
) AS due
"""  # noqa: S608 - constants of ours
"""All that are due in one statement, in the same order on every node, so that no two wait for each other."""


_AHEAD = f"""
UPDATE procrastinate_workers SET last_heartbeat = now()
WHERE last_heartbeat > now() + interval '{DEAD_SECONDS} s'
"""  # noqa: S608 - constants of ours
"""See `syncd.store.nodes`: heartbeats from before the server's clock went back."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue and how many of its jobs one node does at a time."""

    queue: str
    hands: int


def _own(conninfo: str) -> dict[str, Any]:
    """What our connections have beside *conninfo*; what it says of options is kept."""
    given = conninfo_to_dict(conninfo).get("options") or ""
    return {"application_name": "syncd jobs", "options": f"{given} {_SETTINGS}".lstrip()}


def prepare(conninfo: str) -> None:
    """Make the engine's schema if it is not there; several nodes may do so at once.

    :raises StoreError: the database does not allow it.
    """
    try:
        with psycopg.connect(conninfo, **_own(conninfo)) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
            if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
                connection.execute(SchemaManager.get_schema().encode())
    except psycopg.Error as error:
        raise StoreError(
            f"The schema {SCHEMA} for work shared by nodes cannot be made ({type(error).__name__}). Nothing was "
            "started. Let syncd's role create schemas in its database: GRANT CREATE ON DATABASE … TO …"
        ) from error


class _Quiet(Worker):
    """A worker that does not put together what its logger, which is silenced here, would say of each job."""

    def _log_extra(self, *_about: object, **_more: object) -> JSONDict:
        return {}


class Engine:
    """One node's part in the engine, in a thread of its own.

    :param perform: runs the task of that name here; False when there is no such task, or it runs already.
    """

    def __init__(self, conninfo: str, perform: Callable[[str], bool]) -> None:
        connector = PsycopgConnector(
            conninfo=conninfo, kwargs=_own(conninfo), min_size=1, max_size=8, configure=_singly, pool_factory=_pool
        )
        self._app = App(connector=connector)
        self._app.task(name=TASK)(self._one)
        self._perform = perform
        self._threads = ThreadPoolExecutor(1, "work")
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="jobs", daemon=True)
        self._hands = 0
        self._workers: dict[str, Worker] = {}
        self._dropped: set[int] = set()
        """Jobs that stood at our own workers at the last look although nobody does them."""
        self._open, self._stopping = threading.Event(), threading.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what matters of it is logged here

    def start(self) -> None:
        """Connect.

        :raises StoreError: the database does not answer.
        """
        self._thread.start()
        if not self._open.wait(PATIENCE * 3):
            raise StoreError("The database takes no further connections for shared work. Nothing was started.")

    def work(self, lanes: Iterable[Lane]) -> None:
        """Take jobs from these lanes from now on, beside those of before."""
        self.ask(self._begin(list(lanes)))

    def defer(self, names: Iterable[tuple[str, str, int]]) -> int:
        """Put tasks into their queues; returns how many nobody else had put there for this time.

        :param names: task, queue and time; a time is whatever grows, and each is put there once.
        """
        return self.ask(self._defer_all(list(names)))

    def take_over(self) -> list[str]:
        """Let jobs of dead workers begin anew, and those that our own let fall; returns their tasks."""
        return self.ask(self._take_over())

    def purge(self) -> None:
        """Forget jobs that ended other than well, a day later; all others went when they were done."""
        delete = self._app.job_manager.delete_old_jobs
        self.ask(delete(KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True))

    def waiting(self) -> int:
        """How many jobs wait for a hand."""
        return self.ask(self._count())

    def stop(self, seconds: float) -> bool:
        """Begin nothing new and wait up to *seconds* for what runs; whether all has ended."""
        self._stopping.set()
        if not self._open.is_set():
            return True
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Run *question* on the engine's loop.

        :raises StoreError: the database did not answer.
        """
        future = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return future.result(PATIENCE)
        except (ConnectorException, TimeoutError, psycopg.Error) as error:
            future.cancel()
            raise StoreError(
                "The database did not answer about shared work; nothing is lost, it comes again."
            ) from error

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            log.error("dispatch.ended", error=type(error).__name__, where=frames(error))
        finally:
            self._open.clear()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        async with self._app.open_async():
            self._open.set()
            await self._over.wait()
            for worker in self._workers.values():
                worker.stop()
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    def _end(self) -> None:
        self._over.set()

    async def _begin(self, lanes: list[Lane]) -> None:
        new = [lane for lane in lanes if lane.queue not in self._lanes]
        if not new:
            return
        self._hands += sum(lane.hands for lane in new)
        # As many threads as all lanes can use, or one server that hangs would hold up another one's lane.
        before, self._threads = self._threads, ThreadPoolExecutor(self._hands, "work")
        before.shutdown(wait=False)  # what it was given it ends
        for lane in new:
            self._lanes[lane.queue] = asyncio.create_task(self._lane(lane))

    async def _lane(self, lane: Lane) -> None:
        """Work, and begin again whenever the database went away: a worker does not survive that."""
        while not self._stopping.is_set():
            worker = self._workers[lane.queue] = self._worker(lane)
            try:
                await worker.run()
            except Exception as error:
                log.warning("dispatch.lane_ended", queue=lane.queue, error=type(error).__name__)
            if not self._stopping.is_set():
                await asyncio.sleep(1)

    def _worker(self, lane: Lane) -> Worker:
        return _Quiet(
            app=self._app,
            queues=[lane.queue],
            name=lane.queue,
            concurrency=lane.hands,
            install_signal_handlers=False,
            delete_jobs="successful",
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=FORGOTTEN_SECONDS,
        )

    async def _one(self, name: str, timestamp: int) -> None:
        if not await self._loop.run_in_executor(self._threads, self._perform, name):
            log.debug("dispatch.left_out", task=name, slot=timestamp)

    async def _defer_all(self, due: list[tuple[str, str, int]]) -> int:
        names, queues, times = (list(column) for column in zip(*due, strict=True))
        for _ in range(TRIES - 1):
            with contextlib.suppress(UniqueViolation):  # another node began the same one anew this very moment
                return await self._number(_DEFER, names=names, queues=queues, times=times)
        return await self._number(_DEFER, names=names, queues=queues, times=times)

    async def _fallen(self) -> list[Job]:
        """Jobs whose answer was lost on the way to our worker, or whose end on the way back.

        The worker lives, so nobody else would ever take them, and the task would never run again. A job that was
        handed out this very moment looks the same: it must be seen so twice.
        """
        workers, found = [*self._workers.values()], list[Job]()
        for worker in workers:
            if worker.worker_id is not None:
                found += await self._app.job_manager.list_jobs_async(status="doing", worker_id=worker.worker_id)
        busy = {context.job.id for worker in workers for context in worker._running_jobs.values()}
        idle = {job.id: job for job in found if job.id is not None and job.id not in busy}
        twice, self._dropped = self._dropped & idle.keys(), set(idle)
        return [idle[id] for id in twice]

    async def _take_over(self) -> list[str]:
        manager, taken = self._app.job_manager, []
        await self._app.connector.execute_query_async(_AHEAD)
        stalled = [*await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS), *await self._fallen()]
        for job in stalled:
            try:
                await manager.finish_job(job, Status.FAILED, delete_job=True)
                taken.append(str(job.task_kwargs["name"]))
                await manager.defer_job_async(job.evolve(id=None, status=None, worker_id=None))
            except (AlreadyEnqueued, ConnectorException):
                continue  # another node was faster, or it waits already
        return taken

    async def _count(self) -> int:
        return await self._number("SELECT count(*) AS number FROM procrastinate_jobs WHERE status = 'todo'")

    async def _number(self, query: LiteralString, **given: Any) -> int:
        row = await self._app.connector.execute_query_one_async(query, **given)
        return int(row["number"])


def _pool(**given: Any) -> AsyncConnectionPool[Any]:
    """The connector's own pool asks the server before each statement whether it is there; a look is enough."""
    return AsyncConnectionPool(**given | {"check": _whole})


async def _whole(connection: psycopg.AsyncConnection[Any]) -> None:
    """Whether the server ended this connection is known on this side.

    :raises psycopg.OperationalError: it did.
    """
    for _ in range(2):  # its last words come first
        connection.pgconn.consume_input()


async def _singly(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each statement of the engine is a transaction; to begin and to end it need not be said."""
    await connection.set_autocommit(True)
