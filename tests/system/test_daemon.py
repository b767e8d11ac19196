"""The daemon as a process: start, serve, reload, drain, and come back after kill -9 with nothing lost."""

from __future__ import annotations

import re
import signal
import socket
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.servers.dav import DavServer
from tests.servers.processes import free_port
from tests.servers.proxy import Proxy, hang, lose_answer
from tests.system.service import PATIENCE, Service, wait_for


def test_it_serves_slots_and_stops_within_ten_seconds_of_sigterm(service: Service) -> None:
    service.start()
    wait_for(lambda: bool(service.slots()), "slots")

    code, seconds = service.stop()

    assert code == 0, service.log[-2000:]
    assert seconds < 10
    assert '"event": "daemon.stopped"' in service.log


@pytest.mark.broad
def test_a_booking_stands_in_both_calendars_and_is_confirmed(service: Service) -> None:
    service.start()

    booked = service.book()

    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation")
    (meeting,) = service.objects("anna")
    (taken,) = service.objects("lokale-1")
    assert "Lokale 1" in meeting
    assert re.search(r"ATTENDEE[^:]*CUTYPE=ROOM", meeting.replace("\r\n ", ""))
    assert "Optaget" in taken
    assert "Samtale" not in taken


@pytest.mark.broad
@pytest.mark.parametrize("fault", ["hang", "lost answer"])
def test_killed_between_booking_and_calendar_the_meeting_is_there_once_after_restart(
    service: Service, between: Proxy, fault: str
) -> None:
    service.start()
    wait_for(lambda: len(service.slots()) > 10, "slots")
    between.meet("PUT", hang(30) if fault == "hang" else lose_answer)
    booked = service.book()
    wait_for(lambda: "PUT" in between.methods(), "the first write")

    service.kill()
    between.calm()
    service.start()

    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation after the restart")
    assert [1, 1] == [len(service.objects(owner)) for owner in ("anna", "lokale-1")]


@pytest.mark.broad
def test_a_stop_while_a_calendar_hangs_leaves_the_write_owed_and_the_next_start_does_it(
    service: Service, between: Proxy
) -> None:
    service.timeout = 50
    service.write()
    service.start()
    wait_for(lambda: len(service.slots()) > 10, "slots")
    between.meet("PUT", hang(60))
    booked = service.book()
    wait_for(lambda: "PUT" in between.methods(), "the first write")

    code, seconds = service.stop()
    between.calm()
    service.start()

    assert (code, seconds < 10) == (0, True), (code, seconds, service.log[-2000:])
    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation after the restart")
    assert 1 == len(service.objects("anna"))


@pytest.mark.broad
def test_a_calendar_that_cannot_be_read_offers_no_time(service: Service, between: Proxy) -> None:
    between.meet("PROPFIND", lose_answer)
    service.start()

    assert [] == service.slots()
    standing = requests.get(f"{service.url}/readyz", timeout=5)
    assert (200, "degraded") == (standing.status_code, standing.json()["status"])
    between.calm()
    wait_for(lambda: bool(service.slots()), "slots once the calendar answers")


@pytest.mark.broad
def test_sighup_takes_a_new_configuration_and_keeps_the_old_one_when_it_is_wrong(service: Service) -> None:
    service.start()
    assert service.child is not None

    service.write("suport = 'x'")
    service.child.send_signal(signal.SIGHUP)
    wait_for(lambda: "daemon.reload_refused" in service.log, "a refusal")
    assert "did you mean 'support'" in service.log
    assert 200 == requests.get(f"{service.url}/readyz", timeout=5).status_code

    service.people = ("anna", "bo")
    service.write("support = 'Servicedesk'")
    service.calendars.make_calendar("bo")
    service.child.send_signal(signal.SIGHUP)
    wait_for(lambda: "daemon.reloaded" in service.log, "the reload")
    wait_for(lambda: bool(service.slots(caseworker="bo")), "slots of the new caseworker")
    booked = service.book("bo")
    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation with the new caseworker")
    assert 1 == len(service.objects("bo"))

    service.people = ("anna",)
    service.write()
    service.child.send_signal(signal.SIGHUP)
    wait_for(lambda: service.log.count("daemon.reloaded") == 2, "the second reload")
    gone = service.post("/holds", {"offer": "samtale", "start": booked["start"], "form": "phone", "caseworker": "bo"})
    assert 404 == gone.status_code


