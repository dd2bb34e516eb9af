"""Whether the compiled rules match the sources beside them.

Owns the record of a compilation: the SHA-256 of every source, and the Python version.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

FOLDER = "_compiled"
MANIFEST = "manifest.txt"


def manifest(models: Path) -> str:
    """What compiled rules were made of: this Python's extension suffix, and the SHA-256 of every source.

    Of every source, since a compiled module contains constants of others.
    """
    sources = sorted(each.relative_to(models).as_posix() for each in models.rglob("*.py"))
    made_of = [f"{_digest(models / name)}  {name}" for name in sources]
    return "\n".join([next(iter(EXTENSION_SUFFIXES), ""), *made_of, ""])


def _digest(source: Path) -> str:
    return sha256(source.read_bytes()).hexdigest()


def are_there(models: Path) -> bool:
    """Whether compiled rules exist and were made of these sources. Stale ones do not count."""
    made_of = models / FOLDER / MANIFEST
    return made_of.is_file() and made_of.read_text() == manifest(models)
