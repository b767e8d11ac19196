"""What to do about one meeting, given what its calendars hold now: pure, level-triggered, nothing remembered.

How an entry is told apart (architecture, decision 5):

* our stamp, content as last seen: untouched;
* our stamp, generation as last seen (or newer than that), another time: a human's hand, which stands;
* our stamp, another wording: a human's too; respected, not followed;
* our stamp, a generation older than last seen: a late write of ours or a restored calendar; repaired;
* our stamp, and it repeats: a human made a series of it, which is hers; a person is told;
* our stamp, a generation newer than wanted: the database was restored; the calendar is right;
* somebody else's stamp: another installation's; never touched;
* our stamp under another UID, where a server tells, beside the entry that we know: a human's copy, which is hers;
* our stamp, in a calendar whose owner had removed it: she brought it back; it stays, and a person is told;
* no stamp under our UID: a program dropped it; ours all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncd.booking import texts
from syncd.booking.sight import (
    Decision,
    Limits,
    Moved,
    Newer,
    Remove,
    RoomTaken,
    Sighting,
    Step,
    Verdict,
    Withdrawn,
    Write,
    days_since_1970,
)
from syncd.model.booking import EntryRecord, Meeting
from syncd.model.directory import MailboxKind
from syncd.model.entry import Entry, EntryDraft, same_text, same_time

_FIRST_SETTLE = (Newer, Moved, Withdrawn, RoomTaken)
"""Verdicts by weight: a restored database before a human's hand, the meeting's time before its room."""


def decide(
    meeting: Meeting, sightings: Sequence[Sighting], installation: str, now: datetime, limits: Limits
) -> Decision:
    """What must happen so that the calendars and *meeting* agree.

    :param sightings: one per calendar the meeting should be in or must be cleaned from.
    :param installation: our random id, to know our own stamps.
    """
    looks = [_look(meeting, sighting, installation, now, limits) for sighting in sightings]
    verdicts = [look.verdict for look in looks if look.verdict is not None]
    if any(isinstance(verdict, Newer) for verdict in verdicts) and not _persons_seen(sightings):
        return _not_yet(looks)
    if verdicts:
        return Decision(verdict=min(verdicts, key=_weight), records=_records(looks))
    steps = sorted((step for look in looks for step in look.steps), key=lambda step: _order(step, sightings))
    return Decision(
        steps=tuple(steps),
        records=_records(looks),
        unread=tuple(mailbox for look in looks for mailbox in look.unread),
        waiting=any(look.waiting for look in looks),
        behind=any(look.behind for look in looks),
        linkless=any(look.linkless for look in looks),
        attention=tuple(dict.fromkeys(sentence for look in looks for sentence in look.attention)),
    )


def _look(meeting: Meeting, sight: Sighting, installation: str, now: datetime, limits: Limits) -> Decision:
    """The decision for one calendar alone."""
    if sight.entries is None:
        return Decision(unread=(sight.mailbox,))
    ours = [entry for entry in sight.entries if _is_ours(entry, meeting, installation)]
    series = any(entry.series for entry in ours)
    if sight.draft is not None and series:
        return Decision(attention=(texts.SERIES,))  # where she put the first of its dates it does not tell
    if newer := [entry for entry in ours if _generation(entry) > meeting.desired_generation]:
        return Decision(verdict=_newer(sight, max(newer, key=_generation)))
    if sight.draft is None:
        stays = series or (sight.record.hers and sight.kind is MailboxKind.PERSON)
        return _let_stand(meeting, sight, ours, now) if stays else _clean(sight, ours, now)
    if not ours and sight.entries:
        return Decision(attention=(texts.FOREIGN,))
    ours = [entry for entry in ours if entry not in _copies(sight, ours)]
    standing = [entry for entry in ours if not entry.cancelled]
    if not standing:
        return _absent(sight, sight.draft, now, limits)
    keeper = max(standing, key=lambda entry: _claim(entry, sight.record))
    surplus = tuple(Remove(sight.mailbox, entry) for entry in ours if entry is not keeper)
    found = _present(meeting, sight, sight.draft, keeper, now, limits)
    return replace(found, steps=(*surplus, *found.steps))


def _persons_seen(sightings: Sequence[Sighting]) -> bool:
    """Whether no calendar of a person may hide the meeting: it was read, and what was ever seen there is there."""
    people = [sight for sight in sightings if sight.kind is MailboxKind.PERSON and sight.draft is not None]
    return not any(sight.entries is None or (sight.record.generation and not sight.entries) for sight in people)


def _not_yet(looks: Sequence[Decision]) -> Decision:
    """The database was restored, and the calendar that knows the time was not seen: nothing is written over it.

    What was missed twice is believed, as ever.
    """
    gone = next((look.verdict for look in looks if isinstance(look.verdict, Withdrawn)), None)
    unread = tuple(mailbox for look in looks for mailbox in look.unread)
    return Decision(verdict=gone, records=_records(looks), unread=() if gone else unread, waiting=gone is None)


def _is_ours(entry: Entry, meeting: Meeting, installation: str) -> bool:
    stamp = entry.stamp
    return stamp is None or (stamp.installation == installation and stamp.meeting == meeting.id)


def _generation(entry: Entry) -> int:
    return entry.stamp.generation if entry.stamp else 0


def _claim(entry: Entry, record: EntryRecord) -> tuple[int, bool, bool, str]:
    """How strongly a copy deserves to be the one that stays: newest, touched by a human, known, last by name."""
    return _generation(entry), not same_time(entry.digest, _base(entry, record)), entry.key == record.key, entry.key


def _newer(sight: Sighting, entry: Entry) -> Newer:
    says = entry.interval if sight.kind is MailboxKind.PERSON and sight.draft else None
    return Newer(sight.mailbox, _generation(entry), says, entry)


def _copies(sight: Sighting, ours: Sequence[Entry]) -> list[Entry]:
    """Copies that a human made, while what they were made of stands: appointments of her own."""
    if sight.kind is not MailboxKind.PERSON or not any(_known(entry, sight) for entry in ours):
        return []
    return [entry for entry in ours if entry.copy]


def _known(entry: Entry, sight: Sighting) -> bool:
    return entry.key == sight.record.key and not (entry.cancelled or entry.copy)


def _clean(sight: Sighting, ours: Sequence[Entry], now: datetime) -> Decision:
    """Nothing of ours should stand here."""
    copies = _copies(sight, ours)
    hers = now if copies else None
    if gone := [entry for entry in ours if entry not in copies]:
        return Decision(steps=tuple(Remove(sight.mailbox, entry, hers) for entry in gone))
    return Decision(records=(EntryRecord(sight.mailbox, wanted=False),))


def _let_stand(meeting: Meeting, sight: Sighting, ours: Sequence[Entry], now: datetime) -> Decision:
    """Nothing of ours should stand here, and what does is hers; a person is told while the meeting is to come."""
    told = {_of_hers(entry) for entry in ours if meeting.interval.end > now} - {None}
    record = EntryRecord(sight.mailbox, wanted=False, missing_since=sight.record.missing_since or now)
    return Decision(records=(record,), attention=tuple(sorted(text for text in told if text)))


def _of_hers(entry: Entry) -> str | None:
    """What to say of an entry that is hers; nothing of a copy, or of one marked as cancelled."""
    if entry.series:
        return texts.SERIES_STAYS
    return None if entry.cancelled or entry.copy else texts.BROUGHT_BACK


def _absent(sight: Sighting, draft: EntryDraft, now: datetime, limits: Limits) -> Decision:
    """It should stand here and does not (or was marked as cancelled)."""
    record = sight.record
    cancelled = sight.entries[0] if sight.entries else None
    since = record.missing_since
    if record.generation == 0 and since is None and cancelled is None:
        if sight.behind:
            return Decision(behind=True)
        return Decision(steps=(Write(sight.mailbox, draft, None),))  # never seen here: our write is still owed
    if since is None:
        return Decision(records=(replace(record, missing_since=now),), waiting=True)
    # One look can be wrong (a truncated answer, a server half restored), so a second one must agree, and the mirror.
    if now - since < limits.second_look or not (sight.gone or cancelled):
        return Decision(records=(record,), waiting=True)
    if sight.kind is MailboxKind.PERSON:
        return Decision(verdict=Withdrawn(sight.mailbox))
    return Decision(verdict=RoomTaken(sight.mailbox))


def _present(
    meeting: Meeting, sight: Sighting, draft: EntryDraft, entry: Entry, now: datetime, limits: Limits
) -> Decision:
    """It stands here: as we left it, as a human changed it, or outdated."""
    record = sight.record
    late = entry.stamp is not None and entry.stamp.generation < record.generation
    if (
        not late
        and not same_time(entry.digest, _base(entry, record))
        and not same_time(entry.digest, draft.stamp.digest)
    ):
        return _touched(sight, entry)
    if sight.kind is MailboxKind.ROOM and entry.room_answer == "DECLINED":
        # To an earlier entry of our own that still stands there: that is no answer.
        return Decision(behind=True) if sight.behind else Decision(verdict=RoomTaken(sight.mailbox, declined=True))
    # Each generation is written everywhere, so that what a restored calendar brings back is known to be old.
    if (
        _generation(entry) == meeting.desired_generation
        and entry.stamp
        and _as_wanted(draft, entry, entry.stamp.digest)
    ):
        return Decision(records=(seen(record, entry),), linkless=draft.online and entry.link == "")
    return _rewrite(meeting, sight, draft, entry, now, limits)


def _touched(sight: Sighting, entry: Entry) -> Decision:
    """A human moved it."""
    if sight.kind is MailboxKind.ROOM:
        return Decision(verdict=RoomTaken(sight.mailbox))
    if entry.interval is None:
        return Decision(attention=(texts.NO_TIME,))
    return Decision(verdict=Moved(sight.mailbox, entry.interval, entry))


def _base(entry: Entry, record: EntryRecord) -> str:
    """What stood there when we, and nobody else, had last to do with it."""
    if entry.stamp is None:
        return record.digest or entry.digest
    # Only of the copy we know do we remember more than its stamp: a surplus one must not look like a human's hand.
    known = record.key == entry.key and record.generation == entry.stamp.generation
    return record.digest if known and record.digest is not None else entry.stamp.digest


def _as_wanted(draft: EntryDraft, entry: Entry, written: str) -> bool:
    """Whether time is right, and the texts are ours or a human's improvement on what we still want to say."""
    wanted = draft.stamp.digest
    return same_time(entry.digest, wanted) and (same_text(written, wanted) or same_text(entry.digest, wanted))


