"""Entry point of ``python -m syncd`` and of the ``syncd`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the program's exit code is its answer."""
    from syncd.daemon.garbage import look_seldom

    look_seldom()
    from syncd.cli import run

    run()


if __name__ == "__main__":
    main()
