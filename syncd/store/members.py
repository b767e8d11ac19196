"""The people of distribution groups, as they were last told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from syncd.model.directory import MailboxId
from syncd.model.enrolment import Enrolled
from syncd.store.instants import epoch, maybe, moment, optional
from syncd.store.outward_tables import MemberRow
from syncd.store.tables import MeetingRow


class Members:
    """The table ``members``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Enrolled]:
        """Everybody who ever was in a group, by group and address."""
        found = self._session.scalars(select(MemberRow).order_by(MemberRow.group, MemberRow.address))
        return [_enrolled(row) for row in found]

    def serving(self, now: datetime) -> list[Enrolled]:
        """Those in a group now, and those who left one but have meetings to come, by group and address."""
        ahead = select(MeetingRow.id).where(
            MeetingRow.caseworker == MemberRow.id, MeetingRow.wanted, MeetingRow.end > epoch(now)
        )
        question = select(MemberRow).where(or_(MemberRow.left.is_(None), ahead.exists()))
        return [_enrolled(row) for row in self._session.scalars(question.order_by(MemberRow.group, MemberRow.address))]

    def save(self, rows: Iterable[Enrolled]) -> None:
        """Store these people as they are now."""
        for one in rows:
            row = MemberRow(
                group=one.group,
                address=one.address,
                id=one.id,
                name=one.name,
                joined=epoch(one.joined),
                left=optional(one.left),
            )
            self._session.merge(row)
        self._session.flush()

    def leavers(self, now: datetime) -> dict[MailboxId, int]:
        """Who is in no group any more but has booked meetings to come, and how many."""
        present = select(MemberRow.id).where(MemberRow.left.is_(None))
        question = (
            select(MeetingRow.caseworker)
            .where(MeetingRow.wanted, MeetingRow.beside.is_(None), MeetingRow.end > epoch(now))
            .where(MeetingRow.caseworker.in_(select(MemberRow.id)), MeetingRow.caseworker.not_in(present))
        )
        counted: dict[MailboxId, int] = {}
        for caseworker in self._session.scalars(question.order_by(MeetingRow.caseworker)):
            counted[caseworker] = counted.get(caseworker, 0) + 1
        return counted


def _enrolled(row: MemberRow) -> Enrolled:
    return Enrolled(row.id, row.group, row.address, row.name, moment(row.joined), maybe(row.left))
