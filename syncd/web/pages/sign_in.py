"""Signing in and out; and a form that was sent after the visit had run out, kept until somebody is back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.config import LocalAccountSection
from syncd.config.passwords import matches, nobody
from syncd.model.role import Role
from syncd.store.visits import Visit
from syncd.web.pages.language import N_
from syncd.web.pages.oidc import Begun, NotSignedIn
from syncd.web.pages.visiting import CSRF, Anybody, SignedIn, Visitor, cookie_of, give_cookie, lifetime, local

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

UNKEPT = frozenset({CSRF, "cpr", "phone"})
"""Fields that are not kept for later: a citizen's civil registration and telephone numbers are kept under seal only."""

SPOKEN = {
    "room": N_("Room"),
    "caseworker": N_("Person"),
    "day": N_("Day"),
    "time": N_("Time"),
    "from": N_("From"),
    "to": N_("To"),
    "first": N_("First day"),
    "last": N_("Last day"),
    "reason": N_("Reason"),
    "why": N_("Reason"),
    "phone": N_("Telephone number"),
    "topic": N_("Topic"),
    "topics": N_("Topics"),
    "text": N_("Text"),
}
"""Fields that somebody typed; what else a form carries is sent again without being told."""

WRONG = N_("That name and password do not belong together. Nothing was changed; please try again.")
TOO_MANY = N_("Too many attempts. Please wait ten minutes and try again.")
PROVIDER = N_("The sign-in service did not confirm who you are. Please try again, or ask for help.")
NO_ROLE = N_("You are known, but have no role here. Ask for one of the groups that may use these pages.")
STALE = N_("The sign-in took too long or was begun elsewhere. Please begin again.")


