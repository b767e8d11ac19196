"""What syncd needs of the outside, as protocols; adapters implement them, the core calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from syncd.cpr import Cpr
from syncd.model.delta import Delta, GroupKey, Since, Version
from syncd.model.dfdg import About, Change, Entity, Said
from syncd.model.directory import ListedRoom, Mailbox, MailboxId
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.model.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the adapter asked us to keep for one group at its last delta."""

    version: Version
    memory: bytes


class Memory(Protocol):
    """What we hold of a mailbox, lent to the adapter for one call; reads only, opens no network."""

    def versions(self) -> Mapping[GroupKey, Version]:
        """Version of every group and every unreadable object we hold."""
        ...

    def recall(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Remembered]:
        """The adapter's own memory of these groups; unknown keys are left out."""
        ...

    def touching(self, window: Interval) -> Iterable[GroupKey]:
        """Keys of groups whose first..last span touches *window* (endless series always do)."""
        ...


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of `syncd check` about one mailbox.

    :param ok: it can be read (and, as far as can be told without writing, written).
    :param says: a sentence for the operator: what works, or what to do.
    :param facts: what was detected (sync-collection, ETags, server), for ``--json``.
    """

    ok: bool
    says: str
    facts: Mapping[str, str]


class CalendarPort(Protocol):
    """A calendar server, seen through one account.

    Group     what changes together on the server; replaced whole (`syncd.model.delta.Group`).
    Version   opaque; changes whenever the group does (ETag, ChangeKey).
    Token     opaque; marks a point in the mailbox's history.
    Entry     something we wrote ourselves, found by our own UID.

    Every method may raise `Transient` (also `Throttled`) or `Rejected` (`AccessDenied`, `CalendarNotFound`,
    `NotACalendar`); a write may also raise `OutcomeUnknown`, which is looked up and never retried blindly.
    No other exception leaves an adapter. Every call ends within its time-out.
    """

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """What changed in *mailbox* since *since*, with all occurrences inside *window*.

        With ``since=None`` the answer is a full listing (``present`` is set); groups whose version equals the
        remembered one need not be fetched again, but must be in ``groups`` when *window* grew beyond ``since``.

        :raises TokenExpired: the server has forgotten the token; call again with ``since=None``.
        """
        ...

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """Every entry of ours with this *uid* on the server now; empty when there is none."""
        ...

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """Write an entry once and return it as the server then shows it.

        A second call with the same UID changes nothing and returns what is there already.

        :raises EntryRemoved: the server can tell that this UID and generation was written before, and is gone.
        """
        ...

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """Make *entry* equal to *draft* and return it as the server then shows it.

        :raises VersionConflict: somebody changed or removed it since *entry* was read.
        """
        ...

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """Remove *entry*, mailing nobody; already gone is success.

        :raises VersionConflict: somebody changed it since *entry* was read.
        """
        ...

    def check(self, mailbox: Mailbox) -> CheckResult:
        """Contact the server read-only and say how it stands; errors become a result, not an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What one look at many calendars showed.

    :param unchanged: ids of mailboxes whose calendar surely is as it was; the others must be read.
    :param requests: HTTP requests it cost.
    """

    unchanged: frozenset[MailboxId]
    requests: int


@runtime_checkable
class Glancing(Protocol):
    """What a `CalendarPort` may offer beside: one cheap look at many calendars at once."""

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """Which of *asked* did not change since.

        May name none, also because the server is in trouble; raises nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One mailbox in a distribution group.

    :param address: SMTP address, lower case.
    :param name: as the server's address book shows it; for staff only.
    :param left_out: why this one cannot be booked (a guest, a closed account); empty for everybody else.
    """

    address: str
    name: str
    left_out: str = ""


@runtime_checkable
class GroupSource(Protocol):
    """What a `CalendarPort` may offer beside: who is in a distribution group of its server."""

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """All mailboxes in the group *address*, groups inside it included, each once, sorted by address.

        A nested group that cannot be read is an error: an incomplete list would make joiners of leavers.

        :raises CalendarNotFound: there is no such group. :raises Transient: it cannot be told now; keep the old list.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an attempt to hand something over ended.

    :param status: of the HTTP answer; None when there was none.
    :param says: a sentence for the operator; never a part of what was sent or answered.
    :param retry_after: seconds to wait that the answer asked for.
    """

    status: int | None
    says: str
    retry_after: float | None = None


class Courier(Protocol):
    """Hands bytes over to an address of the configuration."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Send *body* once; ends within its time-out, follows no redirect and raises nothing."""
        ...


@runtime_checkable
class Learning(Protocol):
    """What a `CalendarPort` may offer beside: servers of one kind differ, and what was found out saves requests."""

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        ...

    def of_server(self, found: CheckResult) -> Mapping[str, str]:
        """Those facts of a check that hold for the whole server."""
        ...

    def remember(self, facts: Mapping[str, str]) -> None:
        """What `of_server` told before; only ever used to leave out questions whose answer is known."""
        ...


@runtime_checkable
class Inviting(Protocol):
    """What a `CalendarPort` may offer beside: rooms that are invited and answer for themselves.

    Such a room is named on the caseworker's own meeting (`EntryDraft.room`), and never written to; its answer is
    read from there (`Entry.rooms`).
    """

    def answers(self, room: Mailbox) -> bool:
        """Whether *room* is one of those."""
        ...

    def silence(self, room: Mailbox) -> str:
        """A sentence for staff: why *room* may not have answered, and what to do."""
        ...


