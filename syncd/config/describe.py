"""The example file, the JSON schema and the reference page, all made from the model's own descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from syncd.config.dfdg_names import DfdgNames
from syncd.config.load import Config
from syncd.rulebook.sections import RulesFile

NAMES = {
    "calendars": "main",
    "sites": "torvet",
    "clients": "portal",
    "offers": "jobsamtale",
    "teams": "job",
    "targets": "job",
}
"""What examples call the entries of a table of tables."""
WRITTEN = {
    "CalendarAccount": {"url", "username", "password"},
    "CaseworkerSection": {"teams", "competences"},
    "ClientSection": {"token_sha256"},
    "TeamSection": {"mode"},
}
"""Keys that could be left out, but whose example belongs into a first configuration."""

_VALUES = {"SecretRef", "RoomNeedSection", "BlocksSection", "MatchingSection", "ReserveSection", "GuardSection"}
"""Sections that stand on one line."""
_OPENING = "# Every key is here; those with '#' in front show their default, or an example.\n\n"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file.

    :param heading: its TOML heading; empty at the top of the file.
    :param optional: a first configuration has it as a comment only.
    """

    heading: str
    model: type[BaseModel]
    about: str
    optional: bool = False


def example() -> str:
    """A complete `syncd.toml` with every key explained; it is valid as it stands."""
    opening = (
        "# The configuration of syncd. Every key is here; those with '#' in front show their default or an example.\n\n"
    )
    return opening + _file(Config)


def rules_example() -> str:
    """A complete `offers.toml` with every key explained."""
    return f"# What citizens can book, and when.\n{_OPENING}" + _file(RulesFile)


def dfdg_mapping() -> str:
    """The complete mapping of DFDG's names, with what they are called unless a file says otherwise."""
    lines = [
        "# What DFDG's services are called, as `[dfdg] mapping` may name another copy of this file.",
        "# A and B were read on published pages, C is our guess; beside it stands the source.",
        "",
        "version = 1",
    ]
    for name, field in DfdgNames.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += ["", f"# {_first_sentence(model)}", f"[{name}]"]
            for key, one in model.model_fields.items():
                lines += [f"# {_about(one)}", f"{key} = {_toml(one.get_default())}"]
    return "\n".join(lines) + "\n"


def _first_sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def schema() -> dict[str, Any]:
    """The JSON schema of `syncd.toml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema(by_alias=True)}


def rules_schema() -> dict[str, Any]:
    """The JSON schema of the rules file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RulesFile.model_json_schema(by_alias=True)}


def reference(model: type[BaseModel], title: str, opening: str) -> str:
    """A reference page in Markdown: one table of keys for each table of the file."""
    lines = [f"# {title}", "", opening.strip(), ""]
    for table in _tables(model):
        lines += [f"## `{table.heading}`" if table.heading else "## At the top of the file", ""]
        lines += [table.about, ""] if table.heading else []
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        lines += [_row(name, field) for name, field in _keys(table.model)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _file(model: type[BaseModel]) -> str:
    return "\n".join(line for table in _tables(model) for line in _written(table)).strip() + "\n"


def _tables(model: type[BaseModel]) -> Iterator[Table]:
    """The top of the file, then each table in the order of the model."""
    yield Table("", model, (model.__doc__ or "").strip())
    for name, field in model.model_fields.items():
        inner, many = _section(field.annotation)
        if inner is None or _inline(name, inner):
            continue
        heading = {"table": f"[{name}]", "list": f"[[{name}]]", "named": f"[{name}.{NAMES.get(name, 'name')}]"}[many]
        yield Table(heading, inner, _said(inner))
        yield from _below(heading, inner)


def _below(heading: str, model: type[BaseModel]) -> Iterator[Table]:
    """The tables inside the table of *heading*, at any depth."""
    for key, nested in model.model_fields.items():
        deeper, often = _section(nested.annotation)
        if deeper is not None and not _inline(key, deeper):
            name = f"{heading.strip('[]')}.{key}"
            name += f".{NAMES.get(key, 'name')}" if often == "named" else ""
            lower = f"[[{name}]]" if often == "list" else f"[{name}]"
            yield Table(lower, deeper, _said(deeper), optional=True)
            yield from _below(lower, deeper)


def _said(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _inline(name: str, inner: type[BaseModel]) -> bool:
    """References and small values stand on one line, not in a table of their own."""
    return inner.__name__ in _VALUES or name == "database_password"


def _section(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The section a key leads to, and how often: as a table, a list of tables, or tables by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, "table"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _section(next(part for part in arguments if part is not type(None)))
    if origin is tuple and arguments:
        return _section(arguments[0])[0], "list"
    if origin is dict:
        return _section(arguments[1])[0], "named"
    return None, ""


def _keys(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        inner, _ = _section(field.annotation)
        if inner is None or _inline(name, inner):
            yield field.alias or name, field


def _written(table: Table) -> Iterator[str]:
    """The lines of one table in an example file."""
    if table.heading:
        yield from ("", f"# {table.about}", f"{'# ' if table.optional else ''}{table.heading}")
    for name, field in _keys(table.model):
        yield ""
        yield f"# {_about(field)}"
        given = (field.is_required() or name in WRITTEN.get(table.model.__name__, ())) and not table.optional
        yield f"{'' if given else '# '}{name} = {_toml(_shown(field))}"


def _about(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()) or "…"


def _shown(field: FieldInfo) -> Any:
    """The default where it says something, else the example."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return (field.examples or ["…"])[0] if default in (None, "", (), frozenset()) else default


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"`{_toml(field.get_default(call_default_factory=True))}`"
    example = f" Example: `{_toml(field.examples[0])}`." if field.examples else ""
    kind = _kind(field.annotation).replace("|", "\\|")
    return f"| `{name}` | {kind} | {'–' if default == '`–`' else default} | {_about(field)}{example} |"


def _kind(annotation: Any) -> str:
    """The type of a value in words."""
    words = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path"}
    if annotation in words:
        return words[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _kind(next(part for part in arguments if part is not type(None)))
    if origin in (tuple, frozenset):
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"table of {_kind(arguments[1])}"
    if hasattr(origin, "__name__") and origin.__name__ == "Annotated":
        return _kind(arguments[0])
    if str(annotation).startswith("typing.Literal"):
        return " or ".join(f"`{value}`" for value in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    return getattr(annotation, "__name__", "text").replace("SecretRef", "reference").replace("Section", "").lower()


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if value is None:
        return "–"
    if isinstance(value, BaseModel):
        return _toml(value.model_dump(mode="json", by_alias=True))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, set | frozenset):
        return _toml(sorted(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)
