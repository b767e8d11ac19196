"""Webhooks from the fact to the receiver, over HTTP; signatures are read by another's library."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from syncd.adapters.webhook import HttpCourier
from syncd.config.addresses import secure
from syncd.errors import ConfigError
from syncd.model.event import EventKind
from syncd.model.interval import Interval
from syncd.notify.deliver import deliver
from syncd.notify.patience import PAUSES
from syncd.notify.relay import Receiver, relay
from syncd.notify.signing import key_of
from syncd.store.tables import MeetingRow
from tests.integration.web_town import Client, Town

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()
NEXT = "whsec_" + base64.b64encode(b"the next one of thirty-two bytes.").decode()


@dataclass
class Listener:
    """A portal that listens; answers what the test says, 204 by default."""

    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def kinds(self) -> list[str]:
        return [one["type"] for one in self.told]


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = found.answers.pop(0) if found.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/syncd"
    yield found
    server.shutdown()
    server.server_close()


def hooked(listener: Listener, *events: str, secrets: tuple[str, ...] = (SECRET,)) -> Receiver:
    keys = tuple(key_of(secret, "test") for secret in secrets)
    return Receiver("portal", listener.url, events or ("*",), keys)


def tell(town: Town, receiver: Receiver) -> int:
    courier = HttpCourier(town.clock, 5)
    try:
        relay(town.store, {receiver.name: receiver}, town.clock.now())
        return deliver(town.store, courier, receiver, town.clock, lambda: None, lambda: False)
    finally:
        courier.close()


def test_a_booking_its_confirmation_its_move_and_its_end_are_told_in_order(
    town: Town, portal: Client, listener: Listener
) -> None:
    receiver = hooked(listener)
    made = portal.booking()
    town.settle()
    portal.post(f"/bookings/{made['id']}/reschedule", {"start": "2026-12-01T09:00:00Z"})
    portal.post(f"/bookings/{made['id']}/cancel", {})
    assert tell(town, receiver) == 4
    assert listener.kinds == ["booking.made", "booking.confirmed", "booking.moved", "booking.cancelled"]
    assert {one["data"]["booking"] for one in listener.told} == {made["id"]}
    assert "borger" not in repr(listener.got)


def test_a_human_who_drags_the_meeting_is_told_as_the_cause(town: Town, portal: Client, listener: Listener) -> None:
    receiver = hooked(listener, "booking.moved")
    portal.booking()
    town.settle()
    assert tell(town, receiver) == 0
    with town.store.read() as tx:
        uid = tx.session.scalars(select(MeetingRow.uid)).one()
    (entry,) = town.calendars.find(town.directory.mailboxes["anna"], uid)
    assert entry.interval is not None
    later = Interval.at(entry.interval.start + timedelta(minutes=30), 30)
    town.calendars.edit("anna", uid, interval=later)
    town.settle()
    assert tell(town, receiver) == 1
    assert listener.told[0]["data"]["cause"] == "calendar"
    assert listener.told[0]["data"]["start"] == "2026-12-01T08:30:00Z"


def test_another_client_hears_nothing_of_it(town: Town, portal: Client, rival: Client, listener: Listener) -> None:
    rival.booking()
    assert tell(town, hooked(listener)) == 0
    with town.store.read() as tx:
        assert tx.events.waiting(10) == []


def test_another_library_accepts_each_signature_and_refuses_a_changed_body(
    town: Town, portal: Client, listener: Listener
) -> None:
    portal.booking()
    tell(town, hooked(listener, secrets=(NEXT, SECRET)))
    headers, body = listener.got[0]
    for secret in (SECRET, NEXT):
        signer = Webhook(secret)
        signed_by_them = signer.sign(headers["webhook-id"], town.clock.now(), body.decode())
        assert signed_by_them in headers["webhook-signature"].split(" ")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)


def test_a_receiver_in_trouble_is_tried_later_with_the_same_id_and_body(
    town: Town, portal: Client, listener: Listener
) -> None:
    receiver = hooked(listener)
    listener.answers = [(500, {}), (302, {"location": "http://127.0.0.1:1/"}), (429, {"retry-after": "600"})]
    portal.booking()
    assert tell(town, receiver) == 0
    assert tell(town, receiver) == 0
    assert len(listener.got) == 1
    town.clock.at += PAUSES[0]
    tell(town, receiver)
    town.clock.at += PAUSES[1]
    tell(town, receiver)
    town.clock.at += timedelta(seconds=599)
    assert tell(town, receiver) == 0
    town.clock.at += timedelta(seconds=1)
    assert tell(town, receiver) == 1
    assert len({(headers["webhook-id"], body) for headers, body in listener.got}) == 1


def test_what_is_never_taken_ends_on_the_list_of_the_dead_and_can_be_revived(
    town: Town, portal: Client, listener: Listener
) -> None:
    receiver = hooked(listener)
    listener.answers = [(503, {})] * (len(PAUSES) + 1)
    portal.booking()
    for pause in (*PAUSES, timedelta()):
        tell(town, receiver)
        town.clock.at += pause
    with town.store.begin() as tx:
        (buried,) = tx.events.buried("portal")
        assert buried.buried == "Not taken in 11 attempts; the last answer: HTTP 503."
        assert tx.events.standing() == {"portal": (0, 1)}
        assert tx.events.revive(buried.id, town.clock.now())
        assert not tx.events.revive(buried.id, town.clock.now())
    assert tell(town, receiver) == 1


def test_a_receiver_that_is_gone_is_not_asked_again(town: Town, portal: Client, listener: Listener) -> None:
    listener.answers = [(410, {})]
    portal.booking()
    tell(town, hooked(listener))
    town.clock.at += timedelta(days=3)
    assert tell(town, hooked(listener)) == 0
    assert len(listener.got) == 1


def test_a_crash_between_sending_and_noting_sends_again_and_loses_nothing(
    town: Town, portal: Client, listener: Listener
) -> None:
    receiver = hooked(listener)
    portal.booking()
    relay(town.store, {"portal": receiver}, town.clock.now())
    with town.store.begin() as tx:
        assert tx.events.lease("portal", town.clock.now(), town.clock.now() + timedelta(minutes=2)) is not None
    assert tell(town, receiver) == 0
    town.clock.at += timedelta(minutes=2)
    assert tell(town, receiver) == 1


def test_slots_that_changed_are_told_to_everybody_who_listens(town: Town, portal: Client, listener: Listener) -> None:
    with town.store.begin() as tx:
        tx.events.emit(EventKind.SLOTS_CHANGED, town.clock.now(), cause="syncd", facts={"offers": ["jobsamtale"]})
    tell(town, hooked(listener, "slots.*"))
    assert listener.told[0]["data"] == {"offers": ["jobsamtale"]}


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_" + base64.b64encode(b"short").decode(), "whsec_%%%"])
def test_a_secret_that_signs_badly_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="syncd webhooks secret"):
        key_of(secret, "clients.portal.webhook")


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://portal.example.dk/x", True),
        ("http://127.0.0.1:99/x", True),
        ("http://localhost/x", True),
        ("http://portal.example.dk/x", False),
        ("http://10.0.0.1/x", False),
        ("ftp://127.0.0.1/x", False),
    ],
)
def test_nothing_goes_out_in_the_clear(url: str, may: bool) -> None:
    assert secure(url) is may
