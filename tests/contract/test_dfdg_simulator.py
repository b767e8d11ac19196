"""The simulated DFDG keeps the contract's rules and books (reference/jobnet-planner-contract.md; keys in brackets)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.servers.dfdg import DfdgServer, control, names
from tests.servers.dfdg.push import Push
from tests.servers.exchange.tls import certificates

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
ANNE, BENT = "0101901234", "3112851111"
GUID = "11111111-2222-4333-8444-555555555555"
METADATA = {
    names.ORGANISATION_TYPE: "2",
    names.ORGANISATION_CODE: "10101",
    names.USER_TYPE: "3",
    names.USER: "syncd",
}


class Planner:
    """A caller that does no more than HTTP."""

    def __init__(self, base: str) -> None:
        self.http = httpx2.Client(base_url=base, trust_env=False, timeout=5)
        self.asked = 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        self.asked += 1
        told = METADATA | {names.REQUEST: f"request-{self.asked}", names.CITIZEN: ANNE}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, json=body, headers={key: text for key, text in told.items() if text})


def talk(hour: int = 9, **more: Any) -> dict[str, Any]:
    start = NOW.replace(hour=hour) + timedelta(days=1)
    facts = {"type": 7, "form": 1, "start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat()}
    return {names.RECORD[key]: value for key, value in {**facts, "caseworker": "ANNA-RID", **more}.items()}


@pytest.fixture
def dfdg() -> Iterator[DfdgServer]:
    with DfdgServer(clock=lambda: NOW) as server:
        server.world.citizen(ANNE)
        server.world.citizen(BENT)
        yield server


@pytest.fixture
def planner(dfdg: DfdgServer) -> Iterator[Planner]:
    caller = Planner(dfdg.base)
    yield caller
    caller.http.close()


def test_the_caller_chooses_the_id_and_the_same_request_twice_is_412(dfdg, planner):
    """[IND1, IND2] the id is in the URL; a repeated x-requestId is answered 412 and changes nothing."""
    first = planner.ask("POST", f"/v2/Indkaldelse/{GUID}", talk(), x_requestid="a")
    again = planner.ask("POST", f"/v2/Indkaldelse/{GUID}", talk(), x_requestid="a")
    other = planner.ask("PUT", f"/v2/Indkaldelse/{GUID}", talk(10), x_requestid="a")

    assert [201, 412, 412] == [first.status_code, again.status_code, other.status_code]
    assert NOW.replace(hour=9) + timedelta(days=1) == dfdg.world.records[GUID].start


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_requestid": "r" * 46}, 201),
        ({"x_requestid": "r" * 47}, 400),
        ({"x_requestid": ""}, 400),
        ({names.CITIZEN.replace("-", "_"): "3201901234"}, 400),
        ({names.CITIZEN.replace("-", "_"): "1111111111"}, 404),
        ({names.ORGANISATION_CODE.replace("-", "_"): "99999"}, 403),
        ({names.USER.replace("-", "_"): ""}, 400),
    ],
)
def test_who_calls_for_whom_is_asked_of_every_write(planner, headers, status):
    """[IND2, SEC, META, EBS3] request id of at most 46 characters, authority, acting user, CPR pattern."""
    assert status == planner.ask("POST", f"/v2/Indkaldelse/{GUID}", talk(), **headers).status_code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (talk(form=8), 1014),
        (talk(type=10), 4004),
        (talk(12, end=talk(11)[names.RECORD["end"]]), 1014),
        (talk() | {"cpr": ANNE}, 1014),
        ({}, 1014),
        ([], 1014),
        ("x", 1014),
    ],
)
def test_what_the_contract_forbids_is_refused_and_changes_nothing(dfdg, planner, body, code):
    """[IND1, E999, IND24] digital meetings need a link, no CV talk since 2024, unknown fields are refused."""
    answer = planner.ask("POST", f"/v2/Indkaldelse/{GUID}", body)

    assert (code, {}) == (answer.json()["fejlkode"], dfdg.world.records)


def test_a_citizen_has_one_future_talk_of_a_kind(dfdg, planner):
    """[IND24] types 7 and 4: not a further one that is still to come."""
    other = GUID.replace("1", "2")
    answers = [planner.ask("POST", f"/v2/Indkaldelse/{one}", talk()) for one in (GUID, other)]
    follow_up = planner.ask("POST", f"/v2/Indkaldelse/{other}", talk(11, type=4))

    assert [201, 409, 201] == [*(one.status_code for one in answers), follow_up.status_code]


def test_each_change_is_a_message_and_each_update_a_receipt(dfdg, planner):
    """[WSBI, IND24] 90000 with 1 create, 2 update, 3 annulment; a mail to the citizen when it is updated."""
    path = f"/v2/Indkaldelse/{GUID}"
    planner.ask("POST", path, talk())
    planner.ask("PUT", path, talk(10))
    planner.ask("PUT", path, talk(10))
    planner.ask("DELETE", path)
    planner.ask("DELETE", path)
    told = planner.ask("GET", "/v1/Besked").json()["beskeder"]

    assert [(90000, 1), (90000, 2), (90000, 3)] == [(one["entitetIdentifier"], one["aendringType"]) for one in told]
    assert {(GUID, 1, ANNE)} == {(one["identifier"], one["identifikationType"], one["identifikation"]) for one in told}
    assert [(GUID, "planner")] == dfdg.world.receipts
    planner.ask("DELETE", f"/v1/Besked/{told[0]['beskedIdentifier']}")
    assert 2 == len(planner.ask("GET", "/v1/Besked").json()["beskeder"])


def test_a_deadline_is_met_by_a_booking_and_open_again_without_it(dfdg, planner):
    """[FRI, WSBF] 90001 on create and update; 56, 57 and 75 close it."""
    made = dfdg.world.deadline(ANNE, names.JOB_TALK, date(2026, 12, 10), date(2026, 12, 20))
    status = [made.status]
    for method, body in (("POST", talk()), ("DELETE", None)):
        planner.ask(method, f"/v2/Indkaldelse/{GUID}", body)
        status.append(planner.ask("GET", f"/v1/Frist/{made.id}").json()["status"])
    dfdg.world.absent(ANNE, 57)
    status.append(planner.ask("GET", f"/v1/Frist/{made.id}").json()["status"])

    assert ["aaben", "opfyldt", "aaben", "administrativt lukket"] == status
    changes = [one.change for one in dfdg.world.queue if one.entity == names.DEADLINE]
    assert [names.CREATED, names.UPDATED, names.UPDATED, names.UPDATED] == changes


def test_what_is_flagged_self_booked_is_reported_in_the_citizens_name(planner):
    """[META] SelfBooked = true needs RequestUserTypeIdentifier 1 and the citizen's number, or DFDG refuses."""
    flagged = talk(selfbooked=True)
    own = {names.USER_TYPE.replace("-", "_"): "1", names.USER.replace("-", "_"): ANNE}
    answers = [planner.ask("POST", f"/v2/Indkaldelse/{GUID}", flagged, **more) for more in ({}, own)]

    assert [409, 201] == [one.status_code for one in answers]


