"""What expires: windows past their retention, forgotten rows, sessions past the grace.

Owns when state is dropped. Only state that no further event can change is dropped, so no counter depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from heapq import heappop, heappush
from typing import Final

from models.glance import glance, has_sessions
from models.rows import pack, unpack
from models.rules import DAY_MS, Rules
from models.tally import TallyKey
from models.title import TitleState
from models.viewing import Row
from models.windows import Retention, all_by_age, kept_until_ms

_SLACK_MS: Final = DAY_MS
"""Partitions' stream times differ, so each keeps its share of a window a day longer than readers may read it."""


class ExpiringWindows:
    """Windows of one partition, by the day of stream time on which they expire."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._by_day: dict[int, list[TallyKey]] = {}
        self._days: list[int] = []

    def note(self, key: TallyKey, title: TitleState | None) -> None:
        """Schedule a window's expiry. Other tallies, and windows by age of a title without a release, never expire."""
        leaves_ms = self._leaves_ms(key, title)
        if leaves_ms is None:
            return
        day = leaves_ms // DAY_MS
        if day not in self._by_day:
            self._by_day[day] = []
            heappush(self._days, day)
        self._by_day[day].append(key)

    def note_release(self, title: TitleState, there: Container[TallyKey]) -> None:
        """Schedule the windows by age that are in `there` again, after the title's release changed."""
        for key in [TallyKey(kind, number, title.title_id) for kind, number in all_by_age()]:
            if key in there:
                self.note(key, title)

    def left(
        self, stream_time_ms: int, titles: dict[str, TitleState], may_leave: Callable[[TallyKey], bool]
    ) -> Iterator[TallyKey]:
        """Yield the windows that have expired. One that `may_leave` refuses is tried again at the next call."""
        staying: list[TallyKey] = []
        while self._days and self._days[0] < stream_time_ms // DAY_MS:
            for key in self._by_day.pop(heappop(self._days)):
                title = titles.get(key.title_id)
                leaves_ms = self._leaves_ms(key, title)
                # The release may have been corrected or removed since.
                if leaves_ms is None or leaves_ms >= stream_time_ms:
                    self.note(key, title)
                elif may_leave(key):
                    yield key
                else:
                    staying.append(key)
        for key in staying:
            self.note(key, titles.get(key.title_id))

    def _leaves_ms(self, key: TallyKey, title: TitleState | None) -> int | None:
        release_ms = title.release_ms if title is not None else None
        until_ms = kept_until_ms(key.kind, key.number, release_ms, self._retention)
        return None if until_ms is None else until_ms + _SLACK_MS


def sweep(
    titles: dict[str, TitleState], stream_time_ms: int, rules: Rules, step: int
) -> Iterator[list[tuple[str, str]]]:
    """Go through all packed rows, `step` rows at a time. Yields the (title, household) pairs of deleted rows.

    Deletes rows past `forget_ms`, and drops sessions past the grace from the others. Neither changes a counter: the
    next event of the household would do the same.
    """
    forgotten_ms = stream_time_ms - rules.forget_ms
    ended_ms = stream_time_ms - rules.grace_ms - rules.future_ms
    gone: list[tuple[str, str]] = []
    seen = 0
    for title in list(titles.values()):
        for household_id in list(title.rows):
            # The row may have been deleted since the list was made.
            kept = title.rows.get(household_id)
            if isinstance(kept, bytes):
                found = glance(kept)
                if found.touched_ms < forgotten_ms:
                    del title.rows[household_id]
                    gone.append((title.title_id, household_id))
                elif found.touched_ms < ended_ms and has_sessions(found):
                    title.rows[household_id] = _without_sessions(unpack(kept))
            seen += 1
            if seen % step == 0:
                yield gone
                gone = []
    yield gone


def _without_sessions(row: Row) -> bytes:
    for session_id in list(row.sessions):
        row.forget(session_id)
    return pack(row)
