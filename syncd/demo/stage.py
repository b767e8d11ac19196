"""The stage: citizen, caseworker and rooms side by side over the town's real servers, with buttons that do things.

It belongs to the demonstration's own process, listens on this machine only, and knows nothing but what the town's
servers show: the pages of syncd, and the calendar server.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Annotated, Any

import httpx2
import uvicorn
from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from syncd.demo.acts import Acts, Line
from syncd.demo.children import HOST, ChildFailed
from syncd.demo.people import CASEWORKERS, SITE, ZONE
from syncd.demo.window import NotShown, Window
from syncd.model.interval import Interval
from syncd.model.zones import midnight, wall_clock

HEADERS = {
    # Whoever signs in by a button here is led to syncd's own pages.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self' {pages}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATIC = {
    "syncd.css": ("syncd.web", "static/syncd.css", "text/css"),
    "mark.svg": ("syncd.web", "static/mark.svg", "image/svg+xml"),
    "stage.css": ("syncd.demo", "stage_files/stage.css", "text/css"),
    "stage.js": ("syncd.demo", "stage_files/stage.js", "text/javascript"),
}
BUTTONS: tuple[tuple[str, str, str, str, str], ...] = (
    ("book", "Book", "Book", "En borger booker den første ledige tid", "A citizen books the first free time"),
    ("drag", "Træk mødet", "Drag the meeting", "Sagsbehandleren flytter det i sin kalender", "Moved in the calendar"),
    ("mark", "Markér Selvbook", "Mark Selvbook", "Hun åbner tid efter lukketid", "She opens time after hours"),
    ("sick", "Meld syg", "Report ill", "Hver samtale får en anden løsning", "Each talk gets another solution"),
    ("close", "Luk lokale", "Close the room", "Mødet får et andet lokale", "The meeting gets another room"),
    (
        "off",
        "Sluk kalender\u00adserveren",
        "Calendar server off",
        "Det ukendte er aldrig ledigt",
        "Unknown is never free",
    ),
    ("on", "Tænd den igen", "Switch it on again", "Intet gik tabt", "Nothing was lost"),
    (
        "kill",
        "kill -9",
        "kill -9",
        "Lige efter en booking: mødet står der én gang",
        "Right after a booking: there once",
    ),
)
DOORS: tuple[tuple[str, str, str, str], ...] = (
    ("leder", "Lederen: udbud og selvbooking", "The manager: supply and self-booking", "/supply"),
    ("lokaleservice", "Lokaleservice: dagen", "Facilities: the day", "/rooms/day"),
    ("lokaleservice", "Lokaleservice: et år i tal", "Facilities: a year in figures", "/rooms/use"),
    (CASEWORKERS[0].id, "Skranken: det ser borgeren", "The counter: what the citizen sees", "/citizen"),
    ("koordinator", "Koordinatoren: rammer", "The coordinator: frames", "/frames"),
    ("koordinator", "Koordinatoren: bookinger", "The coordinator: bookings", "/bookings"),
    ("drift", "Driften: hvordan det står til", "Operators: how it stands", "/health"),
)
"""Account, what the button says, and where it leads; only a demonstration signs people in so."""
KEPT = 12
FIRST, LAST = 8, 18
_COUNTS, _COUNT_SECONDS = 5, 0.2


@dataclass(frozen=True, slots=True)
class Done:
    """A button that was pressed, and what was seen then."""

    name: str
    at: datetime
    lines: tuple[Line, ...]


@dataclass
class Stage:
    """What the page shows. One thing at a time is done."""

    base: str
    passwords: Mapping[str, str]
    acts: Acts
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    done: list[Done] = field(default_factory=list)
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def press(self, name: str) -> None:
        """Do what the button says, unless something is being done."""
        if name in self.acts.every() and self._busy.acquire(blocking=False):
            try:
                at = self.acts.now()
                self.done.insert(0, Done(name, at, tuple(self.acts.act(name))))
                del self.done[KEPT:]
            finally:
                self._busy.release()

    def visit(self, account: str) -> dict[str, str]:
        """The cookie of somebody who has just signed in to syncd's pages."""
        window = Window(self.base, self.passwords[account], account)
        try:
            return window.cookies()
        finally:
            window.close()

    def day(self) -> date:
        """The day everything is about: that of the meeting, else the next working day."""
        if self.acts.span is not None:
            return wall_clock(self.acts.span.start, ZONE).date()
        day = wall_clock(self.acts.now(), ZONE).date() + timedelta(days=1)
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)

    def shown(self, lang: str) -> dict[str, Any]:
        """Everything the page needs."""
        day = self.day()
        monday = day - timedelta(days=day.weekday())
        offer = f"/citizen?offer=jobsamtale&form=in-person&from={monday}"
        return {
            "lang": lang,
            "token": self.token,
            "doors": DOORS,
            "buttons": [one for one in BUTTONS if one[0] != ("on" if not self.acts.off else "off")],
            "titles": {one[0]: one[1:3] for one in BUTTONS},
            "done": self.done,
            "acts": self.acts,
            "day": day,
            "citizen": self._part(offer, '//table[contains(@class, "times")]', lang),
            "rooms": self._part(f"/rooms/day?site={SITE}&day={day}", '//div[contains(@class, "timeline")]', lang),
            "supply": self._supply(lang),
            "week": self._week(monday),
            "days": [monday + timedelta(days=n) for n in range(5)],
        }

    def _part(self, path: str, found_by: str, lang: str) -> Markup:
        try:
            return Markup(self.acts.window.part(path, found_by, lang))  # noqa: S704 - made and escaped by our own pages
        except NotShown:
            return Markup("")

    def _supply(self, lang: str) -> Markup:
        """Share and missing times by team, as the manager sees them; counting them takes a moment at first."""
        for _ in range(_COUNTS):
            if found := self._part("/supply?weeks=3", '//section[@aria-labelledby="teams"]//table', lang):
                return found
            time.sleep(_COUNT_SECONDS)
        return Markup("")

    def _week(self, monday: date) -> list[dict[str, Any]] | None:
        """The caseworker's own calendar from Monday to Friday, as the calendar server has it; None when it is off."""
        week = Interval(midnight(monday, ZONE), midnight(monday + timedelta(days=5), ZONE))
        try:
            found = self.acts.desk(self.acts.person.id).items(week)
        except httpx2.HTTPError:
            return None
        return [drawn for one in found if (drawn := _drawn(one, monday, self.acts.uid))]


