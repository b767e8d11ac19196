"""The booking page: offer, time, confirm, move and cancel by a personal link; nothing written is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from icalendar import Calendar
from starlette.requests import Request
from starlette.testclient import TestClient

from syncd.booking.contacts import Contacts
from syncd.booking.openly import CLIENT
from syncd.booking.sealing import Seal
from syncd.config.booking_page import BookingPageSection
from syncd.model.booking import BookingState
from syncd.observe import logs, metrics
from syncd.rulebook import apply_text
from syncd.store import Store
from syncd.store.booking_links import BookingLinks
from syncd.store.retention import Periods, sweep
from syncd.store.tables import BookingRow, ContactRow
from syncd.web.app import build_app
from syncd.web.pace import Pace
from syncd.web.pages.booking.asking import network
from syncd.web.pages.booking.written import number_of
from tests.integration.test_privacy_of_calendars import everything
from tests.page_town import NOW, RULES, PageTown, Size

MANNERS = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
AT = re.compile(r'name="at" value="([^"]+)"')
URL = "sqlite:///{}/syncd.db"
CANARIES = ("kirsebaer", "20304050", "20 30 40 50", "203040")
WHO = {"name": "Kirsebaerblomst Sommerfugl", "phone": "20 30 40 50", "mail": "Kirsebaer@Example.DK", "do": "book"}
LIMITED = RULES.replace("[offers.jobsamtale]", '[offers.jobsamtale]\none_future = true\ntopics = ["CV"]', 1).replace(
    "[offers.sikker]", '[offers.sikker]\nopen_to = [{contact_groups = ["2.2"]}]'
)


class Citizen:
    """Somebody with a browser. :param section: how the page is configured."""

    def __init__(self, town: PageTown, **section: Any) -> None:
        self.town = town
        deps = town.deps()
        pages = replace(deps.pages, booking=BookingPageSection(**{"enabled": True, "per_minute": 10_000} | section))
        contacts = Contacts(Seal(bytes(range(32))))
        self.http = TestClient(build_app(replace(deps, pages=pages, contacts=contacts)), headers=MANNERS)

    def get(self, path: str) -> Any:
        return self.http.get(path)

    def send(self, path: str, **fields: str) -> Any:
        """Post a form and follow where it leads."""
        return self.http.post(path, data=fields)

    def times(self) -> list[str]:
        return AT.findall(self.get("/book/times?offer=jobsamtale&form=in-person").text)

    def held(self, at: str = "") -> str:
        """Press a time; returns the address of the form."""
        answer = self.send("/book/hold", offer="jobsamtale", form="in-person", at=at or self.times()[5])
        assert 200 == answer.status_code, answer.text
        return str(answer.url.path)

    def event(self, address: str) -> Any:
        """The meeting as it is taken along."""
        return Calendar.from_ical(self.get(f"{address}/meeting.ics").content).walk("VEVENT")[0]

    def booked(self, **who: str) -> str:
        address = self.held()
        assert "Mødet er booket" in self.send(address, **(WHO | who)).text
        return address


class Copied(PageTown):
    """The same town in a copy of its database."""

    def _write(self) -> None:
        """It stands there already."""


@pytest.fixture(scope="module")
def written(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a town in it."""
    path = tmp_path_factory.mktemp("booking") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    PageTown(store, Size(3, 4, 4, 1))
    store.close()
    return path.read_bytes()


@pytest.fixture
def town(written: bytes, tmp_path: Path) -> Iterator[PageTown]:
    path = tmp_path / "syncd.db"
    path.write_bytes(written)
    store = Store(f"sqlite:///{path}")
    town = Copied(store, Size(3, 4, 4, 1))
    apply_text(store, LIMITED, town.directory, "test", NOW)
    yield town
    store.close()


@pytest.fixture
def citizen(town: PageTown) -> Citizen:
    return Citizen(town)


def states(town: PageTown) -> list[str]:
    """Of what citizens did on the page."""
    with town.store.read() as tx:
        rows = tx.session.query(BookingRow).where(BookingRow.client == CLIENT).order_by(BookingRow.created)
        return [row.state for row in rows]


