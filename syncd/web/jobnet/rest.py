"""The REST generation, BorgerBooking: paths and headers in, our operations, JSON out."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec
from starlette.datastructures import Headers

from syncd.cpr import Cpr
from syncd.web.jobnet.call import Call, Origin, clean
from syncd.web.jobnet.citizens import citizen
from syncd.web.jobnet.exchange import Answered, Received, Visit
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.messages import GUID_PATTERN
from syncd.web.jobnet.operations import OPERATIONS, Asking, Operations
from syncd.web.jobnet.refusals import Kind, Refused
from syncd.web.jobnet.shapes import Shapes

LONGEST_REQUEST = 46
"""Characters of x-requestId (reference section 3, IND2)."""
JSON = "application/json"
_GUID = re.compile(GUID_PATTERN[:-1] + r"\Z")
_DIGITS = re.compile(r"[0-9]{1,9}\Z")


class Route(NamedTuple):
    """A path of the facade."""

    operation: str
    methods: tuple[str, ...]
    template: str
    pattern: re.Pattern[str]


def routes(mapping: MappingFile) -> list[Route]:
    """Every path, as the mapping has it."""
    found = []
    for operation in ("offers", "times", "details", "reserve", "create", "cancel", "accept", "report"):
        template = mapping.paths.base + getattr(mapping.paths, operation)
        # The draft reserves with a GET that has a body, which not every proxy lets pass: both are taken (4.1).
        methods = ("POST", "GET") if operation == "details" else ("POST",)
        parts = re.split(r"(\{[a-z]+\})", template)
        text = "".join(f"(?P<{one[1:-1]}>[^/]+)" if one.startswith("{") else re.escape(one) for one in parts)
        found.append(Route(operation, methods, template, re.compile(text + r"\Z")))
    return found


class Rest:
    """Answers one call."""

    media_type = JSON

    def __init__(self, facade: Facade) -> None:
        self.facade = facade
        self._shapes = Shapes(facade.mapping.names("rest"))
        self._names = facade.mapping.names("rest")
        self._operations = Operations(facade, self._shapes, self._shapes.written)
        self._routes = routes(facade.mapping)

    def ours(self, path: str) -> bool:
        """Whether a path belongs to this generation."""
        return path == self.facade.mapping.paths.base or path.startswith(self.facade.mapping.paths.base + "/")

    def origin(self, headers: Headers, operation: str) -> Origin:
        """On whose behalf, by whom and what for.

        :raises Refused: one of them is missing.
        """
        names = self.facade.mapping.headers
        given = {
            key: _one(headers, getattr(names, key)) for key in ("authority_type", "authority", "user_type", "user")
        }
        purpose = _one(headers, names.purpose) if names.purpose else f"selvbooking: {operation}"
        for key in ("authority_type", "user_type"):
            if not _DIGITS.match(given[key]):
                raise Refused(Kind.NOT_VALIDATED, "The header should be a whole number.", field=getattr(names, key))
        request = headers.get(names.request, "")
        if len(request) > LONGEST_REQUEST:
            text = f"The header may have at most {LONGEST_REQUEST} characters."
            raise Refused(Kind.NOT_VALIDATED, text, field=names.request)
        return Origin(**given, purpose=purpose, request=clean(request))

    def answer(self, received: Received, visit: Visit) -> Answered:
        """The answer to a call whose caller was admitted.

        :raises Refused: nothing was done.
        """
        headers, method = received.headers, received.method
        visit.operation = next((one.operation for one in self._routes if one.pattern.match(received.path)), "-")
        route, ids = self._route(method, received.path)
        origin = self.origin(headers, route.operation)
        visit.facts |= origin.facts() | {"request": origin.request}
        question, _ = OPERATIONS[route.operation]
        call = Call.of(route.operation, origin, self._citizen(headers), self.facade.key, received.now)
        body = received.body
        if method == "POST" and headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise Refused(Kind.NOT_VALIDATED, f"The body must be {JSON}.", 415)
        try:
            # A question without required fields may come without a body.
            message = self._shapes.read(question, body or b"{}")
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(Kind.NOT_VALIDATED, _mistake(error)) from None
        offer = ids.get("offer") or getattr(message, "offer", None)
        booking = ids.get("booking") or getattr(message, "booking", None)
        try:
            return Answered(200, self._operations.run(Asking(call, message, offer, booking)), {})
        except Refused as refusal:
            refusal.field = self._names.get(f"{question.__name__}.{refusal.field}", refusal.field)
            raise

    def refusal(self, refusal: Refused) -> Answered:
        """A refusal as an answer."""
        headers = {"Allow": ", ".join(refusal.allow)} if refusal.allow else {}
        return Answered(refusal.status, self._shapes.written(self._operations.fault(refusal)), headers)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        allowed: list[str] = []
        for route in self._routes:
            if (match := route.pattern.match(path)) is None:
                continue
            if method in route.methods:
                ids = match.groupdict()
                for name, value in ids.items():
                    if not _GUID.match(value):
                        raise Refused(Kind.NOT_VALIDATED, "The path should carry a GUID.", field=name)
                return route, ids
            allowed += route.methods
        if allowed:
            refusal = Refused(Kind.NOT_VALIDATED, "This path does not take this method.", 405)
            refusal.allow = tuple(allowed)
            raise refusal
        raise Refused(Kind.NOT_VALIDATED, "There is no such path.", 404)

    def _citizen(self, headers: Headers) -> Cpr:
        name = self.facade.mapping.headers.citizen
        return citizen(_one(headers, name), name)


def _one(headers: Headers, name: str) -> str:
    """The one value of a header.

    :raises Refused: it is missing, empty or there several times.
    """
    given = headers.getlist(name)
    if len(given) != 1 or not given[0].strip():
        text = "The header is missing or empty." if len(given) < 2 else "The header is there more than once."
        raise Refused(Kind.NOT_VALIDATED, text, field=name)
    return given[0].strip()


def _mistake(error: Exception) -> str:
    """What is wrong with a body, and where; what was sent is not repeated."""
    if isinstance(error, msgspec.ValidationError):
        return f"The body is not as the schema says: {clean(str(error))}. Nothing was changed."
    return "The body cannot be read as JSON. Nothing was changed."
