"""A fixed share of processor for a process, as on a small machine of its own (control groups, either version)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FIRST = Path("/sys/fs/cgroup/cpu")
"""Where control groups of the first version deal out processors."""
SECOND = Path("/sys/fs/cgroup")
PERIOD = 20_000
"""Microseconds in which a share is had, or waited for."""


def possible() -> bool:
    """Whether shares can be dealt out here: as root, and by a control group that is ours."""
    name = f"syncd-bench-{os.getpid()}-try"
    try:
        _group(name, 1)
    except OSError:
        return False
    finally:
        forget(name)
    return True


def limit(pid: int, name: str, cores: float) -> None:
    """Let a process, and what it starts, have no more than so many cores.

    :param name: of the group; one that begins alike is forgotten with it.
    :raises OSError: not here.
    """
    (_group(name, cores) / "cgroup.procs").write_text(str(pid))


def forget(name: str) -> None:
    """Remove all groups whose names begin so; their processes must have ended."""
    for left in (*FIRST.glob(f"{name}*"), *SECOND.glob(f"{name}*")):
        with suppress(OSError):
            left.rmdir()


def _group(name: str, cores: float) -> Path:
    quota = round(PERIOD * cores)
    if FIRST.exists():
        group = FIRST / name
        group.mkdir(exist_ok=True)
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
        return group
    (SECOND / "cgroup.subtree_control").write_text("+cpu")
    group = SECOND / name
    group.mkdir(exist_ok=True)
    (group / "cpu.max").write_text(f"{quota} {PERIOD}")
    return group
