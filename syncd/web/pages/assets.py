"""Files that pages refer to: from our own origin, and kept by browsers for good, for their name has their digest."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from fastapi import Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """The path of a file, with its digest in it: ``/static/syncd.1a2b3c4d5e6f.css``.

    :raises KeyError: there is no such file; a defect of a template.
    """
    path = PurePath(name)
    return f"/static/{path.stem}.{_digest(name)}{path.suffix}"


def serve(name: str) -> Response | None:
    """The file of that name, with or without its digest; None when there is none."""
    path = PurePath(name)
    plain = PurePath(path.stem).stem + path.suffix
    if name in _files():
        return _answer(name, "public, max-age=3600")
    if plain in _files() and name == f"{PurePath(plain).stem}.{_digest(plain)}{path.suffix}":
        return _answer(plain, FOREVER)
    return None


def _answer(name: str, caching: str) -> Response:
    headers = {"Cache-Control": caching}
    return Response(_files()[name], media_type=TYPES[PurePath(name).suffix], headers=headers)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_files()[name]).hexdigest()[:12]


@cache
def _files() -> dict[str, bytes]:
    folder = files("syncd.web") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if PurePath(file.name).suffix in TYPES}
