"""The two servers of a hybrid organisation, and how keys, versions and tokens tell whose they are; pure but for reads.

Those of the first server are as they always were; those of the second carry its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from syncd.model.delta import ChangeToken, Delta, GroupKey, Since, Version
from syncd.model.entry import Entry
from syncd.model.interval import Interval
from syncd.ports import CalendarPort, Memory, Remembered


@dataclass(frozen=True, slots=True)
class Side:
    """One of two servers.

    :param name: of its `[calendars.NAME]` account.
    :param port: the way to it.
    :param prefix: of its keys and tokens in what we keep; empty for the first server.
    :param other: prefix of the other one's.
    """

    name: str
    port: CalendarPort
    prefix: str
    other: str

    def owns(self, kept: str) -> bool:
        """Whether a key or token that we keep is of this server."""
        return kept.startswith(self.prefix) if self.prefix else not kept.startswith(self.other)

    def bare(self, kept: str) -> str:
        """What the server itself calls it."""
        return kept.removeprefix(self.prefix)

    def kept(self, bare: str) -> str:
        """What we call it."""
        return self.prefix + bare

    def since(self, since: Since | None) -> Since | None:
        """Where the last pass ended, if it was on this server."""
        if since is None or since.token is None:
            return since
        return replace(since, token=self.bare(since.token)) if self.owns(since.token) else None

    def delta(self, found: Delta, moved: Mapping[GroupKey, GroupKey] | None) -> Delta:
        """Its answer in the names that we keep."""
        token: ChangeToken | None = None if found.token is None else self.kept(found.token)
        return replace(
            found,
            groups=tuple(replace(group, key=self.kept(group.key)) for group in found.groups),
            gone=tuple(self.kept(key) for key in found.gone),
            present=None if found.present is None else frozenset(map(self.kept, found.present)),
            token=token,
            unreadable=tuple(replace(item, key=self.kept(item.key)) for item in found.unreadable),
            moved=moved,
        )

    def entry(self, found: Entry) -> Entry:
        """An entry with its key as we keep it."""
        return replace(found, key=self.kept(found.key))


def sides(first: str, first_port: CalendarPort, second: str, second_port: CalendarPort) -> tuple[Side, Side]:
    """Both servers, by the names of their accounts."""
    mark = f"{second}:"
    return Side(first, first_port, "", mark), Side(second, second_port, mark, "")


class SideMemory:
    """What we hold of a mailbox, as far as it is of one server; a `syncd.ports.Memory`."""

    def __init__(self, memory: Memory, side: Side) -> None:
        self._memory = memory
        self._side = side

    def versions(self) -> Mapping[GroupKey, Version]:
        """See `Memory.versions`."""
        side = self._side
        return {side.bare(key): version for key, version in self._memory.versions().items() if side.owns(key)}

    def recall(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Remembered]:
        """See `Memory.recall`."""
        found = self._memory.recall([self._side.kept(key) for key in keys])
        return {self._side.bare(key): kept for key, kept in found.items()}

    def touching(self, window: Interval) -> Iterable[GroupKey]:
        """See `Memory.touching`."""
        return [self._side.bare(key) for key in self._memory.touching(window) if self._side.owns(key)]
