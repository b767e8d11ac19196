"""What must stand in calendars for a meeting, and the carrying out of decided steps: the only writer to ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from syncd.booking import body, texts
from syncd.booking.beside import beside_draft
from syncd.booking.decide import seen
from syncd.booking.invited import inviting, waiting
from syncd.booking.sight import Remove, Step, Write
from syncd.errors import CalendarError, OutcomeUnknown, Transient, VersionConflict
from syncd.model.booking import EntryRecord, Meeting, RoomState
from syncd.model.busy import Stamp
from syncd.model.directory import Directory, Mailbox, MailboxId, MailboxKind, Room
from syncd.model.entry import Entry, EntryDraft, Resource, same_time, stamped
from syncd.model.offer import Form
from syncd.observe import metrics
from syncd.points import passing
from syncd.ports import CalendarPort


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of the steps.

    :param records: what is known of each calendar whose steps all succeeded.
    :param repairs: writes that only repaired what was right before.
    :param failures: the error per calendar that did not answer as wished.
    :param linkless: a link to meet by was asked for, and the answer has none.
    """

    records: tuple[EntryRecord, ...]
    repairs: int
    failures: Mapping[MailboxId, CalendarError]
    linkless: bool = False

    @property
    def unknown(self) -> bool:
        """Whether some outcome must be looked up before anything is tried again."""
        return any(isinstance(error, OutcomeUnknown | VersionConflict) for error in self.failures.values())


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says of the room.

    :param announced: people were told it. :param before: the room they were told before this one.
    :param changing: the old one is given back and the next one not free yet: the meeting passes through no room.
    """

    announced: bool = False
    before: MailboxId | None = None
    changing: bool = False


def places(meeting: Meeting) -> tuple[MailboxId, ...]:
    """The calendars the meeting should stand in; a note beside an event stands in its caseworker's too."""
    if not meeting.wanted:
        return ()
    return meeting.people if meeting.room is None else (*meeting.people, meeting.room)


def draft(
    meeting: Meeting,
    mailbox: Mailbox,
    directory: Directory,
    title: Mapping[str, str],
    installation: str,
    bookings: Sequence[str] = (),
    number: str = "",
    told: Told | None = None,
) -> EntryDraft:
    """What should stand in *mailbox* for *meeting*, stamped with the digest of its own content.

    :param title: the offer's title by language.
    :param bookings: ids of its bookings, for links to the case system.
    :param number: whom to call, for a talk by telephone; empty when that is not for the calendar to say.
    :param told: what is said of its room; None: that it can change.
    """
    told = told or Told()
    stamp = Stamp(installation, meeting.id, meeting.desired_generation, "")
    if mailbox.kind is MailboxKind.ROOM:
        return stamped(EntryDraft(meeting.uid, meeting.interval, meeting.zone, texts.ROOM_SUBJECT, "", "", stamp))
    if meeting.beside is not None:
        return beside_draft(meeting, directory, stamp, announced=told.announced)
    room = directory.rooms.get(meeting.room) if meeting.room else None
    state = RoomState.MISSING if meeting.room_state is RoomState.MISSING else RoomState.PENDING
    before = directory.rooms.get(told.before) if told.before else None
    around = body.Around(
        title=title,
        reception=_reception(mailbox, directory),
        cases=body.case_links(directory.case_url, meeting, bookings),
        support=directory.support,
        reach=number if meeting.form is Form.PHONE else directory.video(meeting.caseworker) or "",
        room_before=before.name if before else "",
    )
    return stamped(
        EntryDraft(
            uid=meeting.uid,
            interval=meeting.interval,
            zone=meeting.zone,
            summary=body.subject(directory.language),
            description=body.description(directory.language, meeting, around),
            location=body.location(
                directory.language,
                meeting.form,
                room.name if room else None,
                state,
                announced=told.announced,
                changing=told.changing,
            ),
            stamp=stamp,
            categories=(directory.category,) if directory.category else (),
            online=meeting.form is Form.VIDEO and mailbox.id == meeting.caseworker and not around.reach,
            # One entry invites the room; those of further people only say where it is.
            room=_resource(room) if room and mailbox.id == meeting.caseworker and not told.changing else None,
        )
    )


def _resource(room: Room) -> Resource:
    return Resource(room.mailbox.address, room.name, room.mailbox.invited)


def _reception(mailbox: Mailbox, directory: Directory) -> str:
    """Where citizens report who come to the person of *mailbox*."""
    person = directory.caseworkers.get(mailbox.id)
    site = directory.sites.get(person.site) if person is not None else None
    return site.reception if site is not None else ""


def act(
    steps: Sequence[Step],
    records: Mapping[MailboxId, EntryRecord],
    directory: Directory,
    ports: Mapping[str, CalendarPort],
    allowed: Callable[[], bool] = lambda: True,
) -> Acted:
    """Carry out *steps* in order; a calendar that fails is left alone for this pass, the others go on.

    :param allowed: asked right before each; once another node may be at it, nothing more is written.
    """
    failures: dict[MailboxId, CalendarError] = {}
    known: dict[MailboxId, EntryRecord] = {}
    repairs = 0
    for step in steps:
        if step.mailbox in failures:
            continue
        try:
            if not allowed():
                raise Transient(texts.AWAY)
            record = _carry_out(step, records[step.mailbox], directory.mailboxes[step.mailbox], ports)
            known |= {} if record is None else {step.mailbox: record}
            passing("reconcile.wrote")
        except CalendarError as error:
            failures[step.mailbox] = error
            known.pop(step.mailbox, None)
        repairs += isinstance(step, Write) and step.repair
    wished = {step.mailbox for step in steps if isinstance(step, Write) and step.draft.online}
    linkless = any(record.link == "" for mailbox, record in known.items() if mailbox in wished)
    return Acted(tuple(known.values()), repairs, failures, linkless)


def _carry_out(
    step: Step, record: EntryRecord, mailbox: Mailbox, ports: Mapping[str, CalendarPort]
) -> EntryRecord | None:
    """Do one step; what is known afterwards, or None when a surplus copy went and the right one stays.

    :raises VersionConflict: something else stands there than was written.
    :raises Transient: it is a room that was invited, and shall answer first.
    """
    port = ports[mailbox.account]
    if (room := inviting(ports, mailbox)) is not None:
        raise waiting(room, mailbox)
    if isinstance(step, Remove):
        with metrics.remote(mailbox.account, "delete"):
            port.delete(mailbox, step.entry)
        metrics.DUPLICATES.inc(record.wanted)
        return None if record.wanted else EntryRecord(mailbox.id, wanted=False, missing_since=step.hers)
    entry = _write(port, mailbox, step)
    written = step.draft.stamp
    kept = entry.stamp is None or entry.stamp == written
    if not kept or not same_time(entry.digest, written.digest):
        # An older copy was there already, or a human was faster: the next look will tell which.
        raise VersionConflict("The calendar holds something else than was just written; it is looked at again.")
    return seen(record, entry, written=written.generation)


def _write(port: CalendarPort, mailbox: Mailbox, step: Write) -> Entry:
    if step.entry is None:
        with metrics.remote(mailbox.account, "create"):
            return port.create(mailbox, step.draft)
    # Colours and marks that the caseworker gave it, or took away, are hers.
    with metrics.remote(mailbox.account, "update"):
        return port.update(mailbox, step.entry, replace(step.draft, categories=step.entry.categories))
