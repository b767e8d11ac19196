"""One pass over one mailbox: what changed, put together from the sign and the views."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from syncd.adapters.ews.client import Client
from syncd.adapters.ews.look import Changes, Token, changes_since, fetch, mark_of, masters, view
from syncd.adapters.ews.wire import MASTER, SINGLE, Item, Unusable, fingerprint, interval_of, name_of, occurrence
from syncd.errors import Transient
from syncd.model.delta import Delta, Group, GroupKey, Since, Unreadable, Version
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval, subtract
from syncd.ports import Memory

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Reading:
    """Gathers groups of one mailbox in one window.

    :param obeyed: folded names of the categories that mean something to us.
    """

    client: Client
    mailbox: Mailbox
    window: Interval
    obeyed: frozenset[str]
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    unreadable: dict[GroupKey, Unreadable] = field(default_factory=dict)
    gone: set[GroupKey] = field(default_factory=set)

    def delta(self, since: Since | None, memory: Memory, requests: Callable[[], int]) -> Delta:
        """What changed since *since*; see `syncd.ports.CalendarPort.changes`."""
        mark = mark_of(self.client.endpoints.of(self.mailbox.address).url, self.mailbox.address)
        token = Token.decode(since.token, mark) if since else None
        seen = changes_since(self.client, self.mailbox.address, token.state if token else None)
        covered = since.covered if since else None
        fresh = subtract(self.window, [covered]) if covered else [self.window]
        changed = seen.versions
        if seen.complete:
            held = memory.versions()
            changed = {key: version for key, version in seen.versions.items() if held.get(key) != version}
        if changed or fresh:
            self._gather(changed, seen, fresh, memory)
        gone = seen.gone | self.gone
        return Delta(
            groups=tuple(self.groups.values()),
            gone=tuple(sorted(gone)) if not seen.complete else (),
            present=frozenset(seen.versions.keys() - self.gone) if seen.complete else None,
            covers=self.window,
            token=Token(mark, seen.state).encode(),
            unreadable=tuple(self.unreadable.values()),
            requests=requests(),
        )

    def _gather(
        self, changed: Mapping[GroupKey, Version], seen: Changes, fresh: list[Interval], memory: Memory
    ) -> None:
        """Build the groups of what changed, and of what reaches into the *fresh* parts of the window."""
        standing = view(self.client, self.mailbox.address, self.window)
        versions = dict(memory.versions()) | seen.versions
        # One date of a series, without the rest of it, is an entry of its own, whatever its kind.
        singles = {item.id: item for item in standing if item.kind in (SINGLE, MASTER) or item.id in versions}
        dated = self._dated(item for item in standing if item.id not in singles)
        rest = [key for key in changed if key not in singles]
        series = self._fetched(rest, changed, dated)
        for key, item in singles.items():
            if key in changed or self._reaches([item], fresh):
                self._add(key, seen.versions.get(key) or item.change_key, [item])
        # When something that is listed cannot be had, dates are looked after that may have been its.
        wanted = {uid for uid, items in dated.items() if self.gone or self._reaches(items, fresh)} - series
        for uid, keys in self._keys_of(wanted, dated, versions, seen, memory).items():
            for key in keys:
                self._add(key, versions.get(key, ""), dated[uid], uid)

    def _dated(self, items: Iterable[Item]) -> dict[str, list[Item]]:
        """Occurrences by the UID of their series; one whose series has none goes by the id of its series.

        Outlook's "Copy to my calendar" leaves a copy without UID.

        :raises Transient: see `_demand_series`.
        """
        dated: dict[str, list[Item]] = defaultdict(list)
        nameless: list[Item] = []
        for item in items:
            (dated[item.uid] if item.uid else nameless).append(item)
        series = masters(self.client, self.mailbox.address, [item.id for item in nameless])
        self._demand_series(item.id in series for item in nameless)
        for item in nameless:
            name = name_of(series[item.id])
            dated[name].append(replace(item, uid=name))
        return dated

    def _demand_series(self, known: Iterable[bool]) -> None:
        """Go on only when the series behind all dates that the view shows are known.

        :raises Transient: one is not: it went away a moment ago, or is hidden from us; its dates are never free time.
        """
        if not all(known):
            raise Transient(
                f"{self.client.host(self.mailbox.address)} shows dates of a series in {self.mailbox.address}, but not "
                "the series; it is tried again later. If it stays so, let the service account see private entries."
            )

    def _fetched(
        self, keys: list[GroupKey], versions: Mapping[GroupKey, Version], dated: Mapping[str, list[Item]]
    ) -> set[str]:
        """Groups of changed entries that the view did not show by their own id; the UIDs of series among them."""
        found = fetch(self.client, self.mailbox.address, keys)
        self.gone |= found.gone
        for key, reason in found.broken.items():
            self._spoiled(key, versions[key], reason)
        series: set[str] = set()
        for item in found.items:
            version = versions.get(item.id) or item.change_key
            if item.kind == MASTER:
                series.add(name_of(item))
                self._add(item.id, version, dated.get(name_of(item), []), name_of(item))
            else:
                self._add(item.id, version, [item])
        return series

    def _keys_of(
        self,
        uids: Collection[str],
        dated: Mapping[str, list[Item]],
        versions: dict[GroupKey, Version],
        seen: Changes,
        memory: Memory,
    ) -> Mapping[str, set[GroupKey]]:
        """Which series stand behind occurrences: as we remember, or as the server says.

        :raises Transient: see `_demand_series`.
        """
        keys: dict[str, set[GroupKey]] = defaultdict(set)
        if not uids:
            return keys
        for key, kept in memory.recall(memory.touching(self.window)).items():
            uid = _remembered_uid(kept.memory)
            if uid in uids and key not in seen.gone and (not seen.complete or key in seen.versions):
                keys[uid].add(key)
        unknown = [dated[uid][0].id for uid in sorted(uids - keys.keys())]
        for item in masters(self.client, self.mailbox.address, unknown).values():
            keys[name_of(item)].add(item.id)
            versions.setdefault(item.id, item.change_key)
        self._demand_series(uid in keys for uid in uids)
        return keys

    def _reaches(self, items: Iterable[Item], spans: Collection[Interval]) -> bool:
        """Whether any of *items* touches any of *spans*; one whose time cannot be told does."""
        if not spans:
            return False
        for item in items:
            try:
                own = interval_of(item, self.mailbox.zone)
            except Unusable:
                return True
            if own is not None and any(own.overlaps(span) for span in spans):
                return True
        return False

    def _add(self, key: GroupKey, version: Version, items: Collection[Item], series: str = "") -> None:
        """One group whole; with an item whose time cannot be told it is unreadable as a whole."""
        try:
            shown = [occurrence(item, self.mailbox.zone, self.obeyed) for item in items]
            spans = [span for item in items if (span := interval_of(item, self.mailbox.zone))]
        except Unusable as error:
            self._spoiled(key, version, str(error))
            return
        self.groups[key] = Group(
            key=key,
            version=version,
            occurrences=tuple(o for o in shown if o is not None and o.interval.overlaps(self.window)),
            memory=json.dumps({"u": series}).encode() if series else b"",
            first=LONG_AGO if series else min((s.start for s in spans), default=LONG_AGO),
            last=None if series else max((s.end for s in spans), default=LONG_AGO),
        )

    def _spoiled(self, key: GroupKey, version: Version, reason: str) -> None:
        self.groups.pop(key, None)
        self.unreadable[key] = Unreadable(key, version, fingerprint(key, version, reason), reason)


def _remembered_uid(memory: bytes) -> str:
    """UID of a series, as we asked to have it kept; empty for anything else."""
    try:
        return str(json.loads(memory)["u"]) if memory else ""
    except (ValueError, KeyError, TypeError):
        return ""
