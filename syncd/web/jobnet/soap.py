"""The SOAP generation, ExternalBookingService version 3: SOAP 1.1 envelopes in and out (document/literal)."""

from __future__ import annotations

from typing import Any

from lxml import etree

from syncd.web.jobnet import soap_headers
from syncd.web.jobnet.call import Call
from syncd.web.jobnet.citizens import citizen
from syncd.web.jobnet.exchange import Answered, Received, Visit
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.messages import Message
from syncd.web.jobnet.operations import OPERATIONS, Asking, Operations
from syncd.web.jobnet.refusals import Kind, Refused
from syncd.web.jobnet.shapes import AsTheyAre
from syncd.web.jobnet.wsdl import FAULT, operations, wsdl, xsd
from syncd.web.jobnet.xml import NotTheSchema, Xml, parse
from syncd.web.jobnet.xsd import parts_of

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
TEXT_XML = "text/xml"
MESSAGES = {name: (one.question.__name__, one.answer.__name__) for name, one in OPERATIONS.items()}
_OPENING = f'<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>'.encode()
_CLOSING = b"</soap:Body></soap:Envelope>"
NOT_THE_MESSAGE = (403, 405, 413, 415, 503)
"""Statuses of refusals that are about HTTP; every other fault comes with 500, as SOAP 1.1 section 6.2 demands."""


class Soap:
    """Answers one call."""

    media_type = f"{TEXT_XML}; charset=utf-8"

    def __init__(self, facade: Facade) -> None:
        self.facade = facade
        mapping = facade.mapping
        self._space = mapping.soap.namespace
        self._names = mapping.names("soap")
        self._known = operations(mapping)
        self._xml = Xml(self._space, parts_of(self._names), xsd(mapping, MESSAGES))
        self._answers = {operation: f"{name}Response" for name, operation in self._known.items()}
        self._operations = {
            operation: Operations(facade, AsTheyAre(), self._writer(operation)) for operation in self._answers
        }
        self._faults = Operations(facade, AsTheyAre(), self._writer("offers"))

    def ours(self, path: str) -> bool:
        """Whether a path belongs to this generation."""
        return path == self.facade.mapping.soap.path

    def answer(self, received: Received, visit: Visit) -> Answered:
        """The answer to a call whose caller was admitted; its WSDL for a GET.

        :raises Refused: nothing was done.
        """
        if received.method == "GET" and received.query.casefold() == "wsdl":
            visit.operation = "wsdl"
            return Answered(200, wsdl(self.facade.mapping, MESSAGES, received.url).encode())
        if received.method != "POST":
            refusal = Refused(Kind.NOT_VALIDATED, "Only POST is taken here, and GET with ?wsdl.", 405)
            refusal.allow = ("POST", "GET")
            raise refusal
        if received.headers.get("content-type", "").partition(";")[0].strip().lower() != TEXT_XML:
            raise Refused(Kind.NOT_VALIDATED, f"The body must be {TEXT_XML} (SOAP 1.1).", 415)
        try:
            return self._called(received, visit)
        except NotTheSchema as error:
            raise Refused(Kind.NOT_VALIDATED, f"The message is not as the schema says: {error}.") from None

    def refusal(self, refusal: Refused) -> Answered:
        """A refusal as a fault; ours is the fault only when the planner itself could not."""
        detail = self._xml.written(self._faults.fault(refusal), FAULT)
        whose = b"Server" if refusal.status >= 500 else b"Client"
        text = etree.Element("faultstring")
        text.text = refusal.text
        body = b"<soap:Fault><faultcode>soap:%s</faultcode>%s<detail>%s</detail></soap:Fault>" % (
            whose,
            etree.tostring(text),
            detail,
        )
        status = refusal.status if refusal.status in NOT_THE_MESSAGE else 500
        headers = {"Allow": ", ".join(refusal.allow)} if refusal.allow else {}
        return Answered(status, _OPENING + body + _CLOSING, headers)

    def _called(self, received: Received, visit: Visit) -> Answered:
        header, element = self._opened(received.body)
        name = etree.QName(element)
        operation = self._known.get(name.localname.removesuffix("Request")) if name.namespace == self._space else None
        if operation is None or not name.localname.endswith("Request"):
            raise Refused(Kind.NOT_VALIDATED, self._not_known(name), field="Body")
        visit.operation = operation
        origin = soap_headers.origin(header, operation)
        visit.facts |= origin.facts()
        self._xml.valid(element)
        question = OPERATIONS[operation].question
        message: Any = self._xml.read(question, element)
        cpr = citizen(message.cpr or "", "PersonCivilRegistrationIdentifier")
        call = Call.of(operation, origin, cpr, self.facade.key, received.now)
        booking = getattr(message, "indkaldelse", None) or getattr(message, "booking", None)
        asking = Asking(call, message, getattr(message, "offer", None), booking)
        try:
            body = self._operations[operation].run(asking)
        except Refused as refusal:
            refusal.field = self._names.get(f"{question.__name__}.{refusal.field}", refusal.field)
            raise
        return Answered(200, _OPENING + body + _CLOSING)

    def _not_known(self, name: etree.QName) -> str:
        """What to do instead; a time is reserved by details, and errors are reported over REST (reference 4.1)."""
        if name.namespace != self._space:
            return f"The message belongs to another namespace; this service has {self._space}. Nothing was changed."
        known = ", ".join(self._known)
        return f"Version 3 has no such operation; it has {known}. Reports of errors are taken over REST alone."

    def _opened(self, body: bytes) -> tuple[etree._Element | None, etree._Element]:
        """Header and the one element of the body.

        :raises NotTheSchema: it is no SOAP 1.1 envelope.
        """
        root = parse(body)
        if root.tag != f"{{{ENVELOPE}}}Envelope":
            raise NotTheSchema("the root is no envelope of SOAP 1.1")
        found = root.findall(f"{{{ENVELOPE}}}Body")
        inside = list(found[0].iterchildren(tag=etree.Element)) if len(found) == 1 else []
        if len(inside) != 1:
            raise NotTheSchema("the envelope needs one body with one element in it")
        return root.find(f"{{{ENVELOPE}}}Header"), inside[0]

    def _writer(self, operation: str) -> Any:
        name = self._answers[operation]

        def written(message: Message) -> bytes:
            return self._xml.written(message, name)

        return written
