"""The whole state of a fold, as values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.fold import Fold
from models.rows import pack, unpack
from models.tally import FRANCHISE, TallyKey
from models.viewing import Row


def state(fold: Fold) -> dict[str, Any]:
    """All that a drained fold's future depends on, and its counters without their checkpoints' numbers."""
    titles = fold.titles.values()
    # Of others there is nothing but that an event named them.
    kept = rows(fold)
    in_use = [title for title in titles if title.key in fold.tallies or title.title_id in {name for name, _ in kept}]
    return {
        "rows": kept,
        "tallies": counted(fold.tallies),
        "streaks": {(title.title_id, end): sums for title in titles for end, sums in title.streaks.items()},
        "watching": {(title.title_id, *name) for title in titles for name in title.watching},
        "franchises": {(title.title_id, title.franchise.key) for title in in_use if title.franchise is not None},
        "stream": fold.stream_counts(),
        "time": (fold.stream_time_ms, fold.clock_ms),
        "catalog": fold.catalog,
    }


def counted(tallies: Mapping[TallyKey, list[int] | None]) -> dict[TallyKey, list[int] | None]:
    """Counters without their checkpoints' numbers, and without franchises of which nothing counts any more.

    A franchise of which nothing ever counted but who was watching for a while has a tally if a drain fell into that.
    """
    counts_of = {key: tally and tally[1:] for key, tally in tallies.items()}
    return {key: counts for key, counts in counts_of.items() if key.kind != FRANCHISE or any(counts or ())}


def rows(fold: Fold) -> dict[tuple[str, str], bytes]:
    """Every row, packed, without what a sweep may take or leave."""
    found = {
        (title.title_id, household_id): unpack(pack(row) if isinstance(row, Row) else row)
        for title in fold.titles.values()
        for household_id, row in title.rows.items()
    }
    return {
        name: _swept(row, fold)
        for name, row in found.items()
        if not _is_past(row.touched_ms, fold.rules.forget_ms, fold)
    }


def _swept(row: Row, fold: Fold) -> bytes:
    for session_id, session in list(row.sessions.items()):
        if _is_past(session.time_ms + session.later_ms, fold.rules.grace_ms, fold):
            row.forget(session_id)
    return pack(row)


def _is_past(time_ms: int, kept_ms: int, fold: Fold) -> bool:
    return time_ms < fold.stream_time_ms - kept_ms
