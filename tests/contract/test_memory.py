"""The in-memory calendar keeps the contract, so it is a fake that can be trusted."""

from __future__ import annotations

import pytest

from syncd.adapters.memory import MemoryCalendar
from syncd.errors import OutcomeUnknown, Throttled
from syncd.model.directory import Mailbox, MailboxKind
from tests.contract.calendar_contract import WINDOW, CalendarContract, draft
from tests.contract.hands import ZONE, MemoryHand


class TestMemoryCalendar(CalendarContract):
    @pytest.fixture
    def port(self) -> MemoryCalendar:
        return MemoryCalendar({"anna"})

    @pytest.fixture
    def mailbox(self) -> Mailbox:
        return Mailbox("anna", MailboxKind.PERSON, "main", "anna@syncd.test", ZONE)

    @pytest.fixture
    def stranger(self) -> Mailbox:
        return Mailbox("nobody", MailboxKind.PERSON, "main", "nobody@syncd.test", ZONE)

    @pytest.fixture
    def hand(self, port: MemoryCalendar) -> MemoryHand:
        return MemoryHand(port, "anna")

    def test_a_lost_answer_leaves_the_work_done(self, port, mailbox):
        port.fail("create", OutcomeUnknown("lost"), done=True)

        with pytest.raises(OutcomeUnknown):
            port.create(mailbox, draft())
        assert len(port.find(mailbox, "m1@syncd.test")) == 1

    def test_a_fault_strikes_as_often_as_told(self, port, mailbox, mirror):
        port.fail("changes", Throttled("wait", 5), times=2)

        for _ in range(2):
            with pytest.raises(Throttled):
                mirror.follow(port, mailbox, WINDOW)
        mirror.follow(port, mailbox, WINDOW)
        assert mirror.since is not None
