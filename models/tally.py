"""Tallies: lists of counters of a title, one of its windows, or a franchise, in one partition.

Owns their names, and the index of each counter.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models.counters import ALL_FIELDS, WINDOW_FIELDS, Counters

TITLE: Final = "t"
DAYPARTS: Final = "l"
FRANCHISE: Final = "f"
CURVE: Final = "v"
WATCHING: Final = 1 + ALL_FIELDS
"""The place of `watching_now` in the tally of a title or franchise: after its sequence and its counters."""

NO_SLOT: Final = -1
EMPTY_WHOLE: Final = [0] * (WATCHING + 1)
EMPTY_WINDOW: Final = [0] * (1 + WINDOW_FIELDS)
EMPTY_AUDIENCE: Final = [0] * 5


class TallyKey(NamedTuple):
    """Names a tally. For a franchise, `title_id` holds the franchise's id.

    For a window, `kind` is its letter in `models.windows.KINDS`, and `number` its number there. `number` is 0 for all
    others.
    """

    kind: str
    number: int
    title_id: str


WATCHED, KIDS_WATCHED = (1 + Counters.__struct_fields__.index(name) for name in ("watched_ms", "kids_watched_ms"))
"""The places of the counters that nearly every event changes."""

Change = list[tuple[int, int]]
"""A change of a tally: (place, amount) of each counter that changes. Most do not."""
