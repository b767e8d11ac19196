"""The nginx configuration as it is shipped, in front of the service."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from syncd.config import ClientSection
from syncd.config.booking_page import BookingPageSection
from syncd.config.certificates import TlsSection
from syncd.store import Store
from tests.environment import ROOT, program
from tests.integration.web_town import TOKENS, Town, clients, serving
from tests.servers.exchange.tls import Certificates, certificates
from tests.servers.processes import free_port, process

OFFERS = "/api/v1/offers"
SHOWN = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=portal", "X-SSL-Client-I-DN": "CN=Byhavn Test CA"}
MAIN = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log access.log;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    include {folder}/syncd.conf;
}}
"""


@dataclass
class Front:
    """nginx, and who may know it."""

    url: str
    folder: Path
    files: Certificates

    def client(self, *, certified: bool = False, source: str | None = None) -> httpx2.Client:
        """Somebody who believes our authority. :param source: the own address."""
        context = ssl.create_default_context(cafile=self.files.authority)
        if certified:
            context.load_cert_chain(self.files.client, self.files.client_key)
        way = httpx2.HTTPTransport(verify=context, local_address=source)
        return httpx2.Client(base_url=self.url, transport=way, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def front(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    nginx = program("nginx", "nginx-light", [Path("/usr/sbin")])
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    (folder / "syncd.db").write_bytes(_sqlite_template.read_bytes())
    files, store = certificates(folder, "portal"), Store(f"sqlite:///{folder / 'syncd.db'}")
    own = ClientSection(certificate_subject=SHOWN["X-SSL-Client-S-DN"], certificate_issuer=SHOWN["X-SSL-Client-I-DN"])
    known = clients() | {"certified": own}
    deps = replace(Town(store).deps(), clients=lambda: known, tls=TlsSection(trusted_proxies=("127.0.0.1",)))
    deps = replace(deps, pages=replace(deps.pages, booking=BookingPageSection(enabled=True, per_minute=5)))
    with serving(deps) as served:
        text = (ROOT / "config" / "nginx" / "syncd.conf").read_text()
        for shipped, here in {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "127.0.0.1:8080": served.base.removeprefix("http://"),
            "/etc/syncd/tls/server.pem": str(files.server),
            "/etc/syncd/tls/server.key": str(files.server),
            "/etc/syncd/tls/client-ca.pem": str(files.authority),
        }.items():
            assert shipped in text
            text = text.replace(shipped, here)
        (folder / "syncd.conf").write_text(text)
        (folder / "syncd-proxy.conf").write_bytes((ROOT / "config" / "nginx" / "syncd-proxy.conf").read_bytes())
        (folder / "main.conf").write_text(MAIN.format(folder=folder))
        (folder / "tmp").mkdir()

        def ready() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        with process([nginx, "-p", folder, "-c", folder / "main.conf"], folder, ready):
            yield Front(f"https://127.0.0.1:{port}", folder, files)
    store.close()


def test_tokens_and_certificates_are_passed_on(front: Front) -> None:
    with front.client() as http:
        assert 401 == http.get(OFFERS).status_code
        answer = http.get(OFFERS, headers={"Authorization": f"Bearer {TOKENS['portal']}"})
        assert (200, "max-age=31536000") == (answer.status_code, answer.headers["strict-transport-security"])
        assert "nginx/" not in answer.headers.get("server", "")
    with front.client(certified=True) as http:
        assert 200 == http.get(OFFERS).status_code


def test_nobody_can_write_the_headers_that_tell_of_certificates(front: Front) -> None:
    with front.client() as http:
        assert 401 == http.get(OFFERS, headers=SHOWN).status_code
        assert (
            401
            == http.get(OFFERS, headers={name.replace("-", "_"): value for name, value in SHOWN.items()}).status_code
        )


@pytest.mark.parametrize(
    "path", ["/metrics", "/livez", "/readyz", "/startupz", "/%6detrics", "/.//metrics", "/x/../metrics"]
)
def test_what_is_for_supervisors_is_not_shown(front: Front, path: str) -> None:
    with front.client() as http:
        answer = http.get(path)
    assert answer.status_code in (400, 404)
    assert "syncd_" not in answer.text


def test_what_is_too_large_is_refused_at_the_door(front: Front) -> None:
    with front.client() as http:
        assert 413 == http.post(OFFERS, content=b"x" * 70_000).status_code
        assert 400 <= http.get("/", headers={"X-Large": "x" * 40_000}).status_code < 500


def test_citizens_are_counted_by_the_address_nginx_saw_whatever_they_claim(front: Front) -> None:
    def sent(source: str) -> list[bool]:
        with front.client(source=source) as http:
            claims = ({"X-Forwarded-For": f"203.0.113.{n}"} for n in range(3))
            return [429 == http.post("/book/hold", headers=claim).status_code for claim in claims]

    assert [False, True, True] == sent("127.0.0.2")
    assert [False, True, True] == sent("127.0.0.3")


def test_addresses_that_are_keys_are_in_no_log(front: Front) -> None:
    with front.client() as http:
        for path in ("/feeds/very-secret-key.ics", "/display/very-secret-key", "/book/very-secret-key/cancel"):
            assert 404 == http.get(path).status_code
        http.get("/seen-in-the-log")
    logged = (front.folder / "access.log").read_text()

    assert "/seen-in-the-log" in logged
    assert "very-secret-key" not in logged
