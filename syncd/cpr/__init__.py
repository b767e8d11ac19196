"""Civil registration numbers, at the one edge where they are known: checked, turned into references, sealed."""

from syncd.cpr.number import PATTERN, UNKNOWN, Cpr, NotACpr
from syncd.cpr.reference import CprKey

__all__ = ["PATTERN", "UNKNOWN", "Cpr", "CprKey", "NotACpr"]
