"""Who is asking for a page, what they may see, and whether a form is really theirs."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, ImmutableMultiDict

from syncd.model.role import Role
from syncd.store.visits import Lifetime, Visit
from syncd.web.deps import Deps, Service
from syncd.web.pages import frame
from syncd.web.pages.language import LANGUAGES, Language, language
from syncd.web.pages.menu import menu

CSRF = "csrf"
"""Name of the field that every form carries."""
RESTING = timedelta(minutes=1)
"""A click is noted at most so often: reading a page need not write."""
MOST_FIELDS = 200
URLENCODED = "application/x-www-form-urlencoded"


Form: TypeAlias = ImmutableMultiDict[str, str]
"""What was posted: ``get`` for one value, ``getlist`` for all of a name."""


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more; what was sent is kept until they are back."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        super().__init__()


class WrongRole(Exception):
    """Somebody is signed in who may not see this."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        super().__init__()


class Refusal(Exception):
    """A page that cannot be shown as asked. :param text: English, translated where it is shown; what to do next."""

    def __init__(self, visitor: Visitor, text: str, status: int = 422) -> None:
        self.visitor, self.text, self.status = visitor, text, status
        super().__init__(text)


class ForeignForm(Exception):
    """A form that does not come from a page of ours for this visit; nothing was done."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks for a page.

    :param visit: None when the browser has none, or it has run out (then *lapsed* is that one).
    :param form: what was posted; empty for other methods.
    """

    request: Request
    deps: Deps
    language: Language
    visit: Visit | None = None
    lapsed: Visit | None = None
    form: Form = field(default_factory=Form)

    @property
    def signed_in(self) -> bool:
        """Whether it is known who this is."""
        return self.visit is not None and self.visit.subject is not None

    @property
    def roles(self) -> frozenset[Role]:
        """What they may do."""
        return self.visit.roles if self.visit and self.visit.subject else frozenset()

    @property
    def actor(self) -> str:
        """Who, for the audit log."""
        return f"staff:{self.visit.subject if self.visit else ''}"

    def may(self, *roles: Role) -> bool:
        """Whether they have one of these roles."""
        return bool(self.roles & set(roles))

    def say(self, text: str, **values: object) -> str:
        """*text* in their language."""
        return self.language.say(text, **values)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page made from a template; what the frame needs is put in here."""
        return frame.page(template, self.language, self._around() | values, status)

    def _around(self) -> dict[str, Any]:
        directory, section, code = self.deps.directory(), self.deps.pages.section, self.language.code
        return {
            "visitor": self,
            "Role": Role,
            "organisation": directory.organisation,
            "support": directory.support,
            "words": {
                name: named.get(code, named["da"])
                for name, named in (
                    ("office", section.office), ("staff", section.staff), ("staff_plural", section.staff_plural)
                )
            },
            "menu": menu(self.roles),
            "path": self.request.url.path,
            "other_url": self._in(self.language.other),
            "csrf": self.visit.csrf if self.visit else "",
            "wide": False,
        }  # fmt: skip

    def _in(self, code: str) -> str:
        """This page's address in another language."""
        query = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        path = "/" if self.request.method == "POST" else self.request.url.path
        return f"{path}?{urlencode([*query, ('lang', code)])}"


def cookie_of(deps: Deps) -> str:
    """The cookie's name; the prefix lets browsers insist on its being secure and of this host (RFC 6265bis 4.1.3.2)."""
    return "__Host-syncd" if secure(deps) else "syncd"


def secure(deps: Deps) -> bool:
    """Whether browsers reach us by https; only on this very machine it may be otherwise."""
    return urlsplit(deps.pages.section.public_url or "http://localhost").scheme == "https"


def lifetime(deps: Deps) -> Lifetime:
    """How long a visit lasts."""
    section = deps.pages.section
    return Lifetime(timedelta(minutes=section.idle_minutes), timedelta(hours=section.session_hours))


def give_cookie(deps: Deps, answer: Response, value: str) -> None:
    """Let the browser know its visit; until the browser is closed, and never by a script."""
    answer.set_cookie(cookie_of(deps), value, path="/", secure=secure(deps), httponly=True, samesite="lax")


def from_here(request: Request, deps: Deps) -> bool:
    """Whether a form was sent from a page of ours, by what the browser says about it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = _host(request.headers.get("origin", ""))
    ours = {urlsplit(deps.pages.section.public_url).netloc, request.headers.get("host", "")}
    return bool(origin) and origin in ours


def _host(address: str) -> str:
    """Host and port of an address somebody else wrote; empty when it has none, or is no address."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


async def posted(request: Request) -> Form:
    """What was posted, in the form in which our pages post; anything else, files among it, is not even parsed.

    :raises ForeignForm: it is in another form.
    """
    if request.method != "POST":
        return Form()
    if request.headers.get("content-type", URLENCODED).partition(";")[0].strip().lower() != URLENCODED:
        raise ForeignForm
    form: FormData = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return Form([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def visiting(request: Request, service: Service, form: Annotated[Form, Depends(posted)]) -> Visitor:
    """Whoever asks, signed in or not.

    :raises ForeignForm: something was posted that is not from a page of ours.
    """
    if request.method == "POST" and not from_here(request, service):
        raise ForeignForm
    found = _visit_of(request, service)
    over = found is not None and lifetime(service).over(found, service.clock.now())
    visit = None if over else found
    asked = request.query_params.get("lang", "")
    code = asked if asked in LANGUAGES else visit.language if visit else ""
    if visit is not None:
        _note(service, visit, code)
        if request.method == "POST" and not hmac.compare_digest(form.get(CSRF, "").encode(), visit.csrf.encode()):
            raise ForeignForm
    visitor = Visitor(request, service, language(code), visit, found if over else None, form)
    request.state.visitor = visitor
    return visitor


def _visit_of(request: Request, deps: Deps) -> Visit | None:
    cookie = request.cookies.get(cookie_of(deps))
    if not cookie:
        return None
    with deps.store.read() as tx:
        return tx.visits.find(cookie)


def _note(deps: Deps, visit: Visit, code: str) -> None:
    """Remember the click now and then, and the language when it was chosen."""
    now = deps.clock.now()
    rested, spoken = now - visit.seen >= RESTING, code != visit.language
    if rested or spoken:
        with deps.store.begin() as tx:
            if rested:
                tx.visits.seen(visit, now)
            if spoken:
                tx.visits.speak(visit, code)


Anybody = Annotated[Visitor, Depends(visiting)]
"""A visitor of a page that needs no sign-in."""


def needs(*roles: Role) -> Callable[[Visitor], Visitor]:
    """A dependency: somebody signed in who has one of *roles*; anybody signed in when none is named.

    Use it as ``Annotated[Visitor, Depends(needs(Role.FACILITIES))]``. A form was checked to be theirs.

    :raises SignInNeeded: nobody is signed in. :raises WrongRole: they have none of the roles.
    """

    def allowed(visitor: Anybody) -> Visitor:
        if not visitor.signed_in:
            raise SignInNeeded(visitor)
        if roles and not visitor.may(*roles):
            raise WrongRole(visitor)
        return visitor

    return allowed


SignedIn = Annotated[Visitor, Depends(needs())]


def local(path: str) -> str:
    """*path* when it leads to a page of ours, else the front page: nobody is sent elsewhere after signing in."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if ours and path.isprintable() else "/home"
