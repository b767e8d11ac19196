"""The mapping file: what the contract leaves open, so that the real Swagger or WSDL can be met by editing data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from syncd.config import read_toml
from syncd.errors import ConfigError
from syncd.model.offer import Form
from syncd.section import Section, complaints
from syncd.web.jobnet.names import FIELDS, Mark
from syncd.web.jobnet.names import Field as Named

VERSION = 1
"""Of the mapping file's own layout."""


def _known(mark: str, source: str = "–") -> dict[str, Any]:
    """How sure a value is, and whence."""
    return {"mark": mark, "source": source}


def _path(value: str) -> str:
    if not re.fullmatch(r"(/([A-Za-z0-9_.-]+|\{(offer|booking)\}))+", value):
        raise ValueError("should be like /Booking/{booking}/action/reserver, with {offer} and {booking} only")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", value):
        raise ValueError("should be a name of letters, digits, dot, dash and underscore that begins with a letter")
    return value


PathText = Annotated[str, AfterValidator(_path)]
Name = Annotated[str, AfterValidator(_name)]
Code = Annotated[int, Field(ge=0, le=99_999_999)]


class PathsSection(Section):
    """REST paths below ``base``; all are POST, and ``details`` is GET too."""

    base: Annotated[PathText, Field(description="Prefix of all.", json_schema_extra=_known("B", "BB"))] = (
        "/v1/BorgerBooking"
    )
    offers: Annotated[PathText, Field(description="E1.", json_schema_extra=_known("?", "BB"))] = "/Moedetilbud"
    times: Annotated[PathText, Field(description="E2.", json_schema_extra=_known("?", "JK"))] = (
        "/Moedetilbud/{offer}/Moedetider"
    )
    details: Annotated[PathText, Field(description="E3.", json_schema_extra=_known("B", "BB"))] = (
        "/Moedetilbud/{offer}/Detaljer"
    )
    reserve: Annotated[PathText, Field(description="E4.", json_schema_extra=_known("B", "BB"))] = (
        "/Booking/{booking}/action/reserver"
    )
    create: Annotated[PathText, Field(description="E5, and E6 after E4.", json_schema_extra=_known("B", "BB"))] = (
        "/Booking/{booking}"
    )
    cancel: Annotated[PathText, Field(description="E6, cancel.", json_schema_extra=_known("?"))] = (
        "/Booking/{booking}/action/aflys"
    )
    accept: Annotated[PathText, Field(description="E6, accept.", json_schema_extra=_known("?", "BB"))] = (
        "/Booking/{booking}/action/accepter"
    )
    report: Annotated[PathText, Field(description="E9.", json_schema_extra=_known("?", "BB"))] = "/Fejlmelding"


class HeadersSection(Section):
    """REST headers. SOAP's own are the contract's."""

    citizen: Annotated[Name, Field(description="The citizen's number.", json_schema_extra=_known("A", "IND2"))] = (
        "x-civilregistrationIdentifier"
    )
    request: Annotated[Name, Field(description="The request's id.", json_schema_extra=_known("A", "IND2"))] = (
        "x-requestId"
    )
    authority_type: Annotated[
        Name, Field(description="On whose behalf: type of organisation.", json_schema_extra=_known("?", "SEC"))
    ] = "x-organisationTypeIdentifier"
    authority: Annotated[
        Name, Field(description="On whose behalf: its code.", json_schema_extra=_known("?", "SEC"))
    ] = "x-organisationCode"
    user_type: Annotated[
        Name, Field(description="Who acts: type of user (1 is the citizen).", json_schema_extra=_known("?", "SEC"))
    ] = "x-requestUserTypeIdentifier"
    user: Annotated[Name, Field(description="Who acts: id.", json_schema_extra=_known("?", "SEC"))] = (
        "x-requestUserIdentifier"
    )
    purpose: Annotated[
        str, Field(description="What for; empty: taken from the operation.", json_schema_extra=_known("?"))
    ] = "x-purpose"


