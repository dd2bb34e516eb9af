"""What a check of the doctor says."""

from __future__ import annotations

from typing import NamedTuple

OK, ODD, WRONG = "ok", "odd", "wrong"


class Finding(NamedTuple):
    """The result of one check. `level`: ok, odd (it works, but may surprise) or wrong. `advice`: what to do."""

    level: str
    what: str
    found: str
    advice: str = ""
