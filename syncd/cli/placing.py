"""Where commands write configuration files: the service's user can read them, and strangers cannot."""

from __future__ import annotations

import os
from pathlib import Path

from syncd.errors import SyncdError


def place(file: Path, text: str, mode: int = 0o640) -> None:
    """Write *file*, and the folder it is in if that is missing, for the group that has the folder above.

    That group is the service's below /etc/syncd; so it does not matter which umask an administrator's shell has.

    :raises SyncdError: it cannot be written.
    """
    try:
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
            _for_the_group(file.parent, 0o750)
        file.write_text(text, encoding="utf-8")
        _for_the_group(file, mode)
    except OSError as error:
        raise SyncdError(f"{file} cannot be written: {error.strerror}. What was made before it stays.") from None


def _for_the_group(made: Path, mode: int) -> None:
    if os.geteuid() == 0:
        os.chown(made, -1, made.parent.stat().st_gid)
    made.chmod(mode)