@router.get("/sign-in")
def ask(visitor: Anybody, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """How to sign in here."""
    if visitor.signed_in:
        return RedirectResponse(local(next or "/home"), 303)
    return _page(visitor, local(next or "/home"))


@router.post("/sign-in")
def with_password(visitor: Anybody) -> Response:
    """Sign in with a local account."""
    parts, now = visitor.deps.pages, visitor.deps.clock.now()
    name, after = visitor.form.get("name", "").strip()[:64], local(visitor.form.get("next", ""))
    account = next((one for one in parts.section.accounts if one.name == name), None)
    known = account.name if account else ""
    if parts.attempts.exhausted(known, now):
        return _page(visitor, after, TOO_MANY, 429)
    if not _right(account, visitor.form.get("password", "")):
        parts.attempts.fail(known, now)
        log.warning("pages.sign_in_refused", reason="password")
        return _page(visitor, after, WRONG, 403)
    assert account is not None
    return _enter(visitor, account.name, account.name, account.roles, after)


def _right(account: LocalAccountSection | None, password: str) -> bool:
    return matches(password[:1024], account.password if account else nobody()) and account is not None


@router.get("/sign-in/oidc")
def at_provider(visitor: Anybody, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """Send the browser to the organisation's provider."""
    provider = visitor.deps.pages.provider
    if provider is None:
        return _page(visitor, local(next))
    try:
        url, begun = provider.begin(local(next))
    except NotSignedIn as refused:
        return _refused(visitor, refused, PROVIDER)
    answer = RedirectResponse(url, 303)
    _remember(visitor, answer, {"oidc": begun.kept()})
    return answer


@router.get("/sign-in/back")
def back(visitor: Anybody) -> Response:
    """The browser comes back from the provider."""
    provider, kept = visitor.deps.pages.provider, (visitor.visit.kept if visitor.visit else {}).get("oidc")
    if provider is None or not kept:
        return _page(visitor, "/home", STALE, 400)
    begun = Begun(**kept)
    try:
        found = provider.finish(visitor.request.query_params, begun)
    except NotSignedIn as refused:
        return _refused(visitor, refused, PROVIDER)
    section = visitor.deps.pages.section.oidc
    roles = section.roles_of(found.groups) if section else frozenset()
    if not roles:
        return _refused(visitor, NotSignedIn("no group of theirs has a role"), NO_ROLE)
    return _enter(visitor, found.subject, found.name, roles, local(begun.next))


def _refused(visitor: Visitor, refused: NotSignedIn, told: str) -> Response:
    log.warning("pages.sign_in_refused", reason=str(refused))
    return _page(visitor, "/home", told, 403)


@router.post("/sign-out")
def leave(visitor: Anybody) -> Response:
    """End the visit here and everywhere it was copied to."""
    if visitor.visit is not None:
        with visitor.deps.store.begin() as tx:
            tx.visits.end(visitor.visit)
            tx.audit.add(visitor.actor, "visit.ended", now=visitor.deps.clock.now())
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_of(visitor.deps), path="/")
    # Not "cookies": that would sign out of every other service below the organisation's domain.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.get("/sign-in/resume")
def resume(visitor: SignedIn) -> Response:
    """Show a form that was sent after the visit had run out, to be sent again."""
    draft = (visitor.visit.kept if visitor.visit else {}).get("draft")
    if not draft:
        return RedirectResponse("/home", 303)
    told = [(visitor.say(SPOKEN[name]), value) for name, value in draft["fields"] if name in SPOKEN and value]
    return visitor.show("frame/resume.html", draft=draft, told=told)


def _keep_draft(visitor: Visitor, lapsed: Visit) -> Response:
    """Keep what was sent until its sender has signed in again, and lead there; nothing of it is done meanwhile."""
    answer = RedirectResponse("/sign-in?next=/sign-in/resume", 303)
    fields = [pair for pair in visitor.form.multi_items() if pair[0] not in UNKEPT]
    draft = {"path": visitor.request.url.path, "fields": fields, "owner": lapsed.subject}
    _remember(visitor, answer, {"draft": draft})
    return answer


def asked_to_sign_in(visitor: Visitor) -> Response:
    """Lead to signing in, and back to where somebody wanted to go."""
    request = visitor.request
    if request.method == "POST":
        lapsed = visitor.lapsed
        return _keep_draft(visitor, lapsed) if lapsed and lapsed.subject else RedirectResponse("/sign-in", 303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", 303)


def _remember(visitor: Visitor, answer: Response, more: Mapping[str, Any]) -> None:
    """Keep values for the browser until it has signed in: in the visit it has, or in a new one."""
    deps = visitor.deps
    with deps.store.begin() as tx:
        tx.visits.sweep(deps.clock.now(), lifetime(deps))
        if visitor.visit is not None and not visitor.signed_in:
            tx.visits.keep(visitor.visit, {**visitor.visit.kept, **more})
            return
        cookie = tx.visits.add(deps.clock.now(), language=visitor.language.code, kept=more)
    give_cookie(deps, answer, cookie)


def _enter(visitor: Visitor, subject: str, name: str, roles: frozenset[Role], after: str) -> Response:
    """A new visit with a new cookie: one that was known before signing in is worth nothing afterwards."""
    deps, now, before = visitor.deps, visitor.deps.clock.now(), visitor.visit
    kept = _draft_of(before, subject)
    with deps.store.begin() as tx:
        tx.visits.sweep(now, lifetime(deps))
        if before is not None:
            tx.visits.end(before)
        cookie = tx.visits.add(now, subject=subject, name=name, roles=roles, language=visitor.language.code, kept=kept)
        tx.audit.add(f"staff:{subject}", "visit.began", detail=" ".join(sorted(roles)), now=now)
    answer = RedirectResponse("/sign-in/resume" if kept else after.replace("/sign-in/resume", "/home"), 303)
    give_cookie(deps, answer, cookie)
    return answer


def _draft_of(before: Visit | None, subject: str) -> dict[str, Any]:
    """The form that waits, when it was this person's."""
    draft = before.kept.get("draft") if before else None
    return {"draft": draft} if draft and draft["owner"] == subject else {}


def _page(visitor: Visitor, after: str, problem: str = "", status: int = 200) -> Response:
    section = visitor.deps.pages.section
    return visitor.show(
        "frame/sign_in.html",
        status,
        next=after,
        problem=visitor.say(problem) if problem else "",
        provider=visitor.deps.pages.provider is not None,
        accounts=bool(section.accounts),
    )
