"""Every word on a page can be said in both languages, and says the same after compiling."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from jinja2 import Environment

from syncd.web.pages import assets
from syncd.web.pages.catalogs import FOLDER, WEB, compiled, found, missing, updated, written
from syncd.web.pages.language import language

TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
GROUPS = sorted(path.stem for path in FOLDER.glob("*.po"))
SPOKEN = re.compile(r'(?:title|alt|aria-label|placeholder|content|value|summary)="([^"]*[A-Za-zÆØÅæøå]{3,}[^"]*)"')
said = cache(found)
"""Every file is read for it, once."""
TECHNICAL = {"width=device-width, initial-scale=1", "light dark", "noindex"}


def _literal(source: str) -> list[str]:
    """Words of a template that are not given to the catalogs."""
    source = re.sub(r"{% block body_class %}.*?{% endblock %}|&[a-z]+;", "", source)
    inside, words = False, []
    data = []
    for _, kind, value in Environment(extensions=["jinja2.ext.i18n"]).lex(source):
        if kind == "name" and value in ("trans", "endtrans"):
            inside = value == "trans"
        data.append("" if inside else value if kind == "data" else "\0")
    text = "".join(data)
    words += [one for one in SPOKEN.findall(text) if one not in TECHNICAL and "\0" not in one]
    bare = re.sub(r"<[^>]*>", " ", text).replace("syncd", "")
    return words + re.findall(r"[A-Za-zÆØÅæøå]{3,}", bare)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_says_nothing_that_is_not_in_the_catalogs(path: Path) -> None:
    assert [] == _literal(path.read_text(encoding="utf-8"))


def test_a_word_left_in_one_language_is_found() -> None:
    assert ["Hello", "you"] == _literal('<p>Hello {{ _("all of") }} you</p>')
    assert ["Nice picture"] == _literal('<img alt="Nice picture" src="x.svg">')
    assert [] == _literal("{% trans %}Hello{% endtrans %}<p class='told'>{{ _('x') }}</p>")


def test_every_group_of_pages_has_its_catalog() -> None:
    assert GROUPS == sorted(said())


@pytest.mark.parametrize("group", GROUPS)
def test_every_message_is_translated_and_no_other_one(group: str) -> None:
    catalog = updated(group, said()[group])

    assert [] == missing(catalog)
    assert (FOLDER / f"{group}.po").read_bytes() == written(catalog), "make catalogs"
    assert (FOLDER / f"{group}.mo").read_bytes() == compiled(catalog), "make catalogs"


def test_a_translation_keeps_the_places_of_its_values() -> None:
    wrong = []
    for group in GROUPS:
        with (FOLDER / f"{group}.mo").open("rb") as opened:
            for message in read_mo(opened):
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                strings = message.string if isinstance(message.string, tuple) else (message.string,)
                wanted = {name for text in ids for name in re.findall(r"%\((\w+)\)", str(text))}
                wrong += [s for s in strings if message.id and {*re.findall(r"%\((\w+)\)", str(s))} != wanted]

    assert [] == wrong


def test_dates_and_numbers_are_written_as_people_here_do() -> None:
    from datetime import UTC, date, datetime, timedelta

    danish, english = language("da"), language("en")
    day, at = date(2026, 11, 30), datetime(2026, 11, 30, 8, 5, tzinfo=UTC)

    assert ("mandag den 30. november 2026", "Monday, 30 November 2026") == (danish.day(day), english.day(day))
    assert ("09.05", "09:05") == tuple(one.clock(at, "Europe/Copenhagen") for one in (danish, english))
    assert ("12.345,5", "12,345.5") == tuple(one.number(12_345.5, 1) for one in (danish, english))
    assert ("67 %", "66.7 %", "–") == (danish.percent(2 / 3), english.percent(2 / 3, 1), danish.percent(None))
    assert ("1 t 30 min", "45 min") == (danish.hours(timedelta(minutes=90)), english.hours(timedelta(minutes=45)))
    assert "da" == language("xx").code


def test_files_are_kept_for_good_under_their_digest_and_shortly_under_their_name() -> None:
    lasting, plain = assets.serve(assets.address("syncd.css").rpartition("/")[2]), assets.serve("syncd.css")

    assert lasting is not None
    assert plain is not None
    assert "immutable" in lasting.headers["cache-control"]
    assert "max-age=3600" in plain.headers["cache-control"]
    assert [None, None, None] == [assets.serve(n) for n in ("syncd.0123456789ab.css", "../app.py", "page.html")]