class SoapSection(Section):
    """What the WSDL leaves open."""

    path: Annotated[PathText, Field(description="Where SOAP is answered.", json_schema_extra=_known("?"))] = (
        "/ExternalBookingService/v3"
    )
    namespace: Annotated[
        str, Field(description="Of operations and their fields.", min_length=1, json_schema_extra=_known("?"))
    ] = "http://service.bm.dk/ExternalBookingService/3/"
    cancel: Annotated[Name, Field(description="Name of the operation.", json_schema_extra=_known("?"))] = (
        "CancelBooking"
    )
    accept: Annotated[Name, Field(description="Name of the operation.", json_schema_extra=_known("?", "BB"))] = (
        "AcceptBooking"
    )


class CodesSection(Section):
    """Items of DFDG's code lists."""

    in_person: Annotated[Code, Field(description="Talk form: in person.", json_schema_extra=_known("?"))] = 1
    phone: Annotated[Code, Field(description="Talk form: by telephone.", json_schema_extra=_known("?"))] = 2
    video: Annotated[Code, Field(description="Talk form: digital.", json_schema_extra=_known("B", "IND1"))] = 8
    joint: Annotated[Code, Field(description="Meeting group: joint.", json_schema_extra=_known("?", "JK"))] = 1
    individual: Annotated[
        Code, Field(description="Meeting group: individual.", json_schema_extra=_known("?", "JK"))
    ] = 2
    errors: Annotated[
        tuple[Code, ...],
        Field(description="Error codes E9 knows; empty: any.", json_schema_extra=_known("?", "BB")),
    ] = ()
    talk_types: Annotated[
        dict[str, Code],
        Field(
            description="Codes of talks, by an offer's talk_type or its name; a talk_type of digits is its own code.",
            json_schema_extra=_known("A", "IND24, FRI"),
            default_factory=lambda: {"JOBSAMTALE": 7, "OPFOELGNING": 4, "FAELLES-JOBSAMTALE": 17, "ANDEN-SAMTALE": 12},
        ),
    ]
    one_future: Annotated[
        tuple[Code, ...],
        Field(
            description="Talks of which a citizen may have one to come only.", json_schema_extra=_known("A", "IND24")
        ),
    ] = (4, 7)
    exempting: Annotated[
        dict[str, Literal["exempt", "deprived", "elsewhere"]],
        Field(
            description="Absence types that close self-booking.",
            json_schema_extra=_known("B", "FRI"),
            default_factory=lambda: {"56": "exempt", "57": "deprived", "75": "elsewhere"},
        ),
    ]

    def form(self, form: Form) -> int:
        """The code of a form."""
        return {Form.IN_PERSON: self.in_person, Form.PHONE: self.phone, Form.VIDEO: self.video}[form]

    def form_of(self, code: int) -> Form | None:
        """The form of a code."""
        return next((form for form in Form if self.form(form) == code), None)

    @model_validator(mode="after")
    def _different(self) -> CodesSection:
        if len({self.in_person, self.phone, self.video}) != 3 or self.joint == self.individual:
            raise ValueError("in_person, phone and video need codes of their own, and so do joint and individual")
        return self


class ErrorsSection(Section):
    """Numbers of errors, and the HTTP status they come with in REST."""

    not_validated: Annotated[
        Code, Field(description="1014; 99000 in the new numbering.", json_schema_extra=_known("B", "BB, JK"))
    ] = 1014
    malformed_citizen: Annotated[
        Code, Field(description="The citizen's number has a wrong form.", json_schema_extra=_known("B", "ERR"))
    ] = 1001
    unknown_citizen: Annotated[
        Code, Field(description="Nobody can have this number.", json_schema_extra=_known("B", "JK"))
    ] = 1010
    no_options: Annotated[Code, Field(description="Nothing can be booked.", json_schema_extra=_known("B", "BB"))] = 4770
    not_this_citizen: Annotated[
        Code, Field(description="It belongs to somebody else.", json_schema_extra=_known("B", "BB"))
    ] = 8107
    not_authorised: Annotated[Code, Field(description="The caller may not.", json_schema_extra=_known("B", "ERR"))] = (
        4575
    )
    reservation_expired: Annotated[
        Code, Field(description="The reservation ran out.", json_schema_extra=_known("?"))
    ] = 4770
    not_allowed: Annotated[
        Code, Field(description="A rule of the offer forbids it.", json_schema_extra=_known("?"))
    ] = 4770

    @field_validator("*")
    @classmethod
    def _never(cls, value: int) -> int:
        if value in (4769, 9018, 9303, 9329):
            raise ValueError("4769, 9018, 9303 and 9329 are DFDG's own: it sets them about a planner")
        return value


