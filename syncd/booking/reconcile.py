"""Brings calendars and meetings together, again and again, until they agree (architecture, decision 5).

Level-triggered: each look reads what is there now and decides anew; nothing depends on having seen every change.
Calendars are read and written outside every transaction, and what came of it is recorded only if nobody wished
otherwise meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.booking import brake, texts, turns
from syncd.booking.adopt import Trace, adopt, later_elsewhere, traces
from syncd.booking.allowed import BOOKED
from syncd.booking.announce import site_of
from syncd.booking.decide import decide
from syncd.booking.desire import desire
from syncd.booking.follow import Ground, follow, overlapped
from syncd.booking.holder import ALONE, Holder
from syncd.booking.invited import answered, inviting, waiting
from syncd.booking.record import conclude, record
from syncd.booking.sight import Decision, Limits, Newer, Sighting, Verdict
from syncd.booking.steps import Told, act, draft
from syncd.errors import CalendarError, CalendarNotFound
from syncd.model.booking import EntryRecord, Meeting
from syncd.model.directory import Directory, Mailbox, MailboxId, MailboxKind
from syncd.model.entry import EntryDraft
from syncd.model.mirror import MailboxStatus
from syncd.model.offer import Rulebook
from syncd.observe import metrics
from syncd.observe.logs import canonical_line
from syncd.points import passing
from syncd.ports import CalendarPort
from syncd.publish.standing import announced
from syncd.store import Store, Tx

LEASE = timedelta(seconds=90)
"""How long one look may take before another worker may look too."""
MARGIN = 2.0
"""Seconds: so much sooner a look takes its lease for ended than others do, who count in whole seconds."""
CHANCE = secrets.SystemRandom().random
LINGERS = timedelta(days=1)
"""How long calendars are cleaned of a time to come, after a human moved the meeting into the past."""
ROUNDS = 4
"""Looks at one meeting in a row, as long as each one changes what is wanted."""


@dataclass(frozen=True, slots=True)
class Look:
    """Leave to look at a meeting: its id, the number of this look, and when it ends by `elapsed`."""

    meeting: str
    lease: int
    until: float


class Result(StrEnum):
    """How a look at a meeting ended."""

    SETTLED = "settled"
    OWED = "owed"
    """Something is still to be done; it is due again."""
    STOPPED = "stopped"
    """The outward brake is on."""
    UNKNOWN = "unknown"
    """There is no such meeting."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a look begins with.

    :param told: what entries say of the room. :param behind: another meeting of ours is still to leave it.
    :param ahead: it is over by our rows, and to come in its caseworker's calendar.
    """

    meeting: Meeting
    records: tuple[EntryRecord, ...]
    gone: frozenset[MailboxId]
    bookings: tuple[str, ...]
    topics: tuple[str, ...]
    number: str
    installation: str
    stopped: bool
    told: Told = field(default_factory=Told)
    behind: bool = False
    ahead: bool = False


class Reconciler:
    """Looks at meetings and makes calendars follow them, or them follow a human's hand.

    :param ports: the calendar server of each account.
    :param directory, rulebook: the ones in force now.
    :param chance: a number in [0, 1) for the jitter of pauses.
    :param number: the number to call that an entry shall tell, by its bookings.
    :param node: who looks; writes nothing once others may take it for dead.
    """

    def __init__(
        self,
        store: Store,
        ports: Callable[[], Mapping[str, CalendarPort]],
        directory: Callable[[], Directory],
        rulebook: Callable[[], Rulebook],
        limits: Limits | None = None,
        chance: Callable[[], float] = CHANCE,
        number: Callable[[Tx, Sequence[str]], str] = lambda _tx, _bookings: "",
        node: Holder = ALONE,
    ) -> None:
        self._number = number
        self._node = node
        self._store = store
        self._ports = ports
        self._directory = directory
        self._rulebook = rulebook
        self._limits = limits or Limits()
        self._chance = chance

    def run_due(self, now: datetime, limit: int = 100, stopping: Callable[[], bool] = lambda: False) -> int:
        """Look at up to *limit* meetings that are due, the longest waiting first; returns how many.

        :param stopping: asked before each; once true, no more are begun.
        :raises StoreError: the database cannot be used.
        """
        looked, begun = 0, self._node.elapsed()
        while looked < limit and not stopping():
            spent = timedelta(seconds=int(self._node.elapsed() - begun))  # a slow batch must not lease in the past
            look = self._lease(now + spent)
            if look is None:
                break
            passing("reconcile.leased")
            self.meeting(look.meeting, now, look)
            looked += 1
        return looked

    def meeting(self, meeting_id: str, now: datetime, look: Look | None = None) -> Result:
        """Look at one meeting now and do what is needed.

        :param look: the leave to do so; None: whoever asks does not wait for one, and nobody is kept away.
        """
        with canonical_line("meeting.reconciled", meeting=meeting_id) as facts:
            result = self._settle(meeting_id, now, look)
            facts["outcome"] = result.value
        metrics.RECONCILED.labels(result.value).inc()
        return result

    def sweep(self, now: datetime, limit: int = 1000) -> int:
        """Let reconcile look at settled meetings whose calendars, by the mirror, do not hold what they should.

        Also at those on whose time something else was put. Meetings that only the calendars know are taken up again
        (see `syncd.booking.adopt`).

        :returns: how many; sync's own hints make this a safety net.
        """
        with self._store.read() as tx:
            strayed = tx.meetings.strayed(now, limit)
            overlaid = [one for one in tx.meetings.overlaid(now, limit) if self._conflicts(tx, one)]
            unknown = traces(tx, now)
        if strayed or overlaid:
            self._store.run(lambda tx: tx.meetings.touch({*strayed, *overlaid}, now))
        adopted = [self._adopt(entries, now) for entries in unknown.values()]
        for kind, number in (("strayed", len(strayed)), ("overlaid", len(overlaid)), ("unknown", sum(adopted))):
            metrics.DRIFT_FOUND.labels(kind).inc(number)
        return len({*strayed, *overlaid}) + sum(adopted)

    def _conflicts(self, tx: Tx, meeting_id: str) -> bool:
        meeting = tx.meetings.get(meeting_id)
        return meeting is not None and overlapped(tx, meeting, self._rulebook())

    def _adopt(self, entries: list[Trace], now: datetime) -> bool:
        ground = self._ground(now)
        return self._store.run(lambda tx: adopt(tx, entries, ground) is not None)

    def write_again(self, mailbox: MailboxId, actor: str, now: datetime) -> int:
        """Write all our future meetings into a calendar that has lost them (a server restored from a backup).

        Without this, what is missing there counts as removed by a human. Afterwards accept the loss in the mirror
        (`syncd sync --accept-loss`).

        :param actor: ``cli:USER``. :returns: how many meetings.
        """

        def work(tx: Tx) -> int:
            tx.audit.add(actor, "calendar.written-again", detail=mailbox, now=now)
            lost = [meeting for one in tx.meetings.forget_entries(mailbox, now) if (meeting := tx.meetings.get(one))]
            for meeting in lost:
                # As a new wish: of the old one a server may still know that it was written and is gone.
                desire(tx, meeting, now)
            return len(lost)

        return self._store.run(work)

    def free_expired_holds(self, now: datetime, limit: int = 500) -> int:
        """Free holds that ran out; returns how many."""

        def work(tx: Tx) -> int:
            freed = tx.bookings.expire_all(now, limit)
            if freed:
                tx.settings.bump()
            return freed

        return self._store.run(work)

    def brake(self) -> str | None:
        """Why all writing to calendars has stopped; None when it has not."""
        with self._store.read() as tx:
            return brake.stopped(tx)

    def release_brake(self, actor: str, now: datetime) -> bool:
        """Let writing go on, because a person looked; returns whether it had stopped."""
        with self._store.begin() as tx:
            return brake.release(tx, actor, now)

    def _lease(self, now: datetime) -> Look | None:
        """The next meeting to look at; None when none is due, or the outward brake is on."""

        def work(tx: Tx) -> tuple[str, int] | None:
            return None if brake.stopped(tx) else tx.meetings.lease(now, now + LEASE, self._node.name)

        until = self._node.elapsed() + LEASE.total_seconds() - MARGIN
        found = self._store.run(work) if self._node.alive() else None
        return None if found is None else Look(*found, until)

    def _may_write(self, look: Look | None) -> bool:
        """Whether nobody else looks at the meeting yet, as far as can be told without asking."""
        return look is None or (self._node.alive() and self._node.elapsed() < look.until)

    def _settle(self, meeting_id: str, now: datetime, look: Look | None) -> Result:
        for _ in range(ROUNDS):
            facts = self._facts(meeting_id, now)
            if facts is None:
                return Result.UNKNOWN
            if facts.stopped:
                return Result.STOPPED
            if facts.meeting.wanted and not facts.ahead and _history(facts.meeting, now):
                self._conclude(facts.meeting)
                return Result.SETTLED
            failures: dict[MailboxId, CalendarError] = {}
            sightings = self._look(facts, failures)
            decision = decide(facts.meeting, sightings, facts.installation, now, self._limits)
            passing("reconcile.decided")
            if decision.verdict is None:
                return self._act(facts, decision, failures, now, look)
            self._follow(facts.meeting, decision.verdict, now)
        self._postpone(meeting_id, now)
        return Result.OWED

    def _postpone(self, meeting_id: str, now: datetime) -> None:
        """It changed again at every look; whatever does that shall not keep us busy."""
        self._store.run(lambda tx: tx.meetings.postpone(meeting_id, now + self._limits.second_look))

    def _conclude(self, meeting: Meeting) -> None:
        self._store.run(lambda tx: conclude(tx, meeting))

    def _follow(self, meeting: Meeting, verdict: Verdict, now: datetime) -> None:
        ground = self._ground(now)
        if isinstance(verdict, Newer) and (later := self._later(meeting, verdict, ground)):
            self._adopt(later, now)
        else:
            self._store.run(lambda tx: follow(tx, meeting, verdict, ground))
        passing("reconcile.followed")

    def _later(self, meeting: Meeting, verdict: Newer, ground: Ground) -> list[Trace]:
        """What a colleague's calendar knows of an even newer generation, which a restored database has forgotten."""
        with self._store.read() as tx:
            return later_elsewhere(tx, meeting, verdict.generation, ground)

    def _ground(self, now: datetime) -> Ground:
        return Ground(self._directory(), self._rulebook(), self._limits, now)

    def _facts(self, meeting_id: str, now: datetime) -> Facts | None:
        watched = self._directory().mailboxes
        with self._store.read() as tx:
            meeting = tx.meetings.get(meeting_id)
            if meeting is None:
                return None
            # A calendar that nobody watches any more cannot be cleaned, only missed.
            known = tx.meetings.entries(meeting_id)
            records = tuple(one for one in known if one.wanted or one.mailbox in watched)
            gone = frozenset(one.mailbox for one in records if self._gone(tx, meeting, one))
            seats = [one for one in tx.bookings.of(meeting_id) if one.state in BOOKED]
            bookings, topics = tuple(one.id for one in seats), tuple(sorted({one.topic for one in seats} - {""}))
            number = self._number(tx, bookings)
            stopped, behind = brake.stopped(tx) is not None, turns.behind(tx, meeting)
            told = self._told(tx, meeting, records, behind, now)
            ahead = meeting.interval.end <= now and meeting.beside is None and tx.meetings.ahead(meeting_id, now)
            known_as = tx.settings.installation()
            return Facts(meeting, records, gone, bookings, topics, number, known_as, stopped, told, behind, ahead)

    def _told(self, tx: Tx, meeting: Meeting, records: Sequence[EntryRecord], behind: bool, now: datetime) -> Told:
        """What entries say of the room: a meeting that must wait for one, and has one to give back, has none now."""
        rooms, notice = self._directory().rooms, tx.rooms.notice(meeting.id)
        leaves = any(one.mailbox in rooms and not one.wanted and one.key is not None for one in records)
        site = site_of(self._directory(), meeting.caseworker, meeting.room)
        known = site is not None and announced(site, meeting.interval, self._rulebook(), now)
        return Told(notice is not None or known, notice.previous if notice else None, behind and leaves)

    def _gone(self, tx: Tx, meeting: Meeting, known: EntryRecord) -> bool:
        """Whether the mirror, read to the end after the first look missed the entry, misses it too."""
        if known.missing_since is None:
            return False
        status = tx.mailboxes.status(known.mailbox)
        return _read_since(status, known.missing_since) and not tx.meetings.mirrored(meeting.uid, known.mailbox)

    def _look(self, facts: Facts, failures: dict[MailboxId, CalendarError]) -> list[Sighting]:
        """What all calendars of a meeting hold; invited rooms speak through the caseworkers' calendars."""
        seen = [self._see(facts, known, failures) for known in facts.records]
        people = [sight for sight in seen if sight.kind is MailboxKind.PERSON]
        return [self._asked(sight, people, failures) for sight in seen]

    def _asked(self, sight: Sighting, people: list[Sighting], failures: dict[MailboxId, CalendarError]) -> Sighting:
        mailbox = self._directory().mailboxes.get(sight.mailbox)
        port = inviting(self._ports(), mailbox) if mailbox is not None else None
        if mailbox is None or port is None:
            return sight
        told = answered(sight, mailbox, people)
        if told.entries is None:
            failures[mailbox.id] = waiting(port, mailbox)
        return told

    def _see(self, facts: Facts, known: EntryRecord, failures: dict[MailboxId, CalendarError]) -> Sighting:
        """What one calendar holds; when it cannot be read, the error is noted."""
        directory = self._directory()
        mailbox = directory.mailboxes.get(known.mailbox)
        if mailbox is None:
            failures[known.mailbox] = CalendarNotFound(texts.MAILBOX_UNKNOWN)
            return Sighting(known, _kind(facts.meeting, known.mailbox), None, None)
        wanted = self._draft(facts, mailbox) if known.wanted else None
        if inviting(self._ports(), mailbox) is not None:
            return Sighting(known, mailbox.kind, wanted, None, known.mailbox in facts.gone, facts.behind)
        try:
            with metrics.remote(mailbox.account, "find"):
                entries = self._ports()[mailbox.account].find(mailbox, facts.meeting.uid)
        except CalendarError as error:
            failures[known.mailbox] = error
            return Sighting(known, mailbox.kind, wanted, None)
        return Sighting(known, mailbox.kind, wanted, entries, known.mailbox in facts.gone, facts.behind)

    def _draft(self, facts: Facts, mailbox: Mailbox) -> EntryDraft:
        offer = self._rulebook().offers.get(facts.meeting.offer)
        title = _about(offer.title if offer else {}, facts.topics)
        own = self._directory(), title, facts.installation, facts.bookings, facts.number, facts.told
        return draft(facts.meeting, mailbox, *own)

    def _act(
        self,
        facts: Facts,
        decision: Decision,
        failures: dict[MailboxId, CalendarError],
        now: datetime,
        look: Look | None,
    ) -> Result:
        known = {record.mailbox: record for record in facts.records}
        acted = act(decision.steps, known, self._directory(), self._ports(), lambda: self._may_write(look))
        metrics.DRIFT_REPAIRED.inc(acted.repairs)
        passing("reconcile.acted")
        done = replace(acted, failures={**failures, **acted.failures})
        ground = self._ground(now)
        lease = None if look is None else look.lease
        settled = self._store.run(lambda tx: record(tx, facts.meeting, decision, done, ground, self._chance(), lease))
        passing("reconcile.recorded")
        return Result.SETTLED if settled else Result.OWED


def _history(meeting: Meeting, now: datetime) -> bool:
    """Whether it is over, and nothing of an earlier wish can stand anywhere at a time to come."""
    if meeting.interval.end > now:
        return False
    behind = 0 < meeting.applied_generation < meeting.desired_generation
    return not behind or meeting.owed_since is None or now - meeting.owed_since >= LINGERS


def _about(title: Mapping[str, str], topics: Sequence[str]) -> Mapping[str, str]:
    """The offer's title with what citizens chose to talk about, which are the offer's own words."""
    return {language: f"{text}: {', '.join(topics)}" for language, text in title.items()} if topics else title


def _kind(meeting: Meeting, mailbox: MailboxId) -> MailboxKind:
    """Whose calendar it is, when the directory does not know it any more."""
    return MailboxKind.PERSON if mailbox in meeting.people else MailboxKind.ROOM


def _read_since(status: MailboxStatus | None, since: datetime) -> bool:
    """Whether a whole pass over the calendar began after *since*, and nothing about it is suspicious."""
    if status is None or status.as_of is None or status.problem or status.refused:
        return False
    return status.as_of > since
