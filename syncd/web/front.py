"""The few pages for people: what this service is and how it stands, its interface, its problems."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from syncd.web import problems
from syncd.web.deps import Deps
from syncd.web.described import example
from syncd.web.health import SUMMARY, Health
from syncd.web.markup import Page, page, tag
from syncd.web.pages import assets

Language = Annotated[Literal["da", "en"], Query()]

WORDS = {
    "da": {
        "title": "Selvbooking af samtaler",
        "lead": "syncd læser medarbejdernes kalendere, viser de ledige tider, skriver de aftalte møder tilbage "
        "og giver dem et lokale.",
        "health": "Sådan står det til",
        "for": "For udviklere og drift",
        "docs": "Sådan bruges API'et",
        "openapi": "OpenAPI-beskrivelse (JSON)",
        "problems": "Alle fejltyper og hvad man gør",
        "ready": "Samme status som JSON",
        "api": "API'et, sti for sti",
        "kinds": "Fejltyper",
        "kinds_lead": "Hver afvisning er et dokument efter RFC 9457. Feltet type siger, hvilken.",
        "status": "Status",
        "type": "Type",
        "remedy": "Hvad man gør (engelsk)",
        "say": "Til borgeren",
        "example": "Eksempel",
        "answers": "Svar",
    },
    "en": {
        "title": "Self-booking of meetings",
        "lead": "syncd reads the staff's calendars, shows the free times, writes the agreed meetings back "
        "and gives them a room.",
        "health": "How it stands",
        "for": "For developers and operators",
        "docs": "How to use the API",
        "openapi": "OpenAPI description (JSON)",
        "problems": "All problem types and what to do",
        "ready": "The same status as JSON",
        "api": "The API, path by path",
        "kinds": "Problem types",
        "kinds_lead": "Each refusal is a document as in RFC 9457. Its type tells which.",
        "status": "Status",
        "type": "Type",
        "remedy": "What to do",
        "say": "For the citizen",
        "example": "Example",
        "answers": "Answers",
    },
}


def router(deps: Deps, openapi: Callable[[], dict[str, Any]]) -> APIRouter:
    """The pages; open to anybody, for they tell nothing about a person."""
    routes = APIRouter(include_in_schema=False)

    def show(title: str, path: str, lang: str, body: str) -> Response:
        directory = deps.directory()
        return page(Page(title, path, lang, body, directory.organisation, directory.support))

    def front(lang: Language = "da") -> Response:
        """What this is, and how it stands."""
        return show(f"syncd · {WORDS[lang]['title']}", "/", lang, _front(deps.health(), lang))

    def api_docs(lang: Language = "da") -> Response:
        """Every path of the interface."""
        return show(f"syncd · {WORDS[lang]['api']}", "/api-docs", lang, _paths(openapi(), lang))

    def kinds(lang: Language = "da") -> Response:
        """Every type of problem."""
        return show(f"syncd · {WORDS[lang]['kinds']}", problems.PREFIX, lang, _kinds(lang))

    def kind(name: str, lang: Language = "da") -> Response:
        """One type of problem."""
        if name not in problems.KINDS:
            raise HTTPException(404)
        return show(f"syncd · {name}", problems.PREFIX + name, lang, _kind(name, lang))

    def file(name: str) -> Response:
        """Style and mark."""
        if (found := assets.serve(name)) is None:
            raise HTTPException(404)
        return found

    paths: dict[str, Callable[..., Response]] = {"/": front, "/api-docs": api_docs, problems.PREFIX: kinds}
    paths |= {problems.PREFIX + "{name}": kind, "/static/{name}": file}
    for path, endpoint in paths.items():
        routes.add_api_route(path, endpoint, methods=["GET", "HEAD"])
    return routes


def _front(health: Health, lang: str) -> str:
    words, standing = WORDS[lang], health.standing
    checks = [
        tag("li", tag("span", class_=f"dot {c.standing}"), tag("span", escape(c.da if lang == "da" else c.en)))
        for c in health.checks
    ]
    verdict = tag("p", tag("span", class_="dot"), escape(SUMMARY[standing][lang]), class_=f"verdict {standing}")
    links = (
        ("/api-docs", "docs"),
        ("/api/v1/openapi.json", "openapi"),
        ("/problems/", "problems"),
        ("/readyz", "ready"),
    )
    return "".join(
        (
            tag("h1", escape(words["title"])),
            tag("p", escape(words["lead"]), class_="lead"),
            tag("h2", escape(words["health"]), id="health"),
            tag("section", verdict, tag("ul", *checks, class_="checks"), class_="card", aria_labelledby="health"),
            tag("h2", escape(words["for"])),
            tag("ul", *(tag("li", tag("a", escape(words[key]), href=_localised(url, lang))) for url, key in links)),
        )
    )


def _localised(url: str, lang: str) -> str:
    return f"{url}?lang={lang}" if url in ("/api-docs", problems.PREFIX) else url


def _paths(document: dict[str, Any], lang: str) -> str:
    parts = [tag("h1", escape(WORDS[lang]["api"])), *(_paragraphs(document["info"]["description"]))]
    for path, methods in document["paths"].items():
        parts += [_operation(path, method, operation, lang) for method, operation in methods.items()]
    return "".join(parts)


def _paragraphs(text: str) -> list[str]:
    """Our description: lines with a bullet become a list, the rest a lead; no other Markdown is in it."""
    lines = [line for line in text.splitlines() if line]
    bullets = [tag("li", escape(line[2:].replace("`", ""))) for line in lines if line.startswith("* ")]
    leads = [tag("p", escape(line), class_="lead") for line in lines if not line.startswith("* ")]
    return [*leads, tag("ul", *bullets)]


def _operation(path: str, method: str, operation: dict[str, Any], lang: str) -> str:
    rows = [
        tag("tr", tag("td", tag("code", escape(str(status)))), tag("td", escape(answer["description"])))
        for status, answer in operation["responses"].items()
    ]
    return tag(
        "section",
        tag("h2", escape(operation["summary"])),
        tag("p", tag("code", tag("span", method.upper(), class_="method"), escape(path))),
        tag("p", escape(operation.get("description", ""))),
        tag("h3", escape(WORDS[lang]["answers"])),
        _scrolling(tag("table", *rows), operation["summary"]),
        class_="card",
    )


def _scrolling(table: str, label: str) -> str:
    """A table that may be wider than a phone, within reach of the keyboard (WCAG 2.1.1)."""
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def _kinds(lang: str) -> str:
    words = WORDS[lang]
    head = tag("tr", *(tag("th", escape(words[key]), scope="col") for key in ("type", "status", "remedy")))
    rows = [
        tag(
            "tr",
            tag("td", tag("a", tag("code", escape(name)), href=f"{problems.PREFIX}{name}?lang={lang}")),
            tag("td", str(kind.status)),
            tag("td", escape(kind.remedy)),
        )
        for name, kind in problems.KINDS.items()
    ]
    table = _scrolling(tag("table", tag("thead", head), tag("tbody", *rows)), words["kinds"])
    return tag("h1", escape(words["kinds"])) + tag("p", escape(words["kinds_lead"]), class_="lead") + table


def _kind(name: str, lang: str) -> str:
    words, kind = WORDS[lang], problems.KINDS[name]
    parts = [
        tag("h1", escape(kind.title)),
        tag("p", tag("code", escape(problems.PREFIX + name)), f" · {words['status']} {kind.status}"),
        tag("p", escape(kind.remedy), class_="lead"),
    ]
    if kind.say:
        parts += [tag("h2", escape(words["say"])), tag("p", escape(kind.say[lang]))]
    sample = json.dumps(example(name), indent=2, ensure_ascii=False, default=str)
    return "".join((*parts, tag("h2", escape(words["example"])), tag("pre", escape(sample), tabindex="0")))
