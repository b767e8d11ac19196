"""Statements that run all day: compiled once, then handed to the driver as they are.

SQLAlchemy takes 90 µs to run a statement for which SQLite takes ten. What is put together once and marked by `prepared`
pays that only once; everything else about it stays as it was: the same session, transaction, savepoints and errors.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
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
    mark.statement = marked = statement.execution_options(**{_MARK: mark})
    return marked


def known(statement: Executable) -> Prepared | None:
    """What was prepared of this statement; None when it was not marked."""
    mark: Prepared | None = statement.get_execution_options().get(_MARK)
    return mark if mark is not None and mark.statement is statement else None


class Prepared:
    """A statement as text, by kind of database. An insert is given the same columns each time."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self.changes = getattr(statement, "table", None)
        self._texts: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Values) -> Rows:
        """Carry it out in the transaction of *connection*.

        :raises DBAPIError: as SQLAlchemy would, but that values are never told.
        """
        compiled = self._compiled(connection.dialect, values)
        said, given = compiled.filled(values)
        return _sent(connection, said, given, compiled.returned)

    def told(self, dialect: Dialect, values: Values) -> tuple[str, Values]:
        """The text and its values by name, for a driver that takes them so."""
        said, given = self._compiled(dialect, values).filled(values)
        return said, given

    def _compiled(self, dialect: Dialect, values: Values) -> _Compiled:
        compiled = self._texts.get(dialect.name)
        if compiled is None:
            compiled = self._texts[dialect.name] = _Compiled(self.statement, dialect, values)
        return compiled


def run_together(connection: Connection, asked: Sequence[tuple[Prepared, Values]]) -> None:
    """Carry out writes to different tables, of which none returns anything, in one message to PostgreSQL.

    :raises DBAPIError: one of them was refused, and so none was carried out.
    """
    if len(asked) == 1:
        asked[0][0].run(connection, asked[0][1])
        return
    told = [ready.told(connection.dialect, values) for ready, values in asked]
    said = _message(tuple([text for text, _ in told]))
    given = {f"w{at}_{name}": value for at, (_, values) in enumerate(told) for name, value in values.items()}
    _sent(connection, said, given, None)


@lru_cache(maxsize=1024)
def _message(texts: tuple[str, ...]) -> str:
    """One statement of several. PostgreSQL begins with the main one and goes on with the last named: so, in order."""
    first, *others = [_NAMED.sub(rf"%(w{at}_\1)s", text) for at, text in enumerate(texts)]
    named = [f"w{at} AS ({text})" for at, text in enumerate(others, 1)]
    return f"WITH {', '.join(reversed(named))} {first}"


def _sent(connection: Connection, said: str, given: Any, returned: _Returned | None) -> Rows:
    driver: Any = connection.connection.dbapi_connection
    cursor = driver.cursor()
    try:
        cursor.execute(said, given)
        return Rows(returned.rows(cursor.fetchall())) if returned is not None else NOTHING
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(error, said, connection, cursor) from error
    finally:
        cursor.close()


def _translated(error: Exception, said: str, connection: Connection, cursor: Any) -> BaseException:
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection, cursor)  # type: ignore[arg-type]  # any driver's error
    if gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        said, None, error, dialect.loaded_dbapi.Error, dialect=dialect, connection_invalidated=gone
    )


class _Compiled:
    """One statement for one kind of database."""

    def __init__(self, statement: Any, dialect: Dialect, values: Values) -> None:
        self._made: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(values))
        if self._made.insert_prefetch or self._made.update_prefetch:
            raise TypeError(f"a prepared statement names every column itself: {self._made}")
        self._lists = tuple(key for key, bind in self._made.binds.items() if bind.expanding and key in values)
        self._texts: dict[tuple[int, ...], _Text] = {}
        self.returned = _Returned.by(self._made, dialect)

    def filled(self, values: Values) -> tuple[str, Any]:
        """The text, and what to hand to the driver with it; a text for each length of the lists in *values*."""
        lengths = tuple([len(values[name]) for name in self._lists]) if self._lists else ()
        text = self._texts.get(lengths)
        if text is None:
            text = self._texts[lengths] = _Text(self._made.construct_expanded_state(values), values, self._lists)
        return text.said, text.given(values)


class _Text:
    """What is sent, and how values get to their places in it."""

    def __init__(self, state: ExpandedState, values: Values, lists: Sequence[str]) -> None:
        self.said = state.statement
        self._lists = [(name, state.parameter_expansion[name]) for name in lists]
        varying = set(values).union(*(places for _, places in self._lists))
        self._fixed = {name: value for name, value in state.parameters.items() if name not in varying}
        self._order = None if state.positiontup is None else _picked(state.positiontup)

    def given(self, values: Values) -> Any:
        """By position or by name, as the driver wants it."""
        filled = {**self._fixed, **values}
        for name, places in self._lists:
            filled.update(zip(places, filled.pop(name), strict=True))
        return filled if self._order is None else self._order(filled)


def _picked(names: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """Picks values in this order; `itemgetter` returns a tuple only for two or more."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


class _Returned(NamedTuple):
    """How a row is made. :ivar readings: by position, what must be read otherwise than the driver does."""

    row: Callable[[Iterable[Any]], Any]
    readings: tuple[tuple[int, Callable[[Any], Any]], ...]

    @classmethod
    def by(cls, made: SQLCompiler, dialect: Dialect) -> _Returned | None:
        """None when the statement returns nothing."""
        columns = made._result_columns  # no public way tells the names and types of what a statement returns
        if not columns:
            return None
        types = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        names = [str(column.keyname) for column in columns]
        row = cast(Any, namedtuple)("Row", names, rename=True)  # noqa: PYI024 - its names are known only now
        return cls(row._make, tuple((at, read) for at, read in enumerate(types) if read is not None))

    def rows(self, found: list[tuple[Any, ...]]) -> list[Any]:
        """Named tuples."""
        if self.readings:
            found = [self._read(row) for row in found]
        return [self.row(one) for one in found]

    def _read(self, row: tuple[Any, ...]) -> Any:
        fields = list(row)
        for at, read in self.readings:
            fields[at] = read(fields[at])
        return fields


class Rows:
    """What a prepared statement returned; asked like a `sqlalchemy.Result`, but that it can be asked again."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Every row."""
        return self._rows

    def first(self) -> Any:
        """The first row; None when there is none."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """The only row; None when there is none."""
        if len(self._rows) > 1:
            raise MultipleResultsFound("more rows than one were found")
        return self.first()

    def one(self) -> Any:
        """The only row."""
        if not self._rows:
            raise NoResultFound("no row was found")
        return self.one_or_none()

    def scalar(self) -> Any:
        """The first row's first column; None without a row."""
        return self._rows[0][0] if self._rows else None

    def scalars(self) -> Rows:
        """The first column of each row."""
        return Rows([row[0] for row in self._rows])


NOTHING = Rows([])
