"""What must be true when the world has come to rest; it reads the calendars and the database, and trusts neither."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from sqlalchemy import func, select

from syncd.booking import texts
from syncd.booking.take import with_buffers
from syncd.model.booking import BookingState, Meeting, RoomState
from syncd.model.entry import EntryDraft
from syncd.model.event import EventKind
from syncd.model.task import TaskKind
from syncd.store.instants import moment
from syncd.store.meeting_rows import meeting
from syncd.store.outward_tables import EventRow
from syncd.store.tables import ClaimRow, MeetingRow
from tests.simulation import town
from tests.simulation.world import PEOPLE, ROOMS, Story, World

_ALL = select(*MeetingRow.__table__.c).order_by(MeetingRow.id)
_ONCE = (EventKind.BOOKING_MADE.value, EventKind.BOOKING_CANCELLED.value)
_TOLD = (
    select(EventRow.booking, EventRow.kind, func.count())
    .where(EventRow.kind.in_(_ONCE))
    .group_by(EventRow.booking, EventRow.kind)
    .having(func.count() > 1)
)
_CLAIMED = select(ClaimRow.mailbox, ClaimRow.start, ClaimRow.end).where(ClaimRow.active)


def judge(world: World) -> list[str]:
    """Every broken promise, in words; empty when all were kept."""
    found = [*world.broken]
    found += [problem for story in world.stories.values() for problem in _story(world, story)]
    meetings = [meeting for meeting in _meetings(world) if meeting.wanted]
    return [*found, *_calendars(world, meetings), *_overlaps(meetings), *_closed(world, meetings), *_told_twice(world)]


def _story(world: World, story: Story) -> Iterator[str]:
    name = f"{story.booking}:"
    meeting = world._known(story)
    if meeting is None or meeting.desired_generation == 0:
        yield f"{name} stands in a calendar, but nobody took it up again"
        return
    state = world.state(story)
    ended = state is BookingState.CANCELLED
    if story.must_end is True and not ended:
        yield f"{name} was cancelled or removed, but is {state}"
    if story.must_end is False and ended:
        yield f"{name} ACKNOWLEDGED AND LOST"
    if ended:
        return
    if state is not BookingState.CONFIRMED or not meeting.wanted or not meeting.settled:
        yield (
            f"{name} did not come to rest: {state}, generation {meeting.desired_generation} of which"
            f" {meeting.applied_generation} applied, {meeting.attention}"
        )
    if meeting.interval not in story.allowed:
        allowed = ", ".join(f"{time.start:%d %H:%M}" for time in sorted(story.allowed))
        yield f"{name} A HUMAN'S OR CITIZEN'S TIME REVERSED: {meeting.interval.start:%d %H:%M}, expected {allowed}"
    yield from _stands(world, meeting, name)
    yield from _claims(world, meeting, name)


def _stands(world: World, meeting: Meeting, name: str) -> Iterator[str]:
    for mailbox in [meeting.caseworker, *([meeting.room] if meeting.room else [])]:
        entries = world.office.entries(mailbox, meeting)
        if len(entries) != 1:
            yield f"{name} stands {len(entries)} times in {mailbox}"
        if any(entry.interval != meeting.interval for entry in entries):
            yield f"{name} stands in {mailbox} at another time"
    if meeting.room and (meeting.room, meeting.uid) in world.server.declined:
        yield f"{name} is left in {meeting.room}, which declined it"
    if meeting.form == "in-person" and meeting.room is None and meeting.room_state is not RoomState.MISSING:
        yield f"{name} lost its room and nobody was told"


def _claims(world: World, meeting: Meeting, name: str) -> Iterator[str]:
    """Its time is claimed where it is, or given away again."""
    padded = with_buffers(meeting.interval, meeting.before, meeting.after)
    with world.office.store.read() as tx:
        claims = {claim.mailbox: claim for claim in tx.meetings.claims(meeting.id)}
    person = claims.get(meeting.caseworker)
    if person is None or person.interval != padded or not (person.active or meeting.conflict):
        yield f"{name} does not claim its time with {meeting.caseworker}"
    if meeting.room and (meeting.room not in claims or not claims[meeting.room].active):
        yield f"{name} does not claim {meeting.room}"


def _calendars(world: World, meetings: list[Meeting]) -> Iterator[str]:
    """No entry of ours stands where none should."""
    wanted = {(box, meeting.uid) for meeting in meetings for box in (meeting.caseworker, meeting.room) if box}
    for mailbox in (*PEOPLE, *ROOMS):
        for thing in world.server.inner._calendar(mailbox).things.values():
            draft = thing.draft
            if draft is None or (mailbox, draft.uid) in wanted:
                continue
            if not _asked(world, mailbox, draft) and not _brought_back(world, mailbox, draft):
                yield f"a GHOST of {draft.uid} stands in {mailbox}"


def _asked(world: World, mailbox: str, draft: EntryDraft) -> bool:
    """Whether it was forgotten by the database and by people's calendars, and a person was asked about it."""
    if mailbox not in ROOMS:
        return False
    with world.office.store.read() as tx:
        known = tx.meetings.get(draft.stamp.meeting)
        asked = {task.about for task in tx.tasks.waiting(TaskKind.ENTRY_WITHOUT_MEETING)}
    return (known is None or known.desired_generation == 0) and f"meeting:{draft.stamp.meeting}" in asked


