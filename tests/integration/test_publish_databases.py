"""What slots rest on is read alike from both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.errors import SlotGone
from syncd.model.busy import BusyType
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from syncd.publish import Publisher, PublishSettings
from syncd.publish.mirror import counted_events
from syncd.store.instants import epoch
from syncd.store.supply import FEW, Statuses, Supply
from tests.unit.publishing import NOW, RULES, TODAY, Town, wall

DAY = Interval(wall("00:00"), wall("00:00", TODAY + timedelta(days=1)))


@pytest.fixture
def town(migrated_url: str) -> Town:
    return Town.open(migrated_url)


def test_a_day_with_everything_in_it_is_answered_alike(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\nper_week = 4\npublish = 'both'\n")
    town.event("anna", "09:00", "09:30", BusyType.TENTATIVE)
    town.event("anna", "12:30", "13:30", categories=("Selvbook", "Andet"))
    made = town.book("10:00", form=Form.IN_PERSON)
    town.event("anna", "10:00", "11:00", uid=made.meeting.uid, stamp=town.stamp(made))
    town.event("anna", "11:00", "11:30", uid="copy", stamp=town.stamp(made))
    town.hold("11:30")
    town.event("r2", "09:00", "12:00")

    assert "09:30 12:30 13:00" == town.times()
    assert "" == town.times("bo", Form.IN_PERSON, day=TODAY + timedelta(days=12))
    assert "09:00 11:00" == town.times("bo", Form.IN_PERSON)
    assert [Reason.EVENT, Reason.EVENT, Reason.HELD] == [town.why(at).reason for at in ("09:00", "10:30", "11:30")]


def test_events_come_back_as_they_were_written(town: Town) -> None:
    town.event("anna", "09:00", "09:30", BusyType.OUT_OF_OFFICE)
    town.event("anna", "10:00", "10:30", BusyType.OUT_OF_OFFICE)
    town.event(
        "anna", "11:00", "11:30", BusyType.FREE, all_day=True, recurring=True, categories=("Selvbook: Ø b", "Privat")
    )
    with town.store.read() as tx:
        supply = Supply(tx.session, tx.settings.installation())
        window = epoch(wall("00:00")), epoch(wall("23:00"))
        found = sorted(counted_events(supply, ["anna", "bo"], *window, None)["anna"])

    assert [epoch(wall(at)) for at in ("09:00", "10:00", "11:00")] == [event.start for event in found]
    assert (BusyType.FREE, True, True, ("selvbook: Ø b",)) == found[2][2:6]


def test_a_crowd_is_read_like_a_few(town: Town) -> None:
    town.event("anna", "09:00", "09:30")
    town.hold("10:00", "bo")
    crowd = ["anna", "bo", *(f"nobody-{n}" for n in range(FEW))]
    window = epoch(wall("00:00")), epoch(wall("23:00"))
    with town.store.read() as tx:
        supply = Supply(tx.session, tx.settings.installation())
        few, many = (supply.events(ids, *window) for ids in (crowd[:2], crowd))
        claims = supply.claims(crowd, *window)

        assert few["anna"] == many["anna"] != []
        assert supply.claims(["bo"], *window)["bo"] == claims["bo"] != []
        assert {"anna", "bo"} == set(supply.statuses(crowd, Statuses()))


def test_what_another_process_commits_is_seen_by_the_next_answer(town: Town) -> None:
    before = town.answer()
    Town(town.store, town.people).desk.hold("other", "talk", wall("10:00"), "anna", Form.PHONE, None, NOW)

    assert town.answer() is not before
    assert "10:00" not in town.times()


def test_two_publishers_over_one_database_agree(town: Town) -> None:
    town.event("bo", "09:00", "10:00")
    other = Publisher(town.store, lambda: town.people, PublishSettings())

    assert tuple(town.answer().slots) == tuple(other.answer("talk", DAY, town.now).slots)


def test_a_time_taken_inside_the_same_transaction_cannot_be_taken_again(town: Town) -> None:
    town.hold("10:00")

    with pytest.raises(SlotGone):
        town.hold("10:00")