def test_a_citizen_books_moves_takes_along_and_cancels_without_a_cookie(citizen: Citizen, town: PageTown) -> None:
    front = citizen.get("/book")
    assert ("Jobsamtale" in front.text, "Samtale med alarm" in front.text) == (True, False)
    address = citizen.booked()
    page = citizen.get(address)
    assert ("Jobcentret, Torvet 1" in page.text, "20304050" in page.text, "Kirsebaer" in page.text) == (
        True,
        False,
        False,
    )

    event = citizen.event(address)
    moved = citizen.send(f"{address}/move", at=AT.findall(citizen.get(f"{address}/move").text)[-1])
    assert "Mødet er ombooket" in moved.text
    later = citizen.event(address)
    assert (later["UID"], True) == (event["UID"], later["SEQUENCE"] > event["SEQUENCE"] and later.start > event.start)

    assert "Vil du aflyse mødet?" in citizen.get(f"{address}/cancel").text
    assert "Mødet er aflyst" in citizen.send(f"{address}/cancel").text
    assert [BookingState.CANCELLED] == states(town)
    assert "Mødet er aflyst. Ingen venter dig" in citizen.get(address).text
    assert not citizen.http.cookies
    assert "set-cookie" not in {name for answer in (front, page, moved) for name in answer.headers}


