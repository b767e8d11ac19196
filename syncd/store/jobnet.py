"""What the Jobnet facade keeps: citizens by reference, DFDG's ids, reservations, error reports."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from syncd.model.jobnet import Link, Origin, Report, Reservation, Standing, Told
from syncd.model.offer import Form
from syncd.store import jobnet_rows as rows
from syncd.store.instants import epoch, maybe, moment, optional
from syncd.store.jobnet_tables import JobnetCitizenRow, JobnetLinkRow, JobnetReportRow, JobnetReservationRow
from syncd.store.tables import Base, BookingRow

KEPT_BESIDE = ("audit",)
"""Tables whose column ``citizen`` is a digest of its own, not a reference."""


class Jobnet:
    """The tables ``jobnet_…``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def see(self, citizen: str, sealed: tuple[str, bytes], now: datetime, told: Told | None = None) -> Standing:
        """Know a citizen from now on, and what was told of her; returns how she stands.

        :param sealed: name of the key, and the number under seal; kept at the first sight only.
        """
        fresh: dict[str, object] = {
            "citizen": citizen,
            "key": sealed[0],
            "sealed": sealed[1],
            "standing": Standing.OPEN.value,
            "seen": epoch(now),
        }
        if told is not None:
            fresh |= {"told": _text(told), "told_at": epoch(now)}
        upsert = rows.see(self._session.get_bind().dialect.name, told=told is not None)
        return Standing(self._session.execute(upsert, fresh).scalar_one())

    def standing(self, citizen: str) -> Standing | None:
        """How a citizen stands; None when she was never seen."""
        found = self._session.scalar(rows.STANDING, {"whose": citizen})
        return None if found is None else Standing(found)

    def stand(self, citizen: str, sealed: tuple[str, bytes], standing: Standing, now: datetime) -> None:
        """Note whether a citizen may book by herself."""
        self.see(citizen, sealed, now)
        change = update(JobnetCitizenRow).where(JobnetCitizenRow.citizen == citizen)
        self._session.execute(change.values(standing=standing.value))

    def told(self, citizen: str, since: datetime) -> Told | None:
        """What was told of her last; None when nothing was, or it is older than *since*."""
        return self.known(citizen, since)[1]

    def known(self, citizen: str, since: datetime) -> tuple[Standing | None, Told | None]:
        """How a citizen stands, and what was told of her; see `standing` and `told`."""
        row = self._session.execute(rows.STANDING_AND_TOLD, {"whose": citizen}).one_or_none()
        if row is None:
            return None, None
        fresh = row.told_at is not None and row.told_at >= epoch(since)
        return Standing(row.standing), _told(row.told) if fresh else None

    def sealed(self, citizen: str) -> tuple[str, bytes] | None:
        """The name of the key, and the number under seal."""
        row = self._session.execute(rows.SEALED, {"whose": citizen}).one_or_none()
        return None if row is None else (row.key, row.sealed)

    def link(self, link: Link) -> None:
        """Keep DFDG's id beside a booking of ours."""
        values = {
            "indkaldelse": link.indkaldelse,
            "booking": link.booking,
            "client": link.client,
            "citizen": link.citizen,
            "origin": link.origin.value,
            "self_booked": link.self_booked,
            "accepted": optional(link.accepted),
            "created": epoch(link.created),
        }
        self._session.execute(rows.LINK, values)

    def unlink(self, indkaldelse: str) -> None:
        """Forget that DFDG's id is about a booking of ours."""
        self._session.execute(delete(JobnetLinkRow).where(JobnetLinkRow.indkaldelse == indkaldelse))

    def linked(self, indkaldelse: str) -> Link | None:
        """The booking behind DFDG's id."""
        row = self._session.execute(rows.LINKED, {"id": indkaldelse.lower()}).one_or_none()
        return None if row is None else _link(row)

    def link_of(self, booking: str) -> Link | None:
        """DFDG's id of a booking."""
        row = self._session.execute(rows.LINK_OF, {"id": booking}).one_or_none()
        return None if row is None else _link(row)

    def links_of(self, citizen: str) -> list[Link]:
        """Everything DFDG knows of a citizen, the oldest first."""
        return [_link(row) for row in self._session.execute(rows.LINKS_OF, {"whose": citizen})]

    def accept(self, indkaldelse: str, now: datetime) -> None:
        """Note that the citizen will come; the first time counts."""
        change = update(JobnetLinkRow).where(JobnetLinkRow.indkaldelse == indkaldelse, JobnetLinkRow.accepted.is_(None))
        self._session.execute(change.values(accepted=epoch(now)))

    def reserve(self, reservation: Reservation) -> None:
        """Keep a reservation."""
        values = {
            "id": reservation.id,
            "hold": reservation.hold,
            "citizen": reservation.citizen,
            "offer": reservation.offer,
            "form": reservation.form.value,
            "caseworker": reservation.caseworker,
            "start": epoch(reservation.start),
            "expires": epoch(reservation.expires),
            "indkaldelse": reservation.indkaldelse,
            "immediate": reservation.immediate,
            "latest": reservation.latest.isoformat() if reservation.latest else None,
            "made": epoch(reservation.made),
        }
        self._session.execute(rows.RESERVE, values)

    def reservation(self, id: str) -> Reservation | None:
        """The reservation of that id, however it ended."""
        row = self._session.execute(rows.RESERVATION, {"which": id.lower()}).one_or_none()
        return None if row is None else _reservation(row)

    def reserved(self, citizen: str, now: datetime) -> list[Reservation]:
        """What is kept for a citizen now and was not used."""
        found = self._session.execute(rows.RESERVED, {"whose": citizen, "now": epoch(now)})
        return [_reservation(row) for row in found]

    def use(self, id: str, indkaldelse: str) -> None:
        """Note what a reservation was used for."""
        self._session.execute(rows.USE, {"which": id, "by": indkaldelse})

    def forget_reservation(self, id: str) -> None:
        """Remove one that was given back."""
        self._session.execute(delete(JobnetReservationRow).where(JobnetReservationRow.id == id))

    def reported(self, report: Report, since: datetime) -> bool:
        """Whether the same error about the same was reported after that instant: a repeated call."""
        row, about = JobnetReportRow, (report.citizen, report.offer, report.indkaldelse)
        same = select(row.number).where(
            row.received >= epoch(since),
            *(row.at == epoch(report.at), row.code == report.code, row.origin == report.origin),
            *(row.said == report.said, row.citizen == about[0]),
            *(row.offer.is_not_distinct_from(about[1]), row.indkaldelse.is_not_distinct_from(about[2])),
        )
        return self._session.scalar(same.limit(1)) is not None

    def report(self, report: Report) -> int:
        """Keep an error report; returns its number."""
        row = JobnetReportRow(
            received=epoch(report.received),
            at=epoch(report.at),
            citizen=report.citizen,
            offer=report.offer,
            indkaldelse=report.indkaldelse,
            code=report.code,
            said=report.said,
            origin=report.origin,
        )
        self._session.add(row)
        self._session.flush()
        return row.number

    def reports(self, limit: int = 100) -> list[Report]:
        """The last error reports, the newest first."""
        question = select(JobnetReportRow).order_by(JobnetReportRow.number.desc()).limit(limit)
        return [_report(row) for row in self._session.scalars(question)]

    def waiting_reports(self) -> int:
        """How many error reports nobody was done with."""
        return self._session.scalar(select(func.count()).where(JobnetReportRow.done.is_(None))) or 0

    def reports_done(self, now: datetime) -> int:
        """Note that somebody looked at all of them; returns how many there were."""
        change = update(JobnetReportRow).where(JobnetReportRow.done.is_(None)).values(done=epoch(now))
        return len(self._session.scalars(change.returning(JobnetReportRow.number)).all())

    def rename(self, old: str, new: str, sealed: tuple[str, bytes], now: datetime) -> int:
        """Move everything of one citizen to another reference, in every table that knows citizens; how many rows.

        :param sealed: name of the key, and the new number under seal.
        """
        moved = 0
        for table in Base.metadata.sorted_tables:
            if table.name in KEPT_BESIDE or "citizen" not in table.c or table.name == rows.CITIZENS.name:
                continue
            change = update(table).where(table.c.citizen == old).values(citizen=new)
            moved += len(self._session.execute(change.returning(table.c.citizen)).all())
        standing = self.standing(old)
        if standing is not None:
            self.stand(new, sealed, standing, now)
            self._session.execute(delete(JobnetCitizenRow).where(JobnetCitizenRow.citizen == old))
        return moved

    def forget(self, before: datetime, told_before: datetime, portion: int) -> int:
        """Remove a portion of what is older; how many rows.

        That is reservations, error reports, links of bookings that no longer say whose they were, and citizens who
        were not asked about and have no booking; what was told of a citizen goes at *told_before*.
        """
        limit = epoch(before)
        nameless = select(BookingRow.id).where(BookingRow.id == JobnetLinkRow.booking, BookingRow.citizen.is_not(None))
        linked = select(JobnetLinkRow.booking).where(JobnetLinkRow.citizen == JobnetCitizenRow.citizen)
        stays = JobnetCitizenRow.standing != Standing.OPEN.value
        self._session.execute(
            update(JobnetCitizenRow)
            .where(JobnetCitizenRow.told_at < epoch(told_before))
            .values(told=None, told_at=None)
            .execution_options(synchronize_session=False)
        )
        gone = 0
        for key, *where in (
            (JobnetReservationRow.id, JobnetReservationRow.expires < limit),
            (JobnetReportRow.number, JobnetReportRow.received < limit),
            (JobnetLinkRow.indkaldelse, JobnetLinkRow.created < limit, ~nameless.exists()),
            (JobnetCitizenRow.citizen, JobnetCitizenRow.seen < limit, ~linked.exists(), ~stays),
        ):
            ids: Collection[object] = self._session.scalars(select(key).where(*where).limit(portion)).all()
            self._session.execute(delete(key.class_).where(key.in_(ids)))
            gone += len(ids)
        return gone

    def erase(self, citizen: str) -> int:
        """Forget a citizen and her reservations; her bookings are erased elsewhere. How many rows went."""
        gone = 0
        for table in (JobnetReservationRow, JobnetCitizenRow):
            which = delete(table).where(table.citizen == citizen).returning(table.citizen)
            gone += len(self._session.scalars(which).all())
        blank = update(JobnetReportRow).where(JobnetReportRow.citizen == citizen).values(citizen=None, said="")
        return gone + len(self._session.scalars(blank.returning(JobnetReportRow.number)).all())


