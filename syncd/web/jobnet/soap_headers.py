"""SOAP headers: on whose behalf a call is made and who acts (reference section 3, SEC and META)."""

from __future__ import annotations

from lxml import etree

from syncd.web.jobnet.call import Origin
from syncd.web.jobnet.refusals import Kind, Refused

ORGANISATION = "http://rep.oio.dk/ams.dk/xml/schemas/2005/09/01/"
USER = "http://service.bm.dk/pjaktass/2015/01/21/RequestUserStructure/"
USER_TYPE = "http://service.bm.dk/pjaktass/2015/01/21/RequestUserTypeIdentifierCodeList/"
CODE_LIST = "http://service.bm.dk/pjaktass/2013/06/07/CodeListBase/"
USER_ORGANISATION = "http://service.bm.dk/pjaktass/2015/01/21/RequestOrganisationStructure/"
METADATA = "http://service.bm.dk/RequestUserMetadata/2015/01/21/"
"""Namespaces as the sample has them (META); that the containers stand in the same is our reading (C)."""

SCHEMAS = {
    ORGANISATION: """
  <xs:element name="ActiveOrganisationHeader"><xs:complexType><xs:sequence>
    <xs:element name="OrganisationTypeIdentifier" type="xs:int"/>
    <xs:element name="OrganisationCode" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>""",
    CODE_LIST: """
  <xs:element name="CodeListItemIdentifier" type="xs:int"/>""",
    USER_TYPE: f"""
  <xs:import namespace="{CODE_LIST}"/>
  <xs:element name="RequestUserTypeIdentifier"><xs:complexType><xs:sequence>
    <xs:element ref="c:CodeListItemIdentifier" xmlns:c="{CODE_LIST}"/>
  </xs:sequence></xs:complexType></xs:element>""",
    USER: f"""
  <xs:import namespace="{USER_TYPE}"/>
  <xs:element name="RequestUserStructure"><xs:complexType><xs:sequence>
    <xs:element name="UserFullName" type="xs:string" minOccurs="0"/>
    <xs:element ref="u:RequestUserTypeIdentifier" xmlns:u="{USER_TYPE}"/>
    <xs:element name="UserIdentifier" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>""",
    USER_ORGANISATION: """
  <xs:element name="RequestOrganisationStructure"><xs:complexType><xs:sequence>
    <xs:element name="OrganisationTypeIdentifier" type="xs:int"/>
    <xs:element name="OrganisationCode" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>""",
    METADATA: f"""
  <xs:import namespace="{USER}"/>
  <xs:import namespace="{USER_ORGANISATION}"/>
  <xs:element name="RequestUserMetadata"><xs:complexType><xs:sequence>
    <xs:element ref="u:RequestUserStructure" xmlns:u="{USER}"/>
    <xs:element ref="o:RequestOrganisationStructure" xmlns:o="{USER_ORGANISATION}"/>
    <xs:element name="RegistrationDateTime" type="xs:dateTime"/>
  </xs:sequence></xs:complexType></xs:element>""",
}
"""By namespace, what its schema declares."""


def schemas() -> list[str]:
    """The schemas as texts."""
    return [
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}" '
        f'elementFormDefault="qualified">{content}\n</xs:schema>'
        for namespace, content in SCHEMAS.items()
    ]


def origin(header: etree._Element | None, operation: str) -> Origin:
    """Who calls; what for is told by the operation, for the headers have no place for it.

    :raises Refused: a part is missing or empty.
    """
    organisation = f"{{{ORGANISATION}}}ActiveOrganisationHeader/{{{ORGANISATION}}}"
    user = f"{{{METADATA}}}RequestUserMetadata/{{{USER}}}RequestUserStructure/"
    kind = f"{{{USER_TYPE}}}RequestUserTypeIdentifier/{{{CODE_LIST}}}CodeListItemIdentifier"
    return Origin(
        authority_type=_number(header, organisation + "OrganisationTypeIdentifier"),
        authority=_text(header, organisation + "OrganisationCode"),
        user_type=_number(header, user + kind),
        user=_text(header, user + f"{{{USER}}}UserIdentifier"),
        purpose=f"selvbooking: {operation}",
    )


def _text(header: etree._Element | None, path: str) -> str:
    found = [] if header is None else header.findall(path)
    text = "".join(found[0].itertext()).strip() if len(found) == 1 else ""
    if not text:
        raise Refused(Kind.NOT_VALIDATED, "A SOAP header is missing, empty or repeated.", field=path.rpartition("}")[2])
    return text


def _number(header: etree._Element | None, path: str) -> str:
    text = _text(header, path)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused(Kind.NOT_VALIDATED, "A SOAP header should be a number.", field=path.rpartition("}")[2])
    return text
