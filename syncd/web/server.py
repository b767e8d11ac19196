"""The HTTP server around the application: one process, bounded in every direction."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from syncd.web.protocol import BoundedProtocol


def server(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A uvicorn server for *app*, not started; it installs no signal handlers when run outside the main thread.

    Its own access log is off (it writes raw paths), it does not tell its name, and open requests get 8 s at a stop.
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
            limit_concurrency=400,
            loop="uvloop",
            http=BoundedProtocol,
            backlog=256,
        )
    )
