"""Groups in memory and in a file keep the contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.adapters.groupfile import FileGroup
from syncd.adapters.memory import MemoryCalendar
from syncd.errors import Transient
from tests.contract.group_contract import TEAM, GroupContract


@dataclass
class MemoryHand:
    source: MemoryCalendar

    def put(self, group: str, people: dict[str, str]) -> None:
        self.source.groups[group] = people

    def drop(self, group: str) -> None:
        del self.source.groups[group]


@dataclass
class FileHand:
    path: Path

    def put(self, group: str, people: dict[str, str]) -> None:
        assert TEAM == group
        rows = "".join(f"{address};{name}\n" for address, name in people.items())
        self.path.write_text(f"Address;Name\n{rows}", encoding="utf-8-sig")

    def drop(self, group: str) -> None:
        assert TEAM == group
        self.path.unlink()


class TestMemoryGroups(GroupContract):
    @pytest.fixture
    def source(self) -> MemoryCalendar:
        return MemoryCalendar()

    @pytest.fixture
    def hand(self, source: MemoryCalendar) -> MemoryHand:
        return MemoryHand(source)


class TestFileGroups(GroupContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FileGroup:
        return FileGroup(tmp_path / "team.csv")

    @pytest.fixture
    def hand(self, tmp_path: Path) -> FileHand:
        return FileHand(tmp_path / "team.csv")

    @pytest.mark.parametrize("content", [b"", b"name\nAnna\n", b"address,name\n\xff\xfe\n"])
    def test_a_file_that_is_half_written_makes_leavers_of_nobody(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "team.csv").write_bytes(content)

        with pytest.raises(Transient):
            FileGroup(tmp_path / "team.csv").expand_group(TEAM)
