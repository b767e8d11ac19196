"""The reference in docs is what the program does, word for word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from syncd.web import problems, schemas
from syncd.web.app import document
from tests.environment import ROOT
from tests.unit.web_doubles import House, house

KEPT = ROOT / "docs" / "reference" / "openapi.json"
DOCUMENT = json.loads(KEPT.read_text(encoding="utf-8"))
"""What is read here is the kept one, for to make it anew takes seconds; the first test holds them together."""
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
REFERENCE = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
MODELS = [
    one
    for one in vars(schemas).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel
]


@pytest.fixture(name="house")
def _house() -> House:
    return house()


def test_the_document_in_docs_is_the_one_the_program_gives() -> None:
    assert document() == DOCUMENT, "run: .venv/bin/python -m syncd.web > docs/reference/openapi.json"


def test_a_running_program_serves_the_same_document_to_anybody(house: House) -> None:
    answer = house.stranger.get("/api/v1/openapi.json")

    assert (200, DOCUMENT) == (answer.status_code, answer.json())


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_path_is_in_the_reference_with_a_summary_and_examples(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert f"| {method.upper()} | `{path}` |" in REFERENCE
    assert operation["summary"]
    assert operation["description"]
    for status, answer in operation["responses"].items():
        for media in answer.get("content", {}).values():
            assert media.get("example") or media.get("examples"), f"{status} has no example"
    if "requestBody" in operation:
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert DOCUMENT["components"]["schemas"][name]["examples"]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_path_documents_the_refusals_it_always_may_give(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert {"401", "413", "422", "500", "503"} <= operation["responses"].keys()
    needs_key = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
    assert needs_key == (method == "post" and not path.endswith("/search"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_example_fits_its_model(model: type[BaseModel]) -> None:
    extra = model.model_config.get("json_schema_extra") or {}
    assert isinstance(extra, dict)

    for example in TypeAdapter(list[dict[str, Any]]).validate_python(extra.get("examples", [])):
        model.model_validate_json(json.dumps(example))
        assert not set(example) - {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize("kind", problems.KINDS)
def test_every_problem_is_in_the_reference(kind: str) -> None:
    entry = problems.KINDS[kind]

    assert f"| {entry.status} | `{kind}` | {entry.title} | {entry.remedy} |" in REFERENCE


def test_references_inside_the_document_lead_somewhere() -> None:
    followed: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                place: Any = DOCUMENT
                for part in node["$ref"].removeprefix("#/").split("/"):
                    assert part in place, node["$ref"]
                    place = place[part]
                followed.append(node["$ref"])
            for child in node.values():
                walk(child)
        if isinstance(node, list):
            for child in node:
                walk(child)

    walk(DOCUMENT)
    assert followed


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_path_refuses_a_query_parameter_it_does_not_document(
    house: House, path: str, method: str, operation: dict[str, Any]
) -> None:
    filled = path.replace("{offer}", "jobsamtale").replace("{id}", "x")
    documented = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}

    refused = house.portal.request(method, filled, params={"surprise": "1"} | dict.fromkeys(documented, "x"))

    assert (422, ["surprise"]) == (refused.status_code, [one["name"] for one in refused.json()["errors"]])