class TimesSection(Section):
    """How times are written."""

    without_zone: Annotated[
        Literal["local", "refuse"],
        Field(description="A time without a zone is Danish time, or refused.", json_schema_extra=_known("?", "META")),
    ] = "refuse"
    answered: Annotated[
        Literal["local", "utc"],
        Field(description="Our times carry Denmark's offset, or Z.", json_schema_extra=_known("?", "META")),
    ] = "local"


class MappingFile(Section):
    """The whole file."""

    version: Annotated[Literal[1], Field(description="Of this file's layout.")] = 1
    paths: PathsSection = PathsSection()
    headers: HeadersSection = HeadersSection()
    soap: SoapSection = SoapSection()
    codes: Annotated[CodesSection, Field(default_factory=lambda: CodesSection.model_validate({}))]
    errors: ErrorsSection = ErrorsSection()
    times: TimesSection = TimesSection()
    rest_names: Annotated[
        dict[str, Name], Field(description="Fields in REST, by message and field.", default_factory=dict)
    ]
    soap_names: Annotated[
        dict[str, Name], Field(description="Fields in SOAP, by message and field.", default_factory=dict)
    ]

    @model_validator(mode="after")
    def _names_are_open(self) -> MappingFile:
        for generation, names in (("rest", self.rest_names), ("soap", self.soap_names)):
            for field, name in names.items():
                known = FIELDS.get(field)
                if known is None or not getattr(known, generation):
                    raise ValueError(f"{generation}_names: there is no field '{field}' in this generation")
                if getattr(known, f"{generation}_mark") is Mark.A and name != getattr(known, generation):
                    raise ValueError(f"{generation}_names: '{field}' is known for sure and cannot be changed")
        return self

    def names(self, generation: Literal["rest", "soap"]) -> dict[str, str]:
        """The names of all fields of a generation, by message and field."""
        changed = self.rest_names if generation == "rest" else self.soap_names
        return {key: changed.get(key, name) for key, field in FIELDS.items() if (name := getattr(field, generation))}

    def choices(self) -> Iterator[str]:
        """One sentence for each thing the contract leaves open, with what was chosen."""
        for place, section in _sections(self):
            for key, field in type(section).model_fields.items():
                extra = field.json_schema_extra
                mark = extra.get("mark") if isinstance(extra, Mapping) else None
                if mark in (Mark.C, Mark.OPEN):
                    yield f"{place}.{key} = {getattr(section, key)!r} ({mark}): {field.description}"
        for generation in ("rest", "soap"):
            names = self.names("rest" if generation == "rest" else "soap")
            for key, name in names.items():
                if _mark(FIELDS[key], generation).ours:
                    yield f"{generation}_names.\"{key}\" = '{name}' ({_mark(FIELDS[key], generation)})"


def _mark(field: Named, generation: str) -> Mark:
    return field.rest_mark if generation == "rest" else field.soap_mark


def _sections(whole: MappingFile) -> Iterator[tuple[str, Section]]:
    for name in ("paths", "headers", "soap", "codes", "errors", "times"):
        yield name, getattr(whole, name)


def read(path: Path | None) -> MappingFile:
    """The mapping of a file, or the one we ship.

    :raises ConfigError: it cannot be used; with all problems.
    """
    if path is None:
        return MappingFile.model_validate({})
    try:
        return MappingFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigError(str(path), complaints(error, MappingFile)) from None
