"""Routes that read a sound request by themselves, because FastAPI takes longer to read one than the desk to book it.

Whatever is not plainly sound goes FastAPI's way, so a mistake is told the same and the endpoint is the same.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from inspect import signature
from typing import Any, TypeAlias, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.concurrency import run_in_threadpool

from syncd.web.deps import Client, Service
from syncd.web.inputs import IdempotencyKey, PathName
from syncd.web.refusals import KEY_HEADER

Reader: TypeAlias = Callable[[Request], Awaitable[Any]]
Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

_KEY, _NAME = TypeAdapter(IdempotencyKey), TypeAdapter(PathName)


class Lane(APIRoute):
    """A route whose endpoint takes only what `_reader` knows: service, client, key, names in the path, a JSON body."""

    def get_route_handler(self) -> Handler:
        """FastAPI's own way, and before it the short one."""
        whole = super().get_route_handler()
        endpoint: Callable[..., Response] = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        readers = {name: _reader(name, hints[name]) for name in signature(endpoint).parameters}

        async def handle(request: Request) -> Response:
            try:
                if request.scope["query_string"]:
                    raise ValueError("the lane has no parameters")
                given = {name: await read(request) for name, read in readers.items()}
            except (ValueError, RecursionError):  # a ValidationError is one, and so is what json and UTF-8 raise
                return await whole(request)
            return await run_in_threadpool(endpoint, **given)

        return handle


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
        return model.model_validate(json.loads(await request.body()))

    return read
