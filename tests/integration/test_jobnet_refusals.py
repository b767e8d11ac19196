"""Bad input to Jobnet's planner contract over REST: each refused precisely, nothing changed, counted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from syncd.observe.metrics import REGISTRY
from tests.integration.jobnet_town import CPR, ISSUER, OTHER, Dfdg, JobnetTown, calling, opened, section
from tests.integration.web_town import Served


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    with opened(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def dfdg(town: JobnetTown, served: Served) -> Iterator[Dfdg]:
    """A caller, each of whose refusals is counted, and changes nothing where nothing else was asked."""
    answers: list[int] = []
    with calling(served.take(town)) as caller:
        caller.http.event_hooks = {"response": [lambda answer: answers.append(answer.status_code)]}
        before, untouched = turned_away(), books(town)
        yield caller
    refused = [status for status in answers if status >= 400]
    assert len(refused) == turned_away() - before
    assert len(refused) < len(answers) or untouched == books(town)


def turned_away() -> float:
    """How many calls ended in a refusal so far."""
    samples = (one for metric in REGISTRY.collect() if metric.name == "syncd_jobnet_calls" for one in metric.samples)
    return sum(one.value for one in samples if one.name.endswith("_total") and one.labels["outcome"] != "answered")


def counted(operation: str, outcome: str) -> float:
    """How often a call ended so."""
    labels = {"operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("syncd_jobnet_calls_total", labels) or 0.0


def books(town: JobnetTown) -> tuple[int, ...]:
    """How much the database holds of what calls can make."""
    from sqlalchemy import func, select

    from syncd.store.jobnet_tables import JobnetLinkRow, JobnetReservationRow
    from syncd.store.tables import BookingRow, ClaimRow, MeetingRow

    tables = (BookingRow, ClaimRow, MeetingRow, JobnetLinkRow, JobnetReservationRow)
    with town.store.read() as tx:
        return tuple(tx.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables)


@pytest.mark.parametrize(
    ("digits", "status", "code"),
    [
        ("3201900009", 400, 1001),
        ("010190-0009", 400, 1001),
        ("0101900009x", 400, 1001),
        ("0000000000", 404, 1010),
        ("2902011234", 404, 1010),
    ],
)
def test_an_invalid_number_is_refused_and_never_repeated(
    town: JobnetTown, dfdg: Dfdg, digits: str, status: int, code: int
) -> None:
    # EBS3 for the pattern; ERR for 1001; JK for 1010.
    before = books(town)
    answer = dfdg.post(
        "/Moedetilbud",
        {"JobcenterKode": "12345", "KontaktgruppeType": 1},
        **{"x-civilregistrationIdentifier": digits},
    )

    assert (status, code) == (answer.status_code, answer.json()["Fejlkode"])
    assert digits not in answer.text
    assert before == books(town)


@pytest.mark.parametrize(
    "header",
    [
        "x-organisationTypeIdentifier",
        "x-organisationCode",
        "x-requestUserTypeIdentifier",
        "x-requestUserIdentifier",
        "x-purpose",
        "x-civilregistrationIdentifier",
    ],
)
def test_a_call_that_does_not_say_who_and_what_for_is_refused(town: JobnetTown, dfdg: Dfdg, header: str) -> None:
    # SEC: authority, acting user and citizen are named, for reads and writes alike.
    before = counted("offers", "not_validated")
    answer = dfdg.post("/Moedetilbud", {"JobcenterKode": "12345", "KontaktgruppeType": 1}, **{header: None})

    assert (400, 1014, header) == (answer.status_code, answer.json()["Fejlkode"], answer.json()["Felt"])
    assert before + 1 == counted("offers", "not_validated")


def test_a_long_request_id_is_refused(dfdg: Dfdg) -> None:
    # IND2: x-requestId has at most 46 characters.
    body = {"JobcenterKode": "12345", "KontaktgruppeType": 1}

    assert 200 == dfdg.post("/Moedetilbud", body, **{"x-requestId": "x" * 46}).status_code
    assert 400 == dfdg.post("/Moedetilbud", body, **{"x-requestId": "x" * 47}).status_code


@pytest.mark.parametrize(
    "shown",
    [
        {"X-SSL-Client-Verify": None},
        {"X-SSL-Client-Verify": "FAILED"},
        {"X-SSL-Client-S-DN": "CN=Somebody,O=Else,C=DK"},
        {"X-SSL-Client-I-DN": "CN=Another CA,C=DK"},
        {"X-SSL-Client-S-DN": ISSUER},
        {"X-SSL-Client-S-DN": None},
    ],
)
def test_a_wrong_certificate_is_refused_before_anything_is_read(
    town: JobnetTown, dfdg: Dfdg, shown: dict[str, str | None]
) -> None:
    # SEC: a function certificate; here its subject and issuer are pinned.
    answer = dfdg.post("/Moedetilbud", {"anything": CPR}, **shown)

    assert (403, 4575) == (answer.status_code, answer.json()["Fejlkode"])


def test_certificate_headers_from_elsewhere_than_the_proxy_are_only_words(town: JobnetTown, served: Served) -> None:
    town.section = section(trusted_proxies=["10.0.0.0/8"])
    caller = Dfdg(served.take(town))

    assert 403 == caller.offers().status_code
    caller.http.close()


def test_the_parts_of_a_name_may_stand_in_any_order(town: JobnetTown, dfdg: Dfdg) -> None:
    turned = "C=DK, O=Styrelsen for Arbejdsmarked, SERIALNUMBER=UI:DK-O:G:1, CN=STAR DFDG"

    assert 200 == dfdg.offers().status_code
    body = {"JobcenterKode": "12345", "KontaktgruppeType": 1}
    assert 200 == dfdg.post("/Moedetilbud", body, **{"X-SSL-Client-S-DN": turned}).status_code


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-12-02T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("2026-12-01T00:00:00Z", "2029-12-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2026-12-01T00:00:00", "2026-12-02T00:00:00"),
        ("i morgen", "2026-12-02T00:00:00Z"),
    ],
)
def test_an_interval_that_cannot_be_meant_is_refused(town: JobnetTown, dfdg: Dfdg, start: str, end: str) -> None:
    answer = dfdg.times(town.offer(), start, end)

    assert (400, 1014) == (answer.status_code, answer.json()["Fejlkode"])


def test_an_unknown_offer_or_one_for_others_is_refused(town: JobnetTown, dfdg: Dfdg) -> None:
    dfdg.offers(1)

    for offer in (str(uuid.uuid4()), town.offer("opfoelgning"), town.offer("internt")):
        assert (404, 4770) == ((answer := dfdg.times(offer)).status_code, answer.json()["Fejlkode"])
        assert 404 == dfdg.details(offer).status_code
    assert 400 == dfdg.times("no-guid").status_code


def test_an_unknown_reservation_is_refused(town: JobnetTown, dfdg: Dfdg) -> None:
    before = books(town)

    assert 404 == dfdg.create(str(uuid.uuid4()), str(uuid.uuid4())).status_code
    assert before == books(town)


def test_a_reservation_or_booking_of_another_citizen_is_8107(town: JobnetTown, dfdg: Dfdg) -> None:
    # BB: 8107, the booking id does not belong to this CPR number.
    reservation = dfdg.details(town.offer()).json()["ReservationId"]
    other = dfdg.of(OTHER)
    before = books(town)
    refused = other.create(str(uuid.uuid4()), reservation)
    assert (409, 8107) == (refused.status_code, refused.json()["Fejlkode"])
    assert before == books(town)

    booking = str(uuid.uuid4())
    assert 200 == dfdg.create(booking, reservation).status_code
    for answer in (
        other.reserve(booking, "2026-12-02T09:00:00Z"),
        other.post(f"/Booking/{booking}/action/aflys"),
        other.post(f"/Booking/{booking}/action/accepter"),
        other.post(f"/Booking/{uuid.uuid4()}/action/aflys"),
    ):
        assert 8107 == answer.json()["Fejlkode"]


def test_a_creation_that_says_another_time_than_was_reserved_is_refused(town: JobnetTown, dfdg: Dfdg) -> None:
    reservation = dfdg.details(town.offer(), CaseWorkerIdentifier="bo").json()["ReservationId"]

    for lie in (
        {"StartTidspunkt": "2026-12-01T09:00:00Z"},
        {"CaseWorkerIdentifier": "RID:1234567890"},
        {"SamtaleformType": 2},
        {"MoedetilbudId": town.offer("opfoelgning")},
    ):
        assert 400 == dfdg.create(str(uuid.uuid4()), reservation, **lie).status_code
    truth: dict[str, Any] = {"StartTidspunkt": "2026-12-01T08:00:00Z", "CaseWorkerIdentifier": "bo"}
    assert 200 == dfdg.create(str(uuid.uuid4()), reservation, **truth, MoedetilbudId=town.offer()).status_code


def test_a_body_that_is_too_large_is_refused_in_the_contracts_form(dfdg: Dfdg) -> None:
    big = {"JobcenterKode": "12345", "KontaktgruppeType": 1, "PersongruppeSamling": ["x" * 36] * 3000}
    answer = dfdg.post("/Moedetilbud", big)

    assert (413, 1014) == (answer.status_code, answer.json()["Fejlkode"])


def test_a_body_that_grows_without_saying_so_is_refused(dfdg: Dfdg) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    answer = dfdg.http.post("/v1/BorgerBooking/Moedetilbud", content=endless(), headers=dfdg.headers())

    assert 413 == answer.status_code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"JobcenterKode": "12345", "KontaktgruppeType": 1, "Andet": 1}',
        b'{"JobcenterKode": "1234", "KontaktgruppeType": 1}',
        b'{"JobcenterKode": "12345\\n", "KontaktgruppeType": 1}',
        b'{"JobcenterKode": "12345", "KontaktgruppeType": "1"}',
        b'{"JobcenterKode": "12345", "KontaktgruppeType": -1}',
        b"\xff\xfe{}",
        b"[" * 60_000,
    ],
)
def test_a_body_that_is_not_as_the_schema_says_is_refused(dfdg: Dfdg, body: bytes) -> None:
    headers = dfdg.headers(**{"content-type": "application/json"})
    answer = dfdg.http.post("/v1/BorgerBooking/Moedetilbud", content=body, headers=headers)

    assert (400, 1014) == (answer.status_code, answer.json()["Fejlkode"])


def test_other_media_methods_and_paths_are_refused_in_the_contracts_form(town: JobnetTown, dfdg: Dfdg) -> None:
    headers = dfdg.headers(**{"content-type": "text/plain"})
    typed = dfdg.http.post("/v1/BorgerBooking/Moedetilbud", content=b"{}", headers=headers)
    method = dfdg.http.get("/v1/BorgerBooking/Moedetilbud", headers=dfdg.headers())
    path = dfdg.post("/Noget")

    assert [415, 405, 404] == [typed.status_code, method.status_code, path.status_code]
    assert [1014] * 3 == [one.json()["Fejlkode"] for one in (typed, method, path)]
    assert "POST" == method.headers["allow"]


def test_details_are_taken_with_get_too(town: JobnetTown, dfdg: Dfdg) -> None:
    # BB, 4.1: the draft reserves with a GET that has a body.
    answer = dfdg.http.request(
        "GET",
        f"/v1/BorgerBooking/Moedetilbud/{town.offer()}/Detaljer",
        json={"StartTidspunkt": "2026-12-01T08:00:00Z"},
        headers=dfdg.headers(),
    )

    assert 200 == answer.status_code


def test_an_answer_that_would_break_the_schema_is_a_business_answer(
    town: JobnetTown, dfdg: Dfdg, monkeypatch: pytest.MonkeyPatch
) -> None:
    # JK: 9303 + 9329 when the planner's answer violated the contract; never caused by us.
    labels = {"operation": "times"}
    before = REGISTRY.get_sample_value("syncd_jobnet_invalid_answers_total", labels) or 0.0
    monkeypatch.setattr("syncd.web.jobnet.times.name_parts", lambda _name: ("x" * 51, None, "-"))
    answer = dfdg.times(town.offer())

    assert (409, 4770) == (answer.status_code, answer.json()["Fejlkode"])
    assert before + 1 == REGISTRY.get_sample_value("syncd_jobnet_invalid_answers_total", labels)


def test_nothing_is_told_of_a_number_in_log_audit_or_metric(
    town: JobnetTown, dfdg: Dfdg, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy import text

    body = {"JobcenterKode": "12345", "KontaktgruppeType": 1}
    dfdg.post("/Moedetilbud", body, **{"x-purpose": f"for {CPR}", "x-requestUserTypeIdentifier": "2"})
    dfdg.booked(town.offer())
    with town.store.begin() as tx:
        rows = [str(row) for table in ("audit", "jobnet_citizens", "jobnet_links", "bookings") for row in
                tx.session.execute(text(f"SELECT * FROM {table}"))]  # fmt: skip
        purposes = set(tx.session.scalars(text("SELECT purpose FROM audit WHERE action LIKE 'jobnet.%'")))

    logged = "".join(capsys.readouterr())
    figures = town.deps().metrics
    assert rows
    assert figures is not None
    assert CPR not in "".join(rows) + logged + figures().decode()
    assert {"selvbooking", "for [cpr]"} == purposes
    assert "jobnet.call" in logged


def test_the_reservation_minutes_are_the_operators(town: JobnetTown, served: Served) -> None:
    town.section = section(reservation_minutes=3)
    caller = Dfdg(served.take(town))
    assert "2026-11-30T08:03:00+01:00" == caller.details(town.offer()).json()["ReserveretTil"]
    town.clock.at += timedelta(minutes=4)
    town.sync()

    assert 410 == caller.create(str(uuid.uuid4()), str(_last(town))).status_code
    caller.http.close()


def _last(town: JobnetTown) -> str:
    from sqlalchemy import text

    with town.store.read() as tx:
        return str(tx.session.scalar(text("SELECT id FROM jobnet_reservations ORDER BY made DESC LIMIT 1")))
