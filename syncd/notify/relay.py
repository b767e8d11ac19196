"""From events to what each receiver gets: which ones, and the bytes that are signed and sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import msgspec

from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.event import Event, EventKind
from syncd.store import Store, Tx

PORTION = 100
"""Events taken up in one transaction."""
UNHEARD = frozenset({BookingState.HELD, BookingState.EXPIRED})
"""What was only held was never told to anybody."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A client that listens.

    :param name: the client; it hears of its own bookings only.
    :param events: patterns such as ``booking.*``.
    :param keys: signing keys, the newest first; two while one is being replaced.
    """

    name: str
    url: str
    events: tuple[str, ...]
    keys: tuple[bytes, ...]

    def hears(self, kind: EventKind) -> bool:
        """Whether this kind of event goes to it."""
        return any(fnmatchcase(kind.value, pattern) for pattern in self.events)


def relay(store: Store, receivers: Mapping[str, Receiver], now: datetime) -> int:
    """Owe waiting events to all who should hear of them; returns how many were taken up.

    :raises StoreError: nothing of this portion was taken up; it is at the next call.
    """

    def work(tx: Tx) -> int:
        taken = [event for event in tx.events.waiting(PORTION) if tx.events.take_up(event.id)]
        for event in taken:
            for name, body in _told(tx, event, receivers):
                tx.events.owe(name, event, body, now)
        return len(taken)

    with store.read() as tx:
        if not tx.events.waiting(1):
            return 0
    return store.run(work)


def _told(tx: Tx, event: Event, receivers: Mapping[str, Receiver]) -> Iterable[tuple[str, bytes]]:
    """Who hears *event*, with the body each gets."""
    hearing = {name for name, receiver in receivers.items() if receiver.hears(event.kind)}
    if not hearing:
        return
    if event.kind is EventKind.SLOTS_CHANGED:
        body = _body(event, event.facts)
        yield from ((name, body) for name in sorted(hearing))
        return
    for booking, meeting in _concerned(tx, event):
        if booking.client in hearing and booking.state not in UNHEARD:
            yield booking.client, _body(event, _booking(booking, meeting, event))


def _concerned(tx: Tx, event: Event) -> Sequence[tuple[Booking, Meeting]]:
    """The bookings an event is about, as they are now, with their meeting."""
    meeting_id = event.meeting or (tx.bookings.meeting_of(event.booking) if event.booking else None)
    meeting = tx.meetings.get(meeting_id) if meeting_id else None
    if meeting is None:
        return ()
    found = tx.bookings.of(meeting.id)
    return [(one, meeting) for one in found if event.booking in (None, one.id)]


def _booking(booking: Booking, meeting: Meeting, event: Event) -> dict[str, object]:
    """What a webhook says of a booking; more, such as its room, tells the API to those who may ask."""
    return {
        "booking": booking.id,
        "state": booking.state,
        "offer": meeting.offer,
        "form": meeting.form,
        "caseworker": meeting.caseworker,
        "start": meeting.interval.start,
        "end": meeting.interval.end,
        "cause": event.cause,
        **event.facts,
    }


def _body(event: Event, data: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"type": event.kind, "timestamp": event.at.astimezone(UTC), "data": data})
