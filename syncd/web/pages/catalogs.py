"""Brings the catalogs up to date with code and templates: ``python -m syncd.web.pages.catalogs`` (``make catalogs``).

One catalog per group of pages, so that people who work on different pages do not meet in one file:
``templates/GROUP/`` and ``pages/GROUP/`` belong to ``locale/da/LC_MESSAGES/GROUP.po``, everything else to ``frame.po``.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parents[1]
FOLDER = WEB / "locale" / "da" / "LC_MESSAGES"
FRAME = "frame"
HEAD = """# Dansk
msgid ""
msgstr ""
"Language: da\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in compiled catalogs, so that the same words are the same bytes."""
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "NN_": (1, 2), "say": None, "count": (1, 2),
}  # fmt: skip
OPTIONS = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false", "newstyle_gettext": "true"}


def found(web: Path = WEB) -> dict[str, Catalog]:
    """The messages of code and templates, by group."""
    catalogs: dict[str, Catalog] = {}
    for file, method in _sources(web):
        catalog = catalogs.setdefault(_group(file.relative_to(web)), _fresh())
        with file.open("rb") as opened:
            for line, message, comments, context in extract(method, opened, KEYWORDS, (), OPTIONS):
                place = [(str(file.relative_to(web)), line)]
                catalog.add(message, locations=place, auto_comments=comments, context=context)
    return catalogs


def updated(group: str, wanted: Catalog) -> Catalog:
    """The group's catalog with exactly the messages that are wanted; what was translated stays."""
    path = FOLDER / f"{group}.po"
    if path.exists():
        with path.open("rb") as opened:
            known = read_po(opened, locale="da")
    else:
        known = _fresh()
    known.update(wanted, no_fuzzy_matching=True, update_header_comment=False)
    known.obsolete.clear()
    return known


def written(catalog: Catalog) -> bytes:
    """A catalog as text: sorted and without places or dates, so that two people's additions seldom touch."""
    text = io.BytesIO()
    write_po(text, catalog, sort_output=True, width=120, omit_header=True, no_location=True)
    return HEAD.encode() + text.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """A catalog as it is read at run time."""
    text = io.BytesIO()
    catalog.creation_date = catalog.revision_date = ALWAYS
    write_mo(text, catalog)
    return text.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """Messages without a translation, or with one whose message has changed (fuzzy)."""
    return [str(message.id) for message in catalog if message.id and (message.fuzzy or not _translated(message.string))]


def main() -> int:
    """Write every catalog anew, and say what is not translated yet."""
    open_ends = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for group, wanted in sorted(found().items()):
        catalog = updated(group, wanted)
        (FOLDER / f"{group}.po").write_bytes(written(catalog))
        (FOLDER / f"{group}.mo").write_bytes(compiled(catalog))
        for text in missing(catalog):
            open_ends += 1
            sys.stderr.write(f"{group}.po: not translated: {text}\n")
    return 1 if open_ends else 0


def _sources(web: Path) -> Iterator[tuple[Path, str]]:
    yield from ((file, "jinja2.ext:babel_extract") for file in sorted((web / "templates").rglob("*.html")))
    yield from ((file, "python") for file in sorted((web / "pages").rglob("*.py")))


def _group(file: Path) -> str:
    return file.parts[1] if len(file.parts) > 2 else FRAME


def _translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _fresh() -> Catalog:
    return Catalog(locale="da", charset="utf-8")


if __name__ == "__main__":
    sys.exit(main())
