"""The ways in which rows come to fail a server, read from their source, and those that were taken.

A way leads from a row, through helpers beside it, to a ``raise Violated`` or to a helper of the
harness that raises it. That a server is silent, or says 438 for ever, ends any row, and is none:
see ``test_dying``.
"""

from __future__ import annotations

import ast
import collections
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import conformance
from conformance.outcome import Violated

HARNESS: Final = Path(conformance.__file__).parent
ROWS: Final = HARNESS / "rows"

OF_ANY_ROW: Final = frozenset({"is_alive", "is_answered_within", "try_authenticated"})
"""What says of any server that it is dead, or beyond talking to."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[str, int, int]
"""A module, the first line, and the last."""


@dataclasses.dataclass(frozen=True)
class Way:
    """Where a row goes, from call to call, and in words."""

    row_id: str
    places: tuple[Place, ...]
    words: str

    def was_taken(self, taken: Sequence[tuple[str, int]]) -> bool:
        """Whether these modules and lines, from call to call, are on it."""
        return len(taken) == len(self.places) and all(
            module == known and begin <= line <= end
            for (module, line), (known, begin, end) in zip(taken, self.places, strict=True)
        )


def taken_by(error: Violated) -> Sequence[tuple[str, int]]:
    """The modules of rows, and the lines in them, that an error has come through."""
    found: list[tuple[str, int]] = []
    each: TracebackType | None = error.__traceback__
    while each is not None:
        code = each.tb_frame.f_code
        path = Path(code.co_filename)
        if path.parent == ROWS:
            if code.co_name.startswith("<") and found:
                found.pop()  # what stands in a lambda or a comprehension is one place
            found.append((path.stem, each.tb_lineno))
        each = each.tb_next
    return found


@functools.cache
def ways() -> Mapping[str, Sequence[Way]]:
    """Of each row."""
    found = collections.defaultdict(list)
    known = _Functions()
    for (module, _), function in known.of_rows.items():
        for row_id in _row_ids(function):
            for places, words in known.from_(module, function, ()):
                found[row_id].append(Way(row_id, places, f"{row_id}: {words}"))
    return found


class _Functions:
    """Those of the modules with rows, and the names of those elsewhere that raise Violated."""

    def __init__(self) -> None:
        trees = {path.stem: ast.parse(path.read_text()) for path in sorted(ROWS.glob("*.py"))}
        self.of_rows = {
            (module, each.name): each for module, tree in trees.items() for each in _functions(tree)
        }
        self._imported = {module: dict(_imported(tree)) for module, tree in trees.items()}
        self._failing = _failing()

    def from_(
        self, module: str, function: Function, before: tuple[Function, ...]
    ) -> Iterator[tuple[tuple[Place, ...], str]]:
        """The ways on from the beginning of a function, in places and in words."""
        for node in _not_caught(function):
            place, words = (module, node.lineno, node.end_lineno or node.lineno), ast.unparse(node)
            if isinstance(node, ast.Raise):
                yield (place,), words
                continue
            known = self._find(module, node)
            if known is None:
                if _name(node) in self._failing:
                    yield (place,), words
            elif known[1] not in (*before, function):
                for places, more in self.from_(*known, (*before, function)):
                    yield (place, *places), f"{words} > {more}"

    def _find(self, module: str, call: ast.Call) -> tuple[str, Function] | None:
        """A function beside rows, or a method of a class in the same module."""
        name, is_method = _name(call), isinstance(call.func, ast.Attribute)
        origin = module if is_method else self._imported[module].get(name, module)
        function = self.of_rows.get((origin, name))
        if function is None or is_method != _is_method(function):
            return None
        return origin, function


def _failing() -> frozenset[str]:
    """Functions of the harness that raise Violated, or call one that does."""
    functions = [
        each
        for path in HARNESS.glob("*.py")
        for each in _functions(ast.parse(path.read_text()))
        if each.name not in OF_ANY_ROW
    ]
    nodes = {each: list(_not_caught(each)) for each in functions}
    raising = {
        each.name for each in functions if any(isinstance(n, ast.Raise) for n in nodes[each])
    }
    while True:
        calling = {
            each.name
            for each in functions
            if any(isinstance(node, ast.Call) and _name(node) in raising for node in nodes[each])
        }
        if calling <= raising:
            return frozenset(raising)
        raising |= calling


def _not_caught(node: ast.AST) -> Iterator[ast.Call | ast.Raise]:
    """The calls within, and where Violated is raised, unless that is caught there."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and any(_catches(each) for each in child.handlers):
            for each in (*child.handlers, *child.orelse, *child.finalbody):
                yield from _not_caught(each)
            continue
        if (
            isinstance(child, ast.Raise)
            and child.exc is not None
            and _name(child.exc) == "Violated"
        ):
            yield child
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _not_caught(child)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether Violated ends there: it may be raised again."""
    if any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(handler)):
        return False
    named = [] if handler.type is None else ast.walk(handler.type)
    return any(isinstance(each, ast.Name) and each.id == "Violated" for each in named)


def _name(node: ast.expr) -> str:
    """Of what is called."""
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _functions(tree: ast.AST) -> Iterator[Function]:
    """Those of a module, and the methods of its classes."""
    for each in ast.iter_child_nodes(tree):
        if isinstance(each, Function):
            yield each
        elif isinstance(each, ast.ClassDef):
            yield from _functions(each)


def _is_method(function: Function) -> bool:
    return any(each.arg == "self" for each in function.args.args)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names, and the modules beside this one that they are of."""
    for each in tree.body:
        if isinstance(each, ast.ImportFrom) and each.level and each.module is not None:
            yield from ((name.asname or name.name, each.module) for name in each.names)


def _row_ids(function: Function) -> Iterator[str]:
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and _name(each) == "row" and each.args:
            row_id = each.args[0]
            if isinstance(row_id, ast.Constant) and isinstance(row_id.value, str):
                yield row_id.value
