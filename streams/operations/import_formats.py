"""Recognizes a file's format by its content.

Owns the registry: every module of `models.sources` that has a `FORMAT`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import models.sources
from models.sources.document import Document
from models.sources.reading import Format, NotImportable


@cache
def formats() -> dict[str, Format]:
    """Every format, by the name of its module."""
    found = {}
    for module in sorted(each.name for each in iter_modules(models.sources.__path__)):
        if (known := getattr(import_module(f"models.sources.{module}"), "FORMAT", None)) is not None:
            found[module] = known
    return found


def recognized(document: Document) -> Format:
    """The format of a file. Raises `NotImportable` if it is empty or of no known format."""
    if not document.lines:
        raise NotImportable("the file is empty")
    if document.text.startswith("PK\x03\x04"):
        raise NotImportable("it is an archive, or a spreadsheet's own format: unpack it, or save it as CSV")
    known = formats().values()
    for each in known:
        if each.recognizes(document):
            return each
    for each in known:
        if missing := _missing(each, document):
            raise NotImportable(f"it looks like {each.name}, but has no column {', '.join(map(repr, missing))}")
    raise NotImportable(f"no known format; known are {'; '.join(each.name for each in known if _imports(each))}")


def _missing(each: Format, document: Document) -> list[str]:
    """The columns that the file lacks, if it has most of a format's columns."""
    missing = [name for name in each.columns if name not in document.columns]
    return missing if len(missing) * 2 < len(each.columns) else []


def _imports(each: Format) -> bool:
    from models.sources.day_only import DayOnly

    return not isinstance(each, DayOnly)
