"""What the mirror keeps for us with each group: the instances beyond the window, and what else a next round needs.

Times, kinds of busy, categories that are obeyed, digests of ids: nothing else of anybody's event.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from syncd.adapters.graph.wire import Ours
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.interval import Interval


class Instance(msgspec.Struct, array_like=True, omit_defaults=True, gc=False):
    """One dated instance.

    :param mark: digest of its id, see `mark_of`; empty for an event that is no series.
    :param start, end, original: epoch seconds.
    """

    mark: str
    start: int
    end: int
    busy: str
    original: int | None = None
    all_day: bool = False
    categories: tuple[str, ...] = ()
    guest: bool = False


class Kept(msgspec.Struct, array_like=True, omit_defaults=True):
    """A group as we last saw it, in the whole span of its round.

    :param series: it is one; :param uid: of its occurrences; :param stamp: ours, encoded.
    """

    uid: str
    series: bool = False
    stamp: str = ""
    instances: tuple[Instance, ...] = ()

    @property
    def occurrences(self) -> list[Occurrence]:
        """As the model has them."""
        stamp = Stamp.decode(self.stamp) if self.stamp else None
        return [self._occurrence(one, stamp) for one in self.instances]

    @property
    def marks(self) -> frozenset[str]:
        """Digests of the ids of a series' instances."""
        return frozenset(one.mark for one in self.instances if one.mark)

    @property
    def ours(self) -> Ours:
        """Who it is, when it is ours."""
        return Ours(self.uid, Stamp.decode(self.stamp))

    def _occurrence(self, one: Instance, stamp: Stamp | None) -> Occurrence:
        return Occurrence(
            uid=self.uid,
            original_start=_instant(one.original) if one.original is not None else None,
            interval=Interval(_instant(one.start), _instant(one.end)),
            busy=BusyType(one.busy),
            all_day=one.all_day,
            recurring=self.series,
            categories=one.categories,
            stamp=stamp,
            guest=one.guest,
        )


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Kept)


def remember(uid: str, ours: Ours | None, seen: Iterable[tuple[str, Occurrence]]) -> bytes:
    """The memory of a series: its occurrences, each with the id it came under."""
    return _ENCODER.encode(Kept(uid, True, _stamp(ours), tuple([_instance(mark_of(item), one) for item, one in seen])))


def remember_single(uid: str, ours: Ours | None, one: Occurrence | None) -> bytes:
    """The memory of an event that is no series; of one that takes no time, too."""
    return _ENCODER.encode(Kept(uid, False, _stamp(ours), () if one is None else (_instance("", one),)))


def _stamp(ours: Ours | None) -> str:
    stamp = ours.stamp if ours is not None else None
    return stamp.encode() if stamp else ""


def recalled(memory: bytes) -> Kept | None:
    """What `remember` made; None for anything else."""
    try:
        return _DECODER.decode(memory) if memory else None
    except (msgspec.DecodeError, ValueError):
        return None


def mark_of(item: str) -> str:
    """A short digest of an id; Graph's have more than a hundred characters."""
    return sha256(item.encode()).hexdigest()[:12]


def _instance(mark: str, one: Occurrence) -> Instance:
    original, interval = one.original_start, one.interval
    return Instance(
        mark,
        int(interval.start.timestamp()),
        int(interval.end.timestamp()),
        one.busy,
        None if original is None else int(original.timestamp()),
        one.all_day,
        one.categories,
        one.guest,
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
