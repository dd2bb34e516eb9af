"""Which titles' legs are due: a week ended, a complete window changed, or a release was corrected.

Owns what this worker knows about its titles' weeks.

A popular title changes only its current week and its young windows: nothing is due then. Legs are computed for the
largest stream time so far; a window that another worker may have treated as complete by that time is treated as
complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from models.legs import complete_weeks, is_age_used, is_week_used, next_week_end
from models.tally import TITLE, TallyKey
from models.windows import AGE, WEEK

Release = Callable[[str], int | None]


class Due(NamedTuple):
    """What to do with titles' legs. `weeks`: write them, as of this week; `gone`: delete them; `past`: leave them."""

    weeks: dict[str, int]
    gone: list[str]
    past: list[str]


class LegsDue:
    """Keeps track of the titles whose legs are due.

    `due`: their legs must be written. `unchecked`: only Redis knows the week of their legs. A title stays in either
    until that is done. Windows by age expire `kept_ms` after the release; legs are not changed after that.
    """

    def __init__(self, release_ms: Release, kept_ms: int) -> None:
        self._kept_ms = kept_ms
        self.due: set[str] = set()
        self.unchecked: set[str] = set()
        self._release_ms = release_ms
        self._weeks: dict[str, int] = {}
        self._ends: list[tuple[int, str]] = []
        self._awaited: dict[str, int] = {}
        self._as_of_ms = 0

    @property
    def left(self) -> int:
        """How many titles' legs must be written or looked at."""
        return len(self.due) + len(self.unchecked)

    def week(self, title_id: str, as_of_ms: int) -> int:
        """How many weeks of a title are complete at a stream time."""
        return complete_weeks(self._release_ms(title_id), as_of_ms)

    def note_opened(self, title_ids: Iterable[str], published: bool) -> None:
        """Note the titles of a partition that another worker had. `published`: Redis has what that worker published."""
        for title_id in title_ids:
            self._weeks.pop(title_id, None)
            (self.unchecked if published else self.due).add(title_id)

    def note_written(self, keys: Iterable[TallyKey], judged_ms: int) -> None:
        """Note that shares of these keys were written. `judged_ms`: `PrefixState.judged_ms`, read after that."""
        known, due = self._weeks, self.due
        for kind, number, title_id in keys:
            if title_id in due:
                continue
            if kind == WEEK:
                if is_week_used(number, self.week(title_id, judged_ms)):
                    due.add(title_id)
            elif kind == AGE:
                if is_age_used(number, self.week(title_id, judged_ms)):
                    due.add(title_id)
            elif kind == TITLE and title_id not in known:
                self.unchecked.add(title_id)

    def note_releases(self, title_ids: Iterable[str]) -> None:
        """Note that the releases of these titles were corrected."""
        self.due.update(self._weeks.keys() & set(title_ids))

    def note_all(self) -> None:
        """Make the legs of all known titles due."""
        self.due.update(self._weeks)

    def advance_to(self, as_of_ms: int) -> None:
        """Make titles due whose week has ended by a stream time.

        Stream time may also go back: that of all partitions is the least, and one may get its first records.
        """
        if as_of_ms < self._as_of_ms:
            self.due.update(t for t, week in self._weeks.items() if week != self.week(t, as_of_ms))
        self._as_of_ms = as_of_ms
        while self._ends and self._ends[0][0] <= as_of_ms:
            end_ms, title_id = heappop(self._ends)
            if self._awaited.get(title_id) != end_ms:
                continue
            del self._awaited[title_id]
            if title_id in self._weeks:
                self.due.add(title_id)

    def note_found(self, title_id: str, week: int, as_of_ms: int) -> None:
        """Note the week of an unchecked title's legs in Redis; 0: it has none."""
        self.unchecked.discard(title_id)
        if week == self.week(title_id, as_of_ms):
            self._know(title_id, week, as_of_ms)
        else:
            self.due.add(title_id)

    def take(self, as_of_ms: int, title_ids: Iterable[str]) -> Due:
        """What to do with these titles, which are due."""
        due = Due({}, [], [])
        for title_id in title_ids:
            week, release_ms = self.week(title_id, as_of_ms), self._release_ms(title_id)
            if week == 0 or release_ms is None:
                due.gone.append(title_id)
            elif as_of_ms < release_ms + self._kept_ms:
                due.weeks[title_id] = week
            else:
                due.past.append(title_id)
        return due

    def note_done(self, due: Due, as_of_ms: int) -> None:
        """Note that this was done."""
        for title_id in (*due.weeks, *due.gone, *due.past):
            self.due.discard(title_id)
            self._know(title_id, self.week(title_id, as_of_ms), as_of_ms)

    def forget(self, title_id: str) -> None:
        """Forget a title: this worker has no counts of it any more."""
        self._weeks.pop(title_id, None)
        self.due.discard(title_id)
        self.unchecked.discard(title_id)

    def _know(self, title_id: str, week: int, as_of_ms: int) -> None:
        self._weeks[title_id] = week
        self._await_end(title_id, as_of_ms)

    def _await_end(self, title_id: str, as_of_ms: int) -> None:
        end_ms = next_week_end(self._release_ms(title_id), as_of_ms)
        if end_ms is not None and self._awaited.get(title_id) != end_ms:
            self._awaited[title_id] = end_ms
            heappush(self._ends, (end_ms, title_id))
