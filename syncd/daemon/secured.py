"""TLS listeners of our own that ask clients for certificates: one for the API, one for the planner facade alone."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.config import Config, HttpSection
from syncd.config.certificates import CertificateMeans
from syncd.daemon.listener import Listener
from syncd.web import edge, pushes
from syncd.web.certificates import LISTENER
from syncd.web.jobnet import caller
from syncd.web.jobnet.facade import Facade

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2, the oldest taken; TLS 1.3 has good ones only."""


class Labelled:
    """Says in each request by which listener it came, and turns away what is not for it."""

    def __init__(self, app: ASGIApp, name: str, wanted: Callable[[str], bool]) -> None:
        self._app, self._name, self._wanted = app, name, wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        scope.setdefault("state", {})[LISTENER] = self._name
        if scope["type"] == "http" and not self._wanted(scope["path"]):
            await PlainTextResponse("There is nothing at this path.", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def secured(config: Config, app: ASGIApp, facade: Callable[[], Facade | None]) -> Iterator[Listener]:
    """The listeners that the configuration asks for, not started.

    :param facade: the one in force; its paths are all that its own listener answers.
    """

    def of_the_contract(path: str) -> bool:
        if (found := facade()) is None:
            return False
        base = found.mapping.paths.base
        return path in (base, found.mapping.soap.path, pushes.PATH) or path.startswith(base + "/")

    if config.tls.listen is not None:
        # Clients with a token only may come this way, too; a certificate that is shown must be right.
        yield _listener(config.tls, Labelled(app, edge.LISTENER, lambda _path: True), "tls", ssl.CERT_OPTIONAL)
    if config.jobnet.on and config.jobnet.listen is not None:
        yield _listener(config.jobnet, Labelled(app, caller.LISTENER, of_the_contract), "jobnet", ssl.CERT_REQUIRED)


def _listener(means: CertificateMeans, app: ASGIApp, name: str, insist: ssl.VerifyMode) -> Listener:
    settings = {
        "ssl_certfile": str(means.server_certificate),
        "ssl_keyfile": str(means.server_key),
        "ssl_ca_certs": str(means.client_ca),
        "ssl_cert_reqs": int(insist),
        "ssl_ciphers": CIPHERS,
    }
    return Listener(app, HttpSection(listen=means.listen or ""), f"{name}.listen", settings)
