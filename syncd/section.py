"""A table of a TOML file, and how it complains: completely, with the path of each problem and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Section(BaseModel):
    """Base of every table: unknown keys are errors, values cannot be changed, input is never echoed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
        validate_default=False,
    )


def path_of(location: Location) -> str:
    """``("rooms", 3, "site")`` as ``rooms[3].site``."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else f'"{part}"')
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when something near *word* is known, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def one_of(noun: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a reference that leads nowhere, with what would."""
    names = sorted(known)
    listed = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return f"no {noun} called '{word}'; " + (f"{noun}s are: {listed}" if names else f"there are no {noun}s")


def complaints(
    error: ValidationError,
    model: type[BaseModel],
    place: Callable[[Location], str] = path_of,
) -> list[str]:
    """One sentence per problem, its place first.

    :param place: turns a location into the words an operator finds it by (a path, or a line of a CSV file).
    """
    return [
        f"{place(_within_keys(detail['loc']))}: {_sentence(detail, model)}"
        for detail in error.errors(include_url=False, include_input=False)
    ]


def _within_keys(location: Location) -> Location:
    """Pydantic marks a bad dictionary key with a last part ``[key]``; people need no such part."""
    return location[:-1] if location and location[-1] == "[key]" else location


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    location, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        return "unknown key" + did_you_mean(str(location[-1]), owner.model_fields if owner else ())
    if kind == "missing":
        return "is missing" + _purpose(model, location)
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in ("bool_parsing", "bool_type"):
        return "should be true or false (in a CSV file: yes or no)"
    message = detail["msg"].removeprefix("Input ")
    return message[0].lower() + message[1:]


def _purpose(model: type[BaseModel], location: Location) -> str:
    owner = _model_at(model, location[:-1])
    field = owner.model_fields.get(str(location[-1])) if owner else None
    return f" ({field.description})" if field and field.description else ""


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The section that *location* leads to, through lists, tables and optional values."""
    here: Any = model
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        else:
            # the values of a table, the items of a list; ``tuple[X, ...]`` ends in an ellipsis
            arguments = [argument for argument in get_args(here) if argument is not Ellipsis]
            here = arguments[-1] if arguments else None
        here = _unwrapped(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _unwrapped(annotation: Any) -> Any:
    """Without ``Annotated`` and ``| None``."""
    if get_origin(annotation) is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [part for part in get_args(annotation) if part is not type(None)]
        return _unwrapped(members[0])
    return annotation
