"""Statements that run all day: compiled once, then handed to the driver as they are.

SQLAlchemy takes 90 µs to run a statement for which SQLite takes ten. What is put together once and marked by `prepared`
pays that only once; everything else about it stays as it was: the same session, transaction, savepoints and errors.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import ExpandedState, SQLCompiler

S = TypeVar("S", bound=Executable)
Values = Mapping[str, Any]

_MARK = "syncd_prepared"
_NAMED = re.compile(r"%\((\w+)\)s")


def prepared(statement: S) -> S:
    """The same statement, to be compiled only once for each kind of database.

    For statements of a module: what is made from it (``where``, ``values``) is not prepared, and must say so itself.
    Its values are those that both drivers take as they are: text, whole numbers, truth, bytes, None.
    """
    mark = Prepared(statement)
    setattr(statement, _MARK, mark)  # an execution option takes twice as long to look at
    return statement


def known(statement: Executable) -> Prepared | None:
    """What was prepared of this statement; None when it was not marked."""
    mark: Prepared | None = getattr(statement, _MARK, None)
    return mark if mark is not None and mark.statement is statement else None


class Prepared:
    """A statement as text, by kind of database. An insert is given the same columns each time."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self.changes = getattr(statement, "table", None)
        self._texts: dict[str, _Compiled] = {}

    def run(self, driver: Driver, values: Values) -> Rows:
        """Carry it out.

        :raises DBAPIError: as SQLAlchemy would, but that values are never told.
        """
        compiled = self._texts.get(driver.kind) or self._compiled(driver.dialect, values)
        text = compiled.plain or compiled.filled(values)
        return driver.send(text.said, text.given(values), compiled.returned)

    def told(self, driver: Driver, values: Values) -> tuple[str, Values]:
        """The text and its values by name, for a driver that takes them so."""
        compiled = self._texts.get(driver.kind) or self._compiled(driver.dialect, values)
        text = compiled.filled(values)
        return text.said, text.given(values)

    def _compiled(self, dialect: Dialect, values: Values) -> _Compiled:
        compiled = self._texts[dialect.name] = _Compiled(self.statement, dialect, values)
        return compiled


