"""Jobnet's planner contract over REST: offers, times, reservation, creation, rebooking, and what is refused.

Sources of facts are keys of reference/jobnet-planner-contract.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from syncd.model.booking import BookingState
from syncd.model.jobnet import Standing
from syncd.model.offer import Form
from syncd.store.tables import AuditRow
from tests.integration.jobnet_town import CPR, GROUP, OTHER, RULES, Dfdg, JobnetTown, calling, opened, section, starts
from tests.integration.test_jobnet_refusals import books
from tests.integration.web_town import Served


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    with opened(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def dfdg(town: JobnetTown, served: Served) -> Iterator[Dfdg]:
    with calling(served.take(town)) as caller:
        yield caller


def test_offers_are_those_of_the_citizens_jobcentre_and_group(town: JobnetTown, dfdg: Dfdg) -> None:
    # EBS3: the citizen's data exist so that the planner can match them against the rules of each offer.
    # IND24: 7 is jobsamtale, 4 opfølgningssamtale.
    assert [town.offer()] == [one["MoedetilbudId"] for one in dfdg.offers(1).json()["MoedetilbudSamling"]]
    both = dfdg.offers(2).json()["MoedetilbudSamling"]
    by_group = dfdg.offers(9, Klientkategori={"KlientkategoriType": 3, "Haendelsesdato": "2026-01-01T00:00:00Z"})
    with_group = dfdg.offers(
        9,
        Klientkategori={"KlientkategoriType": 3, "Haendelsesdato": "2026-01-01T00:00:00Z"},
        PersongruppeSamling=[GROUP.upper()],
    )

    assert [town.offer(), town.offer("opfoelgning")] == [one["MoedetilbudId"] for one in both]
    assert [7, 4] == [one["SamtaleType"] for one in both]
    assert 1 == len(by_group.json()["MoedetilbudSamling"])
    assert 2 == len(with_group.json()["MoedetilbudSamling"])


def test_no_offer_is_4770_and_a_business_answer(dfdg: Dfdg) -> None:
    # BB, 4.7: a planner returns "no options" as a business answer.
    answer = dfdg.post("/Moedetilbud", {"JobcenterKode": "99999", "KontaktgruppeType": 1})

    assert (409, 4770) == (answer.status_code, answer.json()["Fejlkode"])


def test_times_tell_who_can_hold_them(town: JobnetTown, dfdg: Dfdg) -> None:
    # JK: CaseWorkerToBook has a number of its own, and each time points to it.
    dfdg.offers()
    answer = dfdg.times(town.offer()).json()
    people = {one["id"]: one["Supervisor"] for one in answer["CaseWorkerToBookCollection"]}
    first = answer["BookingTimeslotCollection"][0]

    assert {"RID:1234567890", "bo"} == {one["CaseWorkerIdentifier"] for one in people.values()}
    assert "2026-12-01T09:00:00+01:00" == first["StartTime"]
    assert [1, 2] == first["SamtaleformTypeSamling"]
    assert sorted(people) == sorted(first["CaseWorkerIDCollection"])
    assert (True, True) == (first["RebookingPossible"], first["CancellationPossible"])


def test_times_can_be_asked_of_one_caseworker(town: JobnetTown, dfdg: Dfdg) -> None:
    town.busy("anna", town.clock.now() + timedelta(days=1), 600)
    town.sync()

    assert [] == starts(dfdg.times(town.offer(), CaseWorkerIdentifier="RID:1234567890"))
    assert [] != starts(dfdg.times(town.offer(), CaseWorkerIdentifier="bo"))
    assert 400 == dfdg.times(town.offer(), CaseWorkerIdentifier="nobody").status_code


@pytest.mark.parametrize("name", ["CVR:12345678-RID:1234567890", "0F8FAD5B-D9CB-469F-A165-70867728950E", "x" * 255])
def test_caseworkers_are_called_what_the_case_system_calls_them(town: JobnetTown, served: Served, name: str) -> None:
    # PVEJ: a RID number in some case systems, a GUID in others; here whatever the configuration has, as it is.
    town.section = section(caseworkers={"anna": name})
    caller = Dfdg(served.take(town))
    told = caller.times(town.offer(), CaseWorkerIdentifier=name).json()
    caller.http.close()

    assert [name] == [one["Supervisor"]["CaseWorkerIdentifier"] for one in told["CaseWorkerToBookCollection"]]


def test_immediate_booking_may_have_what_is_kept_for_it(town: JobnetTown, dfdg: Dfdg) -> None:
    day = {"start": "2026-12-03T00:00:00Z", "end": "2026-12-04T00:00:00Z"}

    assert "2026-12-03T11:00:00+01:00" not in starts(dfdg.times(town.offer(), **day))
    assert "2026-12-03T11:00:00+01:00" in starts(dfdg.times(town.offer(), **day, StraksbookingPaakraevet=True))


def test_no_time_is_after_the_last_day_it_may_be_held(town: JobnetTown, dfdg: Dfdg) -> None:
    # FRI, JK: SidsteAfholdelsesdato.
    week = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-12T00:00:00Z"}
    found = starts(dfdg.times(town.offer(), **week, SidsteAfholdelsesdato="2026-12-02"))

    assert "2026-12-02" == found[-1][:10]
    refused = dfdg.details(town.offer(), "2026-12-03T08:00:00Z", SidsteAfholdelsesdato="2026-12-02")
    assert 409 == refused.status_code


def test_details_reserve_the_time_for_all_that_follows(town: JobnetTown, dfdg: Dfdg) -> None:
    # E639: details, creation and rebooking share one id of a reserved time.
    reserved = dfdg.details(town.offer(), CaseWorkerIdentifier="bo", SamtaleformType=1)
    content = reserved.json()

    assert 200 == reserved.status_code
    assert "2026-11-30T08:15:00+01:00" == content["ReserveretTil"]
    assert "bo" == content["Bookingdetaljer"]["Supervisor"]["CaseWorkerIdentifier"]
    assert (
        "Jobcentret, Torvet 1. Receptionen. Lokale 1.07"
        == content["Bookingdetaljer"]["MoedestedDetalje"]["MoedestedBeskrivelse"]
    )
    assert 409 == dfdg.of(OTHER).details(town.offer(), CaseWorkerIdentifier="bo", SamtaleformType=1).status_code


def test_a_booking_is_created_once_however_often_it_is_sent(town: JobnetTown, dfdg: Dfdg) -> None:
    booking, reservation = str(uuid.uuid4()), dfdg.details(town.offer()).json()["ReservationId"]
    first, again = dfdg.create(booking, reservation), dfdg.create(booking.upper(), reservation)

    assert 200 == first.status_code == again.status_code
    assert first.json() == again.json()
    assert booking == first.json()["IndkaldelseId"]
    assert first.json()["Bookingdetaljer"]["Selvbooket"]
    with town.store.read() as tx:
        link = tx.jobnet.linked(booking)
        assert link is not None
        stored = tx.bookings.get(link.booking, "jobnet")
    assert stored is not None
    assert (BookingState.PENDING, town.citizen()) == (stored.state, stored.citizen)


def test_a_call_repeated_under_its_request_id_changes_nothing_more(town: JobnetTown, dfdg: Dfdg) -> None:
    # IND2: x-requestId. What a planner answers to a repeated one is not public; here it is the same answer again.
    booking, id = str(uuid.uuid4()), {"x-requestId": str(uuid.uuid4())}
    reserved = dfdg.details(town.offer()).json()["ReservationId"]
    later: dict[str, object] = {"StartTidspunkt": "2026-12-02T09:00:00Z"}
    reported: dict[str, object] = {
        "Fejlkode": 5,
        "FejlOphav": 32,
        "FejlTidspunkt": "2026-11-30T08:00:00+01:00",
        "Fejltekst": "Ingen tid",
    }
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        (f"/Booking/{booking}", {"ReservationId": reserved}),
        (f"/Booking/{booking}/action/reserver", later),
        (f"/Booking/{booking}/action/accepter", {}),
        ("/Fejlmelding", reported),
        (f"/Booking/{booking}/action/aflys", {}),
    )
    for path, body in calls:
        first, before = dfdg.post(path, body, **id), books(town)
        again = dfdg.post(path, body, **id)
        assert (200, 200, first.json(), before) == (
            first.status_code,
            again.status_code,
            again.json(),
            books(town),
        ), path
    with town.store.read() as tx:
        assert 1 == len(tx.jobnet.reports())


def test_the_meeting_stands_in_the_caseworkers_calendar_without_a_number(town: JobnetTown, dfdg: Dfdg) -> None:
    dfdg.booked(town.offer())
    town.settle()

    entries = repr(town.calendars.__dict__)
    assert "Jobsamtale" in entries
    assert CPR not in entries


def test_a_repeated_reservation_is_the_same_and_another_time_gives_it_back(town: JobnetTown, dfdg: Dfdg) -> None:
    first = dfdg.details(town.offer(), CaseWorkerIdentifier="bo").json()["ReservationId"]
    again = dfdg.details(town.offer(), CaseWorkerIdentifier="bo").json()["ReservationId"]
    other = dfdg.details(town.offer(), "2026-12-01T09:00:00Z", CaseWorkerIdentifier="bo").json()["ReservationId"]

    assert first == again
    assert other != first
    assert 200 == dfdg.of(OTHER).details(town.offer(), CaseWorkerIdentifier="bo").status_code


def test_a_reservation_that_ran_out_is_kept_anew_while_the_time_is_free(town: JobnetTown, dfdg: Dfdg) -> None:
    booking, reservation = str(uuid.uuid4()), dfdg.details(town.offer()).json()["ReservationId"]
    town.clock.at += timedelta(minutes=16)
    town.sync()
    refused = dfdg.create(booking, reservation)

    assert 410 == refused.status_code
    assert reservation != refused.json()["ReservationId"]
    assert 200 == dfdg.create(booking, refused.json()["ReservationId"]).status_code


def test_an_expired_reservation_whose_time_is_gone_is_refused_for_good(town: JobnetTown, dfdg: Dfdg) -> None:
    chosen = {"CaseWorkerIdentifier": "bo"}
    reservation = dfdg.details(town.offer(), **chosen).json()["ReservationId"]
    town.clock.at += timedelta(minutes=16)
    town.sync()
    dfdg.of(OTHER).booked(town.offer(), **chosen)
    refused = dfdg.create(str(uuid.uuid4()), reservation)

    assert 410 == refused.status_code
    assert "ReservationId" not in refused.json()


def test_a_booking_moves_to_its_new_time_and_frees_the_old_one(town: JobnetTown, dfdg: Dfdg) -> None:
    # BB: rebooking reserves on the existing IndkaldelseId, then creates.
    booking = dfdg.booked(town.offer(), CaseWorkerIdentifier="bo")
    reserved = dfdg.reserve(booking, "2026-12-02T09:00:00Z", CaseWorkerIdentifier="bo")
    before = starts(dfdg.times(town.offer(), CaseWorkerIdentifier="bo"))
    moved = dfdg.create(booking, reserved.json()["ReservationId"])
    after = starts(dfdg.times(town.offer(), CaseWorkerIdentifier="bo"))

    assert 200 == moved.status_code, moved.text
    assert "2026-12-02T10:00:00+01:00" == moved.json()["Bookingdetaljer"]["StartTidspunkt"]
    assert "2026-12-01T09:00:00+01:00" not in before
    assert "2026-12-01T09:00:00+01:00" in after
    assert moved.json() == dfdg.create(booking, reserved.json()["ReservationId"]).json()
    with town.store.read() as tx:
        assert 1 == len([one for one in tx.bookings.of_citizen("jobnet", town.citizen()) if one.state != "cancelled"])


def test_a_second_talk_of_the_kind_is_not_offered(town: JobnetTown, dfdg: Dfdg) -> None:
    # IND24: for types 7 and 4 a citizen may not have a further future appointment of the kind.
    sent = [{"IndkaldelseId": str(uuid.uuid4()), "SamtaleType": 7, "StartTidspunkt": "2026-12-09T08:00:00Z"}]
    past = [{"IndkaldelseId": str(uuid.uuid4()), "SamtaleType": 7, "StartTidspunkt": "2026-10-09T08:00:00Z"}]

    assert 4770 == dfdg.offers(1, BookingSamling=sent).json()["Fejlkode"]
    assert 200 == dfdg.offers(1, BookingSamling=past).status_code
    dfdg.booked(town.offer())
    assert 4770 == dfdg.offers(1).json()["Fejlkode"]
    assert 409 == dfdg.details(town.offer(), "2026-12-02T09:00:00Z").status_code


def looks(town: JobnetTown) -> list[str]:
    """What was written down of calls, in order."""
    with town.store.read() as tx:
        asked = select(AuditRow.action).where(AuditRow.action.startswith("jobnet.")).order_by(AuditRow.id)
        return list(tx.session.scalars(asked))


def test_the_exempt_and_deprived_get_no_offer_but_staff_can_book_them(town: JobnetTown, dfdg: Dfdg) -> None:
    # FRI: absence types 56 and 57 close self-booking.
    with town.store.begin() as tx:
        tx.jobnet.stand(town.citizen(), ("key", b"sealed"), Standing.EXEMPT, town.clock.now())

    assert 4770 == dfdg.offers().json()["Fejlkode"]
    assert 404 == dfdg.times(town.offer()).status_code
    assert 404 == dfdg.details(town.offer()).status_code
    assert 409 == dfdg.create(str(uuid.uuid4()), str(uuid.uuid4())).status_code
    assert ["jobnet.offers", "jobnet.times", "jobnet.details", "jobnet.create"] == looks(town)
    held = town.desk.hold(
        "portal", "jobsamtale", town.clock.now() + timedelta(days=1, hours=1), None, Form.PHONE, None, town.clock.now()
    )
    made = town.desk.book("portal", held.booking.id, town.citizen(), town.clock.now())
    with town.store.read() as tx:
        assert tx.jobnet.link_of(made.booking.id) is None


def test_a_booking_outlives_its_offer_and_its_caseworker(town: JobnetTown, dfdg: Dfdg) -> None:
    booking = dfdg.booked(town.offer(), CaseWorkerIdentifier="bo")
    with town.store.begin() as tx:
        tx.rules.add(RULES.replace("[offers.jobsamtale]", "[offers.anden]"), "test", town.clock.now())
    people = {name: one for name, one in town.directory.caseworkers.items() if name != "bo"}
    town.directory = replace(town.directory, caseworkers=people)
    known = dfdg.post(f"/Booking/{booking}/action/accepter")
    ended = dfdg.post(f"/Booking/{booking}/action/aflys")

    assert (200, 200) == (known.status_code, ended.status_code), ended.text
    before, after = (one.json()["Bookingdetaljer"] for one in (known, ended))
    assert (True, True) == (before["Accepteret"], before["AflysningMulig"])
    assert (False, False) == (after["OmbookingMulig"], after["AflysningMulig"])
