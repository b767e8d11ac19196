"""HTML from escaped parts, in Danish and English; no script, nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from fastapi import Response

from syncd.web.pages import assets

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
LANGUAGES = {"da": "Dansk", "en": "English"}
_WORDS = {
    "da": {"skip": "Gå til indholdet", "language": "Sprog", "support": "Kontakt"},
    "en": {"skip": "Skip to the content", "language": "Language", "support": "Contact"},
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: *body* is HTML already, everything else is text."""

    title: str
    path: str
    language: str
    body: str
    organisation: str
    support: str


def tag(name: str, *children: str, **attributes: str) -> str:
    """An element; children are HTML already, attributes are escaped here (``class_`` for ``class``)."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(children)}</{name}>"


def page(content: Page) -> Response:
    """The whole document as an answer, with a strict Content-Security-Policy."""
    words, other = _WORDS[content.language], "en" if content.language == "da" else "da"
    support = f" · {words['support']}: {content.support}" if content.support else ""
    text = Template(_file("page.html").decode()).substitute(
        style=assets.address("syncd.css"),
        mark=assets.address("mark.svg"),
        lang=content.language,
        title=escape(content.title),
        skip=words["skip"],
        language=words["language"],
        home=f"/?lang={content.language}",
        other_url=escape(f"{content.path}?lang={other}"),
        other_lang=other,
        other_name=LANGUAGES[other],
        body=content.body,
        footer=escape(f"{content.organisation}{support}"),
    )
    headers = HEADERS | {"Content-Language": content.language}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@cache
def _file(name: str) -> bytes:
    return (files("syncd.web") / "static" / name).read_bytes()
