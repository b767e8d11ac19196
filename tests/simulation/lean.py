"""Sessions that ask SQLite directly, in memory, so that ten thousand schedules are affordable.

Two thirds of a schedule's time went into what SQLAlchemy does around each of its 700 statements. A `LeanSession`
compiles each kind of statement once, by the library's own compiler, and hands it to the driver itself. Whatever it
does not know (objects to be saved, savepoints, rows as objects) the real session does, on the same connection.
There is one connection, for who reads and who writes: two would read each other's pages anew after every commit.
`tests/simulation/test_schedules.py` plays the same seeds with both and demands the same story.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from unittest.mock import patch
from weakref import WeakKeyDictionary

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Delete,
    Engine,
    Insert,
    Select,
    StaticPool,
    Update,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.compiler import SQLCompiler

from syncd.store import Store, engines
from syncd.store import session as sessions
from syncd.store.straight import StraightSession

REMEMBERED = 4000
"""Statement objects whose plan is known by their identity; those that are built anew each time push others out."""

Field = tuple[str, int | None, Callable[[Any], Any] | None]
"""Where a parameter's value comes from: its name, its place when that names a list, and what the driver wants of it."""


@dataclass(slots=True)
class Plan:
    """How one kind of statement is asked.

    :param lists, literals: names of the parameters that hold lists, and of those whose values stand in the text.
    :param expanded: text and fields, by the lists' lengths and the literals.
    """

    compiled: SQLCompiler
    row: Callable[[Sequence[Any]], Any] | None
    readers: list[tuple[int, Callable[[Any], Any]]]
    changes: bool
    lists: tuple[str, ...]
    literals: tuple[str, ...]
    expanded: dict[tuple[Any, ...], tuple[str, list[Field]]] = field(default_factory=dict)

    def asked(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The statement's text and its values in order."""
        which = (*[len(values[name]) for name in self.lists], *[values[name] for name in self.literals])
        if which not in self.expanded:
            self.expanded[which] = self._expand(dict(values))
        text, fields = self.expanded[which]
        found = []
        for name, index, convert in fields:
            value = values[name] if index is None else values[name][index]
            found.append(value if convert is None else convert(value))
        return text, found

    def _expand(self, values: dict[str, Any]) -> tuple[str, list[Field]]:
        compiled = self.compiled
        if not self.lists and not self.literals:
            plain: Mapping[str, Any] = compiled._bind_processors
            return compiled.string, [(name, None, plain.get(name)) for name in compiled.positiontup or ()]
        state = compiled._process_parameters_for_postcompile(values)
        processors: Mapping[str, Any] = {**compiled._bind_processors, **state.processors}
        parts = {part: (name, at) for name, all_ in state.parameter_expansion.items() for at, part in enumerate(all_)}
        found = [(*parts.get(name, (name, None)), processors.get(name)) for name in state.positiontup or ()]
        return state.statement, found


@dataclass(slots=True)
class Known:
    """A statement seen before; it is kept, so that no other one gets its identity."""

    statement: Any
    keys: frozenset[str]
    several: bool
    plan: Plan | None
    values: Mapping[str, Any]


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
    _known: dict[int, Known] = {}

    def __init__(self, connection: Connection) -> None:
        self._bind = connection
        self._real: Session | None = None
        self._inside: SessionTransaction | None = None
        self._driver, self._writes = _DRIVERS[connection.engine]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)

    def _whole(self) -> Session:
        """The real session; it goes on in the transaction that has begun."""
        if self._real is None:
            self._real = StraightSession(self._bind)
        return self._real

    def get_bind(self) -> Connection:
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
        return _Savepoint(self._begun()) if self._real is None else self._real.begin_nested()  # type: ignore[return-value]  # only its end is of use

    def flush(self) -> None:
        """See `Session.flush`."""
        if self._real is not None:
            self._real.flush()

    def close(self) -> None:
        """See `Session.close`; who opened the connection ends its transaction."""
        if self._real is not None:
            self._real.close()

    def _begun(self) -> Any:
        """The driver's connection, with every savepoint sent that was asked for."""
        nested = None if self._real is None else self._real.get_nested_transaction()
        if nested is not self._inside:
            self._inside = nested
            self._whole().connection()  # this is what sends a SAVEPOINT
        return self._driver

    def _short(self, statement: Any, params: Any) -> Answer | None:
        """The answer by the short way; None where only the real session will do."""
        several = isinstance(params, list)
        keys = (params[0] if several else params or {}).keys()
        known = self._known.get(id(statement))
        if known is None or known.keys != keys or known.several is not several:
            known = self._learned(statement, frozenset(keys), several)
        plan, real = known.plan, self._real
        if plan is None or (real is not None and (real._new or (real.identity_map and (plan.changes or real.dirty)))):
            return None
        if plan.changes and not self._writes:
            raise RuntimeError("this session only reads")
        driver = self._begun()
        try:
            return _ask(driver, plan, [{**known.values, **one} for one in (params if several else [params or {}])])
        except driver.Error as error:
            raise DBAPIError.instance(str(plan.compiled), params, error, driver.Error) from error

    def _learned(self, statement: Any, keys: frozenset[str], several: bool) -> Known:
        """The plan of a statement, and the values that come with it."""
        plan, made = None, statement._generate_cache_key()
        values: Mapping[str, Any] = {}
        if made is not None:
            which = (made.key, keys, several)
            if which not in self._plans:
                self._plans[which] = _planned(statement, made, sorted(keys), several, self._bind.dialect)
            plan = self._plans[which]
            if plan is not None:
                values = plan.compiled.construct_params({}, extracted_parameters=made.bindparams, _check=False)
        if len(self._known) > REMEMBERED:
            self._known.clear()
        known = self._known[id(statement)] = Known(statement, keys, several, plan, values)
        return known


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


