"""Receipts and reminders, to a real mail server and a real gateway: each at most once, whatever these do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from icalendar import Calendar
from sqlalchemy import select, update
from starlette.testclient import TestClient

from syncd.booking.contacts import Contacts
from syncd.booking.openly import OpenDesk
from syncd.booking.sealing import Seal
from syncd.clock import FixedClock
from syncd.config import ContactsSection, JobnetSection, MailSection, PagesSection, SecretRef
from syncd.config.booking_page import BookingPageSection
from syncd.config.clients import ClientSection
from syncd.config.messages import MessagesSection, SmsSection
from syncd.daemon.letterbox import Draft, Letterbox, channels, reached
from syncd.daemon.messages import _taken, owe, send_messages
from syncd.daemon.parts import Parts
from syncd.model.contact import Contact
from syncd.model.interval import Interval
from syncd.model.message import Channel, Kind, Progress
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.observe import logs, metrics
from syncd.store import Store
from syncd.store.citizen_messages import CitizenMessages
from syncd.store.instants import epoch
from syncd.store.retention import Periods, sweep
from syncd.store.tables import AuditRow, BookingRow, MailboxRow
from syncd.web.app import build_app
from tests.integration.test_booking_page import MANNERS, Copied
from tests.integration.test_privacy_of_calendars import everything
from tests.page_town import NOW, PageTown, Size
from tests.servers.mail import MailServer, free_port, mail_server
from tests.servers.sms import TOKEN, SmsGateway, sms_gateway

BOTH = Contact("Kirsebaerblomst Sommerfugl", None, "+4520304050", "kirsebaer@example.dk")
MAIL, PHONE = Contact(mail="kirsebaer@example.dk"), Contact(phone="20 30 40 50")
CANARIES = ("kirsebaer", "sommerfugl", "20304050", "20 30 40 50")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
JOBNET = JobnetSection(
    jobcentres={},
    caseworkers={},
    cpr_key=SecretRef(env="KEY"),
    trusted_proxies=("127.0.0.1",),
    certificate_subjects=("x",),
    certificate_issuers=("x",),
)
SIZE = Size(3, 4, 4, 1)
STOP = re.compile(r"https://syncd\.example\.dk(/messages/[\w-]+)")
LINK = re.compile(r"https://syncd\.example\.dk(/book/[\w-]+)")


@dataclass
class Office:
    """A jobcentre without Jobnet, and what citizens get from it."""

    town: PageTown
    parts: Parts
    mail: MailServer
    gateway: SmsGateway
    desk: OpenDesk

    def booked(self, contact: Contact = BOTH, days: int = 4, language: str = "da", form: Form = Form.IN_PERSON) -> str:
        """A citizen books a meeting so many days ahead; returns the secret of her link."""
        start = self.start(days)
        secret = self.desk.hold("jobsamtale", start, form, 30, language, self.now)
        self.desk.book(secret, contact, "", self.now)
        return secret

    def start(self, days: int) -> datetime:
        """The first time on offer after so many days."""
        day = NOW + timedelta(days=days)
        found = self.town.publisher.answer(
            "jobsamtale", Interval(day, day + timedelta(days=3)), self.now, form=Form.IN_PERSON
        )
        return found.slots[0].interval.start

    @property
    def now(self) -> datetime:
        return self.town.clock.now()

    def at(self, now: datetime) -> None:
        """Let it be then; all calendars were just read."""
        self.town.clock.at = now
        with self.town.store.begin() as tx:
            tx.session.execute(update(MailboxRow).values(as_of=epoch(now), full_at=epoch(now)))

    def round(self, after: timedelta = timedelta(0)) -> None:
        """What the service does every now and then."""
        self.town.clock.at += after
        send_messages(self.parts, self.town.clock)

    def progress(self, secret: str) -> list[tuple[Kind, Progress]]:
        """What was done about a booking, in order."""
        booking = self.desk.find(secret, self.now).booking.id
        with self.town.store.read() as tx:
            return [(one.kind, one.progress) for one in CitizenMessages(tx.session).of(booking)]

    def tasks(self) -> list[Any]:
        with self.town.store.read() as tx:
            return tx.tasks.waiting(TaskKind.CITIZEN_NOT_TOLD)

    def browser(self) -> TestClient:
        """Somebody with a link from a message."""
        deps = self.town.deps()
        pages = replace(deps.pages, booking=self.parts.config.booking_page, told_by=channels(self.parts.config))
        return TestClient(build_app(replace(deps, pages=pages, contacts=self.parts.contacts)), headers=MANNERS)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def gateway() -> Iterator[SmsGateway]:
    with sms_gateway() as server:
        yield server


@pytest.fixture(scope="module")
def written(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a town in it."""
    path = tmp_path_factory.mktemp("messages") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    PageTown(store, SIZE)
    store.close()
    return path.read_bytes()


