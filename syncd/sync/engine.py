"""Brings the mirror of each mailbox up to date: ask the server, decide, write in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from syncd.clock import Clock
from syncd.errors import CalendarError, SuspiciousDelta, SyncdError, TokenExpired
from syncd.model.delta import Delta, Since
from syncd.model.directory import Directory, Mailbox, MailboxId
from syncd.model.marks import DEFAULT_MARKS, Marks
from syncd.model.mirror import MailboxStatus, UnreadableObject, trust
from syncd.observe.logs import canonical_line
from syncd.observe.metrics import SYNC_SECONDS, remote
from syncd.points import passing
from syncd.ports import CalendarPort
from syncd.store import Store, Tx
from syncd.store.memory import StoredMemory
from syncd.sync.glance import Together, glance, stands_for_a_pass
from syncd.sync.marked import marked
from syncd.sync.outcome import LossPreview, Outcome, Result, unreadable_problem
from syncd.sync.own import owed_anew, own_entries, recognised
from syncd.sync.plan import Held, Limits, Loss, Plan, beside, plan, touched_keys
from syncd.sync.quiet import Notes, says_nothing
from syncd.sync.timing import Pace, full_is_due, pause, window


@dataclass(frozen=True, slots=True)
class _Pass:
    """What a pass began with.

    :param limits: None when any loss is accepted.
    :param shown: the loss that was shown to the person who accepted it; None when nobody was asked.
    :param accepted_by: who accepted a loss; None when nobody did.
    :param notes: where to note that nothing changed.
    """

    mailbox: Mailbox
    status: MailboxStatus
    now: datetime
    limits: Limits | None
    shown: Loss | None = None
    accepted_by: str | None = None
    notes: Notes | None = None


class Engine:
    """Reads calendars into the store. Thread-safe; passes over one mailbox run one after the other.

    :param ports: the calendar server of each account.
    :param directory: whose calendars are watched; a reload builds a new engine.
    :param elapsed: a clock that only runs forward, in seconds.
    :param marks: the categories that are obeyed; the mirror keeps them under their names inside, and no others.
    :param apart: keeps other nodes from a mailbox for a block; False when one of them is at it and went on for long.
    :param together: keeps them from all of some that none of them is at, and yields these.
    """

    def __init__(
        self,
        store: Store,
        ports: Mapping[str, CalendarPort],
        directory: Directory,
        pace: Pace,
        elapsed: Callable[[], float] = monotonic,
        marks: Marks = DEFAULT_MARKS,
        apart: Callable[[MailboxId], AbstractContextManager[bool]] = lambda _mailbox: nullcontext(True),
        together: Together = nullcontext,
    ) -> None:
        self._store = store
        self._apart, self._together = apart, together
        self._ports = ports
        self._directory = directory
        self._pace = pace
        self._elapsed = elapsed
        self._marks = marks
        self._locks = {mailbox: threading.Lock() for mailbox in directory.mailboxes}
        self._prepared = False

    def prepare(self) -> list[MailboxId]:
        """Make the store know the directory's mailboxes and forget all others; returns whom it forgot.

        A mailbox that now names another calendar is read from the beginning.
        """
        with self._store.begin() as tx:
            tx.mailboxes.ensure(self._directory.mailboxes.values(), self._marks)
            forgotten = tx.mailboxes.forget_others(self._directory.mailboxes)
        self._prepared = True
        return forgotten

    def sync_mailbox(
        self,
        mailbox: MailboxId,
        now: datetime,
        *,
        full: bool = False,
        accept_loss: bool = False,
        shown: Loss | None = None,
        actor: str = "syncd",
        force: bool = False,
    ) -> Outcome:
        """One pass over one mailbox; afterwards the mirror equals the calendar, or the outcome says why not.

        :param full: compare everything.
        :param accept_loss: a person has said that what vanished may go; the audit keeps who.
        :param shown: what that person was shown (`preview_loss`): if by now more is gone than that, and too much to
            be believed, it is refused again. None: whatever is gone may go.
        :param actor: who accepts the loss, as the audit names him (``cli:USER``).
        :param force: do not wait for the pause after a failure to end (implied by the two above).
        :raises StoreError: the database could not be used.
        :raises SyncdError: there is no such mailbox.
        """
        watched = self.watched(mailbox)
        if not self._prepared:
            self.prepare()
        with self._locks[mailbox], self._apart(mailbox) as mine:
            status = self._status(mailbox)
            if not mine:
                return Outcome(mailbox, Result.OVERTAKEN, unreadable=status.unreadable)
            if not (force or full or accept_loss) and _waits(status, now):
                return Outcome(mailbox, Result.WAITING, status.problem, unreadable=status.unreadable)
            limits = None if accept_loss and shown is None else self._pace.limits
            begun = _Pass(watched, status, now, limits, shown if accept_loss else None, actor if accept_loss else None)
            return self._reported(begun, full or accept_loss)

    def _sync_noting(self, mailbox: MailboxId, now: datetime, full: bool, force: bool, notes: Notes) -> Outcome:
        """`sync_mailbox`, but that nothing changed is left to *notes*."""
        with self._locks[mailbox], self._apart(mailbox) as mine:
            status = self._status(mailbox)
            if not mine:
                return Outcome(mailbox, Result.OVERTAKEN, unreadable=status.unreadable)
            if not (force or full) and _waits(status, now):
                return Outcome(mailbox, Result.WAITING, status.problem, unreadable=status.unreadable)
            return self._reported(_Pass(self.watched(mailbox), status, now, self._pace.limits, notes=notes), full)

    def sync_many(
        self,
        mailboxes: Collection[MailboxId],
        clock: Clock,
        *,
        full: bool = False,
        force: bool = False,
        progress: Callable[[Outcome], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> list[Outcome]:
        """One pass over each of *mailboxes*, some at a time; a failure of one does not stop the others.

        Unless *full* or *force*, those that a glance at their server shows to be unchanged count as passed.

        :param progress: called after each pass, from its thread.
        :param stopping: asked before each pass; once true, no more are begun.
        :raises StoreError: the database could not be used; passes that ended before are kept.
        """
        notes = Notes(self._store)

        def one(mailbox: MailboxId) -> Outcome | None:
            if stopping():
                return None
            outcome = self._sync_noting(mailbox, clock.now(), full, force, notes)
            if progress is not None:
                progress(outcome)
            return outcome

        for mailbox in mailboxes:
            self.watched(mailbox)
        if not self._prepared:
            self.prepare()
        seen = {} if full or force else self._glanced(mailboxes, clock.now())
        if progress is not None:
            for outcome in seen.values():
                progress(outcome)
        with ThreadPoolExecutor(self._pace.workers, "sync") as pool:
            futures = {mailbox: pool.submit(one, mailbox) for mailbox in mailboxes if mailbox not in seen}
        notes.flush()
        outcomes = [seen[m] if m in seen else futures[m].result() for m in mailboxes]
        return [outcome for outcome in outcomes if outcome is not None]

    def _glanced(self, mailboxes: Collection[MailboxId], now: datetime) -> dict[MailboxId, Outcome]:
        """Those of *mailboxes* that did not change, as far as one look can tell; it leaves out what another node reads.

        Within this node a look at one calendar need not wait for a look at all: an adapter keeps its calls apart.
        """
        with self._together(mailboxes) as free:
            watched = [self.watched(mailbox) for mailbox in free]
            return {seen.mailbox: seen for seen in glance(self._store, self._ports, watched, now, self._pace)}

    def preview_loss(self, mailbox: MailboxId, now: datetime) -> LossPreview:
        """What accepting the calendar as it is now would remove, and which of our meetings; changes nothing.

        :raises CalendarError: the calendar cannot be read.
        """
        watched = self.watched(mailbox)
        if not self._prepared:
            self.prepare()
        begun = _Pass(watched, self._status(mailbox), now, None)
        decided = self._decide(begun, self._read(begun, None))
        return LossPreview(mailbox, decided.loss, decided.loss.refused_by(self._pace.limits))

    def acknowledge(
        self, mailbox: MailboxId, key: str, now: datetime, *, digest: str | None = None, actor: str = "syncd"
    ) -> UnreadableObject:
        """Let offers open although the object *key* cannot be understood, until its content changes.

        :param digest: SHA-256 (hex) of the content that was looked at; None takes the one that was last read.
        :param actor: who says so, for the audit.
        :raises SyncdError: the mailbox has no such unreadable object, or it has other content; nothing was changed.
        """
        self.watched(mailbox)
        with self._store.begin() as tx:
            found = {item.key: item for item in tx.mailboxes.unreadable(mailbox)}
            if key not in found:
                told = f"{mailbox} has no unreadable object {key!r}; nothing was changed."
                raise SyncdError(f"{told} List them: syncd check {mailbox}")
            item = found[key]
            if digest is not None and digest.strip().lower() != item.digest:
                told = f"{key} of {mailbox} has SHA-256 {item.digest}, not {digest}; nothing was changed."
                raise SyncdError(f"{told} Look at the object again before you acknowledge it.")
            tx.mailboxes.acknowledge(mailbox, key, item.digest)
            tx.audit.add(actor, "object.acknowledged", detail=f"{mailbox}: {key}, SHA-256 {item.digest}", now=now)
            return item

    def watched(self, mailbox: MailboxId) -> Mailbox:
        """The mailbox of that id.

        :raises SyncdError: there is none.
        """
        if mailbox not in self._directory.mailboxes:
            raise SyncdError(f"There is no mailbox {mailbox!r} in the configuration; nothing was read.")
        return self._directory.mailboxes[mailbox]

    def _status(self, mailbox: MailboxId) -> MailboxStatus:
        with self._store.read() as tx:
            status = tx.mailboxes.status(mailbox)
        if status is None:
            raise SyncdError(f"The mailbox {mailbox!r} was removed from the database meanwhile; nothing was read.")
        return status

    def _reported(self, begun: _Pass, full: bool) -> Outcome:
        """Run the pass, with one log line and one measurement."""
        started = self._elapsed()
        with canonical_line("mailbox.synced", mailbox=begun.mailbox.id) as facts:
            outcome = self._caught(begun, full)
            facts.update(outcome=outcome.result.value, full=outcome.full, requests=outcome.requests)
            facts.update(changed=outcome.changed, removed=outcome.removed, meetings=len(outcome.touched))
            facts.update({"problem": outcome.problem} if outcome.problem else {})
        SYNC_SECONDS.labels(outcome.result.value).observe(self._elapsed() - started)
        return outcome

    def _caught(self, begun: _Pass, full: bool) -> Outcome:
        """The pass, with what can go wrong written down where operators look."""
        started = self._elapsed()
        mailbox, now = begun.mailbox.id, begun.now
        try:
            return self._pass(begun, full)
        except SuspiciousDelta as error:
            reason = f"{error} If it is right, run: syncd sync --accept-loss {mailbox}"
            with self._store.begin() as tx:
                tx.mailboxes.refuse(mailbox, reason, now)
            return Outcome(mailbox, Result.REFUSED, reason, touched=error.bookings)
        except CalendarError as error:
            took = self._elapsed() - started
            wait = pause(mailbox, error, begun.status.attempts, self._pace.interval)
            with self._store.begin() as tx:
                tx.mailboxes.failed(mailbox, str(error), now, now + timedelta(seconds=took) + wait)
            return Outcome(mailbox, Result.FAILED, str(error))

    def _pass(self, begun: _Pass, full: bool) -> Outcome:
        status, account = begun.status, begun.mailbox.account
        full = full or status.refused is not None or full_is_due(status, begun.now, self._pace.full_of(account))
        since = None if full or status.covered is None else Since(status.token, status.covered)
        delta = self._read(begun, since)
        passing("sync.read")
        if says_nothing(delta, since) and stands_for_a_pass(status, begun.now, self._pace, account):
            return self._noted(begun, delta)
        try:
            decided = self._decide(begun, delta)
        except SuspiciousDelta:
            if delta.present is not None:
                raise
            listing = self._read(begun, None)  # a token can lie; a full listing is the truth
            delta = replace(listing, requests=delta.requests + listing.requests)
            decided = self._decide(begun, delta)
        outcome = self._store.run(lambda tx: self._apply(tx, begun, decided, delta))
        passing("sync.applied")
        return outcome

    def _noted(self, begun: _Pass, delta: Delta) -> Outcome:
        """Nothing changed and nothing is wrong: only when that was seen is written down."""
        mailbox = begun.mailbox.id
        if begun.notes is not None:
            begun.notes.add(mailbox, begun.now)
        else:
            self._store.run(lambda tx: tx.mailboxes.unchanged([mailbox], begun.now))
        return Outcome(mailbox, Result.UNCHANGED, requests=delta.requests)

    def _read(self, begun: _Pass, since: Since | None) -> Delta:
        """Ask the server, with no transaction open; a forgotten token means to begin again."""
        try:
            return self._seen(begun, self._asked(begun, since))
        except TokenExpired:
            if since is None:
                raise
            return self._seen(begun, self._asked(begun, None))

    def _asked(self, begun: _Pass, since: Since | None) -> Delta:
        account = begun.mailbox.account
        wanted = window(begun.now, self._pace.horizon_days)
        memory = StoredMemory(self._store, begun.mailbox.id, retry_unreadable=since is None)
        with remote(account, "read"):
            return self._ports[account].changes(begun.mailbox, wanted, since, memory)

    def _seen(self, begun: _Pass, delta: Delta) -> Delta:
        """The delta in our own names, with copies of our meetings in invited rooms known as ours."""
        port = self._ports[begun.mailbox.account]
        return marked(recognised(self._store, port, begun.mailbox, delta, begun.now), self._marks)

    def _decide(self, begun: _Pass, delta: Delta) -> Plan:
        mailbox = begun.mailbox.id
        with self._store.read() as tx:
            whole = delta.present is not None
            known = tx.mailboxes.keys(mailbox) if whole else frozenset(delta.gone)
            keys = touched_keys(known, delta)
            # A first reading brings hundreds of keys of which we hold none.
            held = Held({}) if not keys else self._held(tx, mailbox, keys & known if whole else keys, begun.now)
        return plan(held, delta, begun.limits, begun.now, begun.shown)

    def _held(self, tx: Tx, mailbox: MailboxId, keys: Collection[str], now: datetime) -> Held:
        return Held(
            groups=tx.mailboxes.groups(mailbox, keys),
            unreadable=tx.mailboxes.unreadable_keys(mailbox),
            total=tx.mailboxes.upcoming(mailbox, now),
            installation=tx.settings.installation(),
            own=own_entries(tx, mailbox, now),
        )

    def _apply(self, tx: Tx, begun: _Pass, decided: Plan, delta: Delta) -> Outcome:
        """Write what was decided, unless somebody else completed a pass since ours began."""
        mailbox, status, now = begun.mailbox.id, begun.status, begun.now
        tx.mailboxes.lock(mailbox)
        current = tx.mailboxes.status(mailbox)
        if current is None or current.revision != status.revision:
            return Outcome(mailbox, Result.OVERTAKEN, requests=delta.requests)
        full = delta.present is not None
        tx.mailboxes.apply(mailbox, decided, delta, now, full=full, visible=self._visible(status, decided, now))
        touched = self._touch(tx, mailbox, decided, now)
        if status.as_of is None or delta.moved is not None:
            touched = tuple(sorted({*touched, *owed_anew(tx, mailbox, now)}))
        if begun.accepted_by is not None:
            _keep_word(tx, begun.accepted_by, mailbox, decided.loss, now)
        broken = [item for item in tx.mailboxes.unreadable(mailbox) if not item.acknowledged]
        return Outcome(
            mailbox,
            Result.UNCHANGED if decided.same else Result.OK,
            problem=unreadable_problem(broken),
            full=full,
            changed=len(decided.changed),
            removed=len(decided.removed),
            unreadable=len(broken),
            requests=delta.requests,
            dirty=decided.dirty,
            touched=touched,
        )

    def _touch(self, tx: Tx, mailbox: MailboxId, decided: Plan, now: datetime) -> tuple[str, ...]:
        """Let reconcile look at our meetings; read under the lock, because one may be booked since the plan."""
        touched = set(decided.touched)
        if decided.dirty:
            touched |= beside(own_entries(tx, mailbox, now), decided.dirty)
        if touched:
            tx.meetings.touch(sorted(touched), now)
        return tuple(sorted(touched))

    def _visible(self, before: MailboxStatus, decided: Plan, now: datetime) -> bool:
        """Whether answers may differ: other times, another window, or a mailbox that opens or closes."""
        opened = trust(before, now, self._pace.max_age, decided.covers).open
        return bool(decided.dirty or decided.unreadable) or before.covered != decided.covers or not opened


def _waits(status: MailboxStatus, now: datetime) -> bool:
    """Whether the pause after a failure is not over."""
    return status.retry_at is not None and now < status.retry_at


def _keep_word(tx: Tx, actor: str, mailbox: MailboxId, loss: Loss, now: datetime) -> None:
    """Who let how much go; nothing is kept when nothing went."""
    if loss.groups or loss.meetings:
        counts = f"{len(loss.groups)} of {loss.total} entries to come, {len(loss.meetings)} meeting(s) of ours"
        tx.audit.add(actor, "loss.accepted", detail=f"{mailbox}: {counts}", now=now)
