"""``python -m syncd.config example | schema | rules-example | rules-schema | write [FOLDER]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from syncd.config import describe
from syncd.config.load import Config
from syncd.observe import figures, keys
from syncd.rulebook import RulesFile

_OPENING = (
    "Generated from the model in `syncd/config`; `python -m syncd.config write` writes it anew.\n"
    "Relative paths are relative to the file itself, unknown keys are errors, and all problems are told at once: "
    "`syncd config show` checks the file alone, `syncd check` also contacts every calendar.\n"
    'A secret is never written into the file: a *reference* is `{file = "PATH"}`, `{env = "NAME"}` or '
    '`{credential = "NAME"}` (systemd\'s `LoadCredential=`).\n'
    "CSV files have the same columns as the tables below, in any order, parted by comma, semicolon or tab; lists "
    "inside a cell are parted by blanks."
)

_RULES_OPENING = (
    "Generated from the model in `syncd/rulebook`; `python -m syncd.config write` writes it anew.\n"
    "What the keys mean together is told in [offers.md](offers.md)."
)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


TEXTS: Mapping[str, Callable[[], str]] = {
    "config/syncd.example.toml": describe.example,
    "config/syncd.schema.json": lambda: _json(describe.schema()),
    "config/offers.example.toml": describe.rules_example,
    "config/offers.schema.json": lambda: _json(describe.rules_schema()),
    "config/dfdg-mapping.toml": describe.dfdg_mapping,
    "docs/reference/configuration.md": lambda: describe.reference(Config, "Configuration: `syncd.toml`", _OPENING),
    "docs/reference/logs.md": keys.page,
    "docs/reference/metrics.md": figures.page,
    "docs/reference/offers-keys.md": lambda: describe.reference(RulesFile, "Keys of `offers.toml`", _RULES_OPENING),
}
"""Files that are made from the model, by path in the project."""
PRINTED = {
    "example": "config/syncd.example.toml",
    "schema": "config/syncd.schema.json",
    "rules-example": "config/offers.example.toml",
    "rules-schema": "config/offers.schema.json",
}


def main(arguments: list[str]) -> int:
    """Print one of the texts, or write all of them below a folder (this one if none is named)."""
    if arguments and arguments[0] in PRINTED:
        sys.stdout.write(TEXTS[PRINTED[arguments[0]]]())
        return 0
    if arguments and arguments[0] == "write":
        for path, text in TEXTS.items():
            target = Path(*arguments[1:2]) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text(), encoding="utf-8")
        return 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
