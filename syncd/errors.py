"""Every error syncd raises on purpose; the class is the policy.

* SyncdError
  + ConfigError               the operator must edit the configuration (exit 78)
  + StoreError                the database cannot be used; nothing was changed
    - Contention              another transaction won; the same one may be run again at once
  + CalendarError             a calendar server did not do what we asked
    - Transient               the same call may succeed later
      . Throttled             ... not before ``retry_after``
      . OutcomeUnknown        a write may or may not have happened: look it up, never repeat it blindly
    - Rejected                the same call will never succeed
      . TokenExpired          the change token is not known any more: start again from a snapshot
      . VersionConflict       somebody changed the item since we read it: read again, then decide
        . EntryRemoved        ... or removed what an earlier try had written: believed after a second look
      . AccessDenied          wrong password, or no right to this calendar
      . CalendarNotFound      no calendar at this address
        . HostedElsewhere     ... on this kind of server: the mailbox lives on-premises, or moved there
      . NotACalendar          something answered, but not a calendar server (login page, HTML, wrong URL)
  + SuspiciousDelta           a loss too large to be believed; a person must decide
  + BookingError              the citizen (or portal) must choose again; carries a problem type
    - UnknownOffer, UnknownCaseworker, UnknownBooking, UnknownHold, UnknownAbsence
    - BadRequest              a value that cannot be right (range, zone, order)
    - SlotGone                the time is no longer on offer; carries alternatives
      . NoRoom                only for want of a room: counted, for whoever plans rooms
    - HoldExpired             the reservation ran out; carries whether the time is still free
    - TemporarilyClosed       calendars are too old to be trusted; try again later
      . CalendarUnknown       whoever should take a meeting has a calendar that is not known for its time
    - NotAllowed              this state, deadline or limit forbids it
      . NotEntitled           the offer's rules do not let this citizen book it
      . ChangedMeanwhile      somebody else acted since the person who decides looked
      . NotThisCitizen        it belongs to another citizen
    - KeyMissing, KeyReused, KeyInProgress    Idempotency-Key (400, 422, 409)

`SyncdError` texts are sentences for the reader: what happened, what was left untouched, what to do next.
They never contain a citizen's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime


class SyncdError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(SyncdError):
    """The configuration cannot be used.

    :param problems: one sentence each, with the path in the file first.
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s)\n{lines}")


class StoreError(SyncdError):
    """The database refused or cannot be reached; the transaction left nothing behind."""


class Contention(StoreError):
    """Another transaction won (PostgreSQL 40001, 40P01); nothing was changed, the same work may be run again."""


class CalendarError(SyncdError):
    """A calendar server did not do what we asked."""


class Transient(CalendarError):
    """The same call may succeed later."""


class Throttled(Transient):
    """The server asks for a pause of ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(Transient):
    """A write was sent and its answer lost; read what is there before acting again."""


class Rejected(CalendarError):
    """The same call will never succeed."""


class TokenExpired(Rejected):
    """The server has forgotten the change token; read everything."""


class VersionConflict(Rejected):
    """The item changed, exists already, or is gone since it was read (HTTP 412 and relatives)."""


class EntryRemoved(VersionConflict):
    """An earlier try of this very create was carried out, and somebody has removed the entry since.

    Nothing was written.
    """


class AccessDenied(Rejected):
    """Credentials are wrong, or do not reach this calendar."""


class CalendarNotFound(Rejected):
    """There is no calendar at the configured address."""


class HostedElsewhere(CalendarNotFound):
    """The mailbox is not hosted by this server: on-premises in a hybrid organisation, or without a licence."""


class NotACalendar(Rejected):
    """Something answered, but it does not speak CalDAV."""


class SuspiciousDelta(SyncdError):
    """More vanished at once than is believable; nothing was changed.

    :param lost: keys of the items that would go.
    :param bookings: ids of our meetings among them.
    """

    def __init__(self, message: str, lost: Sequence[str] = (), bookings: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lost = tuple(lost)
        self.bookings = tuple(bookings)


class BookingError(SyncdError):
    """The request cannot be carried out as asked; nothing was changed.

    ``status`` and ``type`` become the HTTP status and problem type (RFC 9457).
    """

    status = 409
    type = "booking-error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class BadRequest(BookingError):
    """A value that cannot be right."""

    status, type = 422, "bad-request"


class UnknownOffer(BookingError):
    """No offer of that name is in force."""

    status, type = 404, "unknown-offer"


class UnknownCaseworker(BookingError):
    """No caseworker of that id serves the offer."""

    status, type = 404, "unknown-caseworker"


class UnknownRoom(BookingError):
    """No room of that id exists."""

    status, type = 404, "unknown-room"


class UnknownHold(BookingError):
    """No hold of that id belongs to this client."""

    status, type = 404, "unknown-hold"


class UnknownBooking(BookingError):
    """No booking of that id belongs to this client."""

    status, type = 404, "unknown-booking"


class UnknownAbsence(BookingError):
    """No absence of that number was given."""

    status, type = 404, "unknown-absence"


class SlotGone(BookingError):
    """The time is not on offer; ``facts['alternatives']`` holds other starts (UTC, ISO 8601)."""

    status, type = 409, "slot-gone"


class NoRoom(SlotGone):
    """A caseworker is free then, but no room is, and none can be freed."""


class HoldExpired(BookingError):
    """The reservation ran out before it was used."""

    status, type = 410, "hold-expired"


class NotAllowed(BookingError):
    """The state, a deadline or a limit forbids it."""

    status, type = 409, "not-allowed"


class NotEntitled(NotAllowed):
    """The offer's rules do not let this citizen book it, or not with this caseworker."""

    type = "not-entitled"


class ChangedMeanwhile(NotAllowed):
    """What was decided rests on what is not so any more: somebody else acted meanwhile."""


class NotThisCitizen(NotAllowed):
    """What was named belongs to another citizen, who is not told."""


class TemporarilyClosed(BookingError):
    """Calendars are older than may be trusted; nothing is offered until they are read again."""

    status, type = 503, "temporarily-closed"

    def __init__(
        self,
        message: str,
        since: datetime | None = None,
        retry_after: int = 60,
        reason: Mapping[str, str] | None = None,
    ) -> None:
        """Tell why.

        :param reason: what the citizen can be told, by language, when a person closed the offers.
        """
        super().__init__(message, since=since, reason=reason)
        self.retry_after = retry_after


class CalendarUnknown(TemporarilyClosed):
    """Whoever should take a meeting has a calendar that is not known for its time, which is never free time."""


class KeyMissing(BookingError):
    """A POST without an Idempotency-Key."""

    status, type = 400, "idempotency-key-missing"


class KeyReused(BookingError):
    """The Idempotency-Key was used before with another body."""

    status, type = 422, "idempotency-key-reused"


class KeyInProgress(BookingError):
    """The first request with this Idempotency-Key is still being worked on."""

    status, type = 409, "idempotency-key-in-progress"
