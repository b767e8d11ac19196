"""Two servers behind one port keep the contract, whichever of them the mailbox is on."""

from __future__ import annotations

import pytest

from syncd.adapters.hybrid import HybridCalendar
from syncd.adapters.memory import MemoryCalendar
from syncd.errors import AccessDenied, CalendarNotFound, HostedElsewhere, Rejected, Transient, VersionConflict
from syncd.model.directory import Mailbox, MailboxKind
from syncd.ports import CheckResult
from tests.contract.calendar_contract import WINDOW, CalendarContract, at, draft
from tests.contract.hands import ZONE, MemoryHand
from tests.contract.mirror import Mirror

ANNA = Mailbox("anna", MailboxKind.PERSON, "house", "anna@syncd.test", ZONE)


class Hybrid(CalendarContract):
    @pytest.fixture
    def house(self) -> MemoryCalendar:
        return MemoryCalendar({"anna"})

    @pytest.fixture
    def cloud(self) -> MemoryCalendar:
        return MemoryCalendar(())

    @pytest.fixture
    def mailbox(self) -> Mailbox:
        return ANNA

    @pytest.fixture
    def stranger(self) -> Mailbox:
        return Mailbox("nobody", MailboxKind.PERSON, "house", "nobody@syncd.test", ZONE)


class TestAtHome(Hybrid):
    @pytest.fixture
    def port(self, house: MemoryCalendar, cloud: MemoryCalendar) -> HybridCalendar:
        return HybridCalendar("house", house, "cloud", cloud)

    @pytest.fixture
    def hand(self, house: MemoryCalendar) -> MemoryHand:
        return MemoryHand(house, "anna")


class TestAway(Hybrid):
    @pytest.fixture
    def port(self, house: MemoryCalendar, cloud: MemoryCalendar) -> HybridCalendar:
        return HybridCalendar("cloud", cloud, "house", house)

    @pytest.fixture
    def hand(self, house: MemoryCalendar) -> Awayhand:
        return Awayhand(house, "anna")


class Awayhand(MemoryHand):
    """Its tokens are told by the second server."""

    def forget_history(self) -> str:
        return f"house:{super().forget_history()}"


@pytest.fixture
def house() -> MemoryCalendar:
    return MemoryCalendar({"anna"})


@pytest.fixture
def cloud() -> MemoryCalendar:
    return MemoryCalendar(())


@pytest.fixture
def port(house: MemoryCalendar, cloud: MemoryCalendar) -> HybridCalendar:
    return HybridCalendar("house", house, "cloud", cloud)


def test_what_was_read_of_exchange_alone_stays_as_it_is(port, house):
    alone, together = Mirror(), Mirror()
    MemoryHand(house, "anna").put("dentist", at(9))
    alone.follow(house, ANNA, WINDOW)
    together.since, together.groups = alone.since, dict(alone.groups)

    delta = together.follow(port, ANNA, WINDOW)

    assert ((), (), None) == (delta.groups, delta.gone, delta.moved)
    assert alone.groups == together.groups


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_mailbox_is_followed_to_the_other_server_and_back(port, house, cloud, full, fresh):
    mirror = Mirror()
    MemoryHand(house, "anna").put("dentist", at(9))
    mirror.follow(port, ANNA, WINDOW)

    for source, target in ((house, cloud), (cloud, house)):
        source.move_to(target, "anna")
        port = HybridCalendar("house", house, "cloud", cloud) if fresh else port
        delta = mirror.follow(port, ANNA, WINDOW, full=full)
        assert {} == delta.moved
        assert delta.present is not None
        assert [at(9)] == mirror.times(WINDOW)

    assert mirror.follow(port, ANNA, WINDOW).moved is None


def test_a_move_that_was_not_saved_is_told_again(port, house, cloud):
    mirror = Mirror()
    MemoryHand(house, "anna").put("dentist", at(9))
    mirror.follow(port, ANNA, WINDOW)
    house.move_to(cloud, "anna")
    port.changes(ANNA, WINDOW, mirror.since, mirror)  # and then the power fails

    again = HybridCalendar("house", house, "cloud", cloud)

    assert {} == mirror.follow(again, ANNA, WINDOW).moved


def test_entries_are_found_and_written_where_the_mailbox_is_now(port, house, cloud):
    before = port.create(ANNA, draft())
    house.move_to(cloud, "anna")

    with pytest.raises(VersionConflict):
        port.update(ANNA, before, draft())
    [now] = port.find(ANNA, "m1@syncd.test")
    assert now == port.create(ANNA, draft())
    port.delete(ANNA, port.update(ANNA, now, draft()))
    assert () == cloud.find(ANNA, "m1@syncd.test")


