"""What a mutation can be: which places of a file, and what its source becomes."""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OTHER: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip

LARGE = 100
"""Around the rules, a number of this size is a size or a time. It is doubled: moved by one it means the same."""


class Mutation(NamedTuple):
    """The place-th mutable node of a file."""

    file: Path
    place: int

    def __str__(self) -> str:
        return f"{self.file}#{self.place}"


class Changed(NamedTuple):
    """A file's source, and what it differs in."""

    after: str
    difference: str


def drawn(root: Path, files: list[Path], only: list[str], count: int, seed: int) -> list[Mutation]:
    """So many mutations, each of another place: of `only` (FILE or FILE#PLACE), else of all files."""
    named = [Path(name) for name in only if "#" not in name]
    exact = [Mutation(Path(file), int(place)) for file, found, place in (each.partition("#") for each in only) if found]
    if exact:
        return exact
    places = [
        Mutation(file, place)
        for file in named or files
        for place in range(len(list(_mutable(ast.parse((root / file).read_text())))))
    ]
    return random.Random(seed).sample(places, min(count, len(places)))


def change(root: Path, mutation: Mutation) -> Changed:
    """The file's source with that node changed."""
    tree = ast.parse((root / mutation.file).read_text())
    before = ast.unparse(tree)
    _mutate(list(_mutable(tree))[mutation.place], is_exact=mutation.file.parts[0] == "models")
    after = ast.unparse(tree)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(mutation.file), lineterm="", n=1)
    return Changed(after, "\n".join(lines))


def _mutate(node: ast.AST, is_exact: bool) -> None:
    match node:
        case ast.Compare():
            node.ops[0] = OTHER[type(node.ops[0])]()
        case ast.BoolOp() | ast.BinOp():
            node.op = OTHER[type(node.op)]()
        case ast.Constant(value=int(value)):
            node.value = value + 1 if is_exact or value < LARGE else 2 * value


def _mutable(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that a mutation can change, in an order that depends on the source alone."""
    annotations = {id(node) for each in ast.walk(tree) for node in _annotations(each)}
    yield from (node for node in ast.walk(tree) if id(node) not in annotations and _can_change(node))


def _can_change(node: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[operator, *_]) | ast.BoolOp(op=operator) | ast.BinOp(op=operator):
            return type(operator) in OTHER
        case ast.Constant(value=value):
            return type(value) is int
    return False


def _annotations(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        found = getattr(node, name, None)
        if found is not None:
            yield from ast.walk(found)
