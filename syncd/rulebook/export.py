"""Writes rules back as TOML, in one fixed order, so that two revisions can be compared line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time

from syncd.rulebook.sections import RulesFile


def export(rules: RulesFile) -> str:
    """TOML that `parse` reads to the same rules; defaults nobody wrote are left out."""
    tables = rules.model_dump(mode="python", by_alias=True, exclude_unset=True)
    return "\n".join(_document(tables)).strip() + "\n"


def _document(tables: Mapping[str, object]) -> Iterator[str]:
    for name, table in tables.items():
        if isinstance(table, Mapping) and name in ("offers", "teams"):
            for key, entry in table.items():
                yield from ("", f"[{name}.{_key(key)}]", *_lines(entry))
        elif isinstance(table, Mapping):
            yield from ("", f"[{name}]", *_lines(table))
        elif isinstance(table, Sequence):
            for entry in table:
                yield from ("", f"[[{name}]]", *_lines(entry))


def _lines(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if value is not None:
            yield f"{_key(key)} = {_value(value)}"


def _key(key: object) -> str:
    text = str(key)
    return text if text.replace("-", "").replace("_", "").isalnum() and text.isascii() else _quoted(text)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, set | frozenset):
        return _value(sorted(value))
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, time) for part in value):
        return f'"{value[0]:%H:%M}-{value[1]:%H:%M}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's too, but for DEL, which TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
