"""Sessions that ask SQLite directly, so that ten thousand schedules are affordable.

Two thirds of a schedule's time went into what SQLAlchemy does around each of its 800 statements. A `LeanSession`
compiles each kind of statement once, by the library's own compiler, and hands it to the driver itself. Whatever it
does not know (objects to be saved, savepoints, rows as objects) the real session does, on the same connection.
`tests/simulation/test_schedules.py` plays the same seeds with both and demands the same story.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Self
from unittest.mock import patch
from weakref import WeakKeyDictionary

from sqlalchemy import CompoundSelect, Delete, Engine, Insert, Select, Update, event
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from syncd.store import engines
from syncd.store import session as sessions

REMEMBERED = 4000
"""Statement objects whose plan is known by their identity; those that are built anew each time push others out."""


@dataclass(slots=True)
class Plan:
    """How one kind of statement is asked."""

    compiled: SQLCompiler
    row: Callable[[Sequence[Any]], Any] | None
    readers: list[tuple[int, Callable[[Any], Any]]]
    changes: bool
    expands: bool


class Answer:
    """The rows of one statement, with the methods that our repositories use."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def all(self) -> list[Any]:
        """Every row."""
        return self.rows

    def first(self) -> Any:
        """The first row, or None."""
        return self.rows[0] if self.rows else None

    def one_or_none(self) -> Any:
        """The only row, or None."""
        if len(self.rows) > 1:
            raise MultipleResultsFound("more than one row")
        return self.first()

    def one(self) -> Any:
        """The only row."""
        if not self.rows:
            raise NoResultFound("no row")
        return self.one_or_none()

    def scalars(self) -> Answer:
        """The first column of each row."""
        return Answer([row[0] for row in self.rows])

    def scalar(self) -> Any:
        """The first column of the first row, or None."""
        return self.rows[0][0] if self.rows else None


class LeanSession:
    """Looks like a `Session`, and is one as soon as anything else than a known kind of statement is asked of it."""

    _plans: dict[Any, Plan | None] = {}
    _known: dict[tuple[int, tuple[str, ...]], tuple[Any, Any, Plan | None]] = {}

    def __init__(self, bind: Engine, **options: Any) -> None:
        self._bind, self._options = bind, options
        self._real: Session | None = None
        self._driver: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)

    def _whole(self) -> Session:
        """The real session; it goes on in the transaction that has begun."""
        if self._real is None:
            self._real = Session(self._bind, **self._options)
        return self._real

    def get_bind(self) -> Engine:
        """See `Session.get_bind`."""
        return self._bind

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """See `Session.execute`."""
        answer = self._short(statement, params) if not options else None
        return self._whole().execute(statement, params, **options) if answer is None else answer

    def scalar(self, statement: Any, params: Any = None) -> Any:
        """See `Session.scalar`."""
        answer = self._short(statement, params)
        return self._whole().scalar(statement, params) if answer is None else answer.scalar()

    def scalars(self, statement: Any, params: Any = None) -> Any:
        """See `Session.scalars`."""
        answer = self._short(statement, params)
        return self._whole().scalars(statement, params) if answer is None else answer.scalars()

    def begin_nested(self) -> AbstractContextManager[None]:
        """See `Session.begin_nested`."""
        return _Savepoint(self._begun()) if self._real is None else self._real.begin_nested()  # type: ignore[return-value]

    def commit(self) -> None:
        """See `Session.commit`."""
        self._end("commit")

    def rollback(self) -> None:
        """See `Session.rollback`."""
        self._end("rollback")

    def close(self) -> None:
        """See `Session.close`."""
        self._end("rollback")
        if self._real is not None:
            self._real.close()

    def _end(self, how: str) -> None:
        if self._real is not None:
            getattr(self._real, how)()
        if self._driver is not None and self._driver.in_transaction:
            getattr(self._driver, how)()

    def _begun(self) -> Any:
        """The driver's connection, in a transaction."""
        if self._real is not None:
            self._driver = self._real.connection().connection.driver_connection
        elif self._driver is None:
            self._driver = _driver(self._bind)
        if not self._driver.in_transaction:
            self._driver.execute(f"BEGIN {_kind(self._bind)}")
        return self._driver

    def _short(self, statement: Any, params: Any) -> Answer | None:
        """The answer by the short way; None where only the real session will do."""
        several = isinstance(params, list)
        keys = tuple(sorted(params[0] if several else params)) if params else ()
        plan, key = self._plan(statement, keys, several)
        real = self._real
        if plan is None or (real is not None and (real._new or (real.identity_map and (plan.changes or real.dirty)))):
            return None
        driver = self._begun()
        try:
            return self._ask(plan, key, params if several else [params or {}])
        except driver.Error as error:
            raise DBAPIError.instance(str(plan.compiled), params, error, driver.Error) from error

    def _plan(self, statement: Any, keys: tuple[str, ...], several: bool) -> tuple[Plan | None, Any]:
        """The plan of a statement, and the values that come with it."""
        known = self._known.get((id(statement), keys))
        if known is not None:
            return known[2], known[1]
        made = statement._generate_cache_key()
        if made is None:
            return None, None
        which = (made.key, keys, several)
        if which not in self._plans:
            self._plans[which] = _planned(statement, made, keys, several, self._bind.dialect)
        plan = self._plans[which]
        values = plan.compiled.construct_params({}, extracted_parameters=made.bindparams, _check=False) if plan else {}
        if len(self._known) > REMEMBERED:
            self._known.clear()
        # The statement is kept, so that no other one gets its identity.
        self._known[id(statement), keys] = (statement, values, plan)
        return plan, values

    def _ask(self, plan: Plan, values: Mapping[str, Any], sets: Sequence[Mapping[str, Any]]) -> Answer:
        cursor = self._driver.cursor()
        if len(sets) > 1:
            cursor.executemany(plan.compiled.string, [_parameters(plan, {**values, **one})[1] for one in sets])
        else:
            cursor.execute(*_parameters(plan, {**values, **sets[0]}))
        return Answer([] if plan.row is None else _rows(plan, cursor.fetchall()))


