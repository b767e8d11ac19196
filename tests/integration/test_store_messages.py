"""The list of what citizens are told, on both databases: one takes a message, what is gone leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.message import Channel, Kind, Message, Progress, Said
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.citizen_messages import PATIENCE, CitizenMessages, Outcome
from syncd.store.erasure import erase
from syncd.store.instants import epoch
from syncd.store.message_tables import CitizenMessageRow, CitizenSilenceRow
from syncd.store.retention import Periods, sweep
from syncd.store.tables import BookingRow, ContactRow, MailboxRow
from tests.integration.test_store_retention import DAY, count, meeting, put
from tests.rough_server import NOW

AHEAD = NOW + 2 * DAY
SAID = Said(AHEAD - timedelta(hours=1), Form.IN_PERSON, "torvet")
FIRST = Message("b-ahead", 1, Kind.BOOKED, Channel.MAIL, SAID, Progress.WAITING, NOW)
SECOND = replace(FIRST, number=2, kind=Kind.REMINDER, channel=Channel.SMS)
BOTH = frozenset(Channel)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    """One meeting ahead whose citizen left a way to reach her, and one whose did not."""
    store = Store(migrated_url)
    put(store, MailboxRow, id="kim", kind="person", account="a")
    for name, end in (("ahead", AHEAD), ("nothing", AHEAD + DAY)):
        meeting(store, name, end, form="in-person", caseworker="kim", zone="Europe/Copenhagen")
    put(store, ContactRow, booking="b-ahead", key="k")
    yield store
    store.close()


def test_a_message_is_owed_once_taken_once_and_its_end_is_noted(store: Store) -> None:
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        assert ["b-ahead"] == [one.booking for one in messages.concerned(NOW)]
        assert (True, False) == (messages.owe(FIRST, NOW), messages.owe(FIRST, NOW))
        assert messages.owe(SECOND, NOW + DAY)
    with store.begin() as tx:
        taken = CitizenMessages(tx.session).take(NOW, BOTH)
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        assert replace(FIRST, progress=Progress.SENDING, attempts=1) == taken
        assert None is messages.take(NOW, BOTH)
        assert None is messages.take(NOW + DAY, {Channel.MAIL})
        messages.withdraw(taken, NOW)
        messages.stand(taken, Outcome(Progress.WAITING, "451", NOW + timedelta(minutes=1)), NOW)
        assert (1, 1, 2) == tuple(messages.waiting(NOW + n * timedelta(minutes=1)) for n in (0, 1, 1440))
        again = messages.take(NOW + timedelta(minutes=1), BOTH)
        assert again is not None
        messages.stand(again, Outcome(Progress.SENT), NOW)
        messages.withdraw(SECOND, NOW)
    with store.read() as tx:
        told = CitizenMessages(tx.session).told(NOW)

    assert [Progress.SENT, Progress.WITHDRAWN] == [one.progress for one in told["b-ahead"]]
    assert [2, 0] == [one.attempts for one in told["b-ahead"]]


def test_what_was_broken_off_is_unknown_and_told_once(store: Store) -> None:
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        messages.owe(FIRST, NOW)
        messages.take(NOW, BOTH)
        early = messages.give_up(NOW + PATIENCE)
        lost, again = (messages.give_up(NOW + PATIENCE + DAY) for _ in range(2))

    assert ([], [Progress.UNKNOWN], []) == (early, [one.progress for one in lost], again)


def test_a_wish_for_silence_is_one_clients_citizen_s(store: Store) -> None:
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        for _ in range(2):
            messages.silence("portal", "ref", NOW, on=True)
        assert (True, False) == (messages.silent("portal", "ref"), messages.silent("another", "ref"))
        messages.silence("portal", "ref", NOW, on=False)
        assert not messages.silent("portal", "ref")


def test_messages_go_with_the_contact_data_and_wishes_with_the_last_booking(store: Store) -> None:
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        messages.owe(replace(FIRST, progress=Progress.SENT), NOW)
        messages.silence("", "ref", NOW, on=True)
        messages.silence("portal", "nobody", NOW, on=True)
    swept = [sweep(store, AHEAD + days * DAY, Periods()).messages for days in (0, 7, 8, 92)]

    assert [1, 0, 1, 1] == swept
    assert (0, 0) == (count(store, CitizenMessageRow), count(store, CitizenSilenceRow))


@pytest.mark.parametrize(("progress", "kept"), [(Progress.WAITING, True), (Progress.SENT, False)])
def test_contact_data_of_a_cancelled_meeting_wait_for_its_message_two_days_at_most(
    store: Store, progress: Progress, kept: bool
) -> None:
    with store.begin() as tx:
        tx.session.query(BookingRow).update({"state": "cancelled", "changed": 0})
        CitizenMessages(tx.session).owe(replace(FIRST, progress=progress), NOW)
    sweep(store, NOW + timedelta(hours=1), Periods())
    found = count(store, ContactRow)
    sweep(store, NOW + timedelta(hours=49), Periods())

    assert (int(kept), 0) == (found, count(store, ContactRow))


def test_contact_data_of_a_meeting_cancelled_just_now_wait_until_its_message_is_owed(store: Store) -> None:
    with store.begin() as tx:
        tx.session.query(BookingRow).update({"state": "cancelled", "changed": epoch(NOW)})
    found = []
    for passed in (timedelta(minutes=5), timedelta(minutes=6)):
        sweep(store, NOW + passed, Periods())
        found.append(count(store, ContactRow))

    assert [1, 0] == found


def test_the_wishes_of_a_citizen_stay_while_a_meeting_is_ahead(store: Store) -> None:
    with store.begin() as tx:
        CitizenMessages(tx.session).silence("", "ref", NOW, on=True)
        erase(tx, "ref", NOW, "cli:test")

    assert 1 == count(store, CitizenSilenceRow)


def test_erasing_a_citizen_leaves_neither_messages_nor_wishes(store: Store) -> None:
    with store.begin() as tx:
        messages = CitizenMessages(tx.session)
        messages.owe(replace(FIRST, progress=Progress.SENT), NOW)
        messages.silence("", "ref", NOW, on=True)
        erase(tx, "ref", AHEAD + DAY, "cli:test")

    assert (0, 0) == (count(store, CitizenMessageRow), count(store, CitizenSilenceRow))
