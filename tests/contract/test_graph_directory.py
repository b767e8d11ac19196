"""Groups, rooms and rights of a tenant, on the simulated service; and what `syncd check` makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.adapters.graph.rights import judged, roles_of
from syncd.errors import AccessDenied, Rejected, Transient
from syncd.model.directory import ListedRoom, Mailbox, MailboxKind
from tests.contract.group_contract import TEAM, GroupContract
from tests.environment import shared
from tests.servers.graph import GraphServer


@dataclass
class GraphHand:
    graph: GraphServer

    def put(self, group: str, people: dict[str, str]) -> None:
        for address, name in people.items():
            self.graph.mailbox(address, name)
        self.graph.world.groups[group] = [*people]

    def drop(self, group: str) -> None:
        del self.graph.world.groups[group]


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as server:
        server.door.application("app-1", secret="s3cret")
        yield server
        assert server.validator is not None
        assert server.validator.violations == []


@pytest.fixture
def source(graph: GraphServer) -> Iterator[GraphCalendar]:
    secret = (Credential(secret="s3cret"),)
    port = GraphCalendar(
        GraphAccount("main", "tenant-1", "app-1", secret, graph.base, graph.base, control="boss@example.dk")
    )
    yield port
    port.close()


class TestGraphGroups(GroupContract):
    @pytest.fixture
    def hand(self, graph: GraphServer) -> GraphHand:
        return GraphHand(graph)

    def test_groups_inside_are_followed_page_by_page(self, graph: GraphServer, source: GraphCalendar, hand):
        graph.directory_page = 2
        hand.put("inner@example.dk", {f"p{n}@example.dk": f"P{n}" for n in range(5)})
        graph.world.groups["circle@example.dk"] = [TEAM]
        graph.world.groups[TEAM] = ["inner@example.dk", "circle@example.dk", "p0@example.dk"]

        assert [f"p{n}@example.dk" for n in range(5)] == [one.address for one in source.expand_group(TEAM)]
        assert graph.count("members") > 2

    def test_guests_and_closed_accounts_are_left_out_with_a_word(self, graph: GraphServer, source, hand):
        hand.put(TEAM, {"anna@example.dk": "Anna", "guest@other.dk": "G", "gone@example.dk": "Left"})
        graph.world.boxes["guest@other.dk"].guest = True
        graph.world.boxes["gone@example.dk"].enabled = False
        graph.world.groups[TEAM].append("machine")  # an account without a mailbox

        told = {one.address: one.left_out for one in source.expand_group(TEAM)}

        assert {
            "anna@example.dk": "",
            "guest@other.dk": "a guest",
            "gone@example.dk": "the account is disabled",
        } == told

    def test_people_told_by_number_only_make_leavers_of_nobody(self, graph: GraphServer, source, hand):
        hand.put(TEAM, {"anna@example.dk": "Anna"})
        graph.world.numbers_only = True

        with pytest.raises(AccessDenied, match="lacks User.Read.All"):
            source.expand_group(TEAM)

    @pytest.mark.parametrize("operation", ["groups", "members"])
    def test_a_group_that_cannot_be_told_now_is_no_empty_group(self, graph: GraphServer, source, hand, operation):
        hand.put(TEAM, {"anna@example.dk": "Anna"})
        graph.faults.add("unavailable", operation, times=1)

        with pytest.raises(Transient):
            source.expand_group(TEAM)


def test_rooms_come_with_what_places_knows_of_them(graph: GraphServer, source: GraphCalendar):
    graph.room("B@example.dk", "Lokale B", capacity=8).place |= {
        "floorNumber": 2,
        "building": "Torvet",
        "tags": ["Hearing loop"],
        "displayDeviceName": "Surface Hub",
        "isWheelChairAccessible": True,
    }
    graph.room("desk@example.dk").place["bookingType"] = "reserved"
    graph.room("a@example.dk", "A", capacity=2).place["isWheelChairAccessible"] = False

    seen = source.listed_rooms()

    assert ListedRoom("a@example.dk", "A", 2, None, step_free=False) == seen[0]
    assert ("b@example.dk", 8, 2, True, "Torvet", ("screen", "hearing-loop")) == (
        seen[1].address,
        seen[1].capacity,
        seen[1].floor,
        seen[1].step_free,
        seen[1].building,
        seen[1].features,
    )
    assert 2 == len(seen)


@pytest.mark.parametrize(
    ("status", "code", "said"), [(403, "Authorization_RequestDenied", "Place.Read.All"), (404, "UnknownError", "none")]
)
def test_a_tenant_without_places_says_where_rooms_are_kept(graph: GraphServer, source, status, code, said):
    graph.faults.add("error", "rooms", status=status, code=code)

    with pytest.raises(Rejected, match="rooms_file") as told:
        source.listed_rooms()
    assert said in str(told.value)


def test_ids_of_the_premises_are_translated_where_they_are_known(graph: GraphServer, source: GraphCalendar):
    graph.mailbox("anna@example.dk")
    graph.world.translations["anna@example.dk", "AAMkOld="] = 7
    anna = Mailbox("anna", MailboxKind.PERSON, "main", "anna@example.dk", "Europe/Copenhagen")

    told = source.translated(anna, ["AAMkOld=", "AAMkStranger=", *(f"x{n}" for n in range(1500))])

    assert ["AAMkOld="] == [*told]
    assert told["AAMkOld="].startswith("AAkA")
    assert 2 == graph.count("translate")
    assert {} == source.translated(replace(anna, address="nobody@example.dk"), ["AAMkOld="])


@pytest.mark.parametrize(
    ("kind", "writable", "expected"),
    [
        (MailboxKind.PERSON, True, (True, "can be read and written")),
        (MailboxKind.PERSON, False, (False, "nothing may be written into it. See what it may do")),
        (MailboxKind.ROOM, True, (True, "may be changed, too, which is more than syncd needs")),
        (MailboxKind.ROOM, False, (True, "can be read; changes by calendarView/delta.")),
    ],
)
def test_each_mailbox_is_said_to_be_open_as_far_as_it_must_be(graph: GraphServer, source, kind, writable, expected):
    graph.mailbox("box@example.dk", writable=writable)
    room = kind is MailboxKind.ROOM

    told = source.check(Mailbox("box", kind, "main", "box@example.dk", "Europe/Copenhagen", invited=room))

    assert (expected[0], True) == (told.ok, expected[1] in told.says), told.says
    assert {True: "yes", False: "no"}[writable] == told.facts["writable"]


def test_a_mailbox_of_which_it_cannot_be_told_whether_it_may_be_written_says_how_to_see(graph: GraphServer, source):
    graph.mailbox("box@example.dk")
    graph.faults.add("error", "update", status=400, code="ErrorInvalidIdMalformed")

    told = source.check(Mailbox("box", MailboxKind.PERSON, "main", "box@example.dk", "Europe/Copenhagen"))

    assert told.ok
    assert "see: Test-ServicePrincipalAuthorization -Identity app-1 -Resource box@example.dk" in told.says


def test_a_scope_that_fits_is_said_to_fit(graph: GraphServer, source: GraphCalendar):
    graph.mailbox("boss@example.dk", allowed=False)
    graph.consent("Place.Read.All", "User.Read.All")

    rights, control = source.scope()

    assert (True, "Place.Read.All User.Read.All") == (rights.ok, rights.facts["roles"])
    assert (True, "boss@example.dk is closed to syncd, as it should be.") == (control.ok, control.says)
    assert 1 == graph.count("view")


def test_a_consent_for_the_whole_tenant_is_told_and_what_to_take_away(graph: GraphServer, source: GraphCalendar):
    graph.mailbox("boss@example.dk", allowed=False)
    graph.consent("Calendars.ReadWrite", "Place.Read.All")

    rights, control = source.scope()

    assert not rights.ok
    assert "may use Calendars.ReadWrite in every mailbox of the tenant" in rights.says
    assert "Revoke admin consent" in rights.says
    assert not control.ok
    assert "Test-ServicePrincipalAuthorization -Identity app-1 -Resource boss@example.dk" in control.says


@pytest.mark.parametrize("box", [{}, {"hosted": "onprem"}])
def test_a_control_mailbox_that_is_none_proves_nothing(graph: GraphServer, source: GraphCalendar, box):
    if box:
        graph.mailbox("boss@example.dk", **box)

    assert "proves nothing" in source.scope()[1].says


def test_a_refused_application_is_told_once(graph: GraphServer, source: GraphCalendar):
    graph.door.application("app-1", secret="another")

    [told] = source.scope()
    assert (False, "AccessDenied") == (told.ok, told.facts["error"])


def test_permissions_that_are_never_used_are_too_many():
    assert not judged(("Directory.ReadWrite.All",), "app-1").ok
    assert judged((), "app-1").ok
    assert judged(None, "app-1").ok


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.bm90IGpzb24.c", "a.W10.c"])
def test_a_token_that_cannot_be_read_tells_nothing(token: str):
    assert roles_of(token) is None