@pytest.fixture
def office(
    written: bytes, tmp_path: Path, mail: MailServer, gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    (tmp_path / "syncd.db").write_bytes(written)
    store = Store(f"sqlite:///{tmp_path / 'syncd.db'}")
    town = Copied(store, SIZE, clock=FixedClock(NOW))
    town.directory = replace(town.directory, support="Servicedesk, tlf. 12 34 56 78")
    mail.forget()
    gateway.forget()
    monkeypatch.setenv("SMS_TOKEN", TOKEN)
    yield _office(town, mail, gateway)
    store.close()


def _office(town: PageTown, mail: MailServer, gateway: SmsGateway) -> Office:
    token = SecretRef(env="SMS_TOKEN")
    config = SimpleNamespace(
        messages=MessagesSection(enabled=True, sms=SmsSection(url=gateway.url, token=token, sender="Jobcentret")),
        mail=MailSection(host="127.0.0.1", port=mail.port, security="none", sender="syncd@example.dk"),
        pages=PagesSection(public_url="https://syncd.example.dk"),
        contacts=ContactsSection(key=SecretRef(env="KEY")),
        booking_page=BookingPageSection(enabled=True, per_minute=10_000),
        jobnet=JobnetSection(jobcentres={}, caseworkers={}),
        language="da",
        clients={"portal": ClientSection(token_sha256=("0" * 64,))},
    )
    contacts = Contacts(Seal(bytes(range(32))))
    parts = SimpleNamespace(config=config, store=town.store, directory=town.directory, contacts=contacts)
    desk = OpenDesk(town.store, town.deps().desk, contacts)
    return Office(town, cast(Parts, parts), mail, gateway, desk)


def configured(office: Office, **sections: Any) -> None:
    """Another configuration; None takes a way of sending away."""
    vars(office.parts.config).update(sections)


def event(message: Any) -> Any:
    """The event beside a mail's words, and the method of its part."""
    (part,) = message.iter_attachments()
    calendar = Calendar.from_ical(part.get_content().encode() if part.get_content_maintype() == "text" else "")
    assert part.get_param("method") == str(calendar["METHOD"])
    return SimpleNamespace(method=str(calendar["METHOD"]), event=calendar.walk("VEVENT")[0])


def words(message: Any) -> tuple[str, str]:
    """The words of a mail, as text and as HTML."""
    return tuple(message.get_body((kind,)).get_content() for kind in ("plain", "html"))


def test_a_citizen_is_told_of_each_step_once_and_reminded_once(office: Office) -> None:
    secret = office.booked(days=4)
    for _ in range(3):
        office.round(MINUTE)
    office.desk.move(secret, office.start(6), office.now)
    office.round(MINUTE)
    office.round(MINUTE)
    meeting = office.desk.find(secret, office.now).meeting
    office.at(meeting.interval.start - DAY + MINUTE)
    office.round()
    office.round(MINUTE)
    office.desk.cancel(secret, office.now)
    office.round(MINUTE)
    office.round(MINUTE)
    booked, moved, cancelled = (message for _, message in office.mail.got)
    events = [event(one) for one in (booked, moved, cancelled)]

    assert ["kirsebaer@example.dk"] * 3 == [to for to, _ in office.mail.got]
    assert [
        "Din samtale er booket · Eksempel Kommune",
        "Din samtale har fået ny tid eller nyt sted · Eksempel Kommune",
        "Din samtale er aflyst · Eksempel Kommune",
    ] == [one["Subject"] for one in (booked, moved, cancelled)]
    assert ["PUBLISH", "PUBLISH", "CANCEL"] == [one.method for one in events]
    assert ["CONFIRMED", "CONFIRMED", "CANCELLED"] == [one.event["STATUS"] for one in events]
    assert 1 == len({one.event["UID"] for one in events})
    assert sorted({one.event["SEQUENCE"] for one in events}) == [one.event["SEQUENCE"] for one in events]
    assert {"mailto:syncd@example.dk"} == {str(one.event["ORGANIZER"]) for one in events}
    assert meeting.interval.start == events[1].event.start
    assert 3 == len({one["Message-ID"] for one in (booked, moved, cancelled)})
    (reminder,) = office.gateway.got
    assert ("+4520304050", "Jobcentret") == (reminder["to"], reminder["from"])
    assert "Husk din samtale" in reminder["text"]
    assert [
        (Kind.BOOKED, Progress.SENT), (Kind.MOVED, Progress.SENT), (Kind.REMINDER, Progress.SENT),
        (Kind.CANCELLED, Progress.SENT),
    ] == office.progress(secret)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("da", ("Ombook, eller meld afbud", "Hvornår", "kl.", "jobcentret", "Har du brug for hjælp? Servicedesk")),
        ("en", ("Move the meeting, or cancel it", "When", "at", "the jobcentre", "Do you need help? Servicedesk")),
    ],
)
def test_messages_say_when_and_where_and_not_who_or_what_about(
    office: Office, language: str, says: tuple[str, ...]
) -> None:
    office.booked(language=language)
    office.booked(PHONE, days=5, language=language, form=Form.PHONE)
    office.round()
    plain, html = words(office.mail.got[0][1])
    (sms,) = (one["text"] for one in office.gateway.got)
    caseworkers = [one.name for one in office.town.directory.caseworkers.values()]

    for one in says:
        assert one in plain
        assert one in html
    assert "Jobcentret, Torvet 1, Receptionen i stuen" in plain
    assert "12 34 56 78" in sms
    assert plain.count("?lang=en") == (2 if language == "en" else 0)
    for text in (plain, html, sms, str(event(office.mail.got[0][1]).event.to_ical())):
        assert not re.search(r"indkald|summon|Jobsamtale|Job talk|Lokale|CPR|Kirsebaer", text, re.IGNORECASE)
        assert [] == [name for name in caseworkers if name in text]
    gsm = re.compile(r"[A-Za-z0-9 \n@£$¥èéùìòÇØøÅåÆæßÉÄÖÑÜäöñüà!\"#%&'()*+,./:;<=>?_-]*")
    assert gsm.fullmatch(sms), "letters beyond GSM 03.38 halve what a text message holds"
    assert len(sms) <= 2 * 153


