"""Makes the package `encore_reader` from `streams/reader`, whenever its wheel is built.

Owns which modules it holds, and what they are called there: those of `streams/reader` lie at its top, and what these
import of the project, and that in turn, in `encore_reader._encore`. Nothing of it has a name that a project's own
modules may have, such as `models`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parents[1]
READER, PACKAGE, INNER = "streams.reader", "encore_reader", "encore_reader._encore"
OURS = ("streams", "models")


class ReaderPackage(BuildHookInterface[Any]):
    """Puts the modules into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the modules, and tell the wheel of them."""
        self._kept = TemporaryDirectory()
        folder = Path(self._kept.name)
        write(folder)
        build_data["force_include"][str(folder / PACKAGE)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what lies in the wheel by now."""
        self._kept.cleanup()


def write(folder: Path) -> None:
    """Write the package under a folder."""
    for module in sorted(needed_by(READER)):
        is_package = source_of(module).name == "__init__.py"
        target = folder / path_of(f"{renamed(module)}.__init__" if is_package else renamed(module), ".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rewritten(source_of(module).read_text()))
    for inner in (folder / PACKAGE).rglob("*/"):
        # What a package of the project does when it is imported is nothing to a reader.
        (inner / "__init__.py").touch()
    (folder / PACKAGE / "py.typed").touch()


def needed_by(module: str) -> set[str]:
    """The modules of the project that one imports, directly or not, and all of its package."""
    found: set[str] = set()
    left = [module, *(f"{module}.{path.stem}" for path in source_of(module).parent.glob("[!_]*.py"))]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [each for node in imports(source_of(name).read_text()) for each in modules_of(node)]
    return found


def imports(source: str) -> Iterator[ast.ImportFrom]:
    """The imports of the project's own modules that are made when the source runs."""
    left: list[ast.AST] = [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS:
            yield node
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            left += ast.iter_child_nodes(node)


def modules_of(node: ast.ImportFrom) -> list[str]:
    """The modules that an import names."""
    assert node.module is not None
    inner = [f"{node.module}.{each.name}" for each in node.names]
    named = [name for name in inner if (ROOT / path_of(name, ".py")).exists()]
    return named if len(named) == len(inner) else [node.module, *named]


def source_of(module: str) -> Path:
    """The file of a module of the project."""
    file = ROOT / path_of(module, ".py")
    return file if file.exists() else ROOT / path_of(module, "") / "__init__.py"


def path_of(module: str, suffix: str) -> Path:
    """Where a module lies."""
    return Path(*module.split(".")).with_suffix(suffix)


def renamed(module: str) -> str:
    """What a module of the project is called in the package."""
    if module == READER or module.startswith(f"{READER}."):
        return PACKAGE + module.removeprefix(READER)
    return f"{INNER}.{module.removeprefix('streams.')}"


def rewritten(source: str) -> str:
    """The source, with the new names in its imports."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS:
            assert node.module is not None
            at = node.lineno - 1
            lines[at] = lines[at].replace(f"from {node.module} ", f"from {renamed(node.module)} ", 1)
    return "".join(lines)
