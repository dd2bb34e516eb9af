"""What both of Tautulli's history files state about a play, and what follows from it.

Owns percentages and groups. The duration excludes pauses. Plays that were one viewing are grouped into one row: the
time between its first start and its last stop, beyond duration and pauses, is time in between. The percentage is the
position at the end, so a title's length is the largest duration ÷ percentage of its rows; a play that began in the
middle gives less. Rows below 50 % are too imprecise for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from models.rules import LONGEST_MEDIA_MS
from models.sources.reading import UnreadableField
from models.sources.sittings import Sitting

LEAST_PERCENT = 50

Play = tuple[Sitting, float]
"""A sitting and the percentage at its end; 0: not stated."""


def percentage(column: str, text: str) -> float:
    """A percentage with or without its sign; empty is 0. Raises `UnreadableField`."""
    try:
        found = float(text.strip().rstrip("%") or 0)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 100:
        raise UnreadableField(f"{column} is {text[:40]!r}, accepted: 0 to 100 %")
    return found


def still_ms(played_ms: int, paused_ms: int, lasted_ms: int) -> int:
    """How long a play was paused, or idle between start and stop, in milliseconds."""
    return max(paused_ms, lasted_ms - played_ms, 0)


def placed(plays: Iterable[Play]) -> list[Sitting]:
    """The sittings, with positions computed from their percentages."""
    plays = list(plays)
    lengths: dict[str, int] = {}
    for sitting, percent in plays:
        if percent >= LEAST_PERCENT:
            length_ms = min(LONGEST_MEDIA_MS, round(sitting.played_ms * 100 / percent))
            lengths[sitting.title] = max(lengths.get(sitting.title, 0), length_ms)
    return [_placed(sitting, percent, lengths.get(sitting.title, 0)) for sitting, percent in plays]


def _placed(sitting: Sitting, percent: float, length_ms: int) -> Sitting:
    if not length_ms or not percent:
        return sitting
    return replace(sitting, reached_ms=round(length_ms * percent / 100), runtime_ms=length_ms)
