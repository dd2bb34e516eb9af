"""Finds the live schemas.

Owns the registry: every module of `models.sources` that has a `SCHEMA`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import models.sources
from models.sources.told import Schema


@cache
def schemas() -> dict[str, Schema]:
    """Every live schema, by the name of its module."""
    found = {}
    for module in sorted(each.name for each in iter_modules(models.sources.__path__)):
        if (known := getattr(import_module(f"models.sources.{module}"), "SCHEMA", None)) is not None:
            found[module] = known
    return found
