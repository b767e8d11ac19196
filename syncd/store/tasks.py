"""What waits for a person: raised as often as its cause is seen, kept once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.model.task import Facts, Task, TaskKind
from syncd.store.instants import epoch, maybe, moment
from syncd.store.prepared import prepared
from syncd.store.tables import TaskRow

ITSELF = "syncd"
"""The actor of a task whose cause went away."""

_OPEN = select(*TaskRow.__table__.c).where(TaskRow.done.is_(None)).order_by(TaskRow.since, TaskRow.id)
_WAITING = prepared(_OPEN)
_WAITING_OF_KIND = prepared(_OPEN.where(TaskRow.kind == bindparam("kind")))


class Tasks:
    """The table ``tasks``, seen from inside one transaction; one row per kind and what it is about."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def raise_(self, kind: TaskKind, about: str, facts: Facts, now: datetime) -> bool:
        """Ask for a person, once: raising it again while it waits only brings its facts up to date.

        What somebody was done with stays done while the facts are the same, and is opened again when they are others
        or when the cause had gone away between (`settle`).

        :returns: whether it was opened by this call.
        """
        self._make(kind, about, facts, now)
        row = self._session.execute(self._one(kind, about).with_for_update()).scalar_one()
        told = _text(facts)
        opened = row.since == epoch(now) and row.raised == 0
        if row.done is not None and (row.actor == ITSELF or row.facts != told):
            row.since, row.done, row.actor, opened = epoch(now), None, None, True
        row.facts, row.raised = told, row.raised + 1
        self._session.flush()
        return opened

    def settle(self, kind: TaskKind, about: str, now: datetime) -> bool:
        """Close it because its cause went away; whether it was waiting."""
        where = (TaskRow.kind == kind.value, TaskRow.about == about, TaskRow.done.is_(None))
        change = update(TaskRow).where(*where).values(done=epoch(now), actor=ITSELF).returning(TaskRow.id)
        return self._session.scalar(change.execution_options(synchronize_session="fetch")) is not None

    def done(self, task: int, actor: str, now: datetime) -> Task | None:
        """Note that somebody was done with it; the task, or None when none of that number waits."""
        row = self._session.get(TaskRow, task)
        if row is None or row.done is not None:
            return None
        row.done, row.actor = epoch(now), actor
        self._session.flush()
        return _task(row)

    def waiting(self, kind: TaskKind | None = None) -> list[Task]:
        """What waits, the longest first."""
        if kind is None:
            return [_task(row) for row in self._session.execute(_WAITING)]
        return [_task(row) for row in self._session.execute(_WAITING_OF_KIND, {"kind": kind.value})]

    def counts(self) -> dict[TaskKind, int]:
        """How many wait, of each kind that has any."""
        question = select(TaskRow.kind, func.count()).where(TaskRow.done.is_(None)).group_by(TaskRow.kind)
        return {TaskKind(kind): number for kind, number in self._session.execute(question)}

    def _make(self, kind: TaskKind, about: str, facts: Facts, now: datetime) -> None:
        """A row to lock; of several who make it at once one wins."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        fresh = {"kind": kind.value, "about": about, "facts": _text(facts), "since": epoch(now), "raised": 0}
        self._session.execute(insert(TaskRow).values(fresh).on_conflict_do_nothing())

    @staticmethod
    def _one(kind: TaskKind, about: str) -> Select[TaskRow]:
        return select(TaskRow).where(TaskRow.kind == kind.value, TaskRow.about == about)


def _text(facts: Facts) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _task(row: Any) -> Task:
    return Task(
        id=row.id,
        kind=TaskKind(row.kind),
        about=row.about,
        facts=json.loads(row.facts),
        since=moment(row.since),
        done=maybe(row.done),
        actor=row.actor,
    )
