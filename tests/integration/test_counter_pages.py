"""The counter's pages: what is found, told and done there is what the desk does, and each look at a citizen is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from syncd.booking import counter
from syncd.model.booking import BookingState
from syncd.model.role import Role
from syncd.model.task import Task, TaskKind
from syncd.store import Store
from syncd.store.tables import AuditRow, MailboxRow
from syncd.web.app import build_app
from syncd.web.pages.counter.tasks import spoken
from tests.counter_town import CounterTown
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, Size

Shown = tuple[CounterTown, Any]
FAR = "1|new-time:0001-01-01T00:00:00+14:00@anna"


@pytest.fixture(scope="module")
def shown(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    path = tmp_path_factory.mktemp("counter") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = CounterTown.over(store, Size(6, 16, 4, 3))
    yield town, build_app(town.deps())
    store.close()


def person(shown: Shown, *roles: Role) -> Person:
    return Person(shown[1], shown[0].town.store, NOW, *roles)


def audited(shown: Shown, action: str, meeting: str) -> list[Any]:
    with shown[0].town.store.read() as tx:
        asked = select(AuditRow).where(AuditRow.action == action, AuditRow.meeting == meeting)
        return list(tx.session.scalars(asked.order_by(AuditRow.id)))


def value(page: Any, select_id: str, words: str = "") -> str:
    """The first value of a choice on a page that says *words*."""
    inside = re.search(rf'<select id="{select_id}".*?</select>', page.text, re.DOTALL)
    assert inside, select_id
    return next(str(v) for v, said in re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)', inside[0]) if words in said)


def test_a_booking_is_found_by_its_code_and_by_day_person_and_state(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    meeting = town.free[-1]
    with town.town.store.read() as tx:
        known = tx.meetings.get(meeting)

    by_code = staff.http.get(f"/bookings?q={meeting}", follow_redirects=False)
    query = f"from=2026-12-01&to=2026-12-02&caseworker={known.caseworker}&state=confirmed"
    by_person = staff.get(f"/bookings?{query}").text

    assert f"/bookings/{meeting}" == by_code.headers["location"]
    assert f'href="/bookings/{meeting}"' in by_person
    assert f'href="/bookings/{meeting}"' not in staff.get(f"/bookings?{query.replace('confirmed', 'cancelled')}").text
    assert 404 == staff.get("/bookings?q=ZZZZ-9999").status_code
    assert "byttet om" in staff.get("/bookings?from=2026-12-02&to=2026-12-01").text
    assert [404, 422] == [
        staff.get(path).status_code for path in ("/bookings/nothing-there", "/bookings?from=2086-01-01")
    ]


def test_the_history_is_told_in_sentences_with_who_what_when_and_from_where(shown):
    text = person(shown, Role.AUDITOR).get(f"/bookings/{shown[0].moved}").text

    assert "Borgeren (gennem portal) bookede mødet." in text
    assert re.search(r"\(i kalenderen\) flyttede mødet fra .*\d\d\.\d\d til .*\d\d\.\d\d\.", text)
    assert "Slået op én gang" in text
    assert "Flyt</button>" not in text
    assert "moved the meeting from" in person(shown, Role.STAFF).get(f"/bookings/{shown[0].moved}?lang=en").text


def test_whose_it_is_is_shown_for_a_reason_only_and_written_down(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    path = f"/bookings/{town.moved}"
    page = staff.get(path)
    assert "borger-" not in page.text
    assert "Ada Berg" not in page.text

    refused = staff.send(f"{path}/citizen", page, purpose="")
    told = staff.send(f"{path}/citizen", page, purpose="call")

    assert 422 == refused.status_code
    assert "Ada Berg" in told.text
    assert "+45 12 34 56 78" in told.text
    assert f"borger-{town.moved}" in told.text
    [row] = audited(shown, "citizen.shown", town.moved)
    assert ("staff:vera", "call") == (row.actor, row.purpose)
    assert 1 == len(audited(shown, "contact.read", town.moved))
    assert 403 == person(shown, Role.OPERATOR).send(f"{path}/citizen", page, purpose="call").status_code


def test_staff_move_a_booking_and_a_second_person_gets_a_clear_sentence(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    meeting = town.free.pop()
    page = staff.get(f"/bookings/{meeting}")
    with town.town.store.read() as tx:
        before = tx.meetings.get(meeting)

    moved = staff.send(f"/bookings/{meeting}/decide", page, do=value(page, "time"))
    second = staff.send(f"/bookings/{meeting}/decide", page, do=value(page, "time"))

    with town.town.store.read() as tx:
        after = tx.meetings.get(meeting)
    assert before.interval != after.interval
    assert "Mødet er flyttet" in moved.text
    assert "her på siderne) flyttede mødet fra" in moved.text
    assert 409 == second.status_code
    assert "En anden var hurtigere" in second.text


def test_a_colleague_whose_calendar_is_unknown_by_now_gets_no_meeting(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    pages = ((one, staff.get(f"/bookings/{one}")) for one in town.free)
    meeting, page = next((one, found) for one, found in pages if '<select id="colleague"' in found.text)
    do = value(page, "colleague")
    colleague = do.partition(":")[2]
    with town.town.store.begin() as tx:
        tx.mailboxes.refuse(colleague, "7 of 9 vanished", NOW)
    try:
        danish = staff.send(f"/bookings/{meeting}/decide", page, do=do)
        english = staff.send(f"/bookings/{meeting}/decide?lang=en", page, do=do)
    finally:
        with town.town.store.begin() as tx:
            tx.session.execute(update(MailboxRow).where(MailboxRow.id == colleague).values(refused=None, problem=None))
            tx.settings.bump()

    assert [503, 503] == [danish.status_code, english.status_code]
    assert "kalender er ikke kendt på det tidspunkt" in danish.text
    assert "Intet er ændret. Prøv igen, når kalenderen er læst" in danish.text
    assert "calendar is not known for that time" in html.unescape(english.text)
    with town.town.store.read() as tx:
        assert tx.meetings.get(meeting).caseworker != colleague


def test_a_cancelled_booking_stays_cancelled_and_nonsense_changes_nothing(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    meeting = town.free.pop()
    page = staff.get(f"/bookings/{meeting}")
    for odd in ("", "x", "1|", "1|colleague", "99999999999|cancel:", "1|new-time:@anna", "1|colleague:nobody", FAR):
        assert staff.send(f"/bookings/{meeting}/decide", page, do=odd).status_code in (404, 409, 422)

    [do] = re.findall(r'name="do" value="(\d+\|cancel:)"', page.text)
    done = staff.send(f"/bookings/{meeting}/decide", page, do=do)

    assert "Mødet er aflyst" in done.text
    with town.town.store.read() as tx:
        assert [BookingState.CANCELLED] == [one.state for one in tx.bookings.of(meeting)]
    assert 403 == person(shown, Role.AUDITOR).send(f"/bookings/{meeting}/decide", page, do=do).status_code


def test_what_waits_has_its_remedy_as_a_button(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    page = staff.get("/tasks")
    assert "Der mangler et lokale" in page.text
    assert "syncd " not in re.sub(r"<title>.*?</title>", "", page.text).replace("syncd</span>", "")
    do = re.findall(rf'action="/bookings/{town.lacking}/decide".*?name="do" value="([^"]+)"', page.text, re.DOTALL)[0]

    before = staff.get(f"/bookings/{town.lacking}").text
    done = staff.send(f"/bookings/{town.lacking}/decide", page, do=do)

    assert (True, False) == ("mangler et lokale.</" in before, "syncd rooms" in before)
    assert "Mødet er flyttet" in done.text
    with town.town.store.read() as tx:
        assert tx.meetings.get(town.lacking).room is not None


def test_staff_book_for_an_exempted_citizen_and_it_is_not_self_booked(shown):
    town, staff = shown[0], person(shown, Role.STAFF)
    page = staff.get("/bookings/new?offer=jobsamtale&form=in-person&day=2026-12-07")
    times = re.findall(r'name="time" value="([^"]+)"', page.text)
    asked = {"offer": "jobsamtale", "form": "in-person", "day": "2026-12-07", "time": times[0]}

    for far in ("0001-01-01", "9999-12-31"):
        odd = asked | {"day": far, "time": f"{far}T09:00:00+00:00@"}
        assert 422 == staff.send("/bookings/new", page, **odd, citizen="sag-7", ground="exempt").status_code
    as_cpr = staff.send("/bookings/new", page, **asked, citizen="010190-1234", ground="exempt")
    without = staff.send("/bookings/new", page, **asked, citizen="sag-7", ground="")
    done = staff.send("/bookings/new", page, **asked, citizen="sag-7", ground="exempt")

    assert "ligner et CPR-nummer" in as_cpr.text
    assert "Vælg, hvorfor du booker" in without.text
    assert 'value="sag-7"' in without.text
    assert "(fritaget for at booke selv); det tæller ikke som selvbooket" in done.text
    with town.town.store.read() as tx:
        [made] = tx.bookings.of_citizen(counter.CLIENT, "sag-7")
        row = tx.session.scalars(select(AuditRow).where(AuditRow.action == counter.MADE)).one()
    assert (BookingState.PENDING, "staff:vera") == (made.state, row.actor)


def test_an_absence_is_settled_in_one_step_and_reception_gets_its_list(shown):
    town, staff = shown[0], person(shown, Role.COORDINATOR)
    page = staff.get(f"/absence/plan?caseworker={town.away}")
    choices = dict(re.findall(r'<select id="r\d+" name="(do-[^"]+)"><option value="([^"]+)"', page.text))
    fields = dict(re.findall(r'<input type="hidden" name="(absence|caseworker|from|to)" value="([^"]*)"', page.text))
    assert choices

    done = staff.send("/absence/confirm", page, **fields, **choices)
    again = staff.send("/absence/confirm", page, **fields, **choices)

    assert "Fraværet er noteret" in done.text
    assert "ikke gjort" not in done.text
    assert "En anden var hurtigere" in again.text
    with town.town.store.read() as tx:
        [given] = tx.absences.coming(NOW)
        left = [tx.meetings.get(name.removeprefix("do-")) for name in choices]
    assert town.away == given.caseworker
    assert all(not one.wanted or one.caseworker != town.away for one in left if one)
    calls = staff.get("/absence/calls")
    assert "er aflyst" in calls.text
    assert "Carl Dahl" not in calls.text
    assert "Carl Dahl" in staff.send("/absence/calls", calls).text
    assert [422, 422, 422, 404] == [
        staff.get(f"/absence/{path}").status_code
        for path in (
            f"plan?caseworker={town.away}&from=2026-12-02T08:00&to=2026-12-01T08:00",
            f"plan?caseworker={town.away}&from=0001-12-02T08:00&to=0001-12-02T16:00",
            "plan?caseworker=nobody",
            "999",
        )
    ]


def test_a_form_sent_after_the_visit_ran_out_keeps_everything_but_a_cpr_number(shown):
    staff = person(shown, Role.STAFF)
    page = staff.get("/bookings/new?offer=jobsamtale")
    town = shown[0].town
    town.clock.at = NOW.replace(hour=10)
    try:
        sent = staff.http.post("/bookings/new", data={"csrf": "x", "citizen": "sag-8", "cpr": "0101901234"})
    finally:
        town.clock.at = NOW
    assert 200 == page.status_code
    assert "Det, du skrev, er gemt" in sent.text
    with town.store.read() as tx:
        kept = [str(row[0]) for row in tx.session.connection().exec_driver_sql("SELECT kept FROM visits")]
    assert any("sag-8" in one for one in kept)
    assert not any("0101901234" in one for one in kept)


def test_every_task_is_told_without_a_command():
    class Every(dict):
        def __missing__(self, name):
            return "7"

    for kind in TaskKind:
        for language in ("da", "en"):
            said = spoken(Task(1, kind, "x:1", Every(), NOW), language)
            assert not re.search(
                r"syncd [a-z]+ [a-z<{]",
                said.replace("syncd bliver ved", "")
                .replace("syncd goes on", "")
                .replace("syncd sletter den", "")
                .replace("syncd does", ""),
            ), said
            assert "  " not in said