@pytest.mark.broad
def test_a_supervisor_has_a_listener_of_its_own_and_systemd_hears_of_every_turn(service: Service) -> None:
    watching = free_port()
    service.write(f"[monitor]\nlisten = '127.0.0.1:{watching}'")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(service.folder / "notify"))
        systemd.settimeout(PATIENCE)
        service.environment = {"NOTIFY_SOCKET": str(service.folder / "notify"), "WATCHDOG_USEC": "1000000"}
        service.start()
        paths = ("/livez", "/readyz", "/startupz", "/metrics")
        answers = [requests.get(f"http://127.0.0.1:{watching}{path}", timeout=5).status_code for path in paths]
        assert service.child is not None
        elsewhere = requests.get(f"{service.url}/metrics", timeout=5).status_code
        service.child.send_signal(signal.SIGHUP)
        wait_for(lambda: "daemon.reloaded" in service.log, "the reload")
        service.stop()
        systemd.settimeout(0.1)
        heard = _heard(systemd)

    assert [200, 200, 200, 200] == answers
    assert 404 == elsewhere
    turns = [word for word in heard if word != "WATCHDOG=1"]
    assert ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"] == turns
    assert "WATCHDOG=1" in heard[1:]


def _heard(channel: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(channel.recv(4096).decode().partition("\n")[0])
        except TimeoutError:
            return found


@pytest.mark.broad
def test_three_mistakes_in_the_configuration_are_told_at_once_and_exit_with_78(service: Service) -> None:
    text = service.config.read_text().replace('site = "torvet"', 'site = "nord"').replace("interval_", "intervall_")
    service.config.write_text(text)

    service.start(ready=False)

    assert service.child is not None
    assert 78 == service.child.wait(timeout=PATIENCE)
    assert "3 problem(s)" in service.log
    assert "did you mean 'interval_seconds'" in service.log
    assert "Traceback" not in service.log


@pytest.mark.broad
def test_an_address_in_use_is_told_in_a_sentence_and_nothing_was_changed(service: Service) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.port))
        taken.listen()
        service.start(ready=False)
        assert service.child is not None
        assert 1 == service.child.wait(timeout=PATIENCE)

    assert f"Cannot listen on 127.0.0.1:{service.port}" in service.log
    assert "Nothing was started" in service.log
    assert not (service.folder / "syncd.sqlite3").exists()
    assert "Traceback" not in service.log


@pytest.mark.broad
def test_a_database_that_cannot_be_written_is_told_in_a_sentence(service: Service) -> None:
    service.database = "sqlite:////proc/nowhere/syncd.sqlite3"
    service.write()

    service.start(ready=False)

    assert service.child is not None
    assert 1 == service.child.wait(timeout=PATIENCE)
    assert "cannot be created or written" in service.log
    assert "Traceback" not in service.log


@pytest.mark.broad
def test_no_line_of_the_log_names_the_citizen(service: Service) -> None:
    service.start()
    booked = service.book()
    wait_for(lambda: service.state(booked["id"]) == "confirmed", "confirmation")

    assert "borger-1" not in service.log
    assert "borger-1" not in "".join(service.objects("anna") + service.objects("lokale-1"))


@pytest.mark.broad
def test_a_marked_appointment_has_a_room_within_seconds_and_gives_it_back(
    service: Service, calendars: DavServer
) -> None:
    service.start()
    wait_for(lambda: bool(service.slots()), "slots")
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    own = f"UID:own\r\nDTSTAMP:20260101T000000Z\r\n{times}\r\nSUMMARY:Hemmeligt\r\nCATEGORIES:Lokale"
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\nBEGIN:VEVENT"
    path = f"{calendars.home}anna/own.ics"
    calendars.put(path, f"{head}\r\n{own}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")

    wait_for(lambda: len(service.objects("lokale-1")) == 1, "the room's entry")
    wait_for(lambda: len(service.objects("anna")) == 2, "the note")
    assert "Hemmeligt" not in service.objects("lokale-1")[0] + service.log
    calendars.delete(path)
    wait_for(lambda: not service.objects("lokale-1") and not service.objects("anna"), "room and note to go")
