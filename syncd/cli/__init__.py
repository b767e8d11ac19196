"""The command line: arguments become calls, errors become sentences, the answer becomes an exit code."""

from __future__ import annotations

import sys

from syncd.errors import ConfigError, SyncdError

EXIT_FAILED = 1
EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h; the systemd unit does not restart on it."""
EXIT_INTERRUPTED = 130


def run() -> None:
    """Run ``syncd`` with the process's arguments and exit; the fence where every error becomes a sentence."""
    sys.exit(_fenced())


def _fenced() -> int:
    from syncd.cli import screen
    from syncd.cli.commands import app_of

    try:
        app_of(next((each for each in sys.argv[1:] if not each.startswith("-")), None))()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except ConfigError as error:
        screen.complain(str(error))
        return EXIT_CONFIG
    except SyncdError as error:
        screen.complain(str(error))
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        return screen.defect(error)
    return 0