def _brought_back(world: World, mailbox: str, draft: EntryDraft) -> bool:
    """Whether its owner had deleted it there, her calendar was restored, and a person was asked about it."""
    stories = [story for story in world.stories.values() if story.meeting == draft.stamp.meeting]
    deleted = any("deleted plain" in line for story in stories for line in story.log)
    if mailbox not in PEOPLE or mailbox not in world.restored or not deleted:
        return False
    return texts.BROUGHT_BACK in (world.office.meeting(draft.stamp.meeting).attention or "")


def _overlaps(meetings: list[Meeting]) -> Iterator[str]:
    """Only a human makes two meetings overlap, and then it is flagged; rooms never."""
    for one, other in combinations(meetings, 2):
        if not one.interval.overlaps(other.interval):
            continue
        if one.caseworker == other.caseworker and not (one.conflict or other.conflict):
            yield f"{one.id} and {other.id} OVERLAP with {one.caseworker}"
        if one.room is not None and one.room == other.room:
            yield f"{one.id} and {other.id} OVERLAP in {one.room}"


def _closed(world: World, meetings: list[Meeting]) -> Iterator[str]:
    """Nobody is left in a room that cannot be used, unless staff pinned the meeting there."""
    with world.office.store.read() as tx:
        pinned = tx.rooms.pinned([meeting.id for meeting in meetings])
        closures = tx.meetings.closures(ROOMS, town.COVERED)
    for one in meetings:
        closed = closures[one.room] if one.room and one.id not in pinned else []
        if any(one.interval.overlaps(span) for span in closed):
            yield f"{one.id} is left in {one.room}, which is closed"


def _told_twice(world: World) -> Iterator[str]:
    """Of one booking the outside hears once that it was made, and once that it was cancelled."""
    with world.office.store.read() as tx:
        for booking, kind, number in tx.session.execute(_TOLD):
            yield f"{booking} WAS TOLD {number} TIMES to be {kind}"


def _meetings(world: World) -> list[Meeting]:
    """Every meeting of the database, whoever remembers it."""
    with world.office.store.read() as tx:
        rows = tx.session.execute(_ALL)
        return [meeting(row) for row in rows]


def claimed_twice(world: World) -> Iterator[str]:
    """At each step: active claims never overlap, whatever happened."""
    with world.office.store.read() as tx:
        rows = tx.session.execute(_CLAIMED).all()
    for (mailbox, start, end), (other, other_start, other_end) in combinations(rows, 2):
        if mailbox == other and start < other_end and other_start < end:
            yield f"two meetings claim {mailbox} at {moment(start):%d %H:%M}"