def test_a_lost_answer_was_done_and_half_a_request_was_not(dfdg, planner):
    path = f"/v2/Indkaldelse/{GUID}"
    dfdg.faults.add("lose", "create", times=1)
    dfdg.faults.add("half", "update", times=1)
    with pytest.raises(httpx2.HTTPError):
        planner.ask("POST", path, talk(), x_requestid="lost")
    assert 412 == planner.ask("POST", path, talk(), x_requestid="lost").status_code
    assert [500, 412] == [planner.ask("PUT", path, talk(10), x_requestid="half").status_code for _ in range(2)]
    assert 9 == dfdg.world.records[GUID].start.hour


def test_the_case_system_works_beside_over_the_control_interface(dfdg, planner):
    start, end = "2026-12-01T09:00:00+00:00", "2026-12-01T09:30:00+00:00"
    made = planner.ask("POST", "/control/summon", {"cpr": BENT, "type": 7, "start": start, "end": end}).json()
    moved = planner.ask("POST", "/control/change", {"record": made, "start": start, "end": end, "caseworker": "B"})
    refused = planner.ask("POST", "/control/summon", {"cpr": "2", "type": 7, "start": start, "end": end})

    assert (200, 400) == (moved.status_code, refused.status_code)
    assert [made] == [one["id"] for one in planner.ask("POST", "/control/books", {}).json()]


def test_a_push_is_repeated_until_it_is_taken(dfdg):
    start = NOW + timedelta(days=1)
    control.summoned(dfdg, ANNE, 7, start, start + timedelta(minutes=30))
    nobody = Push(dfdg.world, "http://127.0.0.1:9/")

    assert (0, 1, [0]) == (nobody.run(), len(dfdg.world.queue), nobody.refused)
    with DfdgServer() as subscriber:
        willing = Push(dfdg.world, f"{subscriber.base}/control/calm")
        assert (1, []) == (willing.run(), dfdg.world.queue)


def test_a_moved_cpr_number_takes_records_and_deadlines_along(dfdg, planner):
    """[FRI] data move from the old to the current number."""
    planner.ask("POST", f"/v2/Indkaldelse/{GUID}", talk())
    dfdg.world.deadline(ANNE, names.FOLLOW_UP, date(2026, 12, 10), date(2026, 12, 20))
    dfdg.world.change_cpr(ANNE, "0101905678")

    assert {"0101905678"} == {one.cpr for one in [*dfdg.world.records.values(), *dfdg.world.deadlines.values()]}


def test_a_function_certificate_is_asked_for(tmp_path):
    """[SEC] all services over HTTPS, called with a client certificate."""
    server, made = DfdgServer.secured(tmp_path, certificates)
    with server:
        server.world.citizen(ANNE)
        for shown, status in ((False, 403), (True, 404)):
            context = ssl.create_default_context(cafile=made.authority)
            if shown:
                context.load_cert_chain(made.client, made.client_key)
            with httpx2.Client(verify=context, trust_env=False) as http:
                assert status == http.get(f"{server.base}/v2/Indkaldelse/{GUID}", headers=METADATA).status_code
