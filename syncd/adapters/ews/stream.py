"""Word of changes as they happen: streaming subscriptions, a connection of their own for each group of mailboxes.

They only say where to look. Whatever goes wrong here costs nothing but time: calendars are polled all the same.
exchangelib's own streaming holds a place of the request pool for as long as it listens, and lets each mailbox of a
group choose another back end; there the others' subscriptions are not known.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import requests
from requests.adapters import HTTPAdapter

from syncd.adapters.ews import soap
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.answer import Answer, M, NotSoap, T, read_answer, text
from syncd.adapters.ews.endpoints import Endpoint, Endpoints
from syncd.adapters.ews.faults import BUSY, DENIED, ELSEWHERE, MISSING
from syncd.adapters.ews.sessions import Sessions, open_session
from syncd.errors import CalendarError
from syncd.model.directory import Mailbox, MailboxId

GROUP = 200
"""Mailboxes that share a connection: the most subscriptions of one GetStreamingEvents."""
MINUTES = 29
"""How long one connection listens; the server's limit is 30."""
SILENCE = 120.0
"""Seconds without a sign of life after which a connection is given up; servers give one every 45."""
SETTLE = 0.3
"""Seconds for which news of a mailbox are collected: one move in Outlook is told as several events."""
FORGOTTEN = 60.0
"""Seconds after which nobody who does not ask is listened for any more."""
SHORTEST, LONGEST = 0.5, 60.0
"""Seconds between two attempts to listen again."""
SORT = 300.0
"""Seconds between two looks whether mailboxes are still where they were, where autodiscover says that."""
MOST_BYTES = 1 << 20
_END = re.compile(rb"</(?:\w+:)?Envelope\s*>")
Places: TypeAlias = dict[Endpoint, list[Mailbox]]
"""The mailboxes that may share a connection, by where they are asked."""


