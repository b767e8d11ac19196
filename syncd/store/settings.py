"""Single values of the installation: who it is, and how often its answers changed."""

from __future__ import annotations

import secrets
import typing

from sqlalchemy import BigInteger, Table, Text, bindparam, cast, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.store.prepared import prepared
from syncd.store.straight import later
from syncd.store.tables import Setting

INSTALLATION = "installation"
GENERATION = "generation"
MAINTENANCE = "maintenance"
"""See `syncd.store.pauses`."""

_ROWS = typing.cast(Table, Setting.__table__)
_GROW = prepared(
    update(_ROWS).where(_ROWS.c.name == GENERATION).values(value=cast(cast(_ROWS.c.value, BigInteger) + 1, Text))
)
_VALUE = prepared(select(_ROWS.c.value).where(_ROWS.c.name == bindparam("name")))


class Settings:
    """The ``settings`` table, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bumped = False
        self._noted: dict[str, str | None] = {}

    def installation(self) -> str:
        """The random id given to this database when it was made; it marks what we write into calendars."""
        return self._known(INSTALLATION)

    def generation(self) -> int:
        """A number that grows with every commit that can change an answer."""
        return int(self._known(GENERATION))

    def bump(self) -> None:
        """Let this commit count as one that can change an answer; any number of calls count once.

        The row is written last of all, at commit (`settle`): on PostgreSQL everybody queues behind it.
        """
        self._bumped = True

    def settle(self) -> None:
        """Carry out what `bump` promised; the store calls it just before it commits."""
        if self._bumped:
            later(self._session, _GROW, {})
            self._bumped = False

    def value(self, name: str) -> str | None:
        """A stored value, or None."""
        if name in self._noted:
            return self._noted[name]
        return self._session.scalar(_VALUE, {"name": name})

    def note(self, name: str, value: str | None) -> None:
        """What this transaction read of a value beside something else; it is not asked for again."""
        self._noted[name] = value

    def prove(self, *, writes: bool) -> None:
        """Ask for a value, and if the transaction *writes*, let one come and go."""
        self.value("ping")
        for value in ("", None) if writes else ():
            self.put("ping", value)

    def put(self, name: str, value: str | None) -> None:
        """Store a value; None removes it."""
        self._noted.pop(name, None)
        if value is None:
            self._session.execute(delete(Setting).where(Setting.name == name))
            return
        wish = self._insert(name, value)
        self._session.execute(wish.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    def secret(self, name: str) -> str:
        """A random 256-bit key (hex) under this name, made at the first call inside a write transaction."""
        found = self.value(name)
        if found is None:
            # Two nodes may make one at the same moment; whoever comes second takes the first one's.
            self._session.execute(self._insert(name, secrets.token_hex(32)).on_conflict_do_nothing())
            found = self._known(name)
        return found

    def found(self) -> None:
        """Give a new database its identity; one that has it keeps it."""
        if self.value(INSTALLATION) is None:
            self.put(INSTALLATION, secrets.token_hex(8))
        if self.value(GENERATION) is None:
            self.put(GENERATION, "1")

    def _insert(self, name: str, value: str) -> postgresql.Insert | sqlite.Insert:
        make = sqlite.insert if self._session.get_bind().dialect.name == "sqlite" else postgresql.insert
        return make(_ROWS).values(name=name, value=value)

    def _known(self, name: str) -> str:
        value = self.value(name)
        if value is None:
            raise RuntimeError(f"the database has no setting {name!r}; Store.upgrade() must run first")
        return value
