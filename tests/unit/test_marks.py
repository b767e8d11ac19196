"""The categories caseworkers use: read in any case, under any name, and asking for a room in few words."""

from __future__ import annotations

import pytest

from syncd.model.busy import BusyType, Occurrence
from syncd.model.delta import Delta, Group
from syncd.model.interval import Interval
from syncd.model.marks import Mark, Marks, RoomWish, said
from syncd.model.offer import RoomRequirement
from syncd.sync.marked import marked
from tests.rough_server import NOW

ROOMS = frozenset({"screen", "alarm", "hearing-loop"})


@pytest.mark.parametrize(
    "written",
    ["Selvbook: Jobsamtale", "SELVBOOK:Jobsamtale", " selv book : Jobsamtale", "S e l v b o o k:  Jobsamtale "],
)
def test_case_and_blanks_make_no_difference(written: str) -> None:
    assert [(Mark.OPEN, "Jobsamtale")] == list(said(Marks().inside([written])))


def test_an_organisation_may_use_words_of_its_own_and_all_others_are_dropped() -> None:
    marks = Marks(open="Åben tid", room="Mødelokale", missed="Ikke mødt")

    assert ("selvbook", "lokale: 6", "udeblevet") == marks.inside(
        ["A\N{COMBINING RING ABOVE}ben tid", "mødelokale: 6", "IKKE MØDT", "Selvbook", "Rød kategori"]
    )


@pytest.mark.parametrize(
    ("categories", "wish"),
    [
        ([], None),
        (["selvbook"], None),
        (["lokale"], RoomWish()),
        (["lokale: 6"], RoomWish(RoomRequirement(6))),
        (["lokale: 1"], RoomWish(RoomRequirement(2))),
        (["lokale: 6 pladser"], RoomWish(RoomRequirement(6))),
        (["lokale: Skærm"], RoomWish(RoomRequirement(2, frozenset({"screen"})))),
        (["lokale: screen"], RoomWish(RoomRequirement(2, frozenset({"screen"})))),
        (["lokale: 8", "lokale: skærm", "lokale: 6"], RoomWish(RoomRequirement(8, frozenset({"screen"})))),
        (["lokale: 8, skærm og alarm"], RoomWish(RoomRequirement(8, frozenset({"screen", "alarm"})))),
        (["lokale: trinfrit"], RoomWish(RoomRequirement(2, frozenset(), True))),
        (["lokale: kaffe"], RoomWish(RoomRequirement(), ("kaffe",))),
    ],
)
def test_a_room_is_asked_for_in_few_words(categories: list[str], wish: RoomWish | None) -> None:
    assert wish == Marks().room_wish(categories, ROOMS)


def test_the_mirror_keeps_marks_under_their_names_inside_and_nothing_else() -> None:
    spans = Interval.at(NOW, 60)
    plain = Occurrence("u1", None, spans, BusyType.BUSY)
    hers = Occurrence("u2", None, spans, BusyType.BUSY, categories=("Ferie", "LOKALE : 4"))
    groups = tuple(Group(one.uid, "1", (one,), b"", NOW, NOW) for one in (plain, hers))
    seen = marked(Delta(groups, (), None, spans, None), Marks())

    assert [(), ("lokale: 4",)] == [group.occurrences[0].categories for group in seen.groups]
