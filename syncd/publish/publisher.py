"""What is on offer now, why something is not, and whether a chosen time still is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from syncd.errors import BadRequest, NoRoom, SlotGone, TemporarilyClosed, UnknownCaseworker
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import STAFF, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Form, Offer, Rulebook, Slot
from syncd.model.verdict import Verdict
from syncd.publish import asking
from syncd.publish.answering import LONGEST_VALID, answered, refusal
from syncd.publish.asking import Question
from syncd.publish.choice import NO_ROOM, prove
from syncd.publish.groups import joinable
from syncd.publish.inforce import Rules, RulesInForce
from syncd.publish.partners import fillings, free_by_role
from syncd.publish.pipeline import Frames, pooled, survivors
from syncd.publish.remembered import Answers, Remembered
from syncd.publish.reserve import reserve_is_open
from syncd.publish.roster import Roster
from syncd.publish.scene import Asked, Memory, Reader, Scene
from syncd.publish.why import Inquiry, best
from syncd.publish.words import sentences
from syncd.roomalloc.allocate import Certificate
from syncd.slots.compute import Step
from syncd.store import Store, Tx
from syncd.store.instants import epoch
from syncd.store.rooms import Shortage

GONE = "This time is no longer on offer. Nothing was changed; choose another one."
CLOSED = "The calendar cannot be trusted at the moment. Nothing was changed; try again in a minute."


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How far the publisher goes.

    :param max_age: how old the mirror of a calendar may be (``sync.max_age_seconds``).
    :param longest: the longest window that may be asked about.
    """

    max_age: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(days=366)


PAUSE_SECONDS = 300
"""After which a client may try again during maintenance."""


