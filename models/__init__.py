"""The rules: what playback events count for. Compiled where the build could compile them, else interpreted.

The same sources either way. Whoever edits one runs it interpreted until it is compiled again (`make compile`).
"""

from __future__ import annotations

from os import environ
from pathlib import Path

from models.compiled import FOLDER, are_there

_HERE = Path(__file__).parent

COMPILED: bool = environ.get("ENCORE_INTERPRETED") != "1" and are_there(_HERE)
"""Which of the two runs …"""

FORM = "compiled" if COMPILED else "interpreted"
"""… and the word for it."""

if COMPILED:
    __path__.insert(0, str(_HERE / FOLDER))
