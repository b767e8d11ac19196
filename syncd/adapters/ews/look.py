"""What changed in one mailbox: SyncFolderItems as the sign, bounded calendar views as the truth.

SyncFolderItems knows single entries and series, not dated instances; a change to one instance shows as a change of
its series. So it only says where to look, and a view of the whole window says what stands there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from syncd.adapters.ews import soap
from syncd.adapters.ews.answer import Element, M, Message, Problem, T
from syncd.adapters.ews.client import Client
from syncd.adapters.ews.faults import ABSENT, FORGOTTEN, TOO_MANY
from syncd.adapters.ews.wire import Item, items_of
from syncd.errors import Rejected, TokenExpired, Transient
from syncd.model.delta import ChangeToken, GroupKey, Version
from syncd.model.interval import Interval

MOST_CHANGES = 512
"""MaxChangesReturned; the server's own limit."""
MAX_PAGES = 2000
CHUNK = 100
"""Ids in one GetItem."""
SHORTEST = timedelta(minutes=15)
"""A window this short is not halved again."""
LEAST_LIMIT = 50
"""No server shows fewer entries at once; so many in the shortest window are all there are."""


@dataclass(frozen=True, slots=True)
class Token:
    """Our change token: the server's sync state, and whose it is.

    :param mark: digest of server and address; a state of another mailbox would mean something there, too.
    """

    mark: str
    state: str

    def encode(self) -> ChangeToken:
        """One string."""
        return json.dumps([self.mark, self.state])

    @classmethod
    def decode(cls, text: ChangeToken | None, mark: str) -> Token | None:
        """The token in *text*, if it is one of ours for this mailbox."""
        try:
            owner, state = json.loads(text or "")
        except (ValueError, TypeError):
            return None
        return cls(owner, state) if owner == mark and isinstance(state, str) else None


def mark_of(url: str, mailbox: str) -> str:
    """Stands for one mailbox on one server in its tokens; on another server it begins anew."""
    return sha256(f"{url} {mailbox}".encode()).hexdigest()[:12]


