"""The published descriptions: OpenAPI, XSD and WSDL, and the mapping file with every key explained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.messages import FaultAnswer
from syncd.web.jobnet.names import FIELDS, Field
from syncd.web.jobnet.operations import OPERATIONS
from syncd.web.jobnet.rest import Route, routes
from syncd.web.jobnet.shapes import Shapes
from syncd.web.jobnet.soap import MESSAGES
from syncd.web.jobnet.wsdl import wsdl, xsd

ADDRESS = "https://planner.example.dk/ExternalBookingService/v3"
_SUMMARIES = {
    "offers": "E1: meeting offers for a citizen",
    "times": "E2: free times of an offer",
    "details": "E3: details of a chosen time, which is reserved",
    "reserve": "E4: reserve a time for a booking",
    "create": "E5: create the booking, or move it to what was reserved",
    "cancel": "E6: cancel a booking",
    "accept": "E6: the citizen will come",
    "report": "E9: an error on Jobnet, or in an answer of ours",
}
_STATUSES = {
    "400": "The call is not as the contract says.",
    "403": "The caller may not call.",
    "404": "Unknown path, citizen, offer, booking or reservation.",
    "405": "The path does not take this method.",
    "409": "A business answer: it cannot be booked, moved or cancelled.",
    "410": "The reservation ran out.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "503": "The planner cannot answer at the moment.",
}


def openapi(mapping: MappingFile) -> dict[str, Any]:
    """The OpenAPI description of the REST generation."""
    shapes = Shapes(mapping.names("rest"))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes(mapping):
        for method in route.methods:
            paths.setdefault(route.template, {})[method.lower()] = _operation(route, method, mapping)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "BorgerBooking as this planner answers it",
            "version": "1",
            "description": "What is publicly known of the contract, and our choices where it is open "
            "(config/jobnet-mapping.toml). A client certificate is demanded.",
        },
        "paths": paths,
        "components": {"schemas": shapes.schemas()},
    }


def _operation(route: Route, method: str, mapping: MappingFile) -> dict[str, Any]:
    kinds = OPERATIONS[route.operation]
    fault = {"application/json": {"schema": {"$ref": f"#/components/schemas/{FaultAnswer.__name__}"}}}
    answers: dict[str, Any] = {status: {"description": said, "content": fault} for status, said in _STATUSES.items()}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{kinds.answer.__name__}"}}}
    answers["200"] = {"description": "Done.", "content": content}
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{kinds.question.__name__}"}}}
    return {
        "operationId": route.operation + ("" if method == "POST" else "Get"),
        "summary": _SUMMARIES[route.operation],
        "parameters": [*_ids(route), *_headers(mapping)],
        "requestBody": {"required": True, "content": body},
        "responses": dict(sorted(answers.items())),
    }


def _ids(route: Route) -> Iterator[dict[str, Any]]:
    for name in route.pattern.groupindex:
        schema = {"type": "string", "format": "uuid"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _headers(mapping: MappingFile) -> Iterator[dict[str, Any]]:
    number = {"type": "string", "pattern": "^[0-9]{1,9}$"}
    text = {"type": "string", "pattern": "^[!-~]{1,100}$"}
    kinds = {
        "citizen": {"type": "string", "pattern": "^[0-9]{10}$"},
        "authority_type": number,
        "authority": text,
        "user_type": number,
        "user": text,
        "purpose": text,
    }
    for key, schema in kinds.items():
        if name := getattr(mapping.headers, key):
            said = type(mapping.headers).model_fields[key].description
            yield {"name": name, "in": "header", "required": True, "description": said, "schema": schema}
    request = {"type": "string", "maxLength": 46, "pattern": "^[!-~]*$"}
    yield {"name": mapping.headers.request, "in": "header", "required": False, "schema": request}


def mapping_text(mapping: MappingFile) -> str:
    """The mapping file as shipped: every key with its meaning, mark and source."""
    lines = [
        "# Names, paths and codes of Jobnet's planner contract that are not known for sure, as this planner has them.",
        "# Change a value where the real Swagger or WSDL says otherwise, and name the file in syncd.toml:",
        '#   [jobnet] mapping = "jobnet-mapping.toml"',
        "# Marks: A read on a published page, B on a draft, C inferred, ? unknown and our choice.",
        "# Made by `python -m syncd.web.jobnet write`.",
        "",
        f"version = {mapping.version}",
    ]
    for name, field in MappingFile.model_fields.items():
        section = getattr(mapping, name)
        if isinstance(section, BaseModel):
            lines += ["", f"# {' '.join((type(section).__doc__ or '').split())}", f"[{name}]"]
            lines += list(_keys(section))
        elif name.endswith("_names"):
            lines += ["", f"# {field.description}", f"[{name}]", *_names(name.removesuffix("_names"))]
    return "\n".join([*lines, ""])


def _keys(section: BaseModel) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, Mapping) else {}
        yield f"# {field.description} ({extra.get('mark', '?')}; {extra.get('source', '–')})"
        yield f"{key} = {_toml(getattr(section, key))}"


def _names(generation: str) -> Iterator[str]:
    """What may be changed is a comment, so that only changes stand in the file."""
    for key, field in FIELDS.items():
        name, mark = _named(field, generation)
        if name and mark != "A":
            yield f'# "{key}" = "{name}"  # {field.about} ({mark}; {field.source})'


def _named(field: Field, generation: str) -> tuple[str, str]:
    if generation == "rest":
        return field.rest, field.rest_mark.value
    return field.soap, field.soap_mark.value


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def field_table() -> str:
    """The reference of fields, in Markdown."""
    lines = ["| field | REST | mark | SOAP | mark | source | meaning |", "|---|---|---|---|---|---|---|"]
    for key, field in FIELDS.items():
        rest = f"`{field.rest}` | {field.rest_mark}" if field.rest else "– | –"
        soap = f"`{field.soap}` | {field.soap_mark}" if field.soap else "– | –"
        lines.append(f"| `{key}` | {rest} | {soap} | {field.source} | {field.about} |")
    return "\n".join(lines) + "\n"


_FIELDS_OPENING = """\
# Fields of Jobnet's planner contract

Made by `python -m syncd.web.jobnet write` from the names the program uses.
Marks: A read on a published page, B on a draft or an old version, C inferred, ? unknown and our choice.
Sources are pages named in reference/jobnet-planner-contract.md.

"""


def texts() -> dict[str, str]:
    """Every file that is made from the contract, by path in the project."""
    mapping = MappingFile.model_validate({})
    return {
        "config/jobnet-mapping.toml": mapping_text(mapping),
        "docs/reference/jobnet/openapi.json": json.dumps(openapi(mapping), indent=1, ensure_ascii=False) + "\n",
        "docs/reference/jobnet/external-booking.xsd": xsd(mapping, MESSAGES),
        "docs/reference/jobnet/external-booking.wsdl": wsdl(mapping, MESSAGES, ADDRESS),
        "docs/reference/jobnet/fields.md": _FIELDS_OPENING + field_table(),
    }
