"""The first page of somebody signed in: what there is for them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncd.web.pages.visiting import SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/home")
def home(visitor: SignedIn) -> Response:
    """One card for each page."""
    return visitor.show("frame/home.html")