class Listener:
    """Hears of changes in many mailboxes, in threads of its own.

    :param sessions: lends nothing here; its tokens are shared.
    """

    def __init__(
        self,
        account: EwsAccount,
        sessions: Sessions,
        endpoints: Endpoints,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.sessions = sessions
        self._endpoints = endpoints
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._news: dict[MailboxId, float] = {}
        self._watched: frozenset[str] = frozenset()
        self._stopped = threading.Event()
        self._asked = elapsed()

    def heard(self, mailboxes: Collection[Mailbox]) -> frozenset[MailboxId]:
        """Which of *mailboxes* may have changed since this was asked last; begins to listen where it does not yet."""
        if not self.account.streaming:
            return frozenset()
        now = self._elapsed()
        with self._lock:
            self._asked = now
            if frozenset(box.address for box in mailboxes) != self._watched:
                self._watch(sorted(mailboxes, key=lambda box: box.address))
            ready = frozenset(one for one, since in self._news.items() if now - since >= SETTLE)
            for one in ready:
                del self._news[one]
        return ready

    def close(self) -> None:
        """Listen no more; connections end at the next sign of life."""
        with self._lock:
            self._watch([])

    def tell(self, mailbox: MailboxId) -> None:
        """Something happened in *mailbox*; the first of several counts."""
        with self._lock:
            self._news.setdefault(mailbox, self._elapsed())

    def forgotten(self) -> bool:
        """Whether nobody wants to know any more."""
        with self._lock:
            return self._elapsed() - self._asked > FORGOTTEN

    def _watch(self, mailboxes: Sequence[Mailbox]) -> None:
        self._stopped.set()
        self._stopped = threading.Event()
        self._watched = frozenset(box.address for box in mailboxes)
        if self._endpoints.named:
            self._begin({self._endpoints.of(""): list(mailboxes)}, self._stopped)
        elif mailboxes:
            sorting = (list(mailboxes), self._stopped)
            threading.Thread(target=self._sort, args=sorting, name="ews-sort", daemon=True).start()

    def _begin(self, places: Places, stopped: threading.Event) -> None:
        """Listen to each place's mailboxes until *stopped*."""
        for endpoint, boxes in places.items():
            for at in range(0, len(boxes), GROUP):
                _Group(self, endpoint.url, boxes[at : at + GROUP], stopped).start()

    def _sort(self, mailboxes: Sequence[Mailbox], stopped: threading.Event) -> None:
        """Find where each mailbox is, listen there, and begin again when one is somewhere else."""
        before: Places = {}
        groups = threading.Event()
        while not stopped.is_set() and not self.forgotten():
            places = self._places(mailboxes, stopped)
            if places != before:
                groups.set()
                before, groups = places, threading.Event()
                self._begin(places, groups)
            stopped.wait(SORT)
        groups.set()

    def _places(self, mailboxes: Sequence[Mailbox], stopped: threading.Event) -> Places:
        """The mailboxes of each endpoint and group; those that are not found are left to polling, which says why."""
        places: Places = {}
        for box in mailboxes:
            if stopped.is_set():
                break
            try:
                places.setdefault(self._endpoints.of(box.address), []).append(box)
            except CalendarError:
                continue
        return places


class _Lost(Exception):
    """The connection or a subscription is gone; begin again."""


@dataclass(slots=True)
class _Line:
    """One connection, bound to the back end of the group's first mailbox by its name and the server's cookies."""

    session: requests.Session
    url: str
    anchor: str
    impersonate: bool

    def ask(self, body: str, mailbox: str) -> Answer:
        """One short request."""
        with self._post(body, mailbox, 20.0) as response:
            return _understood(response.content)

    def stream(self, body: str) -> Iterator[Answer]:
        """The answers of one long request, as they come."""
        with self._post(body, self.anchor, SILENCE) as response:
            if response.status_code != 200:
                raise _Lost(f"status {response.status_code}")
            waiting = b""
            for part in response.iter_content(chunk_size=None):
                waiting += part
                while end := _END.search(waiting):
                    yield _understood(waiting[: end.end()].strip())
                    waiting = waiting[end.end() :]
                if len(waiting) > MOST_BYTES:
                    raise _Lost("a message without end")

    def _post(self, body: str, mailbox: str, silence: float) -> requests.Response:
        headers = {"X-AnchorMailbox": self.anchor, "X-PreferServerAffinity": "true"}
        data = soap.envelope(body, mailbox if self.impersonate else None)
        return self.session.post(
            self.url, data=data, headers=headers, stream=True, timeout=(10.0, silence), allow_redirects=False
        )


class _Group(threading.Thread):
    """Listens to up to `GROUP` mailboxes until it is stopped or forgotten."""

    def __init__(self, owner: Listener, url: str, boxes: Sequence[Mailbox], stopped: threading.Event) -> None:
        super().__init__(name="ews-stream", daemon=True)
        self._stopped = stopped
        self._owner = owner
        self._url = url
        self._boxes = {box.address: box.id for box in boxes}

    def run(self) -> None:
        """Listen, and begin again after a pause that grows while nothing works."""
        pause = SHORTEST
        while not self._done():
            began = time.monotonic()
            try:
                self._listen()
            except (_Lost, CalendarError, OSError, requests.RequestException):
                self._stopped.wait(pause)
                pause = SHORTEST if time.monotonic() - began > LONGEST else min(2 * pause, LONGEST)
            else:
                pause = SHORTEST

    def _listen(self) -> None:
        with self._line() as session:
            line = _Line(session, self._url, next(iter(self._boxes)), self._owner.account.impersonate)
            subscriptions = self._subscribe(line)
            # What happened while nobody listened was told to nobody.
            for mailbox in subscriptions.values():
                self._owner.tell(mailbox)
            while subscriptions and not self._done():
                for answer in line.stream(soap.streaming_events(subscriptions, MINUTES)):
                    self._take(answer, subscriptions)
                    if self._done():
                        return

    def _line(self) -> requests.Session:
        session = open_session(self._owner.account, self._owner.sessions.calls, self._owner.sessions.tokens)
        session.cookies = requests.cookies.RequestsCookieJar()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=1, max_retries=0))
        return session

    def _subscribe(self, line: _Line) -> dict[str, MailboxId]:
        """A subscription for each mailbox; those we may not look into are left to polling, which says why."""
        found: dict[str, MailboxId] = {}
        for address, mailbox in self._boxes.items():
            answer = line.ask(soap.subscribe(address), address)
            problem = answer.fault or next((one.problem for one in answer.messages), None)
            if problem is not None and problem.code in BUSY:
                raise _Lost(problem.code)
            if problem is not None and problem.code in DENIED | MISSING | ELSEWHERE:
                continue
            key = next((text(one.element, f"{M}SubscriptionId") for one in answer.messages), None)
            if key is None:
                raise _Lost(problem.code if problem else "no subscription")
            found[key] = mailbox
        return found

    def _take(self, answer: Answer, subscriptions: dict[str, MailboxId]) -> None:
        problem = answer.fault or next((one.problem for one in answer.messages if one.problem), None)
        if problem is not None:
            raise _Lost(problem.code)
        for message in answer.messages:
            for note in message.element.iter(f"{M}Notification"):
                mailbox = subscriptions.get(text(note, f"{T}SubscriptionId") or "")
                if mailbox is not None:
                    self._owner.tell(mailbox)

    def _done(self) -> bool:
        return self._stopped.is_set() or self._owner.forgotten()


def _understood(body: bytes) -> Answer:
    try:
        return read_answer(body)
    except NotSoap as error:
        raise _Lost(str(error)) from error