def test_a_text_message_waits_for_the_morning_and_mail_does_not(office: Office) -> None:
    office.at(datetime(2026, 11, 30, 21, 30, tzinfo=UTC))
    secret, other = office.booked(PHONE, days=3), office.booked(MAIL, days=4)
    office.round()
    at_night = (len(office.gateway.got), len(office.mail.got))
    office.at(datetime(2026, 12, 1, 6, 59, tzinfo=UTC))
    office.round()
    early = len(office.gateway.got)
    office.at(datetime(2026, 12, 1, 7, 0, tzinfo=UTC))
    office.round()

    assert ((0, 1), 0, 1) == (at_night, early, len(office.gateway.got))
    assert [(Kind.BOOKED, Progress.SENT)] == office.progress(secret) == office.progress(other)


def test_what_changed_while_it_waited_is_told_as_it_is(office: Office) -> None:
    office.at(datetime(2026, 11, 30, 21, 30, tzinfo=UTC))
    moved, gone = office.booked(PHONE, days=3), office.booked(replace(PHONE, phone="+4520304051"), days=4)
    office.round()
    office.desk.move(moved, office.start(6), office.now)
    office.desk.cancel(gone, office.now)
    office.round(MINUTE)
    office.at(datetime(2026, 12, 1, 7, 0, tzinfo=UTC))
    office.round()

    assert [(Kind.BOOKED, Progress.WITHDRAWN), (Kind.BOOKED, Progress.SENT)] == office.progress(moved)
    assert [(Kind.BOOKED, Progress.WITHDRAWN)] == office.progress(gone)
    assert 1 == len(office.gateway.got)


