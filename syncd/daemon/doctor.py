"""Everything that is known of one booking or mailbox, with people masked, ready to be pasted into a ticket."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from syncd import __version__
from syncd.daemon.parts import Parts
from syncd.daemon.servers import kept
from syncd.errors import SyncdError
from syncd.model.booking import Meeting
from syncd.model.interval import Interval
from syncd.model.mirror import trust
from syncd.observe.logs import CPR
from syncd.store import Tx
from syncd.store.history import Step, steps_of
from syncd.store.overview import meeting_named, owed
from syncd.store.pauses import paused

ADDRESS = re.compile(r"[^\s@<>()\"',;/]+@[^\s@<>()\"',;/]+")


class Mask:
    """Hides who people are; the same person has the same name in one report, and another in the next installation's."""

    def __init__(self, parts: Parts, installation: str) -> None:
        self._key = installation.encode()
        people = parts.directory.caseworkers.values()
        words = {word for one in people for word in (one.id, one.name, one.mailbox.address)}
        self._ids = {one.id for one in people}
        self._named = {word.casefold(): self._code(word) for word in words}
        same = {one.name.casefold(): one.id for one in people} | {one.mailbox.address: one.id for one in people}
        self._named |= {word: self._code(id) for word, id in same.items()}
        longest = sorted(map(re.escape, words), key=len, reverse=True)
        self._known = re.compile(rf"(?<![\w-])(?:{'|'.join(longest)})(?![\w-])", re.IGNORECASE) if longest else None

    def mailbox(self, id: str | None) -> str | None:
        """A mailbox: rooms as they are, people by a code."""
        return self._code(id) if id in self._ids and id is not None else id

    def actor(self, actor: str) -> str:
        """Who did it: clients and syncd as they are, users of the machine and calendars masked."""
        kind, _, name = actor.partition(":")
        return actor if kind in ("syncd", "client") else f"{kind}:{self.mailbox(name) if kind == 'calendar' else '*'}"

    def text(self, text: str | None) -> str | None:
        """A sentence without names, addresses and numbers of people."""
        if text is None:
            return None
        known = self._known.sub(lambda found: self._named[found.group().casefold()], text) if self._known else text
        return CPR.sub("[cpr]", ADDRESS.sub("[address]", known))

    def _code(self, id: str) -> str:
        return f"caseworker-{blake2b(id.encode(), key=self._key[:64], digest_size=3).hexdigest()}"


def examine(parts: Parts, named: str, now: datetime) -> dict[str, Any]:
    """The report about *named*: a caseworker's or room's id, a booking's or meeting's id, or a reference code.

    :raises SyncdError: nothing has that name.
    """
    with parts.store.read() as tx:
        mask = Mask(parts, tx.settings.installation())
        if named in parts.directory.mailboxes:
            about = {"mailbox": _mailbox(parts, tx, named, now, mask)}
        elif (meeting := meeting_named(tx.session, named)) is not None:
            about = {"meeting": _meeting(tx, meeting, mask)}
        else:
            raise SyncdError(f"Neither a mailbox nor a booking is called {named!r}. Nothing was looked at.")
        return {"syncd": _program(parts, tx, now), **about}


def _program(parts: Parts, tx: Tx, now: datetime) -> dict[str, Any]:
    debt, pause, store = owed(tx.session, now), paused(tx.settings), parts.store
    return {
        "version": __version__,
        "python": platform.python_version(),
        "now": now,
        "database": "SQLite" if store.sqlite else "PostgreSQL",
        "layout": store.revision(),
        "generation": tx.settings.generation(),
        "rules": parts.rulebook.within(tx).number,
        "owed": debt.pending,
        "oldest_owed_seconds": round(debt.oldest_seconds),
        "writes_stopped": parts.reconciler.brake() is not None,
        "maintenance_since": pause.since if pause else None,
    }


def _mailbox(parts: Parts, tx: Tx, id: str, now: datetime, mask: Mask) -> dict[str, Any]:
    box, status = parts.directory.mailboxes[id], tx.mailboxes.status(id)
    config = parts.config
    trusted = trust(status, now, timedelta(seconds=config.sync.max_age_seconds), Interval.at(now, 1))
    server = kept(tx, box.account)
    return {
        "mailbox": mask.mailbox(id),
        "kind": box.kind.value,
        "adapter": config.calendars[box.account].adapter,
        "server": dict(server.facts) if server else None,
        "trusted": trusted.open,
        "closed_because": mask.text(trusted.reason) or None,
        "read": status.as_of if status else None,
        "compared_whole": status.full_at if status else None,
        "covered_until": status.covered.end if status and status.covered else None,
        "problem": mask.text(status.problem) if status else None,
        "problem_since": status.problem_since if status else None,
        "attempts": status.attempts if status else 0,
        "next_try": status.retry_at if status else None,
        "unreadable": [
            {"reason": mask.text(one.reason), "sha256": one.digest, "acknowledged": one.acknowledged}
            for one in tx.mailboxes.unreadable(id)
        ],
        "tasks": _tasks(tx, id, mask),
    }


def _meeting(tx: Tx, id: str, mask: Mask) -> dict[str, Any]:
    meeting = tx.meetings.get(id)
    assert meeting is not None
    bookings = tx.bookings.of(id)
    return {
        **_state(meeting, mask),
        "bookings": [{"id": one.id, "state": one.state.value} for one in bookings],
        "entries": [
            {
                "mailbox": mask.mailbox(one.mailbox),
                "wanted": one.wanted,
                "written": one.key is not None,
                "missing_since": one.missing_since,
            }
            for one in tx.meetings.entries(id)
        ],
        "history": _history(steps_of(tx.session, id, [one.id for one in bookings]), mask),
        "tasks": _tasks(tx, id, mask),
    }


def _state(meeting: Meeting, mask: Mask) -> dict[str, Any]:
    return {
        "meeting": meeting.id,
        "offer": meeting.offer,
        "form": meeting.form.value,
        "from": meeting.interval.start,
        "to": meeting.interval.end,
        "caseworker": mask.mailbox(meeting.caseworker),
        "room": meeting.room,
        "room_state": meeting.room_state.value,
        "wanted": meeting.wanted,
        "desired_generation": meeting.desired_generation,
        "applied_generation": meeting.applied_generation,
        "attempts": meeting.attempts,
        "owed_since": meeting.owed_since,
        "attention": mask.text(meeting.attention),
        "conflict": meeting.conflict,
    }


def _history(steps: Sequence[Step], mask: Mask) -> list[Mapping[str, Any]]:
    return [{"at": one.at, "who": mask.actor(one.actor), "what": one.action} for one in steps]


def _tasks(tx: Tx, about: str, mask: Mask) -> list[Mapping[str, Any]]:
    mine = [one for one in tx.tasks.waiting() if about in one.about]
    return [{"kind": one.kind.value, "since": one.since, "says": mask.text(one.en)} for one in mine]
