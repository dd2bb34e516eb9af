"""Events of other services, read as playback events: files with a `FORMAT`, live messages with a `SCHEMA`.

A module with one of the two is found automatically. Files share `document` (bytes to text to rows), `values` (times and
durations), `reading` (the result) and `sittings` (a sitting to events). Live schemas share `told` (what a message
tells), `identities` (who watches what), `player` (what a message means after others), `translator` (messages to
events), `schemas` (which there are) and `written` (what becomes of them). The fields of their messages are in
`messages`.
"""

from __future__ import annotations

from pathlib import Path

from models import COMPILED
from models.compiled import FOLDER

if COMPILED:
    __path__.insert(0, str(Path(__file__).parents[1] / FOLDER / "sources"))
