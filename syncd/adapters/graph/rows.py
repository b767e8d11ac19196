"""Graph's events as they come over the wire, as much of them as we want to know; msgspec passes over the rest.

They hold nothing that could point back at them, so the garbage collector leaves them out (``gc=False``).
"""

from __future__ import annotations

import msgspec

from syncd.errors import Transient

SELECT = (
    "id,type,seriesMasterId,start,end,originalStart,isAllDay,isCancelled,showAs,categories,transactionId,iCalUId,"
    "isOrganizer,organizer"
)
"""``$select`` of everything in `Row`, where Graph allows it; delta rounds always bring all there is."""


class Moment(msgspec.Struct, rename="camel", gc=False):
    """A dateTimeTimeZone."""

    date_time: str | None = None
    time_zone: str | None = None


class EmailAddress(msgspec.Struct, gc=False):
    """An emailAddress."""

    address: str | None = None


class Recipient(msgspec.Struct, rename="camel", gc=False):
    """A recipient."""

    email_address: EmailAddress | None = None

    @property
    def address(self) -> str:
        """Lower case; empty when there is none."""
        return ((self.email_address.address if self.email_address else None) or "").lower()


class Removed(msgspec.Struct):
    """``@removed``: deleted, or drifted out of the window; both reasons have been seen for both."""

    reason: str | None = None


class Property(msgspec.Struct):
    """A singleValueLegacyExtendedProperty."""

    id: str = ""
    value: str | None = None


class Row(msgspec.Struct, rename="camel", gc=False):
    """An event: single, master of a series, occurrence (bare in a delta round), exception, or a tombstone."""

    id: str
    etag: str = msgspec.field(name="@odata.etag", default="")
    removed: Removed | None = msgspec.field(name="@removed", default=None)
    type: str | None = None
    series_master_id: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    original_start: str | None = None
    is_all_day: bool | None = None
    is_cancelled: bool | None = None
    show_as: str | None = None
    categories: list[str] | None = None
    transaction_id: str | None = None
    i_cal_u_id: str | None = msgspec.field(name="iCalUId", default=None)
    is_organizer: bool | None = None
    organizer: Recipient | None = None
    properties: list[Property] | None = msgspec.field(name="singleValueExtendedProperties", default=None)
    broken: bool = msgspec.field(name="@syncd.broken", default=False)


class Page(msgspec.Struct):
    """A page of a listing or of a delta round."""

    value: list[Row]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class _Raw(msgspec.Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class _Name(msgspec.Struct):
    id: str
    etag: object = msgspec.field(name="@odata.etag", default="")


_PAGE = msgspec.json.Decoder(Page)
_RAW = msgspec.json.Decoder(_Raw)
_ROW = msgspec.json.Decoder(Row)
_NAME = msgspec.json.Decoder(_Name)


class Pages:
    """Decodes pages; a row of an unexpected shape does not spoil the others."""

    def decode(self, content: bytes) -> Page:
        """One page.

        :raises msgspec.DecodeError: it is none. :raises Transient: a row has no id, so that nobody knows what it is.
        """
        try:
            return _PAGE.decode(content)
        except msgspec.ValidationError:
            raw = _RAW.decode(content)
        return Page([_row(one) for one in raw.value], raw.next, raw.delta)


PAGES = Pages()


def _row(raw: msgspec.Raw) -> Row:
    try:
        return _ROW.decode(raw)
    except msgspec.ValidationError:
        pass
    try:
        name = _NAME.decode(raw)
    except msgspec.ValidationError as error:
        raise Transient("An event without an id was among the answers; the whole reading is tried again.") from error
    return Row(id=name.id, etag=str(name.etag), broken=True)