@runtime_checkable
class Listening(Protocol):
    """What a `CalendarPort` may offer beside: word of changes as they happen.

    It only says where to look; what is told may come late, twice or not at all, so that calendars are read at their
    interval all the same.
    """

    def heard(self, mailboxes: Collection[Mailbox]) -> frozenset[MailboxId]:
        """Ids of those of *mailboxes* that may have changed since this was asked last; answers at once.

        Whoever asks is listened for from then on, in the background; who does not ask for a minute is forgotten.
        """
        ...


@runtime_checkable
class Notifying(Protocol):
    """What a `CalendarPort` may offer beside: a server that calls us; like `Listening` it only says where to look."""

    def subscribe(self, mailbox: Mailbox, url: str, word: str, until: datetime) -> Subscription:
        """Ask to be called at *url* with *word* whenever *mailbox* changes. :raises CalendarError: it does not."""
        ...

    def renew(self, mailbox: Mailbox, subscription: str, until: datetime) -> Subscription:
        """Let it last longer. :raises Rejected: it is not there any more."""
        ...

    def unsubscribe(self, mailbox: Mailbox, subscription: str) -> None:
        """End it; nothing happens when it has ended."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """What a `CalendarPort` may offer beside: a mailbox's own list of categories."""

    def prepare(self, mailbox: Mailbox, categories: Collection[str]) -> tuple[str, ...]:
        """Add those of *categories* that the owner's list lacks, and return them; the list keeps all it has."""
        ...


@runtime_checkable
class RoomSource(Protocol):
    """What a `CalendarPort` may offer beside: the rooms that its server's own lists name."""

    def listed_rooms(self) -> tuple[ListedRoom, ...]:
        """All rooms in all room lists, each once, sorted by address; empty when there are no lists."""
        ...


class Handed(StrEnum):
    """How a report to DFDG ended."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """A request with this id came before (HTTP 412): it was received, though maybe not carried out."""
    MISSING = "missing"
    """There is no such record."""
    REFUSED = "refused"
    """A business rule or the contract forbids it; the same report will never be taken."""
    LATER = "later"
    """No answer, or one that says nothing of the report: it may have been carried out, or not."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How a report ended.

    :param says: a sentence, with no citizen's data. :param code: the error's number, 0 without one.
    :param retry_after: seconds to wait that the answer asked for.
    """

    how: Handed
    says: str
    code: int = 0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call is made, and why; goes with every call and into the log.

    :param user: a person's or the batch process's identity; None for the process. :param purpose: one word.
    """

    purpose: str
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A record as DFDG holds it now."""

    said: Said
    about: About


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came. :param cpr: whose it is about; None when it does not say."""

    id: str
    entity: Entity
    change: Change
    about: str
    cpr: Cpr | None


@dataclass(frozen=True, slots=True)
class DeadlineRead:
    """A deadline as DFDG holds it now; whose it is says the message."""

    kind: int
    until: date
    latest: date
    immediate: bool
    open: bool


class DfdgPort(Protocol):
    """DFDG's services as a planner calls them.

    Reports never raise; questions raise `Transient` or `Rejected`. Every call ends within its time-out.
    """

    def create(self, record: str, cpr: Cpr, said: Said, about: About, request: str, caller: Caller) -> HandedOver:
        """Report a new record under an id of our choosing."""
        ...

    def update(self, record: str, cpr: Cpr, said: Said, about: About, request: str, caller: Caller) -> HandedOver:
        """Report what a record should say now."""
        ...

    def annul(self, record: str, cpr: Cpr, request: str, caller: Caller) -> HandedOver:
        """Report that a record is annulled."""
        ...

    def read(self, record: str, caller: Caller) -> Read | None:
        """The record as it is now; None when there is none."""
        ...

    def deadline(self, deadline: str, caller: Caller) -> DeadlineRead | None:
        """The deadline as it is now; None when there is none."""
        ...

    def messages(self, most: int, caller: Caller) -> tuple[Heard, ...]:
        """Messages that wait, the oldest first as a rule; the same ones again until they are acknowledged."""
        ...

    def acknowledge(self, message: str, caller: Caller) -> None:
        """Say that a message was taken."""
        ...


@runtime_checkable
class Translating(Protocol):
    """What a `CalendarPort` may offer beside: what items of another server are called here, once they moved."""

    def translated(self, mailbox: Mailbox, keys: Collection[GroupKey]) -> Mapping[GroupKey, GroupKey]:
        """Keys of before and what they are now; what cannot be told is left out, and nothing is raised for it."""
        ...


@runtime_checkable
class Scoped(Protocol):
    """What a `CalendarPort` may offer beside: whether it may do more than it needs."""

    def scope(self) -> tuple[CheckResult, ...]:
        """What is allowed too much, one result for each thing looked at; read-only, errors become results."""
        ...


@runtime_checkable
class Crossing(Protocol):
    """What a `CalendarPort` may be beside: the way to more than one server, so that invitations cross between them."""

    def crosses(self) -> bool:
        """Whether a room's copy of a meeting may bear the UID of another server."""
        ...
