"""Prints the OpenAPI document: ``python -m syncd.web > docs/reference/openapi.json``."""

from __future__ import annotations

import json
import sys

from syncd.web.app import document

sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
