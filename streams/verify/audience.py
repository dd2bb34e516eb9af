"""In which weeks a title reached a household: for the first time, again, or after a break.

Owns the weeks of one household and title, those of ISO 8601, numbered from the one that holds 1970-01-01. It shares no
code with `models` but the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from models.rules import AUDIENCE_WEEKS, DAY_MS

WEEK_MS = 7 * DAY_MS
FIRST_MONDAY = date(1969, 12, 29)
FIRST_WEEK_MS = -3 * DAY_MS
"""When week 0 begins, in milliseconds since 1970."""

REACHED, NEW, RETURNING, RESURRECTED = AUDIENCE = ("reached", "new", "returning", "resurrected")


class Move(NamedTuple):
    """A household enters (1) or leaves (-1) a count of a week."""

    week: int
    kind: str
    amount: int


@dataclass(slots=True)
class CreditedWeeks:
    """A household's credit by week, in milliseconds, and the class of each reached week that is remembered.

    `first` is the earliest week that was ever counted as reached.
    """

    credited_ms: dict[int, int] = field(default_factory=dict)
    classes: dict[int, str] = field(default_factory=dict)
    first: int | None = None

    def credit(self, week: int, amount_ms: int, reaches_ms: int) -> list[Move]:
        """Add credit to a week, which is reached at `reaches_ms`. Returns the moves if it is reached by that."""
        before_ms = self.credited_ms.get(week, 0)
        self.credited_ms[week] = before_ms + amount_ms
        return self._reach(week) if before_ms < reaches_ms <= before_ms + amount_ms else []

    def _reach(self, week: int) -> list[Move]:
        newest = max(self.classes, default=week)
        if week < newest - AUDIENCE_WEEKS:
            return []
        former, self.first = self.first, week if self.first is None else min(week, self.first)
        self.classes[week] = ""
        self._forget_before(max(newest, week) - AUDIENCE_WEEKS)
        moves = [Move(week, REACHED, 1), *self._restate(week)]
        if week + 1 in self.classes:
            moves += self._restate(week + 1)
        if former is not None and week < former:
            moves += self._restate(former)
        return moves

    def _forget_before(self, oldest: int) -> None:
        for week in [week for week in self.classes if week < oldest and week != self.first]:
            del self.classes[week]

    def _restate(self, week: int) -> list[Move]:
        before, after = self.classes[week], self._class_of(week)
        if before == after:
            return []
        self.classes[week] = after
        return [Move(week, after, 1), *([Move(week, before, -1)] if before else [])]

    def _class_of(self, week: int) -> str:
        if week == self.first:
            return NEW
        return RETURNING if week - 1 in self.classes else RESURRECTED


def week_of(time_ms: int) -> int:
    """The number of the week that an instant lies in."""
    return (time_ms - FIRST_WEEK_MS) // WEEK_MS


def week_start_ms(week: int) -> int:
    return week * WEEK_MS + FIRST_WEEK_MS


def week_name(week: int) -> str:
    """A week's name in keys: `<YYYY>W<ww>`, its year and number by ISO 8601."""
    year, number, _ = (FIRST_MONDAY + timedelta(weeks=week)).isocalendar()
    return f"{year:04}W{number:02}"


def named_week_ms(name: str) -> int:
    """When the week with that name begins, in milliseconds since 1970."""
    return round(datetime.strptime(f"{name}-1", "%GW%V-%u").replace(tzinfo=UTC).timestamp()) * 1000
