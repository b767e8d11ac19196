"""Word of changes from Microsoft 365: subscriptions are made and renewed, and marked calendars are looked at soon.

Nothing rests on it: polls go on, and what was never told is found by them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import groupby

from starlette.types import ASGIApp

from syncd.clock import Clock
from syncd.config import Config
from syncd.config.notices import LISTENER, PATH
from syncd.daemon.listener import Listener
from syncd.daemon.parts import Parts
from syncd.daemon.secured import Labelled
from syncd.dispatch.port import Scope, Task
from syncd.errors import CalendarError, Rejected
from syncd.model.directory import Mailbox, MailboxId
from syncd.observe.logs import log
from syncd.ports import Notifying
from syncd.store import notices

LASTS = timedelta(minutes=4200)
"""How long a subscription is asked for: below the lowest limit that Microsoft has written for calendars (4,230)."""
EARLY = LASTS / 5
"""So long before its end it is renewed."""
AT_ONCE = 50
"""So many are made or renewed in one go; the rest follows a minute later."""
AGAIN = timedelta(hours=1)
"""After which a calendar that could not be subscribed to is tried again: on premises, or Microsoft cannot reach us."""
KEEP_SECONDS = 60.0
HEAR_SECONDS = 1.0


def notice_tasks(parts: Callable[[], Parts], clock: Clock, stopping: Callable[[], bool]) -> list[Task]:
    """What is done again and again for it; nothing as long as no address is configured and nothing is left over."""
    keeper = Keeper()
    return [
        Task(
            "notices.keep",
            KEEP_SECONDS,
            lambda beat: keeper.keep(parts(), clock.now(), beat, stopping),
            scope=Scope.ONE,
        ),
        Task("notices.hear", HEAR_SECONDS, lambda beat: hear(parts(), clock, beat, stopping)),
    ]


def notice_listeners(config: Config, app: ASGIApp) -> Iterator[Listener]:
    """The listener on which notifications are taken and nothing else, if the configuration has one."""
    if config.notices.http is not None:
        yield Listener(Labelled(app, LISTENER, lambda path: path == PATH), config.notices.http, "notices.listen")


class Keeper:
    """Keeps one subscription for each calendar in the cloud.

    What could not be had is remembered here alone: after a restart it is tried again.
    """

    def __init__(self) -> None:
        self._later: dict[MailboxId, datetime] = {}

    def keep(self, parts: Parts, now: datetime, beat: Callable[[], None], stopping: Callable[[], bool]) -> None:
        """Make what is missing, renew what ends soon, end what nobody wants.

        :raises StoreError: the database cannot be used.
        """
        with parts.store.read() as tx:
            held = notices.kept(tx.session)
        url = parts.config.notices.url or ""
        wanted = {box.id: box for box in parts.directory.mailboxes.values() if url and _port(parts, box.account)}
        ours = [one for one in held if one.mailbox in wanted and wanted[one.mailbox].account == one.account]
        lacking = wanted.keys() - {one.mailbox for one in ours}
        boxes = [wanted[box] for box in sorted(lacking) if self._later.get(box, now) <= now]
        work = [
            *(partial(self._end, parts, one) for one in held if one not in ours),
            *(partial(self._renew, parts, wanted[one.mailbox], one, now) for one in ours if one.expires - now <= EARLY),
            *(partial(self._begin, parts, box, url, now) for box in boxes),
        ]
        for step in work[:AT_ONCE]:
            if stopping():
                return
            step()
            beat()

    def _begin(self, parts: Parts, box: Mailbox, url: str, now: datetime) -> None:
        port, word = _port(parts, box.account), secrets.token_urlsafe(32)
        assert port is not None
        try:
            made = port.subscribe(box, url, word, now + LASTS)
        except CalendarError as error:
            self._later[box.id] = now + AGAIN
            log.warning("notices.refused", mailbox=box.id, problem=str(error))
            return
        kept = notices.Kept(made.id, box.account, box.id, made.expires)
        parts.store.run(lambda tx: notices.add(tx.session, kept, digest_of(word), now))
        log.info("notices.subscribed", mailbox=box.id)

    def _renew(self, parts: Parts, box: Mailbox, one: notices.Kept, now: datetime) -> None:
        port = _port(parts, box.account)
        assert port is not None
        try:
            until = port.renew(box, one.id, now + LASTS).expires
        except Rejected:
            parts.store.run(lambda tx: notices.forget(tx.session, [one.id]))  # the next round makes another
        except CalendarError as error:
            log.warning("notices.refused", mailbox=box.id, problem=str(error))
        else:
            parts.store.run(lambda tx: notices.renewed(tx.session, one.id, until))

    def _end(self, parts: Parts, one: notices.Kept) -> None:
        port, box = _port(parts, one.account), parts.directory.mailboxes.get(one.mailbox)
        if port is not None and box is not None:
            with suppress(CalendarError):  # it ends by itself within three days
                port.unsubscribe(box, one.id)
        parts.store.run(lambda tx: notices.forget(tx.session, [one.id]))
        log.info("notices.unsubscribed", mailbox=one.mailbox)


def hear(parts: Parts, clock: Clock, beat: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """One pass over each calendar of which something was told."""
    if parts.config.notices.url is None:
        return
    with parts.store.read() as tx:
        marked = sorted(one for one in notices.marked(tx.session) if one[1] in parts.directory.mailboxes)
    for _, told in groupby(marked, key=lambda one: one[0]):
        parts.engine.sync_many([box for _, box in told], clock, progress=lambda _outcome: beat(), stopping=stopping)


def digest_of(word: str) -> str:
    """What is kept of the word that notifications must bring."""
    return sha256(word.encode()).hexdigest()


def _port(parts: Parts, account: str) -> Notifying | None:
    port: object = parts.ports.get(account)
    return port if isinstance(port, Notifying) else None
