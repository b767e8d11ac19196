"""Refusals for people: the same problems as for programs, as a page in their language with whom to ask."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request, Response

from syncd.web import problems
from syncd.web.deps import Deps
from syncd.web.pages.booking.asking import TooOften, show
from syncd.web.pages.language import N_, language
from syncd.web.pages.sign_in import asked_to_sign_in
from syncd.web.pages.visiting import ForeignForm, Refusal, SignInNeeded, Visitor, WrongRole

WORDS = {
    400: (N_("That could not be read"), N_("Something in the address or the form is not as it should be.")),
    403: (N_("Not for you"), N_("You have not the role that this page asks for.")),
    404: (N_("Nothing here"), N_("There is no page at this address. It may have been moved, or misspelt.")),
    405: (N_("Nothing here"), N_("This page cannot be used in that way.")),
    409: (N_("That was not possible"), N_("Something has changed meanwhile. Nothing was done; please look again.")),
    413: (N_("Too much at once"), N_("What was sent is larger than this page takes. Nothing was done.")),
    422: (N_("That could not be read"), N_("Something in the address or the form is not as it should be.")),
    500: (N_("Something broke"), N_("The fault is ours and has been written down. Please tell the support.")),
    503: (N_("Closed for a moment"), N_("The service cannot answer just now. Nothing was changed; try again soon.")),
}
FORM = (N_("The form was not taken"), N_("It does not come from a page of this visit. Go back, reload and try again."))


def install(app: FastAPI) -> None:
    """Register the refusals that only pages know."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(WrongRole, _wrong_role)
    app.add_exception_handler(ForeignForm, _foreign)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(TooOften, _too_often)


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks, and not for the interface of programs."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def as_page(request: Request, problem: Response) -> Response:
    """A problem document as a page; its status and what a browser must know stay."""
    told: dict[str, Any] = json.loads(bytes(problem.body))
    title, text = WORDS.get(problem.status_code, WORDS[400 if problem.status_code < 500 else 500])
    answer = refusal(request, title, text, problem.status_code, str(told.get("instance", "")))
    if "retry-after" in problem.headers:
        answer.headers["Retry-After"] = problem.headers["retry-after"]
    if "allow" in problem.headers:
        answer.headers["Allow"] = problem.headers["allow"]
    return answer


def refusal(request: Request, title: str, text: str, status: int, number: str = "") -> Response:
    """A page that says what did not work, what was left as it was, and whom to ask."""
    return _told(_plain(request), title, text, status, number.rpartition(":")[2])


def _told(visitor: Visitor, title: str, text: str, status: int, number: str = "") -> Response:
    title, text = visitor.say(title), visitor.say(text)
    return visitor.show("frame/refusal.html", status, title=title, text=text, number=number)


def _plain(request: Request) -> Visitor:
    """Whoever asked, as far as known; nothing more is looked up, for the database may be what fails."""
    known = getattr(request.state, "visitor", None)
    if isinstance(known, Visitor):
        return known
    deps: Deps = request.app.state.deps
    return Visitor(request, deps, language(request.query_params.get("lang", "")))


def _sign_in(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)
    return asked_to_sign_in(error.visitor)


def _wrong_role(_request: Request, error: Exception) -> Response:
    assert isinstance(error, WrongRole)
    return _told(error.visitor, *WORDS[403], 403)


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _told(error.visitor, WORDS[error.status][0], error.text, error.status)


def _too_often(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TooOften)
    answer = show(error.visitor, "often.html", 429, here="/book", pause=error.pause)
    answer.headers["Retry-After"] = str(error.pause)
    return answer


def _foreign(request: Request, _error: Exception) -> Response:
    return refusal(request, *FORM, 403)


def defect(request: Request, detail: str, number: str) -> Response:
    """The page when something broke."""
    return as_page(request, problems.response("internal-error", detail, number))
