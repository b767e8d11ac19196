"""The statements that every call of Jobnet and every message of DFDG runs.

Statements are built once, for making one costs more than running it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import Executable

from syncd.store.dfdg_tables import DfdgDeadlineRow, DfdgMessageRow, DfdgRecordRow
from syncd.store.jobnet_tables import JobnetCitizenRow, JobnetLinkRow, JobnetReservationRow

CITIZENS = cast(Table, JobnetCitizenRow.__table__)
_LINKS, _RESERVATIONS = cast(Table, JobnetLinkRow.__table__), cast(Table, JobnetReservationRow.__table__)
_MESSAGES, _RECORDS = cast(Table, DfdgMessageRow.__table__), cast(Table, DfdgRecordRow.__table__)
_DEADLINES = cast(Table, DfdgDeadlineRow.__table__)
_WHOSE = CITIZENS.c.citizen == bindparam("whose")

STANDING = select(CITIZENS.c.standing).where(_WHOSE)
STANDING_AND_TOLD = select(CITIZENS.c.standing, CITIZENS.c.told, CITIZENS.c.told_at).where(_WHOSE)
SEALED = select(CITIZENS.c.key, CITIZENS.c.sealed).where(_WHOSE)

LINK = insert(_LINKS)
LINKED = select(*_LINKS.c).where(_LINKS.c.indkaldelse == bindparam("id"))
LINK_OF = select(*_LINKS.c).where(_LINKS.c.booking == bindparam("id"))
LINKS_OF = select(*_LINKS.c).where(_LINKS.c.citizen == bindparam("whose")).order_by(_LINKS.c.created)

RESERVE = insert(_RESERVATIONS)
RESERVATION = select(*_RESERVATIONS.c).where(_RESERVATIONS.c.id == bindparam("which"))
RESERVED = select(*_RESERVATIONS.c).where(
    _RESERVATIONS.c.citizen == bindparam("whose"),
    _RESERVATIONS.c.expires > bindparam("now"),
    _RESERVATIONS.c.used.is_(None),
)
USE = update(_RESERVATIONS).where(_RESERVATIONS.c.id == bindparam("which")).values(used=bindparam("by"))

_NEXT = (
    select(_MESSAGES.c.id)
    .where(_MESSAGES.c.due <= bindparam("now"))
    .order_by(_MESSAGES.c.due, _MESSAGES.c.received)
    .limit(1)
    .with_for_update(skip_locked=True)
)
NEXT_MESSAGE = (
    update(_MESSAGES)
    .where(_MESSAGES.c.id == _NEXT.scalar_subquery())
    .values(due=bindparam("later"), attempts=_MESSAGES.c.attempts + 1)
    .returning(*(_MESSAGES.c[name] for name in ("id", "entity", "change", "about", "citizen")))
)
HANDLED = (
    update(_MESSAGES)
    .where(
        or_(
            _MESSAGES.c.id == bindparam("which"),
            and_(_MESSAGES.c.about == bindparam("same"), _MESSAGES.c.received < bindparam("before")),
        ),
        _MESSAGES.c.done.is_(None),
    )
    .values(done=bindparam("now"), due=None)
)

RECORD = select(*_RECORDS.c).where(_RECORDS.c.id == bindparam("which"))
RECORD_LOCKED = RECORD.with_for_update()


@cache
def keep(dialect: str, *, of: str) -> Executable:
    """Keep a row of ``dfdg_records`` or ``dfdg_deadlines`` as it is now, new or known; what is not given stays."""
    table = _RECORDS if of == _RECORDS.name else _DEADLINES
    made: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changing = {one.name: made.excluded[one.name] for one in table.c if one.name != "id"}
    return cast(Executable, made.on_conflict_do_update(index_elements=["id"], set_=changing))


@cache
def see(dialect: str, *, told: bool) -> Executable:
    """Know a citizen; what is new of one who is known is when she was seen, and what was *told*."""
    made: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(CITIZENS)
    news = ("seen", "told", "told_at") if told else ("seen",)
    upsert = made.on_conflict_do_update(index_elements=["citizen"], set_={one: made.excluded[one] for one in news})
    return cast(Executable, upsert.returning(CITIZENS.c.standing))


@cache
def receive(dialect: str) -> Executable:
    """Keep a message; gives its id when it is new."""
    made: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_MESSAGES)
    return cast(Executable, made.on_conflict_do_nothing().returning(_MESSAGES.c.id))
