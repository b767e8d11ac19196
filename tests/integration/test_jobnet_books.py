"""Jobnet's reservations in both databases, what Jobnet reports, changed numbers, and what the operator sees."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from syncd.booking.renumber import renumber
from syncd.booking.reservations import Chosen
from syncd.cpr import Cpr
from syncd.errors import BookingError, NotAllowed
from syncd.model.booking import BookingState
from syncd.model.jobnet import Link, Origin, Standing
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.observe.metrics import REGISTRY
from syncd.store import Store
from syncd.store.erasure import erase
from syncd.store.tables import AuditRow
from tests.integration.cli_office import MEMORY, Office, beside_other_tests
from tests.integration.jobnet_town import CPR, KEY, OTHER, Dfdg, JobnetTown, calling, opened
from tests.integration.web_town import NOW, Served


@pytest.fixture
def town(migrated_url: str) -> Iterator[JobnetTown]:
    with opened(migrated_url) as made:
        yield made


@pytest.fixture
def quick(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    with opened(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def dfdg(quick: JobnetTown, served: Served) -> Iterator[Dfdg]:
    with calling(served.take(quick)) as caller:
        yield caller


def _chosen(citizen: str, hours: int = 25, moving: str | None = None) -> Chosen:
    return Chosen(citizen, "jobsamtale", NOW + timedelta(hours=hours), Form.IN_PERSON, "bo", indkaldelse=moving)


def _at_once(*works: object) -> list[object]:
    """What several threads that begin together come to."""
    gate = threading.Barrier(len(works))
    found: list[object] = [None] * len(works)

    def run(number: int, work) -> None:
        gate.wait()
        try:
            found[number] = work()
        except BookingError as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return found


def test_of_many_who_reserve_a_time_at_once_one_gets_it(town: JobnetTown) -> None:
    reservations = town.facade().reservations
    citizens = [f"cpr-{number}" for number in range(6)]
    found = _at_once(*(lambda c=c: reservations.reserve(_chosen(c), NOW) for c in citizens))

    assert 1 == len([one for one in found if not isinstance(one, BookingError)])


def test_a_creation_sent_twice_at_once_makes_one_booking(town: JobnetTown) -> None:
    reservations, booking = town.facade().reservations, str(uuid.uuid4())
    kept = reservations.reserve(_chosen("cpr-a"), NOW)
    found = _at_once(*[lambda: reservations.create("cpr-a", booking, kept.reservation.id, NOW)] * 4)

    assert 1 == len({one.booking.id for one in found})  # type: ignore[attr-defined]  # an error among them has none, and fails here
    with town.store.read() as tx:
        assert 1 == len(tx.bookings.of_citizen("jobnet", "cpr-a"))


def test_a_move_takes_the_new_time_and_frees_the_old_one_or_neither(town: JobnetTown) -> None:
    reservations, booking = town.facade().reservations, str(uuid.uuid4())
    kept = reservations.reserve(_chosen("cpr-a"), NOW)
    reservations.create("cpr-a", booking, kept.reservation.id, NOW)
    target = reservations.reserve(_chosen("cpr-a", 26, booking), NOW)
    with pytest.raises(BookingError):
        reservations.reserve(_chosen("cpr-b", 26), NOW)
    moved = reservations.create("cpr-a", booking, target.reservation.id, NOW)

    assert NOW + timedelta(hours=26) == moved.meeting.interval.start
    assert kept.held.booking.id == moved.booking.id
    reservations.reserve(_chosen("cpr-b"), NOW)
    with pytest.raises(BookingError):
        reservations.reserve(_chosen("cpr-c", 26), NOW)


def test_a_summons_is_never_moved_or_cancelled_by_the_citizen_but_accepted(town: JobnetTown) -> None:
    # PLN: talks summoned by the case system cannot be moved by the citizen.
    reservations, booking = town.facade().reservations, str(uuid.uuid4())
    held = town.desk.hold("jobnet", "jobsamtale", NOW + timedelta(hours=25), "bo", Form.PHONE, "cpr-a", NOW)
    made = town.desk.book("jobnet", held.booking.id, "cpr-a", NOW)
    with town.store.begin() as tx:
        link = Link(booking, made.booking.id, "jobnet", "cpr-a", Origin.SUMMONS, self_booked=False, created=NOW)
        tx.jobnet.link(link)
    for change in (
        lambda: reservations.reserve(_chosen("cpr-a", 26, booking), NOW),
        lambda: reservations.move("cpr-a", booking, NOW + timedelta(hours=26), None, NOW),
        lambda: reservations.cancel("cpr-a", booking, NOW),
        lambda: reservations.reserve(_chosen("cpr-a", 26), NOW),  # it is her one talk to come
    ):
        with pytest.raises(NotAllowed):
            change()
    reservations.accept("cpr-a", booking, NOW)

    with town.store.read() as tx:
        known, still = tx.jobnet.linked(booking), tx.bookings.get(made.booking.id, "jobnet")
    assert known is not None
    assert known.accepted == NOW
    assert still is not None
    assert BookingState.PENDING is still.state


def test_another_number_takes_everything_along(town: JobnetTown) -> None:
    # FRI: data move from the old to the current number.
    old, new = KEY.reference(Cpr(CPR)), KEY.reference(Cpr(OTHER))
    reservations, booking = town.facade().reservations, str(uuid.uuid4())
    with town.store.begin() as tx:
        tx.jobnet.stand(old, (KEY.name, KEY.seal(Cpr(CPR))), Standing.DEPRIVED, NOW)
    kept = reservations.reserve(_chosen(old), NOW)
    reservations.create(old, booking, kept.reservation.id, NOW)
    moved = renumber(town.store, KEY, Cpr(CPR), Cpr(OTHER), "cli:test", NOW)

    assert moved >= 3
    with town.store.read() as tx:
        assert [] == tx.bookings.of_citizen("jobnet", old)
        assert [] == tx.jobnet.links_of(old)
        assert 1 == len(tx.bookings.of_citizen("jobnet", new)) == len(tx.jobnet.links_of(new))
        assert (None, Standing.DEPRIVED) == (tx.jobnet.standing(old), tx.jobnet.standing(new))
        sealed = tx.jobnet.sealed(new)
    assert sealed is not None
    assert Cpr(OTHER) == KEY.open(sealed[1], new)
    assert (
        NOW + timedelta(hours=26)
        == reservations.move(new, booking, NOW + timedelta(hours=26), None, NOW).meeting.interval.start
    )


def test_what_was_told_is_soon_forgotten_and_the_rest_with_the_bookings(quick: JobnetTown, dfdg: Dfdg) -> None:
    dfdg.offers()
    booking = dfdg.booked(quick.offer())
    later = NOW + timedelta(days=200)
    with quick.store.begin() as tx:
        assert tx.jobnet.told(quick.citizen(), NOW) is not None
        tx.jobnet.forget(NOW - timedelta(days=90), NOW + timedelta(hours=1), 500)
        assert tx.jobnet.told(quick.citizen(), NOW) is None
        assert tx.jobnet.linked(booking) is not None
        tx.jobnet.forget(later, later, 500)
        assert tx.jobnet.linked(booking) is not None, "its booking still says whose it is"
    quick.clock.at = later
    with quick.store.begin() as tx:
        erase(tx, quick.citizen(), later, "cli:test")
        assert (None, None) == (tx.jobnet.linked(booking), tx.jobnet.sealed(quick.citizen()))


REPORT = {"Fejlkode": 5, "FejlOphav": 32, "FejlTidspunkt": "2026-11-30T08:00:00+01:00"}


def test_an_error_that_jobnet_reports_is_kept_shown_and_a_person_told(quick: JobnetTown, dfdg: Dfdg) -> None:
    # BB, 4.6.
    before = REGISTRY.get_sample_value("syncd_jobnet_reports_total") or 0.0
    dfdg.offers()
    booking = dfdg.booked(quick.offer())
    said = f"Tiden findes ikke, siger {CPR[:6]}-{CPR[6:]}"
    about = {"MoedetilbudId": quick.offer(), "IndkaldelseId": booking, "Fejltekst": said}
    answer = dfdg.post("/Fejlmelding", REPORT | about)

    assert (200, {}) == (answer.status_code, answer.json())
    with quick.store.read() as tx:
        report = tx.jobnet.reports()[0]
        tasks = tx.tasks.waiting(TaskKind.JOBNET_ERRORS)
    assert (5, 32, booking, "Tiden findes ikke, siger [cpr]") == (
        report.code,
        report.origin,
        report.indkaldelse,
        report.said,
    )
    assert ["Jobnet reported error 5; 1 report(s) wait to be looked at: syncd jobnet errors"] == [t.en for t in tasks]
    assert before + 1 == REGISTRY.get_sample_value("syncd_jobnet_reports_total")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        # BB, 4.6: unknown offer, unknown meeting, illegal origin system; text of at most 500 characters.
        ({"FejlOphav": 31}, 400, 1014),
        ({"MoedetilbudId": str(uuid.uuid4())}, 404, 4770),
        ({"IndkaldelseId": str(uuid.uuid4())}, 404, 8107),
        ({"Fejltekst": "x" * 501}, 400, 1014),
        ({"Fejlkode": "5"}, 400, 1014),
        ({"FejlTidspunkt": "2026-11-30T08:00:00"}, 400, 1014),
    ],
)
def test_a_report_that_cannot_be_right_is_refused(
    quick: JobnetTown, dfdg: Dfdg, changed: dict[str, object], status: int, code: int
) -> None:
    dfdg.offers()
    answer = dfdg.post("/Fejlmelding", REPORT | changed)

    assert (status, code) == (answer.status_code, answer.json()["Fejlkode"])
    with quick.store.read() as tx:
        assert [] == tx.jobnet.reports()


def test_a_report_about_a_citizen_nobody_heard_of_is_1010(quick: JobnetTown, dfdg: Dfdg) -> None:
    # BB, 4.6: unknown citizen.
    answer = dfdg.of(OTHER).post("/Fejlmelding", REPORT)

    assert (404, 1010) == (answer.status_code, answer.json()["Fejlkode"])
    with quick.store.read() as tx:
        calls = list(tx.session.scalars(select(AuditRow.action).where(AuditRow.action.startswith("jobnet."))))
    assert 1 == len(calls), "a call that is refused is in the log, too"


SECTION = """
[jobnet]
cpr_key = {file = "cpr.key"}
jobcentres = {"12345" = ["samtale", "nothing"]}
certificate_subjects = ["CN=DFDG"]
certificate_issuers = ["CN=CA"]
trusted_proxies = ["127.0.0.1"]
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    (tmp_path / "cpr.key").write_text("ab" * 32)
    with beside_other_tests():
        yield Office(tmp_path, MEMORY + SECTION)