def _drawn(item: Any, monday: date, uid: str) -> dict[str, Any] | None:
    """One event in the picture of a week, 100 by 100."""
    if item.start is None:
        return None
    start = wall_clock(item.start, ZONE)
    day, hour = (start.date() - monday).days, start.hour + start.minute / 60
    if not 0 <= day < 5 or not FIRST <= hour < LAST:
        return None
    hours = (item.end - item.start).total_seconds() / 3600 if item.end is not None else 0.75
    ours, marked = bool(item.rooms), "Åben for borgere" in item.summary
    return {
        "x": f"{20 * day + 0.4:.1f}%",
        "y": f"{100 * (hour - FIRST) / (LAST - FIRST):.2f}%",
        "height": f"{100 * min(hours, LAST - hour) / (LAST - FIRST):.2f}%",
        "kind": "meant" if item.uid == uid else "ours" if ours else "marked" if marked else "other",
        "words": f"{start:%H.%M} {item.summary}",
    }


def app(stage: Stage, host: str) -> FastAPI:
    """The stage over HTTP. :param host: how browsers must call it, so that no other name leads here."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pages = Environment(
        loader=PackageLoader("syncd.demo", "stage_files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    policy = HEADERS["Content-Security-Policy"].format(pages=stage.base)

    @made.middleware("http")
    async def guarded(request: Request, call: Any) -> Response:
        if request.headers.get("host") not in (host, host.replace(HOST, "localhost")):
            return Response("The stage is at http://" + host, 421, headers=HEADERS)
        answer: Response = await call(request)
        answer.headers.update(HEADERS | {"Content-Security-Policy": policy})
        return answer

    @made.get("/")
    def look(lang: str = "da") -> Response:
        code = "en" if lang == "en" else "da"
        shown = stage.shown(code) | {"say": lambda da, en: en if code == "en" else da, "clock": _clock}
        return Response(pages.get_template("stage.html").render(shown), media_type="text/html; charset=utf-8")

    def ours(request: Request, token: Annotated[str, Form()] = "") -> None:
        here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        if not here or not hmac.compare_digest(token.encode(), stage.token.encode()):
            raise HTTPException(403, "This form does not come from the stage; nothing was done.")

    @made.post("/do/{name}", dependencies=[Depends(ours)])
    def press(name: str, lang: Annotated[str, Form()] = "da") -> Response:
        stage.press(name)
        return RedirectResponse(f"/?lang={'en' if lang == 'en' else 'da'}#done", 303)

    @made.post("/enter/{number}", dependencies=[Depends(ours)])
    def enter(number: int, lang: Annotated[str, Form()] = "da") -> Response:
        if not 0 <= number < len(DOORS):
            raise HTTPException(404)
        account, *_, path = DOORS[number]
        answer = RedirectResponse(f"{stage.base}{path}?lang={'en' if lang == 'en' else 'da'}", 303)
        for name, value in stage.visit(account).items():  # a browser's cookies know no ports
            answer.set_cookie(name, value, path="/", httponly=True, samesite="lax")
        return answer

    @made.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            return Response("", 404)
        package, path, kind = STATIC[name]
        return Response((files(package) / path).read_bytes(), media_type=kind)

    return made


def _clock(at: datetime) -> str:
    return f"{wall_clock(at, ZONE):%H.%M.%S}"


@contextmanager
def serve(stage: Stage, number: int) -> Iterator[str]:
    """The stage at a port of this machine while the block lasts; its address.

    :raises ChildFailed: it did not start.
    """
    config = uvicorn.Config(app(stage, f"{HOST}:{number}"), host=HOST, port=number, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise ChildFailed(f"the stage could not be opened at port {number}")
        time.sleep(0.05)
    try:
        yield f"http://{HOST}:{number}/"
    finally:
        server.should_exit = True
        thread.join(10)
