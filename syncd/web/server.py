"""The HTTP server around the application: one process, bounded in every direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from syncd.web.protocol import BoundedProtocol

BACKLOG = 256
"""How many may wait to be connected."""


def server(app: ASGIApp, host: str, port: int, tls: Mapping[str, Any] | None = None) -> uvicorn.Server:
    """A uvicorn server for *app*, not started; it installs no signal handlers when run outside the main thread.

    Its own access log is off (it writes raw paths), it does not tell its name, and open requests get 8 s at a stop.
    How many may connect and ask at once is in `syncd.web.protocol`.

    :param tls: the library's settings of TLS (``ssl_…``); None for plain HTTP.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=8,
            loop="uvloop",
            http=BoundedProtocol,
            backlog=BACKLOG,
            **(tls or {}),
        )
    )
