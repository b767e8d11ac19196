"""The web application: puts the paths together behind the edge."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI, Response

from syncd.web import api, described, feeds, front, health, notices, pushes, refusals
from syncd.web.deps import Deps
from syncd.web.edge import Edge
from syncd.web.jobnet.gate import Gate
from syncd.web.lane import Lanes
from syncd.web.pages import ROUTERS as PAGES

OPENAPI_PATH = "/api/v1/openapi.json"


_BARE: dict[str, Any] = {
    "openapi_url": None,  # served below, so that it carries our headers and nothing from a CDN comes with it
    "docs_url": None,
    "redoc_url": None,
    "redirect_slashes": False,  # a redirected POST loses its body in half of the clients
    "telemetry": {"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
}


def build_app(deps: Deps) -> FastAPI:
    """The application over *deps*; serve it with `syncd.web.server`."""
    app = _Described(**_BARE)
    app.state.deps = deps
    app.add_middleware(Edge, deps=deps)
    app.add_middleware(Gate)
    refusals.install(app)
    app.router.routes.append(Lanes(api.ROUTERS))
    for router in api.ROUTERS:
        app.include_router(router)
    app.include_router(health.router(deps.health, deps.metrics, lambda: True))
    app.include_router(feeds.router)
    app.include_router(pushes.router)
    app.include_router(notices.router)
    app.include_router(front.router(deps, app.openapi))
    for router in PAGES:
        app.include_router(router)
    _serve_document(app)
    return app


def build_monitor(
    look: Callable[[], health.Health], figures: Callable[[], bytes], started: Callable[[], bool]
) -> FastAPI:
    """The application for programs that watch over the service, on a listener of its own; nothing else is in it."""
    app = FastAPI(**_BARE)
    app.include_router(health.router(look, figures, started))
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document, which does not depend on what stands behind the application."""
    app = FastAPI()
    for router in api.ROUTERS:
        app.include_router(router)
    return described.describe(app)


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Our own OpenAPI document, made once."""
        if not self.openapi_schema:
            self.openapi_schema = described.describe(self)
        return self.openapi_schema


def _serve_document(app: FastAPI) -> None:
    @cache
    def body() -> bytes:
        return msgspec.json.encode(app.openapi())

    def openapi_document() -> Response:
        """The description of this interface; anybody may read it."""
        return Response(body(), media_type="application/json", headers={"Cache-Control": "public, max-age=300"})

    app.add_api_route(OPENAPI_PATH, openapi_document, methods=["GET"], include_in_schema=False)