def _text(told: Told) -> str:
    return json.dumps([told.jobcentre, told.contact_group, told.category, sorted(told.groups)])


def _told(text: str) -> Told:
    jobcentre, contact_group, category, groups = json.loads(text)
    return Told(jobcentre, contact_group, category, frozenset(groups))


def _link(row: Row[Any]) -> Link:
    return Link(
        row.indkaldelse,
        row.booking,
        row.client,
        row.citizen,
        Origin(row.origin),
        row.self_booked,
        moment(row.created),
        maybe(row.accepted),
    )


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(
        id=row.id,
        hold=row.hold,
        citizen=row.citizen,
        offer=row.offer,
        form=Form(row.form),
        caseworker=row.caseworker,
        start=moment(row.start),
        expires=moment(row.expires),
        made=moment(row.made),
        indkaldelse=row.indkaldelse,
        immediate=row.immediate,
        latest=date.fromisoformat(row.latest) if row.latest else None,
        used=row.used,
    )


def _report(row: JobnetReportRow) -> Report:
    return Report(
        code=row.code,
        said=row.said,
        origin=row.origin,
        at=moment(row.at),
        received=moment(row.received),
        citizen=row.citizen,
        offer=row.offer,
        indkaldelse=row.indkaldelse,
        number=row.number,
        done=maybe(row.done),
    )
