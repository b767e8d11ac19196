"""What goes wrong at DFDG, on demand; README.md tells each kind."""

from __future__ import annotations

KINDS = frozenset(
    ["unavailable", "throttle", "refuse", "hang", "lose", "drop", "half", "garbage", "shuffle", "duplicate", "late"]
)
"""`lose`: done, but the answer never comes. `half`: the id of the request is kept, nothing is done, 500."""
