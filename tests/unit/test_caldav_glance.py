"""One look at a calendar home: it may fail to say "unchanged", but never says it wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.adapters.caldav.changes import Token
from syncd.adapters.caldav.client import CaldavAccount, Client
from syncd.adapters.caldav.discovery import Discovery, Place
from syncd.adapters.caldav.glance import Glance
from syncd.adapters.caldav.multistatus import parse
from syncd.errors import AccessDenied, CalendarError, Transient
from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from tests.contract.calendar_contract import WINDOW

NAMES = ("anna", "bo")
ROW = (
    "<D:response><D:href>/home/{}/</D:href><D:propstat><D:prop><S:getctag>{}</S:getctag>"
    "<D:sync-token>{}</D:sync-token></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)


class Scripted(Client):
    """Answers a look with these marks: name to CTag and sync-token."""

    def __init__(self) -> None:
        super().__init__(CaldavAccount("main", "https://host/home/"))
        self.marks: dict[str, tuple[str, str]] = {}
        self.error: CalendarError | None = None
        self.asked: list[bytes] = []

    def multistatus(self, method: str, url: str, body: bytes, depth: str = "0") -> Any:
        self.asked.append(body)
        if self.error:
            raise self.error
        rows = "".join(ROW.format(name, *marks) for name, marks in self.marks.items())
        head = '<D:multistatus xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/">'
        return parse(f"{head}{rows}</D:multistatus>".encode()), None


@pytest.fixture
def client() -> Scripted:
    return Scripted()


@pytest.fixture
def glance(client: Scripted) -> Glance:
    return Glance(client, Discovery(client))


def asked(ctag: str | None = None, sync: str | None = "t0", window: Interval = WINDOW):
    """Both mailboxes as they stood when last read."""
    boxes = [Mailbox(n, MailboxKind.PERSON, "main", f"{n}@x.test", "UTC", f"/home/{n}/") for n in NAMES]
    places = [Place.at(f"https://host/home/{n}/") for n in NAMES]
    return [
        (box, Since(Token(place.mark, ctag, sync).encode(), window)) for box, place in zip(boxes, places, strict=True)
    ]


def test_equal_ctags_and_equal_tokens_mean_unchanged(client, glance):
    client.marks = {"anna": ("c0", "-"), "bo": ("c1", "-")}
    assert glance.unchanged(asked(ctag="c0")) == {"anna"}

    client.marks = {"anna": ("x", "t1"), "bo": ("y", "t0")}
    assert glance.unchanged(asked()) == {"bo"}


def test_a_calendar_that_is_not_listed_must_be_read(client, glance):
    client.marks = {"anna": ("c0", "t0")}

    assert glance.unchanged(asked(ctag="c0")) == {"anna"}


def test_only_ctags_are_asked_for_where_they_suffice(client, glance):
    client.marks = {"anna": ("c0", "t0"), "bo": ("c0", "t0")}
    for _ in range(3):
        assert glance.unchanged(asked()) == {"anna", "bo"}
    glance.unchanged(asked(ctag="c0"))

    assert [b"sync-token" in body for body in client.asked] == [True, True, False, False]


def test_a_change_between_the_two_marks_of_one_answer_is_not_lost(client, glance):
    # The token was computed first, then somebody changed the calendar, then the CTag was computed.
    client.marks = {"anna": ("c1", "t0"), "bo": ("c0", "t0")}
    glance.unchanged(asked())

    client.marks["anna"] = ("c1", "t1")
    assert glance.unchanged(asked()) == {"bo"}


def test_a_ctag_seen_before_a_reading_is_handed_over_once(client, glance):
    client.marks = {"anna": ("c1", "t1"), "bo": ("c0", "t0")}
    glance.unchanged(asked())
    anna = Place.at("https://host/home/anna/")

    assert glance.take(anna) == "c1"
    assert glance.take(anna) is None


def test_a_server_in_trouble_says_nothing_and_is_asked_again(client, glance):
    client.marks = {"anna": ("c0", "t0"), "bo": ("c0", "t0")}
    client.error = Transient("down")
    assert glance.unchanged(asked()) == frozenset()

    client.error = None
    assert glance.unchanged(asked()) == {"anna", "bo"}


def test_a_home_that_is_not_ours_to_list_is_asked_once(client, glance):
    client.error = AccessDenied("no")

    assert glance.unchanged(asked()) == frozenset()
    assert glance.unchanged(asked()) == frozenset()
    assert len(client.asked) == 1


def test_one_calendar_alone_is_not_worth_a_look(client, glance):
    assert glance.unchanged(asked()[:1]) == frozenset()
    assert client.asked == []
