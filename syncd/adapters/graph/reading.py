"""One pass over one mailbox: what a round said, put together into groups.

Series are replaced whole, never instance by instance: a deleted date has no tombstone, a moved series has new ids,
and a bare occurrence says nothing but its time. Only a first round is believed to bring all instances of a series;
a later one says that something is new in it, and the series itself is asked what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.drift import announced, drift
from syncd.adapters.graph.faults import Absent
from syncd.adapters.graph.kept import Kept, mark_of, recalled, remember, remember_single
from syncd.adapters.graph.ours import Copies, arrived, look, ours_of, stamps
from syncd.adapters.graph.rounds import Round, Token, first_round, instances, next_round
from syncd.adapters.graph.rows import Row
from syncd.adapters.graph.wire import MASTER, Ours, Unusable, fingerprint, occurrence, own_uid
from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Group, GroupKey, Since, Unreadable, Version
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval, subtract
from syncd.ports import Memory, Remembered

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MARGIN = timedelta(days=14)
"""How far beyond the window a first round reads, so that the window can move on without reading anew."""


@dataclass(slots=True)
class Reading:
    """Gathers groups of one mailbox in one window.

    :param obeyed: folded names of the categories that mean something to us.
    :param mark: whose tokens these are.
    :param held: what the mirror holds of the groups that a round speaks of.
    :param versions: of everything the mirror holds; empty when nothing was said.
    :param arrived: entries of ours in a calendar that is read for the first time.
    :param drift: groups that a complete reading had to put right.
    """

    client: Client
    mailbox: Mailbox
    window: Interval
    obeyed: frozenset[str]
    copies: Copies
    mark: str
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    unreadable: dict[GroupKey, Unreadable] = field(default_factory=dict)
    gone: set[GroupKey] = field(default_factory=set)
    held: Mapping[GroupKey, Remembered] = field(default_factory=dict)
    versions: Mapping[GroupKey, Version] = field(default_factory=dict)
    arrived: Mapping[GroupKey, Ours] = field(default_factory=dict)
    drift: int = 0

    def poll(self, token: Token, since: Since, memory: Memory, requests: Callable[[], int]) -> Delta:
        """What changed since *token*; parts of the window that are new are filled from memory.

        :raises TokenExpired: Graph does not know that place any more.
        """
        said = next_round(self.client, self.mailbox.address, token.link)
        if said.rows:
            self.versions = memory.versions()
            self._hold(said, memory, token.span)
            self._gather(said, token.span, seeding=False)
        fresh = subtract(self.window, [since.covered])
        self._fill(fresh, memory)
        link = said.link if said.rows else token.link
        return Delta(
            groups=tuple(self.groups.values()),
            gone=tuple(sorted(self.gone)),
            present=None,
            covers=self.window,
            token=Token(self.mark, link, token.span).encode(),
            unreadable=tuple(self.unreadable.values()),
            requests=requests(),
        )

    def seed(self, since: Since | None, memory: Memory, requests: Callable[[], int], last: Token | None) -> Delta:
        """Everything there is, and the beginning of a new history.

        :param last: where the history ended that it replaces; what that did not tell of is counted as drift.
        """
        span = Interval(self.window.start, self.window.end + MARGIN)
        told = announced(self.client, self.mailbox.address, last)
        said = first_round(self.client, self.mailbox.address, span)
        self.versions = memory.versions()
        self.held = memory.recall(self.versions)
        if not self.versions and self.mailbox.kind is MailboxKind.PERSON:
            self.arrived = arrived(self.client, self.mailbox.address)
        self._gather(said, span, seeding=True)
        self._confirm(key for key in self.versions if key not in self.groups and key not in self.unreadable)
        if last is not None and told is not None and (both := span.clip(last.span)) is not None:
            self.drift = drift(self.held, self.groups, told, both)
        fresh = [self.window] if since is None else subtract(self.window, [since.covered])
        news = [one for one in self.groups.values() if not self.versions or self._is_news(one, fresh)]
        broken = [one for key, one in self.unreadable.items() if self.versions.get(key) != one.version]
        return Delta(
            groups=tuple(news),
            gone=(),
            present=frozenset(self.groups.keys() | self.unreadable.keys()),
            covers=self.window,
            token=Token(self.mark, said.link, span).encode(),
            unreadable=tuple(broken),
            requests=requests(),
        )

    def _is_news(self, group: Group, fresh: Sequence[Interval]) -> bool:
        """Whether a listing must bring *group*: it changed, or reaches into a part of the window that is new."""
        if self.versions.get(group.key) != group.version:
            return True
        return any(one.interval.overlaps(part) for one in group.occurrences for part in fresh)

    def _hold(self, said: Round, memory: Memory, span: Interval) -> None:
        """Recall the groups that the round speaks of, series of instances it took away among them."""
        keys = {row.series_master_id or row.id for row in said.rows.values()}
        held = dict(memory.recall(keys))
        strange = {mark_of(row.id) for row in said.rows.values() if row.removed and row.id not in held}
        if strange:
            near = memory.recall(memory.touching(span))
            held |= {k: one for k, one in near.items() if (kept := recalled(one.memory)) and kept.marks & strange}
        self.held = held

    def _gather(self, said: Round, span: Interval, *, seeding: bool) -> None:
        masters: dict[GroupKey, Row] = {}
        dated: dict[GroupKey, list[Row]] = defaultdict(list)
        singles: list[Row] = []
        removed: set[GroupKey] = set()
        for row in said.rows.values():
            if row.removed is not None:
                removed.add(row.id)
            elif row.type == MASTER:
                masters[row.id] = row
            elif row.series_master_id:
                dated[row.series_master_id].append(row)
            else:
                singles.append(row)
        strange = {mark_of(one) for one in removed}
        shrunk = {key for key in self.held if key not in removed and self._marks(key) & strange}
        known = self._own([*masters.values(), *singles], span)
        for row in singles:
            self._add_single(row, known.get(row.id))
        for key in sorted((masters.keys() | dated.keys() | shrunk) - removed):
            rows = dated.get(key, []) if seeding and key in masters else None
            self._add_series(key, masters.get(key), rows, span, known.get(key))
        self._confirm(removed & self.versions.keys())

    def _marks(self, key: GroupKey) -> frozenset[str]:
        kept = self._kept(key)
        return kept.marks if kept is not None else frozenset()

    def _kept(self, key: GroupKey) -> Kept | None:
        held = self.held.get(key)
        return recalled(held.memory) if held is not None else None

    def _own(self, rows: Sequence[Row], span: Interval) -> dict[GroupKey, Ours]:
        """Who those of *rows* are that we wrote, or that a room copied from us.

        A round shows by itself only what was written over Graph. An entry that came with its mailbox from an Exchange
        server has our properties and no transactionId; the first reading asks for these, and the mirror remembers.
        """
        found: dict[GroupKey, Ours] = {}
        asked: list[Row] = []
        for row in rows:
            held = self.held.get(row.id)
            kept = recalled(held.memory) if held is not None else None
            if row.id in self.arrived:
                found[row.id] = self.arrived[row.id]
            elif held is not None and held.version == row.etag and kept is not None and kept.stamp:
                found[row.id] = kept.ours
            elif own_uid(row) is not None or (kept is not None and kept.stamp):
                asked.append(row)
        found |= stamps(self.client, self.mailbox.address, asked, span)
        if self.mailbox.kind is MailboxKind.ROOM:
            found |= self.copies.of(self.client, self.mailbox.address, rows)
        elif found:
            for row in rows:
                if row.id in found:
                    self.copies.learn(row, found[row.id])
        return found

    def _confirm(self, keys: Iterable[GroupKey]) -> None:
        """Groups that are said to be away: one of ours is only when Graph has no such event."""
        for key in keys:
            kept = self._kept(key)
            passed = kept is not None and all(one.interval.end <= self.window.start for one in kept.occurrences)
            row = look(self.client, self.mailbox.address, key) if kept and kept.stamp and not passed else None
            if row is None:
                self.gone.add(key)
            else:
                self._add_single(row, ours_of(row))

    def _add_single(self, row: Row, ours: Ours | None) -> None:
        try:
            one = occurrence(row, self.mailbox.zone, self.obeyed, ours)
        except Unusable as error:
            self._spoiled(row.id, row.etag, str(error))
            return
        memory = remember_single(ours.uid if ours else row.i_cal_u_id or row.id, ours, one)
        if one is None:
            self.groups[row.id] = Group(row.id, row.etag, (), memory, LONG_AGO, LONG_AGO)
            return
        span = one.interval
        shown = (one,) if span.overlaps(self.window) else ()
        self.groups[row.id] = Group(row.id, row.etag, shown, memory, span.start, span.end)

    def _add_series(
        self, key: GroupKey, master: Row | None, rows: Sequence[Row] | None, span: Interval, ours: Ours | None
    ) -> None:
        """One series whole.

        :param rows: all its instances; None to ask for them.
        """
        kept = self._kept(key)
        if rows is None:
            try:
                rows = instances(self.client, self.mailbox.address, key, span)
            except Absent:
                self.gone.add(key)
                return
        uid = (master.i_cal_u_id if master else None) or (kept.uid if kept else "") or key
        try:
            found = [
                (row.id, occurrence(_full(row, master), self.mailbox.zone, self.obeyed, ours, uid)) for row in rows
            ]
        except Unusable as error:
            self._spoiled(key, _digest(row.etag for row in rows), str(error))
            return
        seen = sorted(((item, one) for item, one in found if one is not None), key=lambda pair: pair[1].interval)
        memory = remember(ours.uid if ours else uid, ours, seen)
        self.groups[key] = self._group(key, _digest([memory.decode()]), [one for _, one in seen], memory)

    def _group(self, key: GroupKey, version: Version, shown: Sequence[Occurrence], memory: bytes) -> Group:
        spans = [one.interval for one in shown]
        return Group(
            key=key,
            version=version,
            occurrences=tuple([one for one in shown if one.interval.overlaps(self.window)]),
            memory=memory,
            first=min([span.start for span in spans], default=LONG_AGO),
            last=max([span.end for span in spans], default=LONG_AGO),
        )

    def _fill(self, fresh: Iterable[Interval], memory: Memory) -> None:
        """Groups that reach into *fresh* parts of the window, from what we kept of them."""
        said = self.groups.keys() | self.unreadable.keys() | self.gone
        keys = {key for part in fresh for key in memory.touching(part)} - said
        for key, held in memory.recall(keys).items() if keys else ():
            kept = recalled(held.memory)
            if kept is not None:
                self.groups[key] = self._group(key, held.version, kept.occurrences, held.memory)

    def _spoiled(self, key: GroupKey, version: Version, reason: str) -> None:
        self.groups.pop(key, None)
        self.unreadable[key] = Unreadable(key, version, fingerprint(key, version, reason), reason)


def _full(row: Row, master: Row | None) -> Row:
    """A bare occurrence with what its master says; anything else as it is."""
    if master is None or row.show_as is not None:
        return row
    return msgspec.structs.replace(
        row,
        show_as=master.show_as,
        is_all_day=master.is_all_day,
        is_cancelled=master.is_cancelled,
        categories=master.categories,
        is_organizer=master.is_organizer,
    )


def _digest(texts: Iterable[str]) -> Version:
    return sha256("\n".join(texts).encode()).hexdigest()[:24]
