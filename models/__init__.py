"""The rules: what playback events count for.

A build with a C compiler compiles them from these same sources; otherwise they are interpreted. An edited module is
interpreted until `make compile`.
"""

from __future__ import annotations

from os import environ
from pathlib import Path

from models.compiled import FOLDER, are_there

_HERE = Path(__file__).parent

COMPILED: bool = environ.get("ENCORE_INTERPRETED") != "1" and are_there(_HERE)
"""Whether the compiled modules run; otherwise the interpreted sources do."""

FORM = "compiled" if COMPILED else "interpreted"
"""The same as a word."""

if COMPILED:
    __path__.insert(0, str(_HERE / FOLDER))
