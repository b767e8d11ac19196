"""Routes that read a sound request by themselves, because FastAPI takes longer to read one than the desk to book it.

Whatever is not plainly sound goes FastAPI's way, so a mistake is told the same and the endpoint is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from inspect import signature
from typing import Any, TypeAlias, get_type_hints

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

from syncd.web.deps import Client, Service
from syncd.web.inputs import IdempotencyKey, PathName
from syncd.web.refusals import KEY_HEADER

Reader: TypeAlias = Callable[[Request], Awaitable[Any]]
Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

_THREADS = ThreadPoolExecutor(40, "lane")
"""As many as FastAPI has for its own routes, whose way into a thread takes three times as many calls."""
_PASSED = "syncd.lane_passed"
"""Key of the scope that says that a lane did not want the request."""
_KEY, _NAME = TypeAdapter(IdempotencyKey), TypeAdapter(PathName)


class Lane(APIRoute):
    """A route whose endpoint takes only what `_reader` knows: service, client, key, names in the path, a JSON body."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        hints = get_type_hints(self.endpoint, include_extras=True)
        self._readers = {name: _reader(name, hints[name]) for name in signature(self.endpoint).parameters}

    def get_route_handler(self) -> Handler:
        """FastAPI's own way, and before it the short one."""
        whole = super().get_route_handler()

        async def handle(request: Request) -> Response:
            answered = await self.answer(request)
            return await whole(request) if answered is None else answered

        return handle

    async def answer(self, request: Request) -> Response | None:
        """What the endpoint answers; None, and nothing was done, when the request is not plainly sound."""
        try:
            if request.scope["query_string"]:
                raise ValueError("the lane has no parameters")
            given = {name: await read(request) for name, read in self._readers.items()}
        except (ValueError, RecursionError, msgspec.DecodeError):  # pydantic's ValidationError is a ValueError
            return None
        endpoint: Callable[..., Response] = self.endpoint
        work = partial(copy_context().run, partial(endpoint, **given))
        return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


class Lanes(BaseRoute):
    """The lanes whose paths are fixed, found by one look before all other routes and led past FastAPI's machinery."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        routes = [route for router in routers for route in router.routes]
        fixed = [route for route in routes if isinstance(route, Lane) and not route.param_convertors]
        self._lanes = {(method, lane.path): lane for lane in fixed for method in lane.methods or ()}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """By method and path; a request that comes again from `handle` is for the routes behind."""
        lane = self._lanes.get((scope.get("method", ""), scope["path"]))
        if lane is None or scope.get(_PASSED):
            return Match.NONE, {}
        return Match.FULL, {"route": lane, "endpoint": lane.endpoint, "path_params": {}}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or send the request on with its body as it came."""
        lane: Lane = scope["route"]
        request = Request(scope, receive, send)
        answered = await lane.answer(request)
        if answered is None:
            scope[_PASSED] = True
            await scope["router"](scope, _once_more(await request.body()), send)
        else:
            await answered(scope, receive, send)


def _once_more(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _reader(name: str, kind: Any) -> Reader:
    """What reads a parameter of this name and type from a request; it raises `ValueError` for what is not sound."""
    if kind == Service:
        return _service
    if kind == Client:
        return _client
    if kind == IdempotencyKey:
        return _key
    if kind == PathName:
        return _named(name)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _body(kind)
    raise TypeError(f"a lane cannot read {name!r}")


async def _service(request: Request) -> Any:
    return request.app.state.deps


async def _client(request: Request) -> Any:
    return request.state.caller


async def _key(request: Request) -> str:
    return _KEY.validate_python(request.headers.get(KEY_HEADER))


def _named(name: str) -> Reader:
    async def read(request: Request) -> str:
        return _NAME.validate_python(request.path_params[name])

    return read


def _body(model: type[BaseModel]) -> Reader:
    async def read(request: Request) -> BaseModel:
        declared = request.headers.get("content-type", "")
        if declared.partition(";")[0].strip().lower() != "application/json":
            raise ValueError("not plainly JSON")
        return model.model_validate(msgspec.json.decode(await request.body()))

    return read