class Driver:
    """What is below SQLAlchemy in one transaction: all its prepared statements share one cursor."""

    __slots__ = ("_connection", "_cursor", "dialect", "kind")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = None
        self.dialect: Dialect = connection.dialect
        self.kind = self.dialect.name

    def send(self, said: str, given: Any, returned: _Returned | None = None) -> Rows:
        """Ask the database, and read every row of what it answers.

        :raises DBAPIError: it refused.
        """
        cursor = self._cursor or self._opened()
        try:
            cursor.execute(said, given)
            return NOTHING if returned is None else Rows(map(returned.row, returned.read(cursor.fetchall())))
        except self.dialect.loaded_dbapi.Error as error:
            raise self._translated(error, said) from error

    def close(self) -> None:
        """Let the cursor go; the transaction stays as it is."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _opened(self) -> Any:
        below: Any = self._connection.connection.dbapi_connection
        self._cursor = below.cursor()
        return self._cursor

    def _translated(self, error: Exception, said: str) -> BaseException:
        dialect = self.dialect
        gone = dialect.is_disconnect(error, self._connection.connection, self._cursor)  # type: ignore[arg-type]  # any driver's error
        if gone:
            self._connection.invalidate(error)
        return DBAPIError.instance(
            said, None, error, dialect.loaded_dbapi.Error, dialect=dialect, connection_invalidated=gone
        )


def run_together(driver: Driver, asked: Sequence[tuple[Prepared, Values]]) -> None:
    """Carry out writes to different tables, of which none returns anything, in one message to PostgreSQL.

    :raises DBAPIError: one of them was refused, and so none was carried out.
    """
    if len(asked) == 1:
        asked[0][0].run(driver, asked[0][1])
        return
    told = [ready.told(driver, values) for ready, values in asked]
    said = _message(tuple([text for text, _ in told]))
    given = {f"w{at}_{name}": value for at, (_, values) in enumerate(told) for name, value in values.items()}
    driver.send(said, given)


@lru_cache(maxsize=1024)
def _message(texts: tuple[str, ...]) -> str:
    """One statement of several. PostgreSQL begins with the main one and goes on with the last named: so, in order."""
    first, *others = [_NAMED.sub(rf"%(w{at}_\1)s", text) for at, text in enumerate(texts)]
    named = [f"w{at} AS ({text})" for at, text in enumerate(others, 1)]
    return f"WITH {', '.join(reversed(named))} {first}"


class _Compiled:
    """One statement for one kind of database."""

    def __init__(self, statement: Any, dialect: Dialect, values: Values) -> None:
        self._made: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(values))
        if self._made.insert_prefetch or self._made.update_prefetch:
            raise TypeError(f"a prepared statement names every column itself: {self._made}")
        self._lists = tuple(key for key, bind in self._made.binds.items() if bind.expanding and key in values)
        self._texts: dict[tuple[int, ...], _Text] = {}
        self.returned = _Returned.by(self._made, dialect)
        self.plain = None if self._lists else self.filled(values)
        """The only text, of a statement without lists."""

    def filled(self, values: Values) -> _Text:
        """The text for lists as long as those in *values*."""
        lengths = tuple([len(values[name]) for name in self._lists])
        text = self._texts.get(lengths)
        if text is None:
            text = self._texts[lengths] = _Text(self._made.construct_expanded_state(values), values, self._lists)
        return text


class _Text:
    """What is sent, and how values get to their places in it."""

    def __init__(self, state: ExpandedState, values: Values, lists: Sequence[str]) -> None:
        self.said = state.statement
        self._lists = [(name, state.parameter_expansion[name]) for name in lists]
        varying = set(values).union(*(places for _, places in self._lists))
        self._fixed = {name: value for name, value in state.parameters.items() if name not in varying}
        self._order = dict if state.positiontup is None else _picked(state.positiontup)
        # Most have nothing to add to what they are given, and no call of Python to spare.
        self.given: Callable[[Values], Any] = self._filled if lists or self._fixed else self._order
        """What the driver gets for the values of one call: by position or by name, as it wants it."""

    def _filled(self, values: Values) -> Any:
        filled = {**self._fixed, **values}
        for name, places in self._lists:
            filled.update(zip(places, filled.pop(name), strict=True))
        return self._order(filled)


def _picked(names: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """Picks values in this order; `itemgetter` returns a tuple only for two or more."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


class _Returned(NamedTuple):
    """How rows are made. :ivar row: one, by its fields. :ivar read: of all, what the driver reads otherwise."""

    row: Callable[[Iterable[Any]], Any]
    read: Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]

    @classmethod
    def by(cls, made: SQLCompiler, dialect: Dialect) -> _Returned | None:
        """None when the statement returns nothing."""
        columns = made._result_columns  # no public way tells the names and types of what a statement returns
        if not columns:
            return None
        types = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        names = [str(column.keyname) for column in columns]
        row = cast(Any, namedtuple)("Row", names, rename=True)  # noqa: PYI024 - its names are known only now
        readings = [(at, read) for at, read in enumerate(types) if read is not None]
        return cls(partial(tuple.__new__, row), partial(_read, readings) if readings else iter)


def _read(readings: Sequence[tuple[int, Callable[[Any], Any]]], found: Iterable[Sequence[Any]]) -> list[list[Any]]:
    rows = [list(row) for row in found]
    for fields in rows:
        for at, read in readings:
            fields[at] = read(fields[at])
    return rows


class Rows(tuple[Any, ...]):
    """What a prepared statement returned; asked like a `sqlalchemy.Result`, but that it can be asked again."""

    __slots__ = ()

    def all(self) -> list[Any]:
        """Every row."""
        return list(self)

    def first(self) -> Any:
        """The first row; None when there is none."""
        return self[0] if self else None

    def one_or_none(self) -> Any:
        """The only row; None when there is none."""
        if len(self) > 1:
            raise MultipleResultsFound("more rows than one were found")
        return self[0] if self else None

    def one(self) -> Any:
        """The only row."""
        if not self:
            raise NoResultFound("no row was found")
        return self.one_or_none()

    def scalar(self) -> Any:
        """The first row's first column; None without a row."""
        return self[0][0] if self else None

    def scalars(self) -> Rows:
        """The first column of each row."""
        return Rows([row[0] for row in self])


NOTHING = Rows()
