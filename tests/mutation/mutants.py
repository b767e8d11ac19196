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
    :param lines: of the statement that is changed, without what is nested below it.
    :param around: of the whole function it is in, or of the statement when it is in none.
    :param names: what the module calls the value, when it is in no function or class.
    """

    module: str
    line: int
    column: int
    what: str
    lines: range
    around: range
    names: tuple[str, ...]
    made: Callable[[], ast.Module]

    @property
    def name(self) -> str:
        """Where and what, stable while the module stays as it is."""
        return f"{self.module}:{self.line}:{self.column} {self.what}"


Change = tuple[str, Callable[[], ast.AST]]


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    for path, node in _places(tree, ()):
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        for what, change in _changes(node):
            made = partial(_made, tree, path, change)
            yield Mutant(module, line, column, what, *_extent(tree, path), _names(tree, path), made)


def sham(module: str, source: str) -> Mutant:
    """The module as it is: no test may fail of it."""
    tree = ast.parse(source)
    all_lines = range(1, _end(tree.body[-1]) + 1)
    return Mutant(module, 0, 0, "nothing is changed", all_lines, all_lines, (), lambda: tree)


class _Probes(ast.NodeTransformer):
    """Before each statement inside a function, a call that tells its line."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for part in ast.walk(node):
            for name in ("body", "orelse", "finalbody"):
                statements = getattr(part, name, None)
                if isinstance(statements, list):
                    setattr(part, name, [new for one in statements for new in (_told(one), one)])
        return node


def _told(statement: ast.stmt) -> ast.stmt:
    call = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(statement.lineno)], [])
    return ast.copy_location(ast.Expr(call), statement)


PROBE = "_a_test_comes_by"
"""What the functions of a probed module call with each of their lines."""


def probed(module: str, source: str) -> Mutant:
    """The module, telling each line that it comes by."""
    tree = ast.fix_missing_locations(_Probes().visit(ast.parse(source)))
    return Mutant(module, 0, 0, "it is watched", range(0), range(0), (), lambda: tree)


SILENT = ("metrics.", "passing(")
"""Calls that are not changed: counts for the metrics, and the points at which tests let the service crash."""
LOCKS = ("tx.mailboxes.lock(", "lock_site_days(", "locks.take(", "_lock(", "wish.lock(", "self._lock_all(")
"""Nor are these left out: what a lock is for is seen by several at a time on PostgreSQL, which mutants are not asked.

`TestOneLockOrder` in `tests/integration/test_booking_contention.py` holds them; so with ``lock=True``.
"""

Path = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    """Every node that may be changed: nothing in annotations, decorators, messages of errors or texts for readers."""
    if isinstance(node, ast.Expr) and ast.unparse(node).startswith((*SILENT, *LOCKS)):
        return
    yield path, node
    if isinstance(node, ast.keyword) and node.arg == "lock":
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "exc"):
            continue
        if isinstance(value, ast.AST):
            yield from _places(value, (*path, (name, None)))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _places(item, (*path, (name, index)))


def _extent(tree: ast.Module, path: Path) -> tuple[range, range]:
    """The lines of the statement at *path*, and of the outermost function around it."""
    node: ast.AST = tree
    statement: ast.stmt | None = None
    function: ast.stmt | None = None
    for name, index in path:
        value = getattr(node, name)
        node = value if index is None else value[index]
        if isinstance(node, ast.stmt):
            statement = node
        if isinstance(node, ast.FunctionDef):
            function = function or node
    assert statement is not None
    whole = function or statement
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if body else _end(statement)
    return range(statement.lineno, max(last, statement.lineno) + 1), range(whole.lineno, _end(whole) + 1)


def _names(tree: ast.Module, path: Path) -> tuple[str, ...]:
    """What a statement of the module itself binds."""
    (_, index), *_ = path
    assert index is not None
    statement = tree.body[index]
    if isinstance(statement, ast.AnnAssign):
        return (ast.unparse(statement.target),)
    return tuple(map(ast.unparse, statement.targets)) if isinstance(statement, ast.Assign) else ()


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


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
    # Of what is only asked whether it is true, False and None are the same; that False is told as True is tried above.
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) not in ("None", "False"):
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
