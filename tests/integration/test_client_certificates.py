"""Clients known by their certificate: to TLS listeners of our own, and through a trusted proxy that tells of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from syncd.config import ClientSection, Config, token_digest
from syncd.config.certificates import TlsSection
from syncd.daemon.secured import secured
from syncd.store import Store
from syncd.web.access import caller_of
from syncd.web.certificates import KEY, LISTENER, Certificate
from syncd.web.jobnet.caller import NotAdmitted, admit
from tests.integration.jobnet_town import Dfdg, JobnetTown, section
from tests.integration.web_town import Served, serving
from tests.servers.exchange.tls import Certificates, certificates

ISSUER = "CN=Byhavn Test CA"
SUBJECT = "CN=portal-certificate"
CLIENTS = {
    "certified": ClientSection(certificate_subject=SUBJECT, certificate_issuer=ISSUER),
    "bound": ClientSection(
        token_sha256=(token_digest("bound-token"),), certificate_subject=SUBJECT, certificate_issuer=ISSUER
    ),
    "elsewhere": ClientSection(certificate_subject="CN=somebody-else", certificate_issuer=ISSUER),
}
BOUND = {"Authorization": "Bearer bound-token"}
TOLD = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": SUBJECT, "X-SSL-Client-I-DN": ISSUER}
OFFERS = "/api/v1/offers"


@dataclass
class Doors:
    """One application behind three doors."""

    plain: str
    tls: str
    jobnet: str
    files: Certificates
    served: Served
    town: JobnetTown

    def client(self, base: str, *, certified: bool) -> httpx2.Client:
        """Somebody who believes our authority, with a certificate or without."""
        context = ssl.create_default_context(cafile=self.files.authority)
        if certified:
            context.load_cert_chain(self.files.client, self.files.client_key)
        return httpx2.Client(base_url=base, verify=context, trust_env=False, timeout=20)

    def asked(self, base: str, headers: dict[str, str] | list[tuple[str, str]], *, certified: bool = False) -> int:
        """The status of one question."""
        with self.client(base, certified=certified) as http:
            return int(http.get(OFFERS, headers=headers).status_code)

    def trust(self, *proxies: str) -> None:
        """Let these addresses tell of certificates from now on."""
        deps = self.town.deps()
        told = TlsSection(trusted_proxies=proxies)
        # The edge keeps what it was built with, so its parts are changed in place.
        object.__setattr__(self.served.app.state.deps, "tls", told)
        assert deps.tls.trusted_proxies == ()


@pytest.fixture(scope="module")
def doors(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("certified")
    (folder / "syncd.db").write_bytes(_sqlite_template.read_bytes())
    files = certificates(folder, "portal-certificate")
    own = {
        "listen": "127.0.0.1:0",
        "server_certificate": files.server,
        "server_key": files.server,
        "client_ca": files.authority,
    }
    town = JobnetTown(Store(f"sqlite:///{folder / 'syncd.db'}"))
    town.section = section(**own, certificate_subjects=[SUBJECT], certificate_issuers=[ISSUER])
    parts: dict[str, Any] = {"tls": TlsSection.model_validate(own), "jobnet": town.section}
    config = Config.model_construct(**parts)
    assert [] == [*config.tls.problems("tls"), *config.jobnet.problems("jobnet")]
    with serving(replace(town.deps(), clients=lambda: CLIENTS)) as served, ExitStack() as stack:
        listeners = list(secured(config, served.app, lambda: served.app.state.deps.jobnet))
        for each in listeners:
            each.start()
            stack.callback(each.join, 10)
            stack.callback(each.ask_to_stop)
        api, jobnet = listeners
        yield Doors(served.base, api.address, jobnet.address, files, served, town)
    town.store.close()


def test_a_certificate_alone_lets_its_client_in(doors: Doors) -> None:
    assert 200 == doors.asked(doors.tls, {}, certified=True)
    assert 401 == doors.asked(doors.tls, {})


def test_a_token_bound_to_a_certificate_is_worth_nothing_without_it(doors: Doors) -> None:
    assert 401 == doors.asked(doors.plain, BOUND)
    assert 401 == doors.asked(doors.tls, BOUND)
    assert 200 == doors.asked(doors.tls, BOUND, certified=True)


@pytest.mark.parametrize("more", [{}, {"token_sha256": (token_digest("t"),)}, {"oauth_client": "portal"}])
def test_a_certificate_alone_is_no_client_that_has_a_token_too(more: dict[str, Any]) -> None:
    client = ClientSection(certificate_subject=SUBJECT, certificate_issuer=ISSUER, **more)

    assert (not more) is (caller_of({"one": client}, None, certificate=Certificate(SUBJECT, ISSUER)) is not None)


@pytest.mark.parametrize(
    ("subject", "issuer", "why"),
    [(SUBJECT, "CN=Another CA", "signed by somebody else"), ("CN=another", ISSUER, "is somebody else's")],
)
def test_the_planner_is_called_by_the_pinned_subject_of_the_pinned_issuer_only(
    subject: str, issuer: str, why: str
) -> None:
    pinned = section(certificate_subjects=[SUBJECT], certificate_issuers=[ISSUER])
    state = {LISTENER: "jobnet", KEY: Certificate(subject, issuer)}

    assert admit(pinned, {"state": state | {KEY: Certificate(SUBJECT, ISSUER)}})
    with pytest.raises(NotAdmitted, match=why):
        admit(pinned, {"state": state})


def test_our_own_listener_says_that_it_is_called_by_https_only(doors: Doors) -> None:
    with doors.client(doors.tls, certified=True) as secured, doors.client(doors.plain, certified=False) as plain:
        answers = [http.get(OFFERS).headers.get("Strict-Transport-Security") for http in (secured, plain)]

    assert ["max-age=31536000", None] == answers


def test_a_wrong_token_is_not_mended_by_a_certificate(doors: Doors) -> None:
    assert 401 == doors.asked(doors.tls, {"Authorization": "Bearer wrong"}, certified=True)


def test_headers_count_from_a_trusted_proxy_only(doors: Doors) -> None:
    doors.trust()
    assert 401 == doors.asked(doors.plain, TOLD)
    assert 401 == doors.asked(doors.plain, TOLD | BOUND)
    doors.trust("10.0.0.0/8", "192.0.2.1")
    assert 401 == doors.asked(doors.plain, TOLD)
    doors.trust("127.0.0.0/8")
    assert 200 == doors.asked(doors.plain, TOLD)
    assert 200 == doors.asked(doors.plain, TOLD | BOUND)


@pytest.mark.parametrize(
    "told",
    [
        TOLD | {"X-SSL-Client-Verify": "FAILED:expired"},
        TOLD | {"X-SSL-Client-S-DN": "CN=nobody"},
        TOLD | {"X-SSL-Client-I-DN": "CN=Another CA"},
        TOLD | {"X-SSL-Client-S-DN": ""},
        {"X-SSL-Client-Verify": "SUCCESS"},
        [*TOLD.items(), ("X-SSL-Client-S-DN", "CN=somebody-else")],
        {name.replace("-", "_"): value for name, value in TOLD.items()},
    ],
)
def test_what_a_proxy_tells_must_be_whole_and_the_clients(
    doors: Doors, told: dict[str, str] | list[tuple[str, str]]
) -> None:
    doors.trust("127.0.0.1")
    assert 401 == doors.asked(doors.plain, told)


def test_our_own_listener_believes_no_headers(doors: Doors) -> None:
    doors.trust("127.0.0.1")
    assert 401 == doors.asked(doors.tls, TOLD)


def test_the_planner_facade_has_a_door_of_its_own(doors: Doors) -> None:
    with doors.client(doors.jobnet, certified=True) as http:
        bare = dict.fromkeys(TOLD)
        body = {"JobcenterKode": "12345", "KontaktgruppeType": 1}
        assert 200 == Dfdg("", http=http).post("/Moedetilbud", body, **bare).status_code
        assert 404 == http.get(OFFERS).status_code
        assert 404 == http.get("/metrics").status_code


def test_a_certificate_shown_at_another_door_does_not_open_the_facade(doors: Doors) -> None:
    with doors.client(doors.tls, certified=True) as http:
        assert 403 == Dfdg("", http=http).offers().status_code


def test_without_a_certificate_the_facades_door_stays_shut(doors: Doors) -> None:
    with doors.client(doors.jobnet, certified=False) as http, pytest.raises(httpx2.TransportError):
        http.get("/v1/BorgerBooking/Moedetilbud")


@pytest.mark.parametrize("given", [{"certificate_subject": SUBJECT}, {"certificate_issuer": ISSUER}, {}])
def test_a_client_names_both_subject_and_issuer(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ClientSection.model_validate(given)


def test_files_that_cannot_be_used_are_told_before_a_start(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("no certificate")
    told = TlsSection(listen="127.0.0.1:0", server_certificate=nothing, server_key=nothing, client_ca=nothing)

    assert ["tls.client_ca", "tls.server_certificate"] == [text.partition(":")[0] for text in told.problems("tls")]
