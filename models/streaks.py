"""Dayparts of a title: viewing in each, and households whose streaks are current.

Owns the tally of dayparts, and how streaks begin in rows and end by the clock alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from models.dayparts import QUARTER_MS, Local, LocalTimes
from models.habits import LEVELS, Habit, levels_reached, next_eligible
from models.rules import DAY_MS, Rules
from models.title import TitleState
from models.viewing import STREAK, Fact, Row

PART_FIELDS: Final = ("watched_ms", "completions", *(f"streak_{level}" for level in LEVELS))
"""The counters of each daypart in the tally. `streak_…` counts households whose current streak is at least as long."""

PART: Final = len(PART_FIELDS)
WATCHED: Final = 1
COMPLETIONS: Final = 2
_STREAKS: Final = 3
"""The first daypart's places in the tally, after its sequence. Those of the next daypart are `PART` further."""

_LARGEST_OFFSET_DAYS: Final = 2


class Streaks:
    """The streaks of one partition. `changed` names the sums, by title and end, that changed since the last drain."""

    def __init__(self, rules: Rules, local: LocalTimes) -> None:
        # A dict serves as an ordered set, so that every run drains in the same order.
        self.changed: dict[tuple[TitleState, int], None] = {}
        self._day_ms = rules.streak_day_ms
        self._grace_ms = rules.grace_ms
        self._local = local
        self._facts = [[Fact(STREAK, level, part.name) for level in LEVELS] for part in local.dayparts]
        self._ends: list[tuple[int, str]] = []

    @property
    def next_end_ms(self) -> int | None:
        """When the next streaks end, in milliseconds since 1970; None: there are none."""
        return self._ends[0][0] * QUARTER_MS if self._ends else None

    def credit(
        self, title: TitleState, row: Row, local: Local, zone: str | None, credited_ms: int, now: tuple[int, int]
    ) -> list[Fact]:
        """Credit a household's local day. Returns a fact for each level that its streak reaches.

        `now`: stream time and clock, in milliseconds.
        """
        if not row.habits:
            row.habits = [None] * len(self._local.dayparts)
        habit = row.habits[local.daypart]
        if habit is None:
            habit = row.habits[local.daypart] = Habit()
        if habit.day != local.day:
            habit.select_day(local.day, self._day_ms)
            row.filled = -1
            if habit.days is not None:
                habit.forget((now[0] - self._grace_ms) // DAY_MS - _LARGEST_OFFSET_DAYS)
        facts: list[Fact] = []
        if habit.left_ms:
            habit.left_ms = max(0, habit.left_ms - credited_ms)
            if habit.left_ms:
                return facts
            facts = self._fill(title, habit, local, zone, now[1])
        row.filled = local.span
        return facts

    def _fill(self, title: TitleState, habit: Habit, local: Local, zone: str | None, clock_ms: int) -> list[Fact]:
        part, day, _ = local
        eligible, end = self._local.dayparts[part].days, habit.end_quarter
        before = levels_reached(habit.length(eligible)) if clock_ms < end * QUARTER_MS else 0
        habit.fill(day, self._local.end_quarter(zone, next_eligible(day, eligible)))
        after = levels_reached(habit.length(eligible)) if clock_ms < habit.end_quarter * QUARTER_MS else 0
        self._move(title, part, end, before, -1)
        self._move(title, part, habit.end_quarter, after, 1)
        return self._facts[part][before:after]

    def leave(self, title: TitleState, row: Row, clock_ms: int) -> None:
        """Take a household's current streaks of a title out of the sums."""
        for part, habit in enumerate(row.habits):
            if habit is not None and clock_ms < habit.end_quarter * QUARTER_MS:
                eligible = self._local.dayparts[part].days
                self._move(title, part, habit.end_quarter, levels_reached(habit.length(eligible)), -1)

    def _move(self, title: TitleState, part: int, end_quarter: int, levels: int, by: int) -> None:
        """Add a household (`by` 1) to the sums of streaks that end at `end_quarter`, or take it out (-1)."""
        if not levels:
            return
        sums = title.streaks.get(end_quarter)
        if sums is None:
            sums = title.streaks[end_quarter] = [0] * (len(LEVELS) * len(self._local.dayparts))
            heappush(self._ends, (end_quarter, title.title_id))
        parts = title.parts_changed()
        for level in range(levels):
            sums[part * len(LEVELS) + level] += by
            parts[part * PART + _STREAKS + level] += by
        self.changed[title, end_quarter] = None

    def end(self, clock_ms: int, titles: dict[str, TitleState]) -> Iterator[TitleState]:
        """Take the streaks that have ended out of their titles' tallies. Yields the titles that changed."""
        while self._ends and self._ends[0][0] * QUARTER_MS <= clock_ms:
            end_quarter, title_id = heappop(self._ends)
            title = titles[title_id]
            sums = title.streaks.pop(end_quarter, None)
            if sums is None:
                continue
            parts = title.parts_changed()
            for place, households in enumerate(sums):
                if households:
                    part, level = divmod(place, len(LEVELS))
                    parts[part * PART + _STREAKS + level] -= households
            self.changed[title, end_quarter] = None
            yield title

    def restore(self, title: TitleState, end_quarter: int, sums: list[int]) -> None:
        """Restore a sum that was drained."""
        title.streaks[end_quarter] = sums
        heappush(self._ends, (end_quarter, title.title_id))

    def drain(self) -> dict[tuple[str, int], list[int] | None]:
        """The sums, by title and end, that changed since the last drain; None: deleted."""
        changed: dict[tuple[str, int], list[int] | None] = {}
        for title, end_quarter in self.changed:
            sums = title.streaks.get(end_quarter)
            if sums is not None and not any(sums):
                del title.streaks[end_quarter]
                sums = None
            changed[title.title_id, end_quarter] = sums and list(sums)
        self.changed.clear()
        return changed
