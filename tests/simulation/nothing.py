"""Why an action of a schedule did not happen."""

from __future__ import annotations


class Nothing(Exception):
    """There was nothing to do it to."""
