"""What every page has around it: the templates' environment, and the headers of the answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from syncd.web.pages import assets
from syncd.web.pages.language import LANGUAGES, Language, language

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    # Ours only: without it browsers hide from us where a form was sent from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(template: str, speaking: Language, values: dict[str, Any], status: int = 200) -> Response:
    """The whole document as an answer.

    :param values: what the template names; a name it does not get is a defect.
    """
    text = environment(speaking.code).get_template(template).render(values)
    headers = HEADERS | {"Content-Language": speaking.code}
    return Response(text, status, headers=headers, media_type="text/html; charset=utf-8")


@cache
def environment(code: str) -> Environment:
    """The templates in one language; everything put into them is escaped."""
    speaking = language(code)
    made = Environment(
        loader=PackageLoader("syncd.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(speaking.translations, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    for name in ("day", "localday", "clock", "wall", "walltime", "moment", "number", "percent", "weekday", "hours"):
        made.filters[name] = getattr(speaking, name)
    made.globals |= {"asset": assets.address, "speaking": speaking, "languages": LANGUAGES}
    return made
