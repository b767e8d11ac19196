"""The least that holding and booking can cost: FastAPI as it comes, the bare driver, eight statements a pair.

It keeps two promises as the product does, and nothing else: a time is taken once (a unique key here), and an answer is
durable, and stored under its Idempotency-Key, before it is sent. It has no rules, rooms, audit, events or look at
calendars, and so is no rival but the floor under every figure of `bench_bookings` on the same machine.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import uvicorn
from fastapi import FastAPI, Header, Response
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from syncd.booking.desk import new_id
from syncd.store import engines

TABLES = (
    "CREATE TABLE floor_keys (key TEXT PRIMARY KEY, digest TEXT, body TEXT)",
    "CREATE TABLE floor_times (caseworker TEXT, start TEXT, meeting TEXT, PRIMARY KEY (caseworker, start))",
    "CREATE TABLE floor_bookings (id TEXT PRIMARY KEY, meeting TEXT, state TEXT, citizen TEXT)",
)
_CLAIM = "INSERT INTO floor_keys (key, digest) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING key"
_STORED = "SELECT body FROM floor_keys WHERE key = ?"
_ANSWER = "UPDATE floor_keys SET body = ? WHERE key = ?"
_TAKE = "INSERT INTO floor_times VALUES (?, ?, ?)"
_HOLD = "INSERT INTO floor_bookings VALUES (?, ?, 'held', NULL)"
_HELD = "SELECT meeting FROM floor_bookings WHERE id = ? AND state = 'held'"
_BOOK = "UPDATE floor_bookings SET state = 'booked', citizen = ? WHERE id = ?"

Execute = Callable[[str, tuple[Any, ...]], Any]
Key = Annotated[str, Header(alias="Idempotency-Key")]


class Hold(BaseModel):
    """What the bench asks for."""

    offer: str
    start: str
    form: str
    caseworker: str


class Citizen(BaseModel):
    """Whose meeting it is."""

    reference: str


class Booking(BaseModel):
    """What the bench asks for next."""

    hold: str
    citizen: Citizen


class OneFile:
    """One connection to SQLite, durable as the product's; who writes waits for the one before."""

    def __init__(self, path: str) -> None:
        self._connection = engines.sqlite_module().connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._turn = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """One transaction."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


class OneServer:
    """Connections to PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool(url, min_size=8, max_size=8, open=True)

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """One transaction."""
        with self._pool.connection() as connection:
            yield lambda text, values: _executed(connection, text, values)


def _executed(connection: psycopg.Connection[Any], text: str, values: tuple[Any, ...]) -> Any:
    return connection.execute(text.replace("?", "%s"), values)


def build(database: OneFile | OneServer) -> FastAPI:
    """The two paths."""
    app = FastAPI()
    with database.writing() as execute:
        for table in TABLES:
            execute(table, ())

    def once(key: str, body: BaseModel, act: Callable[[Execute], str]) -> Response:
        with database.writing() as execute:
            if execute(_CLAIM, (key, body.model_dump_json())).fetchone() is None:
                return _told(execute(_STORED, (key,)).fetchone()[0])
            answer = act(execute)
            execute(_ANSWER, (answer, key))
        return _told(answer)

    @app.post("/api/v1/holds")
    def hold(body: Hold, idempotency_key: Key) -> Response:
        def act(execute: Execute) -> str:
            booking, meeting = new_id(), new_id()
            execute(_TAKE, (body.caseworker, body.start, meeting))
            execute(_HOLD, (booking, meeting))
            return f'{{"id":"{booking}"}}'

        return once(idempotency_key, body, act)

    @app.post("/api/v1/bookings")
    def book(body: Booking, idempotency_key: Key) -> Response:
        def act(execute: Execute) -> str:
            execute(_HELD, (body.hold,)).fetchone()[0]
            execute(_BOOK, (body.citizen.reference, body.hold))
            return f'{{"id":"{body.hold}"}}'

        return once(idempotency_key, body, act)

    @app.get("/livez")
    def alive() -> str:
        return "alive"

    return app


def _told(answer: str) -> Response:
    return Response(answer, 201, media_type="application/json")


def main(url: str, port: int) -> None:
    """Serve until killed. :param url: a database of its own."""
    database = (
        OneFile(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else OneServer(url.replace("+psycopg", ""))
    )
    uvicorn.run(build(database), port=port, log_level="error", access_log=False, loop="uvloop", http="httptools")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(sys.argv[1], int(sys.argv[-1]))