def test_the_operator_is_told_every_choice_and_what_keeps_offers_from_jobnet(office: Office) -> None:
    office.syncd("offers", "apply", office.rules)
    done = office.syncd("check")

    assert 0 == done.code, done.err
    assert "jobnet, our choice paths.times = '/Moedetilbud/{offer}/Moedetider' (?)" in done.out
    assert "The offer 'samtale' has no code of a talk" in done.out
    assert "names the offer 'nothing', which is not in force" in done.out
    assert 90 < done.out.count("jobnet, our choice") == len(office.syncd("jobnet", "choices", "--json").json)


def test_the_operator_says_who_books_by_herself_and_never_types_a_number_as_an_argument(office: Office) -> None:
    noted = office.syncd("jobnet", "standing", "exempt", "--purpose", "LAB 45", answer=f"{CPR}\n")
    reference = office.syncd("jobnet", "reference", "--purpose", "look", answer="010190-0009\n").out.strip()
    moved = office.syncd("jobnet", "renumber", answer=f"{CPR}\n{OTHER}\n")
    wrong = office.syncd("jobnet", "standing", "open", "--purpose", "x", answer="12345\n")
    store = Store(f"sqlite:///{office.folder / 'syncd.sqlite3'}")
    with store.read() as tx:
        known = tx.jobnet.standing(reference)
    store.close()

    assert (0, 0, 1) == (noted.code, moved.code, wrong.code), (noted, moved, wrong)
    assert reference.startswith("cpr-")
    assert known is None
    assert CPR not in noted.out + noted.err + moved.out + moved.err
    assert "12345" not in wrong.err
    assert [("exempt",)] == [row[1:2] for row in office.audit("citizen.standing")]


def test_reported_errors_are_listed_and_seen_to(office: Office) -> None:
    assert [] == office.syncd("jobnet", "errors", "--json").json
    assert "0 error(s) reported" in office.syncd("jobnet", "errors", "--done").out
