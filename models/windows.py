"""The windows that counters are kept in: UTC hours and days, and spans of a title's age.

Owns their bounds, numbers and names, and how long one is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from models.rules import DAY_MS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOURS_A_DAY: Final = 24
DAYS_A_WEEK: Final = 7
HOURS_A_WEEK: Final = DAYS_A_WEEK * HOURS_A_DAY
_DAYS_FROM_MONDAY: Final = 3
"""The first day of 1970 was a Thursday."""

AGES: Final = {"opening": 72, "7d": HOURS_A_WEEK, "28d": 4 * HOURS_A_WEEK, "91d": 13 * HOURS_A_WEEK}
"""Windows from a title's release on, by name: their lengths in hours."""

LAST_WEEK: Final = 104
"""Weeks since the release are numbered from 1 to this."""

_LENGTHS: Final = tuple(AGES.values())


class Retention(NamedTuple):
    """How long windows are kept, in milliseconds from their start; those by age, from the title's release."""

    hour_ms: int = 8 * DAY_MS
    day_ms: int = 400 * DAY_MS
    age_ms: int = 1_100 * DAY_MS


KEPT_FOR: Final = Retention()


def hour_name(hour: int) -> str:
    """`YYYYMMDDTHH` of an hour's number."""
    return (_EPOCH + timedelta(hours=hour)).strftime("%Y%m%dT%H")


def day_name(day: int) -> str:
    """`YYYYMMDD` of a day's number."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")


def audience_week(day: int) -> int:
    """The number of the week, Monday to Monday, of a day's number; 0 is the one of 1970-01-01."""
    return (day + _DAYS_FROM_MONDAY) // DAYS_A_WEEK


def audience_week_name(week: int) -> str:
    """`YYYYWww` of such a week's number, by ISO 8601: the year is that of the week's Thursday."""
    year, number, _ = (_EPOCH + timedelta(days=DAYS_A_WEEK * week)).isocalendar()
    return f"{year:04}W{number:02}"


def first_day(week: int) -> int:
    """The number of the day that such a week begins on."""
    return week * DAYS_A_WEEK - _DAYS_FROM_MONDAY


def ages_at(age_hours: int) -> tuple[list[int], int | None]:
    """The places in `AGES` of the windows that an age in whole hours lies in, and its week's number, if any.

    All windows are as long as whole hours, so those since the release tell all. Negative: before the release, none.
    """
    if age_hours < 0:
        return [], None
    week = age_hours // HOURS_A_WEEK + 1
    places = [place for place, hours in enumerate(_LENGTHS) if age_hours < hours]
    return places, week if week <= LAST_WEEK else None
