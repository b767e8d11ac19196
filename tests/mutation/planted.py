"""A mutant put in the place of the right module, in this process and for the rest of its life.

The module stays the same object, as others have taken its functions and classes from it: only what is inside them
changes. That takes a few milliseconds, where loading anew everything that knows the module would take a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from tests.mutation.mutants import PROBE, Mutant


def plant(mutant: Mutant) -> None:
    """Make the loaded module behave like *mutant*."""
    live = import_module(mutant.module)
    other = ModuleType(mutant.module)
    other.__dict__.update(__file__=live.__file__, __package__=live.__package__, __builtins__=live.__builtins__)
    vars(other)[PROBE] = lambda _line: None
    exec(compile(mutant.made(), str(live.__file__), "exec"), other.__dict__)
    for name, value in vars(other).items():
        _replace(live, name, value, mutant)


def _replace(live: ModuleType, name: str, value: Any, mutant: Mutant) -> None:
    old = vars(live).get(name)
    if isinstance(value, type):
        if value.__module__ == mutant.module:
            _into_class(old, value)  # type: ignore[arg-type]  # a class is replaced by a class
    elif functions := list(_functions(value)):
        if functions[0].__module__ == mutant.module:
            _into(old, value)
    elif name in mutant.names:
        for module in [one for key, one in sys.modules.items() if key.startswith(("syncd", "tests"))]:
            if vars(module).get(name) is old:
                setattr(module, name, value)


def _into_class(old: type, new: type) -> None:
    """Methods, and values that stand in the class."""
    for name, value in vars(new).items():
        if list(_functions(value)):
            _into(vars(old)[name], value)
        elif isinstance(value, int | str | float) and not name.startswith("_") and vars(old)[name] != value:
            setattr(old, name, value)


def _into(old: Any, new: Any) -> None:
    for function, other in zip(_functions(old), _functions(new), strict=True):
        function.__code__ = other.__code__
        function.__defaults__, function.__kwdefaults__ = other.__defaults__, other.__kwdefaults__


def _functions(value: Any) -> Iterator[FunctionType]:
    """The functions behind a name: itself, or what a property, a method of the class or a decorator holds."""
    if isinstance(value, property):
        yield from (one for one in (value.fget, value.fset) if isinstance(one, FunctionType))
    elif isinstance(value, classmethod | staticmethod):
        yield from _functions(value.__func__)
    elif isinstance(inner := getattr(value, "__wrapped__", None), FunctionType):
        yield inner
    elif isinstance(value, FunctionType):
        yield value
