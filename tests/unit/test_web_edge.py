"""What every request meets before it is understood: who calls, how much is sent, what is written down."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from syncd.observe.metrics import REGISTRY
from syncd.web.access import caller_of
from syncd.web.edge import HEADERS
from tests.unit.web_doubles import RANGE, SLOTS, TOKEN, House, house


@pytest.fixture(name="house")
def _house() -> House:
    return house()


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} {TOKEN}", "Bearer æ"],
)
def test_a_request_without_a_known_token_is_refused_as_a_problem(house: House, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]

    answer = house.stranger.get("/api/v1/offers", headers=headers)

    assert 401 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert "/problems/unauthorized" == answer.json()["type"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_scheme_may_be_written_in_any_case(house: House) -> None:
    assert 200 == house.stranger.get("/api/v1/offers", headers={"Authorization": f"bearer {TOKEN}"}).status_code


def test_strangers_do_not_learn_which_paths_exist(house: House) -> None:
    statuses = {house.stranger.get(f"/api/v1/{path}").status_code for path in ("offers", "nonsense", "bookings/x")}

    assert {401} == statuses


def test_a_client_is_known_by_any_of_its_tokens_and_by_no_other(house: House) -> None:
    clients = house.deps.clients()

    assert "portal" == getattr(caller_of(clients, f"Bearer {TOKEN}"), "name", None)
    assert caller_of(clients, f"Bearer {TOKEN}x") is None
    assert caller_of({}, f"Bearer {TOKEN}") is None


def test_a_right_the_client_lacks_is_named(house: House) -> None:
    answer = house.weak.get(SLOTS, params=RANGE | {"expand": "servers"})

    assert (403, "servers") == (answer.status_code, answer.json()["right"])


def test_every_answer_carries_the_security_headers(house: House) -> None:
    for path in ("/api/v1/offers", "/api/v1/nowhere", "/livez", "/", "/static/syncd.css"):
        answer = house.portal.get(path)
        assert not HEADERS.keys() - {name.title() for name in answer.headers} - {"Content-Security-Policy"}, path
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"] == str(uuid.UUID(answer.headers["x-request-id"]))


def test_no_answer_sets_a_cookie_or_allows_another_origin(house: House) -> None:
    answer = house.portal.get("/api/v1/offers", headers={"Origin": "https://evil.example"})

    assert not {"set-cookie", "access-control-allow-origin", "server"} & set(answer.headers)


def test_what_concerns_a_citizen_is_never_stored_by_a_cache(house: House) -> None:
    assert "no-store" == house.portal.post(f"{SLOTS}/search", json=RANGE).headers["cache-control"]
    assert "no-store" == house.portal.get("/api/v1/bookings/x/y").headers["cache-control"]


def test_a_body_that_says_it_is_too_large_is_refused_unread(house: House) -> None:
    answer = house.portal.post(f"{SLOTS}/search", content=b"x" * 70_000)

    assert (413, 65_536) == (answer.status_code, answer.json()["limit"])


def test_a_body_that_grows_too_large_without_saying_so_is_refused(house: House) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(70):
            yield b" " * 1_000

    answer = house.portal.post(f"{SLOTS}/search", content=endless(), headers={"Content-Type": "application/json"})

    assert (413, "/problems/payload-too-large") == (answer.status_code, answer.json()["type"])


def test_one_line_is_logged_for_each_request_with_the_template_of_its_path(house: House) -> None:
    with capture_logs() as lines:
        house.portal.get("/api/v1/offers/hemmelig-0101011234/slots", params=RANGE)

    (line,) = lines
    assert ("http.request", "GET", 200, "portal") == (line["event"], line["method"], line["status"], line["client"])
    assert "/api/v1/offers/{offer}/slots" == line["route"]
    assert line["duration_ms"] >= 0
    assert "0101011234" not in str(line)


def test_an_unknown_path_is_logged_without_the_path(house: House) -> None:
    with capture_logs() as lines:
        house.portal.get("/api/v1/borger/0101011234")

    assert ["-"] == [line["route"] for line in lines]


def test_a_request_is_counted_under_its_template(house: House) -> None:
    labels = {"route": "/api/v1/offers", "status": "200"}
    before = REGISTRY.get_sample_value("syncd_http_seconds_count", labels) or 0

    house.portal.get("/api/v1/offers")

    assert before + 1 == REGISTRY.get_sample_value("syncd_http_seconds_count", labels)


def test_a_defect_is_a_problem_with_an_id_that_stands_in_the_log_and_tells_nothing_else(house: House) -> None:
    house.refuse(RuntimeError("citizen 0101011234 in /srv/secret.py"))
    with capture_logs() as lines:
        answer = house.portal.get(SLOTS, params=RANGE)

    defect, request = lines
    assert (500, "/problems/internal-error") == (answer.status_code, answer.json()["type"])
    assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert ("http.defect", "RuntimeError", 500) == (defect["event"], defect["error"], request["status"])
    assert any(place.startswith("web_doubles.py") for place in defect["where"])
    for secret in ("0101011234", "secret.py", "Traceback"):
        assert secret not in answer.text
        assert secret not in str(lines)
