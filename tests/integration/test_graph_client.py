"""The client of Microsoft Graph over real HTTP: tokens, pauses, lost answers and links that lead elsewhere."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.client import Client
from syncd.errors import (
    AccessDenied,
    HostedElsewhere,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TokenExpired,
    Transient,
)
from tests.servers.graph import GraphServer

ANNA, BO = "anna@byhavn.example", "bo@byhavn.example"
ANY = msgspec.json.Decoder()


def reach(graph: GraphServer, *credentials: Credential) -> GraphAccount:
    known = credentials or (Credential(secret="s3cret"),)
    return GraphAccount("cloud", "tenant-1", "app-1", known, graph.base, graph.base, timeout=2.0)


def certified() -> Credential:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "syncd")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    word = serialization.BestAvailableEncryption(b"ord")
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, word)
    public = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Credential(certificate=public.decode(), key=private.decode(), passphrase="ord")


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as server:
        for address in (ANNA, BO):
            server.mailbox(address)
        server.door.application("app-1", secret="s3cret")
        yield server


@pytest.fixture
def client(graph: GraphServer) -> Iterator[Client]:
    made = Client(reach(graph))
    yield made
    made.close()


def events(client: Client, who: str = ANNA) -> object:
    with client.call(who):
        return client.read(f"/users/{who}/events", who, ANY)["value"]


def write(client: Client, who: str = ANNA) -> bytes:
    when = {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}
    with client.call(who):
        body = {"subject": "Samtale", "start": when, "end": when}
        return client.ask("POST", f"/users/{who}/events", who, body=body, wrote=True)


def test_one_token_serves_many_requests_and_is_replaced_when_refused(graph: GraphServer, client: Client):
    assert events(client) == events(client, BO) == []
    assert graph.door.issued == 1

    graph.door.revoke()
    write(client)

    assert len(graph.world.box(ANNA).events) == 1
    assert graph.door.issued == 2


def test_every_request_wants_lasting_ids_and_utc(graph: GraphServer, client: Client):
    events(client)

    assert 'IdType="ImmutableId", outlook.timezone="UTC"' in graph.seen[-1].headers["prefer"]


def test_a_certificate_opens_the_door_and_so_does_the_one_that_follows(graph: GraphServer):
    old, new = certified(), certified()
    for known in ((old,), (old, new), (new,)):
        graph.door.application("app-1", certificates=tuple(one.certificate.encode() for one in known))
        made = Client(reach(graph, old, new))
        assert events(made) == []
        made.close()


def test_a_wrong_secret_is_an_error_with_what_to_do_and_nobody_knocks_again(graph: GraphServer):
    with (
        closing(Client(reach(graph, Credential(secret="wrong")))) as client,
        pytest.raises(AccessDenied, match=r"app-1 no token \(invalid_client\)"),
    ):
        events(client)
    assert not graph.seen


def test_a_token_endpoint_that_is_down_is_tried_again_later(graph: GraphServer, client: Client):
    graph.faults.add("drop", "Token", times=1)

    with pytest.raises(Transient, match="No token could be fetched from .*: it cannot be reached. It is tried again"):
        events(client)
    assert events(client) == []


def test_a_token_endpoint_that_answers_503_is_down_too(graph: GraphServer, client: Client):
    graph.faults.add("unavailable", "Token", times=1)

    with pytest.raises(Transient, match="No token could be fetched from .*: its answer is none"):
        events(client)


def test_it_is_told_when_nobody_knows_the_name_of_the_token_endpoint():
    root = "https://login.invalid"
    cloud = GraphAccount("cloud", "t", "a", (Credential(secret="s"),), graph_url=root, login_url=root)
    with closing(Client(cloud)) as client, pytest.raises(Transient, match="login.invalid: its name cannot be resolved"):
        events(client)


def test_a_key_that_is_none_is_told_in_words(graph: GraphServer):
    unusable = Credential(certificate="graph.pem", key="oops")

    with closing(Client(reach(graph, unusable))) as client, pytest.raises(AccessDenied, match="PEM files that belong"):
        events(client)


def test_a_pause_binds_the_mailbox_it_was_asked_for_and_no_other(graph: GraphServer, client: Client):
    graph.faults.add("throttle", "find", ANNA, times=1, retry_after=30)

    with pytest.raises(Throttled) as first:
        events(client)
    asked = graph.count("find", ANNA)
    with pytest.raises(Throttled) as second:
        events(client)

    assert first.value.retry_after == 30
    assert 25 < second.value.retry_after <= 30
    assert graph.count("find", ANNA) == asked == 1
    assert events(client, BO) == []
    assert client.meter.limit == 4


def test_two_throttled_mailboxes_halve_the_requests_for_all(graph: GraphServer, client: Client):
    graph.faults.add("throttle", "find", times=2, retry_after=0)

    for who in (ANNA, BO):
        with pytest.raises(Throttled):
            events(client, who)

    assert client.meter.limit == 2


def test_a_slow_mailbox_holds_nobody_up(graph: GraphServer, client: Client):
    events(client, BO)
    graph.faults.add("hang", "find", ANNA, times=1, seconds=1.0)
    slow = threading.Thread(target=events, args=(client, ANNA))
    slow.start()
    began = time.monotonic()

    for _ in range(5):
        events(client, BO)

    assert time.monotonic() - began < 1.0 or not slow.is_alive()
    slow.join()


def test_calls_for_one_mailbox_wait_for_each_other(graph: GraphServer, client: Client):
    graph.concurrency = 1
    graph.faults.add("hang", "find", ANNA, seconds=0.05)
    threads = [threading.Thread(target=events, args=(client,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert graph.count("find", ANNA) == 4
    assert client.meter.limit >= 4  # nobody was throttled


def test_a_read_whose_answer_is_lost_is_repeated_and_a_write_is_not(graph: GraphServer, client: Client):
    graph.faults.add("lose", "find", times=1)
    graph.faults.add("lose", "create", times=1)

    assert events(client) == []
    with pytest.raises(OutcomeUnknown, match="looked up before anything is repeated"):
        write(client)

    assert graph.count("create") == 1
    assert len(graph.world.box(ANNA).events) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "unavailable", "retry_after": 3}, Throttled),
        ({"kind": "error", "status": 500}, Transient),
        ({"kind": "error", "status": 404}, Rejected),
        ({"kind": "error", "status": 410}, TokenExpired),
        ({"kind": "error", "status": 302}, NotACalendar),
    ],
)
def test_refusals_over_http_are_errors_of_ours(graph, client, fault, expected):
    graph.faults.add(fault.pop("kind"), "find", times=1, **fault)

    with pytest.raises(expected) as caught:
        events(client)

    assert type(caught.value) is expected
    if expected is not Throttled:
        assert events(client) == []


def test_a_mailbox_that_is_not_in_the_cloud_and_one_out_of_scope_say_what_to_do(graph: GraphServer, client: Client):
    graph.world.box(ANNA).hosted = "onprem"
    graph.world.box(BO).allowed = False

    with pytest.raises(HostedElsewhere, match=f"Get-Recipient {ANNA}"):
        events(client)
    with pytest.raises(AccessDenied, match="New-ManagementRoleAssignment -App app-1"):
        events(client, BO)


def test_a_link_is_followed_to_the_configured_host_only(graph: GraphServer, client: Client):
    with client.call(ANNA):
        assert client.read(f"{graph.url}/users/{ANNA}/events", ANNA, ANY)["value"] == []
        for link in ("https://evil.example/v1.0/me", graph.url.replace("http:", "https:"), "//evil.example/"):
            with pytest.raises(Rejected):
                client.read(link, ANNA, ANY)


def test_an_application_that_graph_does_not_take_is_left_alone_for_a_while(graph: GraphServer, client: Client):
    graph.door.let_in = lambda header: False  # type: ignore[method-assign]  # no login

    for _ in range(3):
        with pytest.raises(AccessDenied, match="with a fresh token"):
            events(client)

    assert len(graph.seen) == 2


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
PACKED = gzip.compress(b'{"value": []}')


def answered(body: bytes, packed: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {packed}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("parts", "pause", "expected"),
    [
        ([HEAD, b"x" * 9000], 0.0, Rejected),
        ([HEAD, *[b"{"] * 30], 0.2, Transient),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"], 0.0, NotACalendar),
        ([b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{"val"'], 0.0, Transient),
        ([answered(gzip.compress(b" " * 5_000_000), "gzip")], 0.0, Rejected),
        ([answered(PACKED[:-9], "gzip")], 0.0, Transient),
        ([answered(b"no gzip", "gzip")], 0.0, Transient),
        ([answered(PACKED, "br")], 0.0, Transient),
    ],
)
def test_what_pours_drips_or_is_no_json_is_given_up(parts: list[bytes], pause: float, expected: type[Exception]):
    with odd_server(parts, pause) as (client, _):
        began = time.monotonic()
        with pytest.raises(expected) as caught:
            client.read("/me", ANNA, ANY)

    assert type(caught.value) is expected
    assert time.monotonic() - began < 4


def test_a_packed_answer_is_unpacked_and_a_link_is_sent_as_it_came():
    with odd_server([answered(PACKED, "gzip")], 0.0) as (client, asked):
        assert client.read(f"{client.root}/me?$deltatoken=a%2Fb~'(x)=|é", ANNA, ANY) == {"value": []}

    assert asked[0].startswith(b"GET /v1.0/me?$deltatoken=a%2Fb~'(x)=|%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAccept-Encoding: gzip\r\n" in asked[0]


@pytest.mark.parametrize("root", ["http://graph.example", "https://graph.example:70000", "graph.example", "https://ø"])
def test_an_address_that_is_not_secure_or_none_at_all_is_told_and_not_called(root: str):
    client = Client(GraphAccount("cloud", "t", "a", graph_url=root, login_url=root))
    client._open()[1].get = lambda: "token"  # type: ignore[method-assign]  # no login

    with pytest.raises(Rejected, match="check graph_url"):
        client.read("/me", ANNA, ANY)
    client.close()


@contextmanager
def odd_server(parts: list[bytes], pause: float) -> Iterator[tuple[Client, list[bytes]]]:
    """A client of a server that answers once, with *parts*; and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, parts, pause, asked), daemon=True)
        thread.start()
        root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = Client(GraphAccount("cloud", "t", "a", graph_url=root, login_url=root, timeout=1.0, max_bytes=5000))
        client._open()[1].get = lambda: "token"  # type: ignore[method-assign]  # no login
        yield client, asked
        client.close()


def _serve(listener: socket.socket, parts: list[bytes], pause: float, asked: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        asked.append(connection.recv(65536))
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
