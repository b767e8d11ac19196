"""Every accepted meeting keeps a room, whatever happens, on both databases; and planted mistakes are noticed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from syncd.model.directory import Site
from syncd.model.offer import Form, Offer, Slot
from syncd.publish import choice, moving, publisher
from syncd.publish.scene import Scene
from syncd.roomalloc.allocate import Certificate
from syncd.slots.grid import Cells
from syncd.store import Store, Tx
from tests.integration.cli_office import beside_other_tests
from tests.rooms_walk import DAYS, RULES, Walk, directory
from tests.unit.publishing import Town

SEEDS = (1, 2, 3, 4)
STEPS = 16


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


def test_every_meeting_has_a_room_and_nobody_moves_unnoticed(migrated_url: str) -> None:
    seen = Walk(migrated_url, 7 if "sqlite" in migrated_url else 8).run(STEPS)

    assert seen.total() > 0


@pytest.mark.long
def test_all_kinds_of_things_happened(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        url = f"sqlite:///{tmp_path}/walk{seed}.db"
        Store(url).upgrade()
        seen += Walk(url, seed).run(60)

    met = {"moved", "repaired", "left to people", "told", "changes told"}
    assert met <= {what for what, times in seen.items() if times}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_it_holds_for_many_more(migrated_sqlite_url: str, seed: int) -> None:
    assert Walk(migrated_sqlite_url, 1000 + seed).run(200).total() > 0


def counting(self: moving.Moving, _site: Site, offer: Offer, form: Form, cells: Cells) -> Cells:
    """The mistake: a time is offered while fewer meet at once than there are rooms."""
    found = 0
    for at in self.grid.instants(cells):
        end = at + offer.minutes[form] * 60
        inside = [c for each in self.halls for c in self.booked[each.room.id].claims if c.start < end and at < c.end]
        found |= self.grid.bit(at) if len(inside) < len(self.halls) else 0
    return found


@pytest.mark.broad
def test_counting_instead_of_a_certificate_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving.Moving, "starts", counting)

    with pytest.raises(AssertionError, match="was on offer and could not be held"):
        _walk_until_noticed(tmp_path)


@pytest.mark.broad
def test_a_stale_certificate_at_commit_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake: what was proven a booking ago is carried out without a look."""
    real, before = choice.prove, dict[str, Certificate]()

    def stale(tx: Tx, scene: Scene, slot: Slot) -> Certificate:
        kept = before.get(scene.asked.offer.name)
        before[scene.asked.offer.name] = found = real(tx, scene, slot)
        return kept or found

    monkeypatch.setattr(publisher, "prove", stale)

    with pytest.raises(AssertionError):
        _walk_until_noticed(tmp_path)


def _walk_until_noticed(folder: Path) -> None:
    for seed in range(6):
        url = f"sqlite:///{folder}/fault{seed}.db"
        Store(url).upgrade()
        Walk(url, seed).run(STEPS)


BOOKER = """
import sys
from tests.rooms_walk import DAYS, RULES, directory
from tests.unit.publishing import Town
from syncd.errors import SyncdError
from syncd.slots.grid import Cells
from syncd.store import Store, Tx

town = Town(Store(sys.argv[1]), directory())
town.desk = type(town.desk)(town.store, town.publisher, lambda: town.people)
won = 0
for n in range(int(sys.argv[3])):
    offer = ("talk", "long", "alarm")[n % 3]
    slots = list(town.answer(offer, DAYS[2]).slots)
    if not slots:
        break
    slot = slots[(n * 7 + int(sys.argv[2]) * 3) % len(slots)]
    try:
        held = town.desk.hold("portal", offer, slot.interval.start, slot.caseworker, slot.form, None, town.now)
        town.desk.book("portal", held.booking.id, f"c{sys.argv[2]}-{n}", town.now)
        won += 1
    except SyncdError:
        pass
print(won)
"""


@pytest.mark.broad
def test_two_processes_at_once_never_share_a_room(migrated_url: str) -> None:
    town = Town.open(migrated_url, RULES, directory())
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", BOOKER, migrated_url]
    running = [subprocess.Popen([*command, str(n), "6"], stdout=subprocess.PIPE, cwd=root, text=True) for n in range(2)]
    won = sum(int(process.communicate(timeout=120)[0].split()[-1]) for process in running)

    booked = [meeting for meeting in Walk.meetings(_looking(town)) if meeting.form is Form.IN_PERSON]
    assert won == len(booked) > 4
    assert all(meeting.room for meeting in booked)
    for room in town.people.rooms:
        spans = sorted(meeting.interval for meeting in booked if meeting.room == room)
        assert not any(one.overlaps(other) for one, other in pairwise(spans))


def _looking(town: Town) -> Walk:
    walk = Walk.__new__(Walk)
    walk.town = town
    return walk


def test_the_days_of_the_walk_stand_differently(migrated_sqlite_url: str) -> None:
    walk = Walk(migrated_sqlite_url, 1)

    assert ["ANNOUNCED", "ANNOUNCED", "TENTATIVE"] == [walk.standing(day).name for day in DAYS]
