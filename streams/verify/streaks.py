"""How many eligible days in a row a household watched a title in a daypart.

Owns the days of one household and title. It shares no code with `models`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.verify.dayparts import Daypart, end_of_day_ms
from streams.verify.zones import Zone

LEVELS = (3, 5, 10)
DAYS_KEPT = 64


@dataclass(slots=True)
class Streak:
    """The filled days of one daypart. The streak ends at `end_ms`, when the next eligible day is over."""

    part: Daypart
    filled: set[int] = field(default_factory=set)
    newest: int = -DAYS_KEPT
    end_ms: int = 0

    def length(self) -> int:
        """How many eligible days in a row are filled, back from the newest one."""
        length = 0
        for day in range(self.newest, self.newest - DAYS_KEPT, -1):
            if self.part.is_eligible(day):
                if day not in self.filled:
                    break
                length += 1
        return length

    def current(self, clock_ms: int) -> int:
        return self.length() if clock_ms < self.end_ms else 0

    def fill(self, day: int, zone: Zone) -> None:
        if day > self.newest:
            self.newest = day
            following = next(after for after in range(day + 1, day + 8) if self.part.is_eligible(after))
            self.end_ms = end_of_day_ms(zone, following)
        self.filled.add(day)


@dataclass(slots=True)
class Habits:
    """A household's credit for a title, by daypart number and local day in milliseconds, and its streaks by daypart."""

    credited_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    streaks: dict[int, Streak] = field(default_factory=dict)

    def credit(
        self, number: int, part: Daypart, day: int, zone: Zone, amount_ms: int, *, fills_ms: int, clock_ms: int
    ) -> list[int]:
        """Add credit to a day, which is filled at `fills_ms`. Returns the levels that the streak reaches by that."""
        before_ms = self.credited_ms.get((number, day), 0)
        self.credited_ms[number, day] = before_ms + amount_ms
        if not before_ms < fills_ms <= before_ms + amount_ms:
            return []
        streak = self.streaks.setdefault(number, Streak(part))
        before = streak.current(clock_ms)
        streak.fill(day, zone)
        return [level for level in LEVELS if before < level <= streak.current(clock_ms)]