class _Savepoint:
    """Undoes what was done inside when an error leaves it."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def __enter__(self) -> None:
        self._driver.execute("SAVEPOINT one")

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None:
            self._driver.execute("ROLLBACK TO one")
        self._driver.execute("RELEASE one")


def _rows(plan: Plan, found: list[tuple[Any, ...]]) -> list[Any]:
    assert plan.row is not None
    if not plan.readers:
        return [plan.row(row) for row in found]
    rows = []
    for row in found:
        values = list(row)
        for index, read in plan.readers:
            values[index] = read(values[index])
        rows.append(plan.row(values))
    return rows


def _parameters(plan: Plan, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """The statement's text and its values in order."""
    compiled = plan.compiled
    text: str = compiled.string
    order: Sequence[str] | None = compiled.positiontup
    processors: Mapping[str, Any] = compiled._bind_processors
    if plan.expands:
        expanded = compiled._process_parameters_for_postcompile(values)  # adds to values
        text, order, processors = expanded.statement, expanded.positiontup, {**processors, **expanded.processors}
    assert order is not None
    if not processors:
        return text, [values[name] for name in order]
    return text, [processors[name](values[name]) if name in processors else values[name] for name in order]


def _planned(statement: Any, key: Any, keys: tuple[str, ...], several: bool, dialect: Any) -> Plan | None:
    """How to ask it; None when it wants objects, or values that Python makes."""
    if not isinstance(statement, Select | CompoundSelect | Update | Delete | Insert) or _wants_objects(statement):
        return None
    compiled = statement._compiler(dialect, cache_key=key, column_keys=list(keys), for_executemany=several)
    assert isinstance(compiled, SQLCompiler)
    if compiled.insert_prefetch or compiled.update_prefetch:
        return None
    columns = compiled._result_columns
    names = [column.keyname for column in columns]
    found = ((index, column.type._cached_result_processor(dialect, None)) for index, column in enumerate(columns))
    row = _row(names) if names else None
    readers: list[tuple[int, Callable[[Any], Any]]] = [(index, read) for index, read in found if read is not None]
    expands = bool(compiled.literal_execute_params or compiled.post_compile_params)
    return Plan(compiled, row, readers, isinstance(statement, Update | Delete | Insert), expands)


def _row(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    make: Callable[[Sequence[Any]], Any] = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 - the names are known here only
    return make


def _wants_objects(statement: Any) -> bool:
    """Whether a row is, or holds, a mapped object."""
    if not isinstance(statement, Select):
        return False
    return any(isinstance(one["expr"], type) for one in statement.column_descriptions)


def _session(bind: Any, **options: Any) -> Any:
    return LeanSession(bind, **options) if isinstance(bind, Engine) else Session(bind, **options)


def _driver(engine: Engine) -> Any:
    """The one connection that this engine's pool hands out to one thread."""
    if engine not in _DRIVERS:
        with engine.connect() as connection:
            _DRIVERS[engine] = connection.connection.driver_connection
    return _DRIVERS[engine]


def _kind(engine: Engine) -> str:
    return "IMMEDIATE" if engine.pool.size() == 1 else "DEFERRED"  # type: ignore[attr-defined]


def _begin_with(engine: Engine, statement: str) -> None:
    """As the product does, but in a transaction that the short way has begun the real session just goes on."""

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        if not connection.connection.driver_connection.in_transaction:
            connection.exec_driver_sql(statement)


_DRIVERS: WeakKeyDictionary[Engine, Any] = WeakKeyDictionary()


@contextmanager
def lean() -> Iterator[None]:
    """Stores made by `syncd.store` meanwhile open lean sessions; one thread only."""
    with patch.object(sessions, "_Session", _session), patch.object(engines, "_begin_with", _begin_with):
        yield