@dataclass(slots=True)
class Changes:
    """What SyncFolderItems said.

    :param versions: change keys of what is new or changed; of everything when ``complete``.
    """

    complete: bool
    state: str
    versions: dict[GroupKey, Version] = field(default_factory=dict)
    gone: set[GroupKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Answers to GetItem: items, ids that are gone, and ids with the reason why they cannot be read."""

    items: tuple[Item, ...]
    gone: frozenset[str]
    broken: dict[str, str]


def changes_since(client: Client, mailbox: str, state: str | None) -> Changes:
    """Everything that changed after *state*, or everything there is.

    :raises TokenExpired: the server does not know *state* any more.
    """
    found = Changes(complete=state is None, state=state or "")
    for _ in range(MAX_PAGES):
        before = found.state
        last = _absorb(found, _page(client, mailbox, before or None, MOST_CHANGES))
        if last:
            return found
        if found.state == before:
            break
    raise Transient(
        f"{client.host(mailbox)} does not come to the end of what changed in {mailbox}; it is tried again later."
    )


def unchanged_since(client: Client, mailbox: str, state: str) -> bool:
    """Whether nothing changed after *state*; asks for one change at most."""
    found = Changes(complete=False, state=state)
    return _absorb(found, _page(client, mailbox, state, 1)) and not (found.versions or found.gone)


def view(client: Client, mailbox: str, window: Interval) -> list[Item]:
    """Every dated instance that touches *window*; a part that is too full is read in halves."""
    found: dict[str, Item] = {}
    waiting = [(window, _ask_view(client, mailbox, window))]
    while waiting:
        span, part = waiting.pop()
        if part is not None:
            found |= {item.id: item for item in part.items}
            few = len(part.items) < min(LEAST_LIMIT, client.account.page)
            if part.whole or (few and span.duration <= SHORTEST):
                continue
        halves = [(half, _ask_view(client, mailbox, half)) for half in _halves(span, client, mailbox)]
        if part is None or not _nothing_new(part, [half for _, half in halves], client.account.page):
            waiting += halves
    return list(found.values())


def fetch(client: Client, mailbox: str, ids: Sequence[str]) -> Fetched:
    """Single entries and series by their ids."""
    items: list[Item] = []
    gone: set[str] = set()
    broken: dict[str, str] = {}
    for at in range(0, len(ids), CHUNK):
        some = ids[at : at + CHUNK]
        for key, message in zip(some, _answers(client, mailbox, soap.get_items(some), len(some)), strict=True):
            if message.problem is None:
                items += items_of(message)
            elif message.problem.code in ABSENT:
                gone.add(key)
            else:
                broken[key] = _reason(client, message.problem, mailbox)
    return Fetched(tuple(items), frozenset(gone), broken)


def masters(client: Client, mailbox: str, occurrences: Sequence[str]) -> dict[str, Item]:
    """The series of each of these occurrences; those that cannot be had are left out."""
    found: dict[str, Item] = {}
    for at in range(0, len(occurrences), CHUNK):
        some = occurrences[at : at + CHUNK]
        for key, message in zip(some, _answers(client, mailbox, soap.get_masters(some), len(some)), strict=True):
            if message.problem is None:
                found.update((key, item) for item in items_of(message))
            elif message.problem.code not in ABSENT:
                client.fail(message.problem, mailbox)
    return found


def _answers(client: Client, mailbox: str, body: str, count: int) -> tuple[Message, ...]:
    """One response message for each of *count* ids."""
    messages = client.ask(body, mailbox).messages
    if len(messages) != count:
        raise Transient(f"{client.host(mailbox)} answered for {len(messages)} of {count} entries of {mailbox}.")
    return messages


@dataclass(frozen=True, slots=True)
class _Part:
    """One view: its items, and whether they surely are all."""

    items: tuple[Item, ...]
    whole: bool


def _ask_view(client: Client, mailbox: str, window: Interval) -> _Part | None:
    """One FindItem; None when the server says that there is too much.

    An answer is cut at the limit without any sign, so as many as were asked for means that there may be more.
    """
    most = client.account.page
    answer = client.ask(soap.calendar_view(mailbox, window, most), mailbox)
    [message] = answer.messages
    if message.problem is not None:
        if message.problem.code in TOO_MANY:
            return None
        client.fail(message.problem, mailbox)
    items = tuple(items_of(message))
    folder = message.element.find(f"{M}RootFolder")
    last = folder is not None and folder.get("IncludesLastItemInRange") == "true"
    # Every server shows some of what there is, so that nothing is nothing, whatever it says of the rest.
    return _Part(items, not items or (last and len(items) < most))


def _halves(span: Interval, client: Client, mailbox: str) -> tuple[Interval, Interval]:
    """The two halves of *span*, at a whole second.

    :raises Rejected: it is too short for that.
    """
    middle = span.start + timedelta(seconds=int(span.duration.total_seconds() / 2))
    if span.duration <= SHORTEST:
        raise Rejected(
            f"{mailbox} has more entries at {span.start:%Y-%m-%d %H:%M} UTC than {client.host(mailbox)} shows at once; "
            "it cannot be read. Remove some of them, and look for a program that writes the same again and again."
        )
    return Interval(span.start, middle), Interval(middle, span.end)


def _nothing_new(part: _Part, halves: Sequence[_Part | None], most: int) -> bool:
    """Whether *part* was whole although the server said otherwise.

    A server that cuts at a limit of its own would have cut a half only at as many entries as the whole: when both
    halves show fewer, and nothing new, there is no more.
    """
    known = {item.id for item in part.items}
    fewer = all(half is not None and len(half.items) < len(part.items) for half in halves)
    seen = (item.id for half in halves if half is not None for item in half.items)
    return len(part.items) < most and fewer and known.issuperset(seen)


def _page(client: Client, mailbox: str, state: str | None, most: int) -> Element:
    answer = client.ask(soap.sync_items(mailbox, state, most), mailbox)
    [message] = answer.messages or (None,)
    if message is None:
        raise Transient(f"{client.host(mailbox)} gave an empty answer for {mailbox}; it is tried again later.")
    if message.problem is not None:
        if message.problem.code in FORGOTTEN and state is None:
            raise Transient(f"{client.host(mailbox)} refuses to begin a history of {mailbox}; it is tried again later.")
        client.fail(message.problem, mailbox)
    return message.element


def _absorb(found: Changes, page: Element) -> bool:
    """Add one page; whether it was the last."""
    state = page.findtext(f"{M}SyncState")
    if not state:
        # Seen with a corrupt state: no error, and no state to go on from.
        raise TokenExpired("The server gave no place in its history to go on from; read everything.")
    found.state = state
    for change in page.iterfind(f"{M}Changes/*"):
        _note(found, change)
    return page.findtext(f"{M}IncludesLastItemInRange") != "false"


def _note(found: Changes, change: Element) -> None:
    if change.tag == f"{T}Delete":
        gone = change.find(f"{T}ItemId")
        if gone is not None:
            found.gone.add(gone.get("Id", ""))
            found.versions.pop(gone.get("Id", ""), None)
    elif change.tag in (f"{T}Create", f"{T}Update"):
        # Other kinds of item (a message dragged into the calendar) take no time.
        item = change.find(f"{T}CalendarItem/{T}ItemId")
        if item is not None:
            found.versions[item.get("Id", "")] = item.get("ChangeKey", "")
            found.gone.discard(item.get("Id", ""))


def _reason(client: Client, problem: Problem, mailbox: str) -> str:
    """Why one item cannot be read; trouble of the server itself is raised instead."""
    try:
        client.fail(problem, mailbox)
    except Rejected:
        return f"the server cannot read it ({problem.code})"
    raise AssertionError
