"""Finds the daypart and local day of an instant, and when a local day ends.

Parses the `dayparts` setting; `streams.verify.zones` reads the data of zones. It shares no code with `models`.

Days are numbered from 1970-01-01, and so are quarters of UTC hours.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from models.rules import DAY_MS
from streams.verify.zones import Zone, rules_of

QUARTER_MS = 900_000
QUARTERS_A_DAY = 96
MINUTE_MS = 60_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_DAY = date(1970, 1, 1)
LAST_OFFSET = datetime(9999, 12, 30, tzinfo=UTC)
"""Python's calendar ends with the year 9999, so its last two days keep the offset of the day before."""


class Daypart(NamedTuple):
    """A part of the local day, from one minute to before another, on some weekdays (0 is Monday)."""

    name: str
    start_minute: int
    end_minute: int
    weekdays: frozenset[int]

    def holds(self, day: int, minute: int) -> bool:
        return self.is_eligible(day) and self.start_minute <= minute < self.end_minute

    def is_eligible(self, day: int) -> bool:
        return weekday(day) in self.weekdays


class Dayparts:
    """The dayparts of the setting, in its order, then `other`."""

    def __init__(self, text: str) -> None:
        self.parts = [*map(_read, filter(None, text.split(","))), _every_day("other", "00:00-24:00")]
        self._found: dict[tuple[Zone, int], tuple[int, int]] = {}

    @property
    def names(self) -> list[str]:
        return [part.name for part in self.parts]

    def at(self, zone: Zone, time_ms: int) -> tuple[int, int]:
        """The daypart's number and the local day of an instant in a zone."""
        place = zone, time_ms // QUARTER_MS
        found = self._found.get(place)
        if found is None:
            day, minute = local(*place)
            number = next(number for number, part in enumerate(self.parts) if part.holds(day, minute))
            found = self._found[place] = number, day
        return found


def _read(entry: str) -> Daypart:
    name, _, when = entry.strip().partition("=")
    times, _, days = when.partition("/")
    part = _every_day(name, times)
    return part._replace(weekdays=_weekdays(days)) if days else part


def _every_day(name: str, times: str) -> Daypart:
    start, _, end = times.partition("-")
    return Daypart(name, _minute(start), _minute(end), frozenset(range(7)))


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _weekdays(text: str) -> frozenset[int]:
    days: set[int] = set()
    for some in text.split("+"):
        first, _, last = some.partition("-")
        start = WEEKDAYS.index(first)
        days.update(range(start, WEEKDAYS.index(last or first) + 1))
    return frozenset(days)


def weekday(day: int) -> int:
    """The weekday of a local day; 0 is Monday (1970-01-01 was a Thursday)."""
    return (day + 3) % 7


def local(zone: Zone, quarter: int) -> tuple[int, int]:
    """The local day and the minute of the day at the start of a UTC quarter hour."""
    instant = min(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=15) * quarter, LAST_OFFSET)
    offset = instant.astimezone(rules_of(zone)).utcoffset()
    assert offset is not None
    local_ms = quarter * QUARTER_MS + round(offset.total_seconds()) * 1000
    return local_ms // DAY_MS, local_ms % DAY_MS // MINUTE_MS


@lru_cache(maxsize=100_000)
def end_of_day_ms(zone: Zone, day: int) -> int:
    """When the first UTC quarter hour begins whose local date is later than `day`, in milliseconds since 1970."""
    quarter = (day + 1) * QUARTERS_A_DAY - 16 * 4  # no zone is ahead of UTC by more
    while local(zone, quarter)[0] <= day:
        quarter += 1
    return quarter * QUARTER_MS
