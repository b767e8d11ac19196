"""What a delta does to the mirror: decided here, without network, database or clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.errors import SuspiciousDelta
from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Group, GroupKey, Unreadable
from syncd.model.interval import Interval, merge


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much to be believed (architecture, decision 4).

    :param share: a larger part of the items of a mailbox gone at once ...
    :param least: ... is refused if it is at least this many.
    :param own: so many of our own future meetings gone in one pass are refused, too.
    """

    share: float = 0.2
    least: int = 5
    own: int = 2


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """One of our meetings, as it should or should not stand in this mailbox.

    :param key: where it was last seen on the server; None when it was never seen.
    :param interval: the meeting's time.
    :param wanted: it should stand here; False once cancelled, moved to somebody else or given another room.
    :param note: it only tells the caseworker something; she may throw away as many as she likes.
    """

    meeting: str
    key: GroupKey | None
    interval: Interval
    wanted: bool
    note: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The mirror of one mailbox, as far as a delta touches it.

    :param groups: occurrences of the groups that `touched_keys` names and we hold.
    :param unreadable: keys of objects we hold as unreadable.
    :param total: how many groups of the mailbox have an occurrence that is not over.
    :param installation: our id in stamps; entries of others are ordinary busy time.
    :param own: our entries in this mailbox whose meeting is not over.
    """

    groups: Mapping[GroupKey, tuple[Occurrence, ...]]
    unreadable: frozenset[GroupKey] = frozenset()
    total: int = 0
    installation: str = ""
    own: tuple[OwnEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What would disappear: groups with time that is not over yet, and our own meetings among them."""

    groups: Mapping[GroupKey, tuple[Occurrence, ...]]
    meetings: tuple[str, ...]
    total: int

    def refused_by(self, limits: Limits) -> bool:
        """Whether it is too much to be believed."""
        many = len(self.groups) >= limits.least and len(self.groups) > limits.share * self.total
        return many or len(self.meetings) >= limits.own

    def beyond(self, shown: Loss) -> Loss:
        """What disappears besides that which a person was shown."""
        groups = {key: gone for key, gone in self.groups.items() if key not in shown.groups}
        return Loss(groups, tuple(m for m in self.meetings if m not in shown.meetings), self.total)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write into the mirror.

    :param replaced: groups to write whole, in place of what we hold under their keys.
    :param removed: groups and unreadable objects to forget.
    :param unreadable: objects to remember as not understood, in place of a group under their key.
    :param covers: the window known afterwards; what ended before it is forgotten.
    :param changed: keys whose occurrences differ from what we hold; a full listing replaces many that do not.
    :param dirty: spans in which the answer may differ, merged.
    :param touched: ids of our meetings somebody should look at.
    """

    replaced: tuple[Group, ...]
    removed: tuple[GroupKey, ...]
    unreadable: tuple[Unreadable, ...]
    covers: Interval
    changed: tuple[GroupKey, ...] = ()
    dirty: tuple[Interval, ...] = ()
    touched: tuple[str, ...] = ()
    loss: Loss = field(default_factory=lambda: Loss({}, (), 0))

    @property
    def same(self) -> bool:
        """Whether the calendar is as we held it."""
        return not (self.changed or self.removed or self.unreadable)


def touched_keys(known: Iterable[GroupKey], delta: Delta) -> frozenset[GroupKey]:
    """The keys a delta says something about: all that must be known of the mirror to decide.

    :param known: every key we hold, needed when the delta lists what is present.
    """
    arrived = {group.key for group in delta.groups} | {broken.key for broken in delta.unreadable}
    return gone(known, delta) | arrived


def gone(known: Iterable[GroupKey], delta: Delta) -> frozenset[GroupKey]:
    """Which of the *known* keys the server does not have any more.

    A key that comes with content in the same answer is there, whatever a list says: lists and objects are
    read one after the other, and somebody may have created it in between.
    """
    arrived = {group.key for group in delta.groups} | {broken.key for broken in delta.unreadable}
    if delta.present is not None:
        return frozenset(known) - delta.present - arrived  # deleted while we were not looking
    return frozenset(known).intersection(delta.gone) - arrived


def plan(held: Held, delta: Delta, limits: Limits | None, now: datetime, shown: Loss | None = None) -> Plan:
    """Compare what we hold with what the server says.

    :param limits: None when a person has accepted any loss.
    :param shown: a loss that a person saw and accepted; only what goes beyond it is judged.
    :raises SuspiciousDelta: more vanished than is believable.
    """
    removed = gone({*held.groups, *held.unreadable}, delta)
    arrived = {group.key: group for group in delta.groups}
    broken = {item.key for item in delta.unreadable}
    loss = _loss(held, arrived, removed - _returned(held, delta), delta.covers, now)
    judged = loss if shown is None else loss.beyond(shown)
    if limits is not None and judged.refused_by(limits):
        raise SuspiciousDelta(_sentence(judged), sorted(judged.groups), judged.meetings)
    changed = _changed(held, arrived, removed | broken)
    dirty = tuple(merge(span for spans in changed.values() for span in spans))
    return Plan(
        replaced=tuple(arrived.values()),
        removed=tuple(sorted(removed)),
        unreadable=delta.unreadable,
        covers=delta.covers,
        changed=tuple(sorted(changed.keys() & arrived.keys())),
        dirty=dirty,
        touched=_touched(held, arrived, removed | broken, dirty),
        loss=loss,
    )


def _loss(
    held: Held, arrived: Mapping[GroupKey, Group], removed: frozenset[GroupKey], covers: Interval, now: datetime
) -> Loss:
    """Groups with time ahead of us that are gone, or come back without any.

    What is over is no loss, nor what we took away ourselves: an entry of a meeting that should not stand here
    (the row may be gone already), or a surplus copy of one that stands under another key.
    """
    wanted = {entry.meeting: entry.key for entry in held.own if entry.wanted}
    lost: dict[GroupKey, tuple[Occurrence, ...]] = {}
    for key, occurrences in held.groups.items():
        ahead = tuple(o for o in occurrences if o.interval.end > now and o.interval.overlaps(covers))
        stays = key not in removed and (key not in arrived or arrived[key].occurrences)
        ours = _meetings(ahead, held.installation)
        deliberate = ours and not any(m in wanted and wanted[m] in (None, key) for m in ours)
        if ahead and not stays and not deliberate:
            lost[key] = ahead
    return Loss(lost, _lost_meetings(held, lost, arrived, now), held.total)


def _returned(held: Held, delta: Delta) -> frozenset[GroupKey]:
    """What stands under another key after a move to another server: known by name, or by every one of its times."""
    if delta.moved is None:
        return frozenset()
    standing = {group.key for group in delta.groups if group.occurrences} | {item.key for item in delta.unreadable}
    times = {(o.interval, o.busy) for group in delta.groups for o in group.occurrences}
    return frozenset(
        key
        for key, occurrences in held.groups.items()
        if delta.moved.get(key) in standing
        or all((o.interval, o.busy) in times for o in occurrences if o.interval.overlaps(delta.covers))
    )


def _lost_meetings(
    held: Held, lost: Mapping[GroupKey, tuple[Occurrence, ...]], arrived: Mapping[GroupKey, Group], now: datetime
) -> tuple[str, ...]:
    """Our wanted future meetings among the lost; one that comes back under another key is not lost."""
    expected = (entry for entry in held.own if entry.wanted and not entry.note)
    wanted = {entry.meeting: entry.key for entry in expected if entry.interval.end > now}
    if not wanted:
        return ()
    stamped = {
        meeting
        for key, occurrences in lost.items()
        for meeting in _meetings(occurrences, held.installation)
        if meeting in wanted and wanted[meeting] in (None, key)
    }
    by_key = {meeting for meeting, key in wanted.items() if key in lost}
    back = _meetings((o for group in arrived.values() for o in group.occurrences), held.installation)
    return tuple(sorted((stamped | by_key) - back))


def _changed(
    held: Held, arrived: Mapping[GroupKey, Group], cleared: frozenset[GroupKey]
) -> dict[GroupKey, list[Interval]]:
    """Where groups differ: a moved item at its old place and at its new one, an unchanged one nowhere."""
    spans: dict[GroupKey, list[Interval]] = {}
    for key in arrived.keys() | cleared:
        before = held.groups.get(key, ())
        after = arrived[key].occurrences if key in arrived else ()
        if before and after:
            differ: Collection[Occurrence] = set(before) ^ set(after)
        else:  # hashing hundreds of new ones would be in vain
            differ = before or after
        if differ:
            spans[key] = [o.interval for o in differ]
    return spans


def _touched(
    held: Held, arrived: Mapping[GroupKey, Group], cleared: frozenset[GroupKey], dirty: tuple[Interval, ...]
) -> tuple[str, ...]:
    """Our meetings that somebody should look at: changed, gone, or with something new beside them.

    An entry that lost its stamp in another program is still known by its key.
    """
    keys = arrived.keys() | cleared
    before = _meetings((o for key in keys for o in held.groups.get(key, ())), held.installation)
    after = _meetings((o for group in arrived.values() for o in group.occurrences), held.installation)
    by_key = {entry.meeting for entry in held.own if entry.key in keys}
    return tuple(sorted(before | after | by_key | beside(held.own, dirty)))


def beside(own: Iterable[OwnEntry], dirty: Collection[Interval]) -> set[str]:
    """Our meetings that something new (or something gone) overlaps: there may be a clash, or one less."""
    return {e.meeting for e in own if e.wanted and any(e.interval.overlaps(span) for span in dirty)}


def _meetings(occurrences: Iterable[Occurrence], installation: str) -> set[str]:
    return {o.stamp.meeting for o in occurrences if o.stamp is not None and o.stamp.installation == installation}


def _sentence(loss: Loss) -> str:
    ours = f", {len(loss.meetings)} of them meetings of ours" if loss.meetings else ""
    return f"{len(loss.groups)} of {loss.total} items vanished at once{ours}; nothing was changed."