def test_a_mailbox_that_answers_twice_is_refused_by_the_first_question(house):
    twin = MemoryCalendar({"anna"})
    MemoryHand(house, "anna").put("dentist", at(9))
    port = HybridCalendar("cloud", twin, "house", house)

    with pytest.raises(Rejected, match="which one is in use"):
        Mirror().follow(port, ANNA, WINDOW)
    with pytest.raises(Rejected, match="which one is in use"):
        port.create(ANNA, draft())
    assert "which one is in use" in port.check(ANNA).says


def test_an_empty_twin_in_the_cloud_never_frees_a_mailbox_known_to_be_in_the_house(house):
    mirror, twin = Mirror(), MemoryCalendar({"anna"})
    MemoryHand(house, "anna").put("dentist", at(9))
    mirror.follow(HybridCalendar("house", house, "cloud", MemoryCalendar(())), ANNA, WINDOW)

    mirror.follow(HybridCalendar("house", house, "cloud", twin), ANNA, WINDOW, full=True)

    assert [at(9)] == mirror.times(WINDOW)


@pytest.mark.parametrize("trouble", [Transient("down"), AccessDenied("no")])
def test_trouble_is_not_taken_for_a_move(port, house, trouble):
    mirror = Mirror()
    mirror.follow(port, ANNA, WINDOW)
    house.fail("changes", trouble)

    with pytest.raises(type(trouble)):
        mirror.follow(port, ANNA, WINDOW)


def test_where_it_cannot_be_asked_whether_there_is_a_twin_nothing_is_read(port, cloud):
    cloud.fail("find", Transient("down"))

    with pytest.raises(Transient):
        Mirror().follow(port, ANNA, WINDOW)


def test_an_empty_twin_is_not_believed_while_the_house_lets_nobody_see_whether_the_mailbox_is_there(house):
    twin = MemoryCalendar({"anna"})
    MemoryHand(house, "anna").put("dentist", at(9))
    port = HybridCalendar("cloud", twin, "house", house)
    for what in ("find", "check"):
        house.fail(what, AccessDenied("The password of svc-syncd has expired."), times=2)

    for ask in (lambda: Mirror().follow(port, ANNA, WINDOW), lambda: port.create(ANNA, draft())):
        with pytest.raises(AccessDenied, match="expired"):
            ask()
    assert () == twin.find(ANNA, "m1@syncd.test")
    assert "Whether it is in house, too, cannot be told" in port.check(ANNA).says


def test_a_twin_beyond_the_scope_of_an_application_takes_nobodys_place(house):
    class Narrow(MemoryCalendar):
        def scope(self) -> tuple[CheckResult, ...]:
            return ()

    cloud, mirror = Narrow({"anna"}), Mirror()
    MemoryHand(house, "anna").put("dentist", at(9))
    cloud.fail("find", AccessDenied("ErrorAccessDenied"))

    mirror.follow(HybridCalendar("house", house, "cloud", cloud), ANNA, WINDOW)

    assert [at(9)] == mirror.times(WINDOW)


def test_a_mailbox_on_its_way_is_on_neither_server(port, house):
    mirror = Mirror()
    mirror.follow(port, ANNA, WINDOW)
    house.move_to(MemoryCalendar(), "anna")

    with pytest.raises(CalendarNotFound):
        mirror.follow(port, ANNA, WINDOW)
    with pytest.raises(HostedElsewhere):
        house.find(ANNA, "m1@syncd.test")


def test_check_says_where_a_mailbox_lives(port, house, cloud):
    here = port.check(ANNA)
    house.move_to(cloud, "anna")

    assert ("house", "cloud") == (here.facts["lives"], port.check(ANNA).facts["lives"])


def test_check_tells_of_a_twin_also_when_one_of_both_may_only_be_read(house):
    class ReadOnly(MemoryCalendar):
        def check(self, mailbox: Mailbox) -> CheckResult:
            return CheckResult(ok=False, says="nothing may be written into it", facts={"writable": "no"})

    told = HybridCalendar("cloud", ReadOnly({"anna"}), "house", house).check(ANNA)

    assert (False, "twice") == (told.ok, told.facts["lives"])
    assert "has a mailbox in cloud and in house" in told.says
    assert "syncd stays with the one it knows" in told.says


def test_many_mailboxes_are_glanced_at_where_they_were_read(port, house, cloud):
    bo, mirrors = Mailbox("bo", MailboxKind.PERSON, "house", "bo@syncd.test", ZONE), {}
    cloud.move_to(cloud, "bo")
    for mailbox in (ANNA, bo):
        mirrors[mailbox.id] = Mirror()
        mirrors[mailbox.id].follow(port, mailbox, WINDOW)
    MemoryHand(house, "anna").put("dentist", at(9))

    seen = port.glance([(box, mirrors[box.id].since) for box in (ANNA, bo)])

    assert frozenset({"bo"}) == seen.unchanged
