"""Finds the step that took a time away, and the fact behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus
from syncd.model.policy import Source
from syncd.model.verdict import Reason, Verdict
from syncd.model.zones import wall_clock, whole_days, zulu
from syncd.publish.mirror import counted_events
from syncd.publish.pipeline import Frames, survivors
from syncd.publish.scene import Asked, Person
from syncd.publish.words import BUSY_DA, sentences
from syncd.roomalloc import rank
from syncd.slots.blocking import Event, blocks, closes
from syncd.slots.bounds import days_ahead, earliest
from syncd.slots.caps import caps_of, period
from syncd.slots.compute import Step
from syncd.slots.grid import Cells, Span
from syncd.slots.hours import closed_because, exception_on, open_spans, weekly_spans
from syncd.slots.kept import released
from syncd.store import Tx
from syncd.store.instants import epoch, moment
from syncd.store.seats import Group
from syncd.store.supply import AWAY, ClaimFields, Supply

Facts = dict[str, str]


class Inquiry:
    """One question about one time of one form, with everything needed to answer it.

    :param frames: of the scene and the form; questions about many people share them.
    :param interval: the meeting itself.
    """

    def __init__(self, tx: Tx, frames: Frames, caseworker: MailboxId, interval: Interval) -> None:
        self._tx, self._frames, self._caseworker, self._interval = tx, frames, caseworker, interval
        self._scene, self._form = frames.scene, frames.form
        self._asked: Asked = self._scene.asked
        self._zone = self._asked.site(caseworker).zone

    def verdict(self) -> Verdict:
        """What decided about the time."""
        person = next((one for one in self._scene.people if one.id == self._caseworker), None)
        if person is None:
            return self._told(*self._distrusted(), {})
        left = survivors(self._frames, person)
        counts = self._of_day(left)
        if self._interval.start < self._asked.now:
            return self._told(Reason.PAST, {}, counts)
        group = next((one for one in self._scene.groups if self._is_this(one)), None)
        if group is not None and self._interval.start >= moment(earliest(self._asked.offer, self._asked.now)):
            return self._of_group(group, counts)
        bit = self._scene.grid.bit(epoch(self._interval.start))
        for step, cells in left.items():
            if not cells & bit or self._interval.start.microsecond:
                return self._told(*self._removed(step, person), counts)
        shaped = self._scene.moving.shaped(person.site, self._asked.offer, self._form, left[Step.ROOM])
        return self._told(Reason.OFFERED if shaped & bit else Reason.SHAPED, {}, counts)

    def _told(self, reason: Reason, facts: Facts, counts: Mapping[str, int]) -> Verdict:
        says = sentences(reason, facts)
        return Verdict(
            self._asked.offer.name, self._caseworker, self._form, self._interval, reason, says, facts, counts
        )

    def _is_this(self, group: Group) -> bool:
        start = epoch(self._interval.start)
        return (group.caseworker, group.form, group.start) == (self._caseworker, self._form, start)

    def _of_group(self, group: Group, counts: Mapping[str, int]) -> Verdict:
        seats = self._asked.offer.seats
        facts = {"seats": str(seats), "taken": str(len(group.taken))}
        return self._told(Reason.OFFERED if len(group.taken) < seats else Reason.FULL, facts, counts)

    def _of_day(self, left: Mapping[Step, Cells]) -> dict[str, int]:
        """Survivors among the candidates of the same local day."""
        day = wall_clock(self._interval.start, self._zone).date()
        whole = whole_days(day, day, self._zone)
        same = self._scene.grid.between(epoch(whole.start), epoch(whole.end))
        return {step.value: (cells & same).bit_count() for step, cells in left.items()}

    def _removed(self, step: Step, person: Person) -> tuple[Reason, Facts]:
        offer = self._asked.offer
        match step:
            case Step.GRID:
                return Reason.OFF_GRID, {"step": str(offer.step)}
            case Step.HOURS:
                return self._not_at_work(person)
            case Step.OPENING:
                return Reason.SITE_CLOSED, {"hours": self._open_then(person) or "-"}
            case Step.EVENTS:
                return self._event(person)
            case Step.CLAIMS:
                return self._claim(person)
            case Step.PARTNERS:
                return self._alone()
            case Step.NOTICE:
                return Reason.NOTICE, {"notice": str(offer.notice)}
            case Step.HORIZON:
                return Reason.HORIZON, {"days": str(days_ahead(offer, immediate=self._asked.immediate))}
            case Step.RESERVE:
                return self._kept()
            case Step.COVERED:
                return Reason.NOT_COVERED, {}
            case Step.CAPS:
                return self._cap(person)
            case Step.ROOM:
                return self._no_room(person)

    def _distrusted(self) -> tuple[Reason, Facts]:
        if (pause := self._scene.paused) is not None:
            return Reason.MAINTENANCE, {"da": pause.da, "en": pause.en}
        status = self._tx.mailboxes.status(self._caseworker)
        reason = distrust(status, self._asked.now, self._asked.max_age)
        if status is None or status.as_of is None:
            return reason, {}
        wall = self._wall(epoch(status.as_of))
        return reason, {"as_of": zulu(status.as_of), "as_of_wall": wall, "objects": str(status.unreadable)}

    def _not_at_work(self, person: Person) -> tuple[Reason, Facts]:
        day = wall_clock(self._interval.start, self._zone).date()
        if facts := self._shut(person):
            return Reason.CALENDAR_HOURS, facts
        if person.policy.source is Source.MARKED:
            return Reason.NOT_MARKED, {}
        if why := closed_because(day, person.hours.closings, person.hours.holidays):
            return Reason.CLOSED_DAY, {"why": why}
        grid = self._scene.grid
        spans = [s for s in open_spans(person.hours, grid.base, grid.end) if self._touches_day(s)]
        hours = ", ".join(self._span(span) for span in spans)
        if exception := exception_on(person.hours.exceptions, day):
            return Reason.EXCEPTION, {"why": exception.why or "-", "hours": hours or "-"}
        if not spans:
            return Reason.NO_HOURS, {}
        return Reason.OUTSIDE_HOURS, {"hours": hours, "minutes": str(self._asked.offer.minutes[self._form])}

    def _shut(self, person: Person) -> Facts:
        """The closed span, when only the opening hours in the calendar itself took the time away."""
        if not person.layout.closed:
            return {}
        always = replace(person, layout=replace(person.layout, closed=0))
        left = survivors(self._frames, always)[Step.HOURS]
        if not left & self._scene.grid.bit(epoch(self._interval.start)):
            return {}
        start, end = epoch(self._interval.start), epoch(self._interval.end)
        supply = Supply(self._tx.session, self._tx.settings.installation())
        events = counted_events(supply, [person.id], start, end, self._asked.ignoring)[person.id]
        shut = min((event.start, event.end) for event in events if closes(event, person.policy))
        return {"start": zulu(moment(shut[0])), "end": zulu(moment(shut[1])), "span_wall": self._span(shut)}

    def _touches_day(self, span: Span) -> bool:
        day = wall_clock(self._interval.start, self._zone).date()
        return (
            wall_clock(moment(span[0]), self._zone).date() <= day <= wall_clock(moment(span[1] - 1), self._zone).date()
        )

    def _padded(self) -> Span:
        offer = self._asked.offer
        return epoch(self._interval.start) - offer.before * 60, epoch(self._interval.end) + offer.after * 60

    def _event(self, person: Person) -> tuple[Reason, Facts]:
        start, end = self._padded()
        supply = Supply(self._tx.session, self._tx.settings.installation())
        events = counted_events(supply, [person.id], start, end, self._asked.ignoring)[person.id]
        found = [event for event in events if blocks(event, person.policy, self._form)]
        found = [event for event in found if not closes(event, person.policy)]
        return Reason.EVENT, self._about(min(found, key=self._distance))

    def _distance(self, event: Event) -> tuple[bool, int]:
        """Events on the meeting itself come before those on its buffers."""
        begin, end = epoch(self._interval.start), epoch(self._interval.end)
        return not (event.start < end and begin < event.end), event.start

    def _about(self, event: Event) -> Facts:
        beside = self._distance(event)[0]
        span = (event.start, event.end)
        return {
            "busy": event.busy.value,
            "busy_da": BUSY_DA[event.busy.value],
            "start": zulu(moment(event.start)),
            "end": zulu(moment(event.end)),
            "span_wall": self._span(span),
            "buffer": ", which leaves no room for the buffer" if beside else "",
            "buffer_da": ", så der ikke er plads til buffer" if beside else "",
        }

    def _claim(self, person: Person) -> tuple[Reason, Facts]:
        start, end = self._padded()
        supply = Supply(self._tx.session, self._tx.settings.installation())
        now = epoch(self._asked.now)
        live = [
            claim
            for claim in supply.claims([person.id], start, end)[person.id]
            if claim.meeting != self._asked.ignoring and (claim.expires is None or claim.expires > now)
        ]
        claim = min(live, key=_firmest)
        facts = {
            "start": zulu(moment(claim.start)),
            "end": zulu(moment(claim.end)),
            "span_wall": self._span((claim.start, claim.end)),
        }
        if claim.meeting == AWAY:
            return Reason.AWAY, facts
        if claim.expires is None:
            return Reason.BOOKED, facts
        return Reason.HELD, facts | {"expires": zulu(moment(claim.expires)), "expires_wall": self._wall(claim.expires)}

    def _open_then(self, person: Person) -> str:
        """The opening hours of the day."""
        rules, day = self._asked.rulebook.openings[person.site.id], wall_clock(self._interval.start, self._zone).date()
        return ", ".join(self._span(span) for span in weekly_spans(rules, day, self._zone))

    def _alone(self) -> tuple[Reason, Facts]:
        asked = self._asked
        wanted = ["/".join(role) or "-" for role in asked.offer.partners]
        unknown = sum(one in self._scene.distrusted for one in asked.helpers)
        return Reason.NO_PARTNER, {"wanted": ", ".join(wanted), "unknown": str(unknown)}

    def _kept(self) -> tuple[Reason, Facts]:
        reserve, asked = self._asked.offer.reserve, self._asked
        assert reserve is not None, "only an offer with a reserve keeps any time"
        meeting = (epoch(self._interval.start), epoch(self._interval.end))
        until = released(reserve, self._scene.grid, asked.now, self._zone, meeting)
        return Reason.RESERVED, {"until": zulu(moment(until)), "until_wall": self._wall(until)}

    def _cap(self, person: Person) -> tuple[Reason, Facts]:
        at = epoch(self._interval.start)
        minutes = self._asked.offer.minutes[self._form]
        for cap in caps_of(self._asked.offer, person.policy):
            used = sum(
                cap.weight(item)
                for item in self._scene.taken
                if cap.counts(item, person.id)
                and period(item.start, cap.weekly, self._zone) == period(at, cap.weekly, self._zone)
            )
            if not cap.allows(used, minutes):
                break
        each = ("week", "uge") if cap.weekly else ("day", "dag")
        unit = ("minutes", "minutter") if cap.timed else ("meetings", "møder")
        return Reason.CAP, {
            "most": str(cap.most),
            "number": str(used),
            "unit": unit[0],
            "unit_da": unit[1],
            "period": each[0],
            "period_da": each[1],
            "offer": cap.offer,
        }

    def _no_room(self, person: Person) -> tuple[Reason, Facts]:
        rooms = [room for room in self._asked.directory.rooms.values() if room.site == person.site.id]
        suitable = {room.id for room in rooms if rank.suits(room, self._asked.offer.room_for(self._form))}
        usable = {each.room.id for each in self._scene.halls}
        return Reason.NO_ROOM, {"suitable": str(len(suitable)), "unknown": str(len(suitable - usable))}

    def _wall(self, at: int) -> str:
        return f"{wall_clock(moment(at), self._zone):%Y-%m-%d %H:%M}"

    def _span(self, span: Span) -> str:
        """From and to on the site's clocks; the date only where it differs from the meeting's."""
        day = wall_clock(self._interval.start, self._zone).date()
        walls = [wall_clock(moment(at), self._zone) for at in span]
        return "–".join(f"{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d %H:%M}" for at in walls)


def distrust(status: MailboxStatus | None, now: datetime, max_age: timedelta) -> Reason:
    """Why the mirror of a mailbox is not believed, in the order of `syncd.model.mirror.trust`."""
    if status is None or status.as_of is None or status.covered is None:
        return Reason.NEVER_READ
    if status.refused:
        return Reason.REFUSED_LOSS
    if status.unreadable:
        return Reason.UNREADABLE
    if not status.as_of <= now + timedelta(minutes=1) or now >= status.as_of + max_age:
        return Reason.STALE
    return Reason.NOT_COVERED


def _firmest(claim: ClaimFields) -> tuple[bool, int]:
    """Booked meetings come before holds."""
    return claim.expires is not None, claim.start


def best(verdicts: Iterable[Verdict]) -> Verdict:
    """Of one verdict per form the one that got furthest."""
    order = list(Reason)
    return max(verdicts, key=lambda verdict: (verdict.offered, order.index(verdict.reason)))
