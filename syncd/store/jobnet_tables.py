"""Tables of the Jobnet facade: citizens by reference, DFDG's ids beside our bookings, reservations, error reports."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base, Serial


class JobnetCitizenRow(Base):
    """A citizen Jobnet asked about, by reference; the number only under seal, what was told only for a while."""

    __tablename__ = "jobnet_citizens"
    citizen: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key: Mapped[str]
    """Which key sealed it."""
    standing: Mapped[str]
    """``open``, ``exempt`` or ``deprived``: whether she may book by herself."""
    told: Mapped[str | None]
    """What the last question about offers told of her (JSON), by which offers are matched."""
    told_at: Mapped[int | None]
    seen: Mapped[int]

    __table_args__ = (Index(None, "seen"),)


class JobnetLinkRow(Base):
    """DFDG's id of a booking beside ours."""

    __tablename__ = "jobnet_links"
    indkaldelse: Mapped[str] = mapped_column(primary_key=True)
    """The IndkaldelseId, lower case."""
    booking: Mapped[str] = mapped_column(unique=True)
    client: Mapped[str]
    """Whose booking it is here (`BookingRow.client`)."""
    citizen: Mapped[str]
    origin: Mapped[str]
    """``jobnet``: self-booked there; ``summons``: made in the case system; ``staff``: linked by staff."""
    self_booked: Mapped[bool]
    accepted: Mapped[int | None]
    """When the citizen said that she will come."""
    created: Mapped[int]

    __table_args__ = (Index(None, "citizen"),)


class JobnetReservationRow(Base):
    """A time kept between the details of a meeting and its creation; its life is that of the hold behind it."""

    __tablename__ = "jobnet_reservations"
    id: Mapped[str] = mapped_column(primary_key=True)
    hold: Mapped[str] = mapped_column(unique=True)
    """Id of the hold (`BookingRow.id`), which becomes the booking when nothing is rebooked."""
    citizen: Mapped[str]
    offer: Mapped[str]
    form: Mapped[str]
    caseworker: Mapped[str]
    start: Mapped[int]
    expires: Mapped[int]
    indkaldelse: Mapped[str | None]
    """The booking that is to be moved to this time."""
    immediate: Mapped[bool]
    latest: Mapped[str | None]
    """Last day on which the meeting may be held (ISO date)."""
    used: Mapped[str | None]
    """The IndkaldelseId it was used for."""
    made: Mapped[int]

    __table_args__ = (Index(None, "citizen"), Index(None, "expires"))


class JobnetReportRow(Base):
    """An error that Jobnet or DFDG reported to us."""

    __tablename__ = "jobnet_reports"
    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    received: Mapped[int]
    at: Mapped[int]
    """When it was registered there."""
    citizen: Mapped[str | None]
    offer: Mapped[str | None]
    indkaldelse: Mapped[str | None]
    code: Mapped[int]
    said: Mapped[str]
    """What was written, with anything like a civil registration number blanked."""
    origin: Mapped[int]
    done: Mapped[int | None]

    __table_args__ = (Index(None, "received"),)
