"""Small mistakes in a module, made one at a time in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module.

    :param what: the change in words. :param made: makes the whole module with it.
    """

    module: str
    line: int
    what: str
    made: Callable[[], ast.Module]

    @property
    def name(self) -> str:
        """Where and what, stable while the module stays as it is."""
        return f"{self.module}:{self.line} {self.what}"


Change = tuple[str, Callable[[], ast.AST]]


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    for path, node in _places(tree, ()):
        for what, change in _changes(node):
            yield Mutant(module, getattr(node, "lineno", 0), what, partial(_made, tree, path, change))


Path = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    """Every node that may be changed: nothing in annotations, decorators, messages of errors or texts for readers."""
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "exc"):
            continue
        if isinstance(value, ast.AST):
            yield from _places(value, (*path, (name, None)))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _places(item, (*path, (name, index)))


def _made(tree: ast.Module, path: Path, change: Callable[[], ast.AST]) -> ast.Module:
    return _with(tree, path, change())


def _with(tree: ast.Module, path: Path, node: ast.AST) -> ast.Module:
    """A copy of the module with another node in that place."""
    copy = deepcopy(tree)
    parent: ast.AST = copy
    for name, index in path[:-1]:
        value = getattr(parent, name)
        parent = value if index is None else value[index]
    name, index = path[-1]
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node
    return ast.fix_missing_locations(copy)


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        other = _COMPARE[type(node.ops[0])]
        yield f"{_name(node.ops[0])} becomes {other.__name__}", lambda: _copy(node, ops=[other(), *node.ops[1:]])
    if isinstance(node, ast.BoolOp):
        swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{_name(node.op)} becomes {_name(swapped)}", lambda: _copy(node, op=swapped)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not is dropped", lambda: deepcopy(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sign = _ARITHMETIC[type(node.op)]
        yield f"{_name(node.op)} becomes {sign.__name__}", lambda: _copy(node, op=sign())
    if isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        yield "the condition is turned round", lambda: _copy(node, test=ast.UnaryOp(ast.Not(), deepcopy(node.test)))
    if isinstance(node, ast.Constant):
        yield from _constants(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"{ast.unparse(node.value.func)} is not called", ast.Pass
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield "returns None", lambda: ast.Return(ast.Constant(None))


def _constants(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} becomes {not value}", lambda: ast.Constant(not value)
    elif isinstance(value, int):
        yield f"{value} becomes {value + 1}", lambda: ast.Constant(value + 1)


def _copy(node: ast.AST, **changes: object) -> ast.AST:
    copy = deepcopy(node)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def _name(node: ast.AST) -> str:
    return type(node).__name__