def _rewrite(
    meeting: Meeting, sight: Sighting, draft: EntryDraft, entry: Entry, now: datetime, limits: Limits
) -> Decision:
    """It is outdated; a repair of what was right before is made only so often, for something fights us."""
    if sight.behind and draft.room is not None:
        return Decision(behind=True)
    repair = meeting.settled or sight.record.generation >= meeting.desired_generation
    spent = meeting.rewrites if meeting.rewrites_day == days_since_1970(now) else 0
    if repair and spent >= limits.repairs:
        if entry.stamp is None and _as_wanted(draft, entry, entry.digest):
            return Decision(records=(seen(sight.record, entry),))  # this server drops stamps; the rest is right
        return Decision(attention=(texts.FOUGHT_OVER,))
    return Decision(steps=(Write(sight.mailbox, draft, entry, repair),))


def seen(record: EntryRecord, entry: Entry, written: int = 0) -> EntryRecord:
    """The record after *entry* was seen and found right.

    :param written: the generation we just wrote, for servers that drop stamps.
    """
    generation = _generation(entry) or written or record.generation
    return replace(
        record,
        key=entry.key,
        version=entry.version,
        generation=generation,
        digest=entry.digest,
        missing_since=None,
        link=entry.link,
    )


def _records(looks: Sequence[Decision]) -> tuple[EntryRecord, ...]:
    return tuple(record for look in looks for record in look.records)


def _weight(verdict: Verdict) -> int:
    return _FIRST_SETTLE.index(type(verdict))


def _order(step: Step, sightings: Sequence[Sighting]) -> tuple[bool, bool, str]:
    """Removals first (give back before inviting), then the caseworker's calendar, then the room's."""
    kinds = {sight.mailbox: sight.kind for sight in sightings}
    return isinstance(step, Write), kinds[step.mailbox] is MailboxKind.ROOM, step.mailbox