@pytest.mark.broad
def test_the_whole_road_is_the_same_on_postgresql(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    try:
        town = PageTown(store, Size(3, 4, 4, 1))
        apply_text(store, LIMITED, town.directory, "test", NOW)
        citizen = Citizen(town)
        address = citizen.held()
        town.clock.at = NOW + timedelta(minutes=11)
        assert 200 == citizen.send(address, do="more").status_code
        assert "Mødet er booket" in citizen.send(address, **WHO).text
        other = AT.findall(citizen.get(f"{address}/move").text)[-1]
        assert "Mødet er ombooket" in citizen.send(f"{address}/move", at=other).text
        assert datetime.fromisoformat(other) == citizen.event(address)["DTSTART"].dt
        assert "Mødet er aflyst" in citizen.send(f"{address}/cancel").text
        assert BookingState.CANCELLED in states(town)
    finally:
        store.close()


def test_more_time_keeps_what_was_written_and_the_time(citizen: Citizen, town: PageTown) -> None:
    address = citizen.held()
    town.clock.at = NOW + timedelta(minutes=9)
    longer = citizen.send(address, **(WHO | {"do": "more"}))
    town.clock.at = NOW + timedelta(minutes=18)

    assert 'value="Kirsebaerblomst Sommerfugl"' in longer.text
    assert 'data-left="600"' in longer.text
    assert "Mødet er booket" in citizen.send(address, **WHO).text
    assert [BookingState.PENDING] == states(town)


def test_a_hold_that_ran_out_while_somebody_wrote_slowly_is_taken_again(citizen: Citizen, town: PageTown) -> None:
    address = citizen.held()
    town.clock.at = NOW + timedelta(minutes=40)

    assert "Tiden er ikke reserveret længere" in citizen.get(address).text
    assert "Mødet er booket" in citizen.send(address, **WHO).text
    assert "Hvornår" in citizen.get(address).text


def test_a_time_is_kept_by_more_time_for_eleven_lengths_and_not_all_day(citizen: Citizen, town: PageTown) -> None:
    address, asked = citizen.held(citizen.times()[-1]), []
    for minutes in range(11, 132, 11):  # a minute after it ran out, each time
        town.clock.at = NOW + timedelta(minutes=minutes)
        asked.append(citizen.send(address, **(WHO | {"do": "more"})))

    assert [*[200] * 9, 409, 409] == [one.status_code for one in asked]
    assert "kan ikke holdes længere" in asked[-1].text
    assert 'value="Kirsebaerblomst Sommerfugl"' in asked[-1].text
    assert "Mødet er booket" in citizen.send(address, **WHO).text


@pytest.mark.parametrize(
    ("peer", "told", "counted"),
    [
        ("10.0.0.9", "", "10.0.0.9"),
        ("10.0.0.9", "203.0.113.7", "10.0.0.9"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("127.0.0.1", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "unknown", "?"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_who_asks_is_whom_the_trusted_proxies_saw_and_nobody_can_claim_it(peer: str, told: str, counted: str) -> None:
    headers = [(b"x-forwarded-for", told.encode())] if told else []
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})

    assert counted == network(request, ("127.0.0.1", "10.0.0.2"))


def test_people_behind_one_proxy_are_counted_one_by_one(town: PageTown) -> None:
    slow = Citizen(town, per_minute=5, trusted_proxies=("testclient",))

    def asked(address: str) -> list[int]:
        told = {"X-Forwarded-For": f"192.0.2.99, {address}"}
        return [slow.http.post("/book/hold", headers=told).status_code for _ in range(3)]

    assert 429 == asked("203.0.113.7")[-1]
    assert 429 != asked("203.0.113.8")[0]


def test_a_time_lost_to_somebody_else_is_said_with_what_was_written(citizen: Citizen, town: PageTown) -> None:
    at = citizen.times()[-1]
    first = [citizen.held(at)]
    town.clock.at = NOW + timedelta(minutes=40)
    while at in citizen.times():
        first.append(citizen.held(at))
    lost = citizen.send(first[0], **WHO)

    assert 409 == lost.status_code
    assert "nu er den taget" in lost.text
    assert 'value="Kirsebaerblomst Sommerfugl"' in lost.text


def test_one_future_meeting_of_a_kind_holds_however_the_number_is_written(citizen: Citizen, town: PageTown) -> None:
    citizen.booked()
    again = citizen.send(citizen.held(), **(WHO | {"phone": "+45 20304050", "mail": ""}))

    assert 409 == again.status_code
    assert "Måske har du allerede sådan et møde" in again.text
    assert "Mødet er booket" in citizen.send(citizen.held(), **(WHO | {"phone": "20304051"})).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Skriv dit navn"),
        ({"phone": "", "mail": ""}, "Skriv et telefonnummer eller en mailadresse"),
        ({"phone": "12"}, "Det er ikke et telefonnummer"),
        ({"phone": "0101901234"}, "Skriv ikke dit CPR-nummer"),
        ({"name": "Bo 010190-1234"}, "Skriv ikke dit CPR-nummer"),
        ({"mail": "nogen@her"}, "Det er ikke en mailadresse"),
        ({"mail": "a@b.dk\r\nBcc: c@d.dk"}, "Det er ikke en mailadresse"),
        ({"name": "x" * 101}, "Det er for langt"),
        ({"topic": "Andet"}, "Det emne er ikke på listen"),
    ],
)
def test_what_was_written_wrongly_is_said_beside_its_field(
    citizen: Citizen, fields: dict[str, str], words: str
) -> None:
    refused = citizen.send(citizen.held(), **(WHO | fields))

    assert 422 == refused.status_code
    assert words in refused.text
    assert [BookingState.HELD] == states(citizen.town)


def test_bad_addresses_and_forms_get_plain_words_and_change_nothing(citizen: Citizen, town: PageTown) -> None:
    good = {"offer": "jobsamtale", "form": "in-person"}
    asked = [
        (404, citizen.get("/book/times?offer=sikker")),
        (404, citizen.get("/book/times?offer=../../etc")),
        (200, citizen.get("/book/times?offer=jobsamtale&form=nonsense&day=yesterday")),
        (200, citizen.get("/book/times?offer=jobsamtale&day=9999-12-31")),
        (404, citizen.get("/book/nothing")),
        (404, citizen.get("/book/nothing/meeting.ics")),
        (404, citizen.send("/book/nothing/cancel")),
        (422, citizen.send("/book/hold", **good, at="now")),
        (422, citizen.send("/book/hold", **good, at="2026-12-01T09:00:00")),
        (422, citizen.send("/book/hold", **good, at="0001-01-01T00:00:00+14:00")),
        (422, citizen.send("/book/hold", **good, at="9999-12-31T23:30:00+00:00")),
        (409, citizen.send("/book/hold", **good, at="2026-12-01T03:00:00+00:00")),
        (404, citizen.send("/book/hold", offer="sikker", form="in-person", at="2026-12-01T09:00:00+00:00")),
    ]
    foreign = citizen.http.post("/book/hold", data=good, headers={"Sec-Fetch-Site": "cross-site"})

    assert [status for status, _ in asked] == [answer.status_code for _, answer in asked]
    assert 403 == foreign.status_code
    assert all("Lokaleservice, tlf. 12 34 56 78" in answer.text for _, answer in asked)
    assert [] == states(town)


def test_links_end_with_the_meeting_and_are_kept_as_digests_only(
    citizen: Citizen, town: PageTown, tmp_path: Path
) -> None:
    secret = citizen.booked().rpartition("/")[2]
    assert secret.lower() not in everything(URL.format(tmp_path), tmp_path)
    town.clock.at = NOW + timedelta(days=60)
    assert 404 == citizen.get(f"/book/{secret}").status_code
    assert 1 == sweep(town.store, town.clock.now(), Periods()).links
    with town.store.read() as tx:
        assert None is BookingLinks(tx.session).open(secret, NOW)
        assert 0 == tx.session.query(ContactRow).count()


def test_a_time_kept_for_a_form_is_given_back_for_another(citizen: Citizen, town: PageTown) -> None:
    back = citizen.send(citizen.held(), do="back")

    assert "Vælg en tid" in back.text
    assert [BookingState.CANCELLED] == states(town)


def test_english_goes_along_without_a_cookie(citizen: Citizen) -> None:
    times = citizen.get("/book/times?offer=jobsamtale&form=phone&lang=en")
    address = citizen.http.post(
        "/book/hold?lang=en", data={"offer": "jobsamtale", "form": "phone", "at": AT.findall(times.text)[0]}
    ).url
    done = citizen.http.post(str(address), data=WHO)

    assert ("lang=en", "The meeting is booked.") == (
        address.query.decode(),
        re.findall("The meeting is booked.", done.text)[0],
    )


def test_nobody_holds_all_times_or_asks_without_end(town: PageTown) -> None:
    few = Citizen(town, most_held=2)
    few.held()
    few.held()
    crowded = few.send("/book/hold", offer="jobsamtale", form="in-person", at=few.times()[0])
    slow = Citizen(town, per_minute=5)
    answers = [slow.send("/book/hold") for _ in range(3)]

    assert (429, True) == (crowded.status_code, "Mange booker lige nu" in crowded.text)
    assert (429, True) == (answers[-1].status_code, 0 < int(answers[-1].headers["retry-after"]) <= 12)


def test_the_page_is_not_there_unless_it_is_switched_on(town: PageTown) -> None:
    off = Citizen(town, enabled=False)
    assert [404, 404] == [off.get("/book").status_code, off.send("/book/hold").status_code]


def test_names_and_numbers_are_in_no_log_address_or_figure(citizen: Citizen, town: PageTown, tmp_path: Path) -> None:
    before, heard = structlog.get_config(), StringIO()
    with redirect_stderr(heard):
        logs.configure("debug", "json")
        address = citizen.booked()
        citizen.send(address, **(WHO | {"phone": "20304052"}))
        citizen.send(citizen.held(), **(WHO | {"phone": "203040"}))
        citizen.send(f"{address}/cancel")
    structlog.configure(**before)
    seen = everything(URL.format(tmp_path), tmp_path) + metrics.text().decode() + address + heard.getvalue().lower()

    assert "http.request" in heard.getvalue()
    assert [] == [word for word in (*CANARIES, address.rpartition("/")[2].lower()) if word in seen.replace(address, "")]


@pytest.mark.parametrize(
    ("typed", "number"),
    [("20 30 40 50", "+4520304050"), ("0045 20304050", "+4520304050"), ("+46 70-123 45 67", "+46701234567"),
     ("", ""), ("1234567", None), ("112", None), ("+45 abc", None), ("٢٠٣٠٤٠٥٠", None)],
)  # fmt: skip
def test_a_number_has_one_form(typed: str, number: str | None) -> None:
    assert number == number_of(typed)


def test_those_who_were_quiet_are_forgotten_when_many_ask() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    for n in range(20_000):
        pace.wait(f"a{n}", 60)
    now[0] = 60
    pace.wait("b", 60)

    assert 1 == len(pace._buckets)