class Publisher:
    """Answers from the database; remembers an answer until a commit or time alone changes it. Thread-safe.

    :param directory: everybody and everything as configured now.
    :param rules: where the rules come from; None reads the newest revision.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        settings: PublishSettings | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._settings = settings or PublishSettings()
        self.rules: Rules = rules or RulesInForce(store, directory)
        self._memory = Memory()
        self._people: Roster | None = None
        self._installation: str | None = None
        self._answers = Answers()

    @property
    def max_age(self) -> timedelta:
        """How old the mirror of a calendar may be."""
        return self._settings.max_age

    def trying(self, rules: Rules) -> Publisher:
        """The same publisher with other rules, for a preview."""
        return Publisher(self._store, self._directory, self._settings, rules)

    def answer(
        self,
        offer: str,
        window: Interval,
        now: datetime,
        caseworker: MailboxId | None = None,
        form: Form | None = None,
        *,
        shadow: bool = False,
        whom: Whom = STAFF,
    ) -> Answer:
        """The slots that begin and end in *window*; the same object as long as nothing can have changed.

        :param caseworker: only this one's times; None for all who serve the offer.
        :param form: only this form; None for all.
        :param shadow: as if teams in shadow were live, for staff.
        :param whom: for which citizen; staff see what everybody sees together, but for the reserve.
        :raises UnknownOffer: no such offer is in force. :raises UnknownCaseworker: nobody of that id serves it.
        :raises BadRequest: the form is not one of the offer's, the window is longer than may be asked, or the offer
            is not for everybody and nothing was said of the citizen.
        """
        self._believable(window)
        question = Question(offer, window, caseworker, form, shadow, whom)
        kept = self._answers.kept(question, self._store.generation(), self._directory(), now)
        if kept is not None:
            return kept
        with self._store.read() as tx:
            generation = tx.settings.generation()
            directory = self._directory()
            answer = self._found(tx, question, generation, now)
        self._answers.keep(question, Remembered(answer, directory, now))
        return answer

    def _found(self, tx: Tx, question: Question, generation: int, now: datetime) -> Answer:
        """The answer, from what this citizen may have."""
        offer = asking.offer(self.rules.within(tx), question.offer)
        admission = asking.admit(offer, question.whom, question.caseworker)
        if not admission.entitled:
            return refusal(generation, now + LONGEST_VALID)
        if admission.first is not None:
            own = self._found(
                tx, question._replace(caseworker=admission.first, whom=_known(question.whom)), generation, now
            )
            if own.slots:
                return own
        question = question._replace(caseworker=admission.only)
        return answered(self._scene(tx, self._asked(tx, question, now)), generation)

    def why(
        self,
        offer: str,
        caseworker: MailboxId,
        start: datetime,
        now: datetime,
        form: Form | None = None,
        *,
        shadow: bool = False,
        whom: Whom = STAFF,
    ) -> Verdict:
        """Which step took this time away, or that it is on offer.

        :param form: None gives the verdict on the form that got furthest.
        :param shadow: as if teams in shadow were live, for staff.
        :param whom: for which citizen; for staff, what holds for everybody.
        :raises UnknownOffer, UnknownCaseworker, BadRequest: the question cannot be answered.
        """
        if start.tzinfo is None:
            raise BadRequest("The time has no zone. Write it like 2026-12-01T09:00:00+01:00 or with Z.")
        start = start.astimezone(UTC)
        with self._store.read() as tx:
            known = asking.offer(self.rules.within(tx), offer)
            if caseworker not in self._directory().caseworkers:
                raise UnknownCaseworker(f"There is no caseworker '{caseworker}'.")
            slots = (Slot(Interval.at(start, known.minutes[one]), caseworker, one) for one in asking.forms(known, form))
            return best(self._verdict(tx, known, slot, now, whom, shadow=shadow) for slot in slots)

    def whys(
        self, offer: str, start: datetime, now: datetime, form: Form | None = None, *, whom: Whom = STAFF
    ) -> list[Verdict]:
        """`why` for everybody who serves the offer, looked at once; of several forms the one that got furthest.

        :raises UnknownOffer, BadRequest: the question cannot be answered.
        """
        with self._store.read() as tx:
            known = asking.offer(self.rules.within(tx), offer)
            people = [one for one in known.caseworkers if one in self._directory().caseworkers]
            found: dict[MailboxId, list[Verdict]] = {one: [] for one in people}
            for each in asking.forms(known, form):
                interval = Interval.at(start, known.minutes[each])
                frames = Frames(self._around(tx, known, people, each, interval, now, whom), each)
                for one in people:
                    left_out = self._unasked(tx, known, Slot(interval, one, each), whom)
                    found[one].append(left_out or Inquiry(tx, frames, one, interval).verdict())
            return [best(some) for some in found.values()]

    def _around(
        self,
        tx: Tx,
        offer: Offer,
        people: Sequence[MailboxId],
        form: Form,
        interval: Interval,
        now: datetime,
        whom: Whom,
    ) -> Scene:
        window = interval.padded(timedelta(days=1), timedelta(days=1))
        return self._scene(tx, self._about(tx, offer, people, [form], window, now, immediate=whom.immediate))

    def _unasked(self, tx: Tx, offer: Offer, slot: Slot, whom: Whom, *, shadow: bool = False) -> Verdict | None:
        """What rules alone say against a time, whatever the calendars say; None when they do not."""
        unpublished = asking.unpublished(self.rules.within(tx), offer, slot.caseworker, shadow=shadow)
        told = (
            (unpublished, {})
            if unpublished
            else asking.left_out(offer, self._directory(), whom, slot.caseworker, slot.interval)
        )
        if told is None:
            return None
        reason, facts = told
        says = sentences(reason, facts)
        return Verdict(offer.name, slot.caseworker, slot.form, slot.interval, reason, says, facts, {})

    def _verdict(self, tx: Tx, offer: Offer, slot: Slot, now: datetime, whom: Whom, *, shadow: bool) -> Verdict:
        left_out = self._unasked(tx, offer, slot, whom, shadow=shadow)
        if left_out is not None:
            return left_out
        window = slot.interval.padded(timedelta(days=1), timedelta(days=1))
        one, form = slot.caseworker, slot.form
        about = self._about(tx, offer, [one], [form], window, now, immediate=whom.immediate, shadow=shadow)
        return Inquiry(tx, Frames(self._scene(tx, about), form), one, slot.interval).verdict()

    def still_free(
        self,
        tx: Tx,
        offer: Offer,
        slot: Slot,
        now: datetime,
        ignoring_meeting: str | None = None,
        *,
        immediate: bool = False,
    ) -> Certificate | None:
        """Prove inside the caller's transaction that *slot* is on offer: its room, and who must move for it.

        None when it needs no room. The caller holds the locks (caseworker, partners, site and day), has ended expired
        holds, and writes moves and claims, on which the database has the last word.

        :param ignoring_meeting: the meeting that is being moved here; its own time counts as free.
        :param immediate: for immediate booking.
        :raises SlotGone: it is not on offer. :raises TemporarilyClosed: the calendar cannot be trusted now.
        """
        scene = self._proving(tx, offer, slot, now, ignoring_meeting, immediate=immediate)
        if scene.paused is not None:
            raise TemporarilyClosed(scene.paused.en, scene.paused.since, PAUSE_SECONDS, reason=scene.paused.say)
        if slot.caseworker in scene.distrusted:
            raise TemporarilyClosed(f"{CLOSED} ({scene.distrusted[slot.caseworker].reason})")
        left = survivors(Frames(scene, slot.form), scene.people[0])
        if scene.distrusted and left[Step.CLAIMS] and not left[Step.PARTNERS]:
            raise TemporarilyClosed(f"{CLOSED} ({next(iter(scene.distrusted.values())).reason})")
        whole = slot.interval.end == slot.interval.start + timedelta(minutes=offer.minutes[slot.form])
        if whole and left[Step.CAPS] and not left[Step.ROOM]:
            raise NoRoom(NO_ROOM)
        if not whole or not left[Step.ROOM]:
            raise SlotGone(GONE)
        person = scene.asked.directory.caseworkers[slot.caseworker]
        return prove(tx, scene, slot) if offer.needs_room(slot.form, open_plan=person.open_plan) else None

    def able(
        self,
        tx: Tx,
        offer: Offer,
        people: Sequence[MailboxId],
        slot: tuple[datetime, Form],
        now: datetime,
        ignoring_meeting: str | None = None,
    ) -> list[MailboxId]:
        """Those of *people* for whom `still_free` would find this time on offer, looked at once; no room is named.

        :param slot: when it begins, and how it is held. :param ignoring_meeting: as in `still_free`.
        """
        (start, form), rulebook, directory = slot, self.rules.within(tx), self._directory()
        interval = Interval.at(start, offer.minutes[form])
        known = [
            one
            for one in people
            if one in directory.caseworkers
            and asking.unpublished(rulebook, offer, one) is None
            and not asking.out_of_reach(offer, directory, Slot(interval, one, form), now, immediate=False)
        ]
        about = self._about(tx, offer, known, [form], interval, now)
        scene = self._scene(tx, replace(about, ignoring=ignoring_meeting))
        return [person.id for person, left in pooled(scene, form) if left[-1]]

    def seats(
        self, tx: Tx, offer: Offer, people: Sequence[MailboxId], slot: tuple[datetime, Form], now: datetime, whom: Whom
    ) -> list[str]:
        """Group meetings at this time with one of *people* that a citizen can join, the fullest first.

        The caller holds nobody's lock yet: one that is to be joined is locked and asked for again.

        :param slot: when it begins, and how it is held.
        """
        start, form = slot
        window = Interval(start, start + timedelta(days=1))
        published = [one for one in people if asking.unpublished(self.rules.within(tx), offer, one) is None]
        about = self._about(tx, offer, published, [form], window, now, immediate=whom.immediate)
        found = joinable(self._scene(tx, about))
        return [group.meeting for group, seat in found if seat.start == epoch(start)]

    def partners(
        self, tx: Tx, offer: Offer, slot: Slot, now: datetime, ignoring_meeting: str | None = None
    ) -> list[tuple[MailboxId, ...]]:
        """All ways to fill the offer's further roles at *slot*, one person each; [()] when it has none.

        :raises SlotGone: somebody who serves it does not any more.
        """
        if not offer.partners:
            return [()]
        scene = self._proving(tx, offer, slot, now, ignoring_meeting, immediate=True)
        at = scene.grid.bit(epoch(slot.interval.start))
        return list(fillings(free_by_role(scene, slot.form), slot.caseworker, at))

    def _proving(
        self, tx: Tx, offer: Offer, slot: Slot, now: datetime, ignoring: str | None, *, immediate: bool
    ) -> Scene:
        rulebook, directory = self.rules.within(tx), self._directory()
        if slot.form not in offer.minutes or asking.unpublished(rulebook, offer, slot.caseworker) is not None:
            raise SlotGone(GONE)
        if slot.caseworker not in directory.caseworkers:
            raise SlotGone(GONE)
        if asking.out_of_reach(offer, directory, slot, now, immediate=immediate):
            raise SlotGone(GONE)
        about = self._about(tx, offer, [slot.caseworker], [slot.form], slot.interval, now, immediate=immediate)
        return self._scene(tx, replace(about, ignoring=ignoring))

    def shortages(self, tx: Tx, offer: str, window: Interval, now: datetime) -> list[Shortage]:
        """The times that only a room keeps from being on offer, each once per site.

        :raises UnknownOffer: no such offer is in force.
        """
        asked = self._asked(tx, Question(offer, window, None, None, False), now)
        scene = self._scene(tx, asked)
        missing: dict[tuple[str, int], Shortage] = {}
        for form in asked.forms:
            for person, left in pooled(scene, form):
                for at in scene.grid.instants(left[-2] & ~left[-1]):
                    missing[person.site.id, at] = Shortage(person.site.id, offer, at, asked.offer.minutes[form])
        return [missing[key] for key in sorted(missing)]

    def _scene(self, tx: Tx, asked: Asked) -> Scene:
        if self._installation is None:
            self._installation = tx.settings.installation()
        return Reader(tx, self._memory, asked, self._installation).scene()

    def _roster(self, rulebook: Rulebook) -> Roster:
        """Everybody's hours; made anew with new rules or people."""
        kept, directory = self._people, self._directory()
        if kept is None or kept.rulebook is not rulebook or kept.directory is not directory:
            kept = self._people = Roster(rulebook, directory)
        return kept

    def _believable(self, window: Interval) -> None:
        if window.duration > self._settings.longest:
            raise BadRequest(
                f"The range is {window.duration.days} days; "
                f"at most {self._settings.longest.days} days may be asked at once."
            )

    def _asked(self, tx: Tx, question: Question, now: datetime) -> Asked:
        rulebook, directory = self.rules.within(tx), self._directory()
        offer = asking.offer(rulebook, question.offer)
        people = asking.people(rulebook, directory, offer, question)
        forms = asking.forms(offer, question.form)
        window = asking.bookable(offer, directory, people, question.window, now, question.whom.latest)
        whom, shadow = question.whom, question.shadow
        about = self._about(tx, offer, people, forms, window, now, immediate=whom.immediate, shadow=shadow)
        return replace(about, reserve_open=False) if whom.sealed else about

    def _about(
        self,
        tx: Tx,
        offer: Offer,
        people: Sequence[MailboxId],
        forms: Sequence[Form],
        window: Interval,
        now: datetime,
        *,
        immediate: bool = False,
        shadow: bool = False,
    ) -> Asked:
        roster = self._roster(self.rules.within(tx))
        return Asked(
            offer,
            roster,
            people,
            forms,
            window,
            now,
            self._settings.max_age,
            roles=asking.partners(roster.rulebook, roster.directory, offer, shadow=shadow),
            immediate=immediate,
            reserve_open=offer.reserve is not None and reserve_is_open(tx, offer.name),
        )


def _known(whom: Whom) -> Whom:
    """The same, for somebody who was let in already."""
    return replace(whom, staff=True)
