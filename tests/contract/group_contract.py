"""What everything owes the core that tells who is in a distribution group; subclasses only supply the fixtures."""

from __future__ import annotations

from typing import Protocol

import pytest

from syncd.errors import CalendarNotFound
from syncd.ports import GroupSource

TEAM = "team@example.dk"


class GroupHand(Protocol):
    """An administrator of the directory."""

    def put(self, group: str, people: dict[str, str]) -> None:
        """Let *group* hold these addresses, with names."""
        ...

    def drop(self, group: str) -> None:
        """Remove the group."""
        ...


class GroupContract:
    """Wanted of a subclass: fixtures ``source`` and ``hand``."""

    def test_everybody_is_told_once_sorted_and_in_lower_case(self, source: GroupSource, hand: GroupHand) -> None:
        hand.put(TEAM, {"Bo@Example.dk": "Bo Ærø", "anna@example.dk": "Anna Holm"})

        told = source.expand_group(TEAM)
        assert [("anna@example.dk", "Anna Holm"), ("bo@example.dk", "Bo Ærø")] == [(m.address, m.name) for m in told]

    def test_an_empty_group_is_an_answer(self, source: GroupSource, hand: GroupHand) -> None:
        hand.put(TEAM, {})

        assert () == source.expand_group(TEAM)

    def test_joiners_and_leavers_show_at_the_next_look(self, source: GroupSource, hand: GroupHand) -> None:
        hand.put(TEAM, {"anna@example.dk": "Anna Holm"})
        source.expand_group(TEAM)
        hand.put(TEAM, {"bo@example.dk": "Bo"})

        assert ["bo@example.dk"] == [member.address for member in source.expand_group(TEAM)]

    def test_a_group_that_is_not_there_is_said_so(self, source: GroupSource, hand: GroupHand) -> None:
        hand.put(TEAM, {})
        hand.drop(TEAM)

        with pytest.raises(CalendarNotFound):
            source.expand_group(TEAM)
