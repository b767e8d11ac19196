"""``python -m syncd.web.jobnet write [FOLDER]``: writes the mapping file and the published descriptions."""

from __future__ import annotations

import sys
from pathlib import Path

from syncd.web.jobnet.document import texts


def main(arguments: list[str]) -> int:
    """Write everything below a folder (this one if none is named)."""
    if arguments[:1] != ["write"]:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    for path, text in texts().items():
        target = Path(*arguments[1:2]) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
