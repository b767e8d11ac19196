"""Clients by others, Microsoft's own SDK and its token library, work with the simulated Graph and see the same."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msal  # type: ignore[import-untyped]  # msal says nothing of its types
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import weekly

ANNA, ROOM = "anna@byhavn.example", "r204@byhavn.example"
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
HOST = "login.example"


@pytest.mark.filterwarnings("ignore:This class is deprecated")
@pytest.mark.broad
def test_the_official_sdk_reads_and_writes_and_sees_the_same():
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as graph:
        graph.mailbox(ANNA, "Anna")
        graph.room(ROOM, "Lokale 2.04")
        nine, ten = MONDAY + timedelta(hours=9), MONDAY + timedelta(hours=10)
        graph.outlook.book(ANNA, nine, ten, recurrence=weekly(MONDAY.date(), 3), showAs="oof")
        graph.faults.add("throttle", "delta", times=1, retry_after=0)

        # In a thread of its own: a browser driven by another test leaves a loop running in this one.
        with ThreadPoolExecutor(1) as aside:
            made, shown, rows = aside.submit(asyncio.run, _tour(graph)).result()

        assert graph.validator is not None
        assert graph.validator.violations == []
    assert (made.show_as, made.transaction_id) == ("busy", "t-1")
    assert shown.attendees[0].status.response == "accepted"
    assert [row.type for row in rows] == ["seriesMaster", *["occurrence"] * 3, "singleInstance"]
    assert rows[4].subject == "Samtale"


async def _tour(graph: GraphServer) -> tuple[Any, Any, list[Any]]:
    """A meeting with a room is made, read again, and found in a round of two pages that is throttled once."""
    from kiota_abstractions.authentication import AnonymousAuthenticationProvider
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.models.attendee import Attendee
    from msgraph.generated.models.attendee_type import AttendeeType
    from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.event import Event
    from msgraph.generated.models.free_busy_status import FreeBusyStatus
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder

    adapter = GraphRequestAdapter(AnonymousAuthenticationProvider())
    adapter.base_url = graph.url
    user = GraphServiceClient(request_adapter=adapter).users.by_user_id(ANNA)
    room = Attendee(type=AttendeeType.Resource, email_address=EmailAddress(address=ROOM, name="Lokale 2.04"))
    wanted = Event(
        subject="Samtale",
        transaction_id="t-1",
        show_as=FreeBusyStatus.Busy,
        start=DateTimeTimeZone(date_time="2026-12-01T09:00:00", time_zone="UTC"),
        end=DateTimeTimeZone(date_time="2026-12-01T10:00:00", time_zone="UTC"),
        attendees=[room],
    )
    made = await user.events.post(wanted)
    shown = await user.events.by_event_id(made.id).get()
    span = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time="2026-11-30T00:00:00Z", end_date_time="2026-12-28T00:00:00Z"
    )
    asked: RequestConfiguration[Any] = RequestConfiguration(query_parameters=span)
    asked.headers.add("Prefer", "odata.maxpagesize=4")
    page = await user.calendar_view.delta.get(asked)
    rows = list(page.value)
    while page.odata_next_link:
        page = await user.calendar_view.delta.with_url(page.odata_next_link).get()
        rows += page.value
    assert page.odata_delta_link
    return made, shown, rows


class _Redirected:
    """HTTP for msal, which insists on https: its login host is the simulated one."""

    def __init__(self, base: str) -> None:
        self._base = base

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Any:
        return httpx2.get(self._here(url), params=params, headers=self._named(headers), trust_env=False)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Any:
        named = self._named(headers)
        data = {key: text.decode() if isinstance(text, bytes) else text for key, text in (data or {}).items()}
        return httpx2.post(self._here(url), params=params, data=data, headers=named, trust_env=False)

    def close(self) -> None:
        """Nothing is kept."""

    def _here(self, url: str) -> str:
        return url.replace(f"https://{HOST}", self._base)

    @staticmethod
    def _named(headers: Any) -> dict[str, str]:
        return {**(headers or {}), "X-Forwarded-Host": HOST}


def _certificate() -> tuple[str, str]:
    """A private key and its certificate, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "syncd")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return private.decode(), made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def keys() -> tuple[tuple[str, str], tuple[str, str]]:
    return _certificate(), _certificate()


def _token(graph: GraphServer, private: str, public: str) -> dict[str, Any]:
    app = msal.ConfidentialClientApplication(
        "app-1",
        authority=f"https://{HOST}/tenant-1",
        client_credential={"private_key": private, "public_certificate": public},
        instance_discovery=False,
        http_client=_Redirected(graph.base),
    )
    answer = app.acquire_token_for_client(["https://graph.example/.default"])
    return answer or {}


def test_a_certificate_opens_the_door_and_another_does_not(keys: Any):
    (private, public), (stranger, strange) = keys
    with GraphServer() as graph:
        graph.mailbox(ANNA)
        graph.door.application("app-1", certificates=(public.encode(),))

        token = _token(graph, private, public)["access_token"]

        def status(text: str) -> int:
            headers = {"Authorization": f"Bearer {text}"}
            return httpx2.get(f"{graph.url}/users/{ANNA}/events", headers=headers, trust_env=False).status_code

        assert (status(token), status("made-up")) == (200, 401)
        assert _token(graph, stranger, strange)["error"] == "invalid_client"
        graph.door.application("app-1", certificates=(public.encode(), strange.encode()))
        assert _token(graph, stranger, strange)["access_token"]
        graph.door.revoke()
        assert status(token) == 401