def test_who_said_no_is_not_written_to_until_she_wants_it_again(office: Office) -> None:
    secret = office.booked()
    office.round()
    plain, html = words(office.mail.got[0][1])
    browser = office.browser()
    (address,) = set(STOP.findall(plain))
    assert {address} == set(STOP.findall(html))
    page = browser.get(address)
    office.desk.move(secret, office.start(5), office.now)
    office.round(MINUTE)
    looked = len(office.mail.got)
    stopped = browser.post(address, data={"do": "stop"})
    office.desk.move(secret, office.start(9), office.now)
    office.round(MINUTE)
    silent = len(office.mail.got)
    again = browser.post(address, data={"do": "again"})
    office.desk.cancel(secret, office.now)
    office.round(MINUTE)

    assert "Send mig ikke flere beskeder" in page.text
    assert (2, 2, 3) == (looked, silent, len(office.mail.got)), "a look stops nothing, for mail programs look, too"
    assert "Du får ingen beskeder" in stopped.text
    assert "Send mig ikke flere beskeder" in again.text
    assert Progress.SKIPPED in {progress for _, progress in office.progress(secret)}
    with office.town.store.read() as tx:
        done = set(tx.session.scalars(select(AuditRow.action)))
    assert {"messages.stopped", "messages.resumed", "message.sent"} <= done


