"""Rules as data: offers, hours and policies, read from TOML, checked completely, written back."""

from syncd.rulebook.apply import apply_file_if_changed, apply_text
from syncd.rulebook.export import export
from syncd.rulebook.modes import with_mode
from syncd.rulebook.parse import parse, read
from syncd.rulebook.sections import RulesFile
from syncd.rulebook.warnings import warnings

__all__ = ["RulesFile", "apply_file_if_changed", "apply_text", "export", "parse", "read", "warnings", "with_mode"]
