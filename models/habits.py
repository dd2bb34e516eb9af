"""Habit streaks: on how many eligible local days in a row a household came back to a title in one daypart.

Owns a daypart's days in a household's row: credit on days not filled yet, the filled days, and when the streak ends
(the design, section 1: habit streak).
"""

from __future__ import annotations

from collections.abc import Set

import msgspec

from models.dayparts import QUARTERS_A_DAY, weekday

LEVELS = (3, 5, 10)
"""The lengths of streaks that are counted and published as milestones."""

KEPT_DAYS = 64
_KEPT = (1 << KEPT_DAYS) - 1
_NEVER = -(1 << 15)


class Habit(msgspec.Struct, array_like=True, gc=False):
    """A household's days in one daypart with one title. Local days are numbered from 1970-01-01.

    `day` was credited last, and `left_ms` is the credit that it still needs to be filled; `days` maps further days that
    were credited but not filled to the same. `newest` is the newest day filled; bit i of `filled` is set if the day
    `newest - i` is filled. The streak ends `current_quarters` quarter hours after the UTC day `newest`.
    """

    day: int = _NEVER
    left_ms: int = 0
    newest: int = _NEVER
    filled: int = 0
    current_quarters: int = 0
    days: dict[int, int] | None = None

    @property
    def end_quarter(self) -> int:
        """The UTC quarter hour, numbered from the epoch, at which the streak ends."""
        return (self.newest + 1) * QUARTERS_A_DAY + self.current_quarters

    def select_day(self, day: int, streak_day_ms: int) -> None:
        """Make another day the one that is credited."""
        days = self.days or {}
        if 0 < self.left_ms < streak_day_ms:
            days[self.day] = self.left_ms
        self.day = day
        self.left_ms = 0 if self.is_filled(day) else days.pop(day, streak_day_ms)
        self.days = days or None

    def is_filled(self, day: int) -> bool:
        """Whether a day is filled. False if it is `KEPT_DAYS` or more before the newest."""
        return 0 <= self.newest - day < KEPT_DAYS and bool(self.filled >> self.newest - day & 1)

    def fill(self, day: int, end_quarter: int) -> None:
        """Mark a day as filled. If it becomes the newest, the streak ends at UTC quarter hour `end_quarter`."""
        if day > self.newest:
            newer_by = min(day - self.newest, KEPT_DAYS)
            self.filled = (self.filled << newer_by | 1) & _KEPT
            self.newest = day
            self.current_quarters = end_quarter - (day + 1) * QUARTERS_A_DAY
        elif self.newest - day < KEPT_DAYS:
            self.filled |= 1 << self.newest - day

    def length(self, eligible: Set[int]) -> int:
        """How many eligible days in a row are filled, back from the newest. `eligible`: weekdays, 0 is Monday."""
        length = 0
        for ago in range(KEPT_DAYS):
            if weekday(self.newest - ago) in eligible:
                if not self.filled >> ago & 1:
                    break
                length += 1
        return length

    def forget(self, before: int) -> None:
        """Drop the credit of days before this one that are not filled: no event can add to them any more."""
        if self.days is not None:
            self.days = {day: left_ms for day, left_ms in self.days.items() if day >= before} or None


def next_eligible(day: int, eligible: Set[int]) -> int:
    """The first day after `day` whose weekday is in `eligible`."""
    return next(later for later in range(day + 1, day + 8) if weekday(later) in eligible)


def levels_reached(length: int) -> int:
    """How many of `LEVELS` a streak of this length has reached."""
    return sum(length >= level for level in LEVELS)
