"""Changes one thing at a time in a copy of the program, and sees whether the tests notice.

    python tests/mutations [--count 30] [--seed 1] [--only models/viewing.py …] [-- pytest arguments]

A mutation flips a comparison, an arithmetic or a Boolean operator, or moves a number by one. Places are drawn from the
seed. What survives is printed as a diff: it lacks a test, or means the same. So is what did not end in time: it hangs,
or the machine is busy. Exit 1 if there is any of either.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAM = ("models/*.py", "streams/state/*.py", "streams/publishing/*.py", "streams/worker/*.py", "streams/kafka/*.py")
TESTS = ("tests/unit", "tests/contract", "tests/properties")
LONGEST_S = 900
NOTICED, SURVIVES, TIMED_OUT = "noticed", "SURVIVES", "TIMED OUT"
OTHER: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip


class Mutation(NamedTuple):
    """The place-th mutable node of a file."""

    file: Path
    place: int


def mutable(tree: ast.Module) -> Iterator[ast.AST]:
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


def mutate(source: str, place: int) -> str:
    """The source with its place-th mutable node changed."""
    tree = ast.parse(source)
    node = list(mutable(tree))[place]
    match node:
        case ast.Compare():
            node.ops[0] = OTHER[type(node.ops[0])]()
        case ast.BoolOp() | ast.BinOp():
            node.op = OTHER[type(node.op)]()
        case ast.Constant(value=int(value)):
            node.value = value + 1
    return ast.unparse(tree)


def draw(files: list[Path], count: int, seed: int) -> list[Mutation]:
    """So many mutations, each of another place."""
    places = [
        Mutation(file, place)
        for file in files
        for place in range(len(list(mutable(ast.parse((ROOT / file).read_text())))))
    ]
    return random.Random(seed).sample(places, min(count, len(places)))


def own_tests(file: Path) -> list[str]:
    """The unit tests of a file's name and of its room, where there are any. They are the likeliest to notice: first."""
    room = Path("tests/unit", *(part for part in file.parent.parts if part != "streams"))
    return [str(each) for each in (room / f"test_{file.stem}.py", room) if (ROOT / each).exists()]


def tried(copy: Path, mutation: Mutation, pytest_arguments: list[str]) -> tuple[str, str]:
    """Whether any test fails in the copy once it is mutated, and the change as a diff. The copy is as before then."""
    file = copy / mutation.file
    before = file.read_text()
    plain, after = ast.unparse(ast.parse(before)), mutate(before, mutation.place)
    difference = "\n".join(difflib.unified_diff(plain.splitlines(), after.splitlines(), str(file), lineterm="", n=1))
    file.write_text(after)
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [*own_tests(mutation.file), *pytest_arguments]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return TIMED_OUT, difference
    finally:
        file.write_text(before)
    return NOTICED if done.returncode else SURVIVES, difference


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("pytest", nargs="*", default=list(TESTS))
    asked = parser.parse_args()
    files = [Path(each) for each in asked.only] or sorted(
        file.relative_to(ROOT) for pattern in PROGRAM for file in ROOT.glob(pattern)
    )
    drawn, counts = draw(files, asked.count, asked.seed), Counter[str]()
    with TemporaryDirectory(prefix="encore-mutations-") as folder:
        copy = Path(folder, "encore")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv*", "_compiled", ".git", "__pycache__"))
        for number, mutation in enumerate(drawn, 1):
            started = time.monotonic()
            said, difference = tried(copy, mutation, asked.pytest)
            counts[said] += 1
            print(
                f"{number:3} {said:9} {mutation.file}#{mutation.place} {time.monotonic() - started:.0f} s", flush=True
            )
            if said != NOTICED:
                print(difference, flush=True)
    print(", ".join(f"{count} {said.lower()}" for said, count in counts.items()))
    return 0 if counts[NOTICED] == len(drawn) else 1


if __name__ == "__main__":
    sys.exit(main())