def _ask(driver: Any, plan: Plan, sets: Sequence[Mapping[str, Any]]) -> Answer:
    if len(sets) == 1:
        cursor = driver.execute(*plan.asked(sets[0]))
    else:
        asked = [plan.asked(values) for values in sets]
        cursor = driver.executemany(asked[0][0], [values for _, values in asked])
    return Answer([] if plan.row is None else _rows(plan, cursor.fetchall()))


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


def _planned(statement: Any, key: Any, keys: Sequence[str], several: bool, dialect: Any) -> Plan | None:
    """How to ask it; None when it wants objects, or values that Python makes."""
    if not isinstance(statement, Select | CompoundSelect | Update | Delete | Insert) or _wants_objects(statement):
        return None
    compiled = statement._compiler(dialect, cache_key=key, column_keys=list(keys), for_executemany=several)
    assert isinstance(compiled, SQLCompiler)
    if compiled.insert_prefetch or compiled.update_prefetch:
        return None
    columns = compiled._result_columns
    found = ((index, column.type._cached_result_processor(dialect, None)) for index, column in enumerate(columns))
    row = _row([column.keyname for column in columns]) if columns else None
    readers: list[tuple[int, Callable[[Any], Any]]] = [(index, read) for index, read in found if read is not None]
    lists = tuple(compiled.bind_names[bind] for bind in compiled.post_compile_params)
    literals = tuple(compiled.bind_names[bind] for bind in compiled.literal_execute_params)
    return Plan(compiled, row, readers, isinstance(statement, Update | Delete | Insert), lists, literals)


def _row(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    made: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - the names are known here only
    return partial(tuple.__new__, made)


def _wants_objects(statement: Any) -> bool:
    """Whether a row is, or holds, a mapped object."""
    if not isinstance(statement, Select):
        return False
    return any(isinstance(one["expr"], type) for one in statement.column_descriptions)


def _session(connection: Connection) -> Any:
    return LeanSession(connection) if connection.engine in _DRIVERS else StraightSession(connection)


def _engines(url: Any) -> tuple[Engine, Engine]:
    """A writer and a reader on the one connection of a new database in memory."""
    module = engines.sqlite_module()
    driver = module.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=1000)
    driver.execute("PRAGMA foreign_keys=ON")
    made = [create_engine(url, module=module, poolclass=StaticPool, creator=lambda: driver) for _ in range(2)]
    for engine, writes in zip(made, (True, False), strict=True):
        engine.connect().close()  # the first time it looks around, and rolls back
        _DRIVERS[engine] = driver, writes
        event.listen(engine, "begin", _begin)
    return made[0], made[1]


def _begin(connection: Connection) -> None:
    if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]  # it is connected
        raise RuntimeError("there is one connection: nobody else may use it while a transaction is open")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


_DRIVERS: WeakKeyDictionary[Engine, tuple[Any, bool]] = WeakKeyDictionary()


@contextmanager
def lean() -> Iterator[None]:
    """Stores made by `syncd.store` meanwhile are in memory and open lean sessions; one thread only."""
    with patch.object(sessions, "StraightSession", _session), patch.object(engines, "sqlite_engines", _engines):
        yield


@contextmanager
def opened(store: Store) -> Iterator[Any]:
    """The driver's connection to a store's SQLite database, outside every session."""
    if store._writer in _DRIVERS:
        yield _DRIVERS[store._writer][0]
        return
    with closing(engines.sqlite_module().connect(str(store.url.database))) as driver:
        driver.execute("PRAGMA synchronous=OFF")
        yield driver


def remembered(store: Store) -> Any:
    """A copy of the database, in memory; `recalled` makes the database that again."""
    copy = engines.sqlite_module().connect(":memory:")
    with opened(store) as driver:
        driver.backup(copy)
    return copy


def recalled(store: Store, copy: Any) -> None:
    """Make the database what it was when the copy was made."""
    with opened(store) as driver:
        copy.backup(driver)
