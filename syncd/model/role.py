"""What people may do on the pages."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A role somebody has on the pages; one person may have several."""

    FACILITIES = "facilities"
    """Sees how rooms are used, and gives, blocks and frees them."""
    COORDINATOR = "coordinator"
    """Decides what is on offer."""
    MANAGER = "manager"
    """Sees supply and targets, also by person."""
    STAFF = "staff"
    """Helps citizens to book, and sees what a citizen sees."""
    OPERATOR = "operator"
    """Sees how the service stands."""
    AUDITOR = "auditor"
    """Sees who looked at or changed what; changes nothing."""