def test_links_that_lead_nowhere_and_switched_off_messages_have_no_page(office: Office) -> None:
    office.booked()
    office.round()
    (address,) = set(STOP.findall(words(office.mail.got[0][1])[0]))
    browser = office.browser()

    assert 404 == browser.get("/messages/nowhere").status_code
    assert 404 == browser.post("/messages/nowhere", data={"do": "stop"}).status_code
    assert 403 == browser.post(address, data={"do": "stop"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code
    configured(office, messages=MessagesSection())
    assert 404 == office.browser().get(address).status_code


@pytest.mark.parametrize("off", ["jobnet", "switch"])
def test_nothing_is_sent_beside_jobnet_or_while_it_is_switched_off(office: Office, off: str) -> None:
    office.booked()
    if off == "jobnet":
        configured(office, jobnet=JOBNET)
    else:
        configured(office, messages=office.parts.config.messages.model_copy(update={"enabled": False}))
    office.round()
    office.round(DAY)

    assert frozenset() == channels(office.parts.config)
    assert ([], []) == (office.mail.got, office.gateway.got)


def test_a_portal_that_writes_itself_is_left_to_it_and_others_are_not(office: Office) -> None:
    secrets = [office.booked(MAIL, days=days) for days in (4, 5)]
    theirs = office.desk.find(secrets[0], office.now).booking.id
    with office.town.store.begin() as tx:
        tx.session.execute(update(BookingRow).where(BookingRow.id == theirs).values(client="portal"))
    configured(office, clients={"portal": ClientSection(token_sha256=("0" * 64,), messages=False)})
    office.round()
    first = len(office.mail.got)
    configured(office, clients={"portal": ClientSection(token_sha256=("0" * 64,))})
    office.round(MINUTE)

    assert (1, 2) == (first, len(office.mail.got))


def test_bookings_from_before_get_no_receipt_but_a_reminder(office: Office) -> None:
    secret = office.booked(MAIL, days=4)
    meeting = office.desk.find(secret, office.now).meeting
    office.round(2 * DAY)
    early = len(office.mail.got)
    office.at(meeting.interval.start - DAY + MINUTE)
    office.round()

    assert (0, 1) == (early, len(office.mail.got))
    assert "Husk din samtale · Eksempel Kommune" == office.mail.got[0][1]["Subject"]


def test_a_service_killed_before_it_noted_what_it_sent_does_not_send_twice(office: Office) -> None:
    secret = office.booked()
    owe(office.parts, office.now)
    draft = office.town.store.run(partial(_taken, office.parts, ways=set(Channel), now=office.now))
    assert isinstance(draft, Draft)
    Letterbox(office.parts.config).hand_over(draft, office.now)  # and here it is killed
    for minutes in (1, 9, 2, 60, 600):
        office.round(timedelta(minutes=minutes))

    assert 1 == len(office.mail.got)
    assert [(Kind.BOOKED, Progress.UNKNOWN)] == office.progress(secret)
    (task,) = office.tasks()
    assert "nåede måske ikke frem; mødet er booket" in task.da


def test_of_two_nodes_one_takes_a_message(office: Office) -> None:
    office.booked()
    owe(office.parts, office.now)
    owe(office.parts, office.now)
    take = partial(_taken, office.parts, ways=set(Channel), now=office.now)
    first, second = office.town.store.run(take), office.town.store.run(take)

    assert isinstance(first, Draft)
    assert second is None


def test_what_was_certainly_not_taken_is_tried_again_and_sent_once(office: Office) -> None:
    office.mail.moods += ["451"]
    office.gateway.moods += ["503"]
    secret, other = office.booked(MAIL), office.booked(PHONE, days=5)
    office.round()
    refused = office.progress(secret) + office.progress(other)
    office.round(timedelta(seconds=30))
    early = len(office.mail.got) + len(office.gateway.got)
    office.round(MINUTE)

    assert [(Kind.BOOKED, Progress.WAITING)] * 2 == refused
    assert 0 == early
    assert (1, 1) == (len(office.mail.got), len(office.gateway.got))


@pytest.mark.parametrize(
    ("contact", "moods", "progress"),
    [
        (MAIL, ["break"], Progress.UNKNOWN),
        (PHONE, ["break"], Progress.UNKNOWN),
        (PHONE, ["500"], Progress.UNKNOWN),
        (PHONE, ["400"], Progress.FAILED),
        (MAIL, ["550"], Progress.FAILED),
        (Contact(mail="ukendt@example.dk"), [], Progress.FAILED),
        (Contact(mail="æble@example.dk"), [], Progress.FAILED),
        (Contact(mail="a@example.dk\r\nBcc: b@example.dk"), [], Progress.FAILED),
        (Contact(phone="123 4"), [], Progress.FAILED),
    ],
)
def test_staff_are_asked_to_call_when_a_message_does_not_or_may_not_arrive(
    office: Office, contact: Contact, moods: list[str], progress: Progress
) -> None:
    office.mail.unknown.add("ukendt@example.dk")
    (office.mail if contact.mail else office.gateway).moods.extend(moods)
    secret = office.booked(contact)
    for _ in range(4):
        office.round(HOUR)

    assert [(Kind.BOOKED, progress)] == office.progress(secret)
    assert 1 >= len(office.mail.got) + len(office.gateway.got)
    (task,) = office.tasks()
    assert (contact.mail or contact.phone or "") not in task.da


def test_trying_again_ends_while_staff_can_still_call_and_what_arrives_later_settles_it(office: Office) -> None:
    port = office.parts.config.mail.port
    configured(office, mail=office.parts.config.mail.model_copy(update={"port": free_port()}))
    secret = office.booked(MAIL, days=1)
    start = office.desk.find(secret, office.now).meeting.interval.start
    while not office.tasks():
        office.round(30 * MINUTE)
    asked = office.now
    configured(office, mail=office.parts.config.mail.model_copy(update={"port": port}))
    office.desk.cancel(secret, office.now)
    office.round(MINUTE)

    assert start - asked >= HOUR
    assert [(Kind.BOOKED, Progress.FAILED), (Kind.CANCELLED, Progress.SENT)] == office.progress(secret)
    assert [] == office.tasks()


def test_a_server_that_is_away_is_asked_once_in_a_round_and_holds_up_nobody_else(office: Office) -> None:
    configured(office, mail=office.parts.config.mail.model_copy(update={"port": free_port()}))
    waiting = [office.booked(Contact(mail=f"a{n}@example.dk"), days=4) for n in range(3)]
    told = office.booked(PHONE, days=5)
    tried = metrics.MESSAGES.labels("booked", "mail", "waiting")
    before = tried._value.get()
    office.round()

    assert 1 == tried._value.get() - before
    assert [(Kind.BOOKED, Progress.WAITING)] * 3 == [one for secret in waiting for one in office.progress(secret)]
    assert [(Kind.BOOKED, Progress.SENT)] == office.progress(told)
    with office.town.store.read() as tx:
        assert 3 == CitizenMessages(tx.session).waiting(office.now), "one of them is to be tried again later"


def test_check_tells_which_way_messages_go_and_what_to_do_when_they_do_not(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = reached(office.parts.config, set(Channel))
    configured(office, mail=office.parts.config.mail.model_copy(update={"port": free_port()}))
    monkeypatch.setenv("SMS_TOKEN", "another")
    bad = reached(office.parts.config, set(Channel))
    monkeypatch.delenv("SMS_TOKEN")
    unset = reached(office.parts.config, {Channel.SMS})

    assert [True, True] == [one.ok for one in good.values()]
    assert ([], []) == (office.mail.got, office.gateway.got)
    assert "ConnectionRefusedError" in bad[Channel.MAIL].says
    assert "does not take the token (401). Look at [messages.sms], then: syncd check" in bad[Channel.SMS].says
    assert "SMS_TOKEN is empty or not set" in unset[Channel.SMS].says


def test_contact_data_of_a_cancelled_meeting_stay_until_she_was_told(office: Office) -> None:
    secret = office.booked(PHONE)
    office.round()
    office.at(datetime(2026, 11, 30, 21, 30, tzinfo=UTC))
    office.desk.cancel(secret, office.now)
    kept = []
    for hours in (0, 1, 9.5):
        office.round(timedelta(hours=hours))
        sweep(office.town.store, office.now, Periods())
        kept.append(bool(office.desk.contact(secret, office.now).phone))
    office.round(HOUR)
    sweep(office.town.store, office.now, Periods())

    assert [True, True] == kept[:2]
    assert ["booket", "aflyst"] == [re.findall("booket|aflyst", one["text"])[0] for one in office.gateway.got]
    assert None is office.desk.contact(secret, office.now).phone


def test_nothing_that_tells_who_she_is_stands_in_logs_figures_subjects_or_the_database(
    office: Office, tmp_path: Path
) -> None:
    said = StringIO()
    with redirect_stderr(said):
        logs.configure("debug", "json")
        office.mail.moods += ["", "550"]
        office.booked()
        office.booked(replace(BOTH, phone="+4520304051"), days=5)
        office.booked(PHONE, days=6)
        office.mail.unknown.add("kirsebaer@example.dk")
        for _ in range(3):
            office.round(HOUR)
    structlog.reset_defaults()
    (tmp_path / "nothing").mkdir()
    kept = everything(f"sqlite:///{tmp_path / 'syncd.db'}", tmp_path / "nothing")
    told = said.getvalue() + metrics.text().decode()
    told += "".join(message["Subject"] for _, message in office.mail.got)

    assert '"event": "messages.' in told or '"event":"messages.' in told
    assert [] == [word for word in CANARIES if word in told.lower()]
    assert [] == [word for word in CANARIES if word in kept]
    links = LINK.findall("".join(words(message)[0] for _, message in office.mail.got))
    assert [] == [link for link in links if link[6:].lower() in kept]
