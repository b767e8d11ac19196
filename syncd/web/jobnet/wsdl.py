"""The WSDL of the SOAP generation, made from the same names as its schema."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.web.jobnet import soap_headers
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.xsd import parts_of, schema

FAULT = "ExternalBookingFault"


def operations(mapping: MappingFile) -> Mapping[str, str]:
    """Operations of the SOAP generation by name (A: EBS3, E639), each with what it is here."""
    return {
        "GetSelfbookInterviewOptions": "offers",
        "GetSelfbookTimeslots": "times",
        "GetBookingDetails": "details",
        "CreateBooking": "create",
        "RescheduleBooking": "reschedule",
        mapping.soap.cancel: "cancel",
        mapping.soap.accept: "accept",
    }


def elements(mapping: MappingFile, messages: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Top-level elements, each with its message.

    :param messages: by operation, the names of its question and answer.
    """
    found: dict[str, str] = {}
    for name, operation in operations(mapping).items():
        question, answer = messages[operation]
        found |= {f"{name}Request": question, f"{name}Response": answer}
    return found | {FAULT: "FaultAnswer"}


def xsd(mapping: MappingFile, messages: Mapping[str, tuple[str, str]]) -> str:
    """The schema of all messages."""
    return schema(mapping.soap.namespace, parts_of(mapping.names("soap")), elements(mapping, messages))


def wsdl(mapping: MappingFile, messages: Mapping[str, tuple[str, str]], address: str) -> str:
    """The whole description, for a service at *address*."""
    space, names = mapping.soap.namespace, list(operations(mapping))
    types = [xsd(mapping, messages), *soap_headers.schemas()]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        (
            '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
            'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
            f'xmlns:t="{space}" xmlns:o="{soap_headers.ORGANISATION}" xmlns:m="{soap_headers.METADATA}" '
            f'targetNamespace="{space}" name="ExternalBookingService">'
        ),
        "<wsdl:types>",
        *types,
        "</wsdl:types>",
        (
            '<wsdl:message name="ActiveOrganisation"><wsdl:part name="header" element="o:ActiveOrganisationHeader"/>'
            "</wsdl:message>"
        ),
        '<wsdl:message name="UserMetadata"><wsdl:part name="header" element="m:RequestUserMetadata"/></wsdl:message>',
        f'<wsdl:message name="{FAULT}"><wsdl:part name="fault" element="t:{FAULT}"/></wsdl:message>',
        *(_messages(name) for name in names),
        '<wsdl:portType name="ExternalBookingService">',
        *(_port(name) for name in names),
        "</wsdl:portType>",
        '<wsdl:binding name="ExternalBookingServiceSoap" type="t:ExternalBookingService">',
        '<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>',
        *(_binding(name, space) for name in names),
        "</wsdl:binding>",
        '<wsdl:service name="ExternalBookingService">',
        '<wsdl:port name="ExternalBookingServiceSoap" binding="t:ExternalBookingServiceSoap">',
        f'<soap:address location="{address}"/>',
        "</wsdl:port></wsdl:service></wsdl:definitions>",
        "",
    ]
    return "\n".join(lines)


def _messages(name: str) -> str:
    return "\n".join(
        f'<wsdl:message name="{name}{end}"><wsdl:part name="body" element="t:{name}{end}"/></wsdl:message>'
        for end in ("Request", "Response")
    )


def _port(name: str) -> str:
    return (
        f'<wsdl:operation name="{name}"><wsdl:input message="t:{name}Request"/>'
        f'<wsdl:output message="t:{name}Response"/><wsdl:fault name="{FAULT}" message="t:{FAULT}"/></wsdl:operation>'
    )


def _binding(name: str, space: str) -> str:
    headers = "".join(
        f'<soap:header message="t:{one}" part="header" use="literal"/>'
        for one in ("ActiveOrganisation", "UserMetadata")
    )
    return (
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{space}{name}" style="document"/>'
        f'<wsdl:input><soap:body use="literal"/>{headers}</wsdl:input>'
        '<wsdl:output><soap:body use="literal"/></wsdl:output>'
        f'<wsdl:fault name="{FAULT}"><soap:fault name="{FAULT}" use="literal"/></wsdl:fault></wsdl:operation>'
    )
