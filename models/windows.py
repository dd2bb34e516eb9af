"""The windows that counters are kept in: UTC hours and days, and spans of a title's age.

Owns the kinds of windows, each declared once in `KINDS`: the bounds and names of its windows, and how long they are
kept. Titles, the state, keys, retention and readers follow from that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from models.rules import DAY_MS, HOUR_MS

HOUR: Final = "h"
DAY: Final = "d"
AGE: Final = "a"
WEEK: Final = "w"
AUDIENCE: Final = "u"
"""The letters of the kinds in `KINDS`, for modules that treat one of them differently."""

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
    """How long windows are kept, in milliseconds from their start; windows by age, from the title's release."""

    hour_ms: int = 8 * DAY_MS
    day_ms: int = 400 * DAY_MS
    age_ms: int = 1_100 * DAY_MS


KEPT_FOR: Final = Retention()


def hour_name(hour: int) -> str:
    """An hour as `YYYYMMDDTHH`. Hours are numbered from 1970-01-01."""
    return (_EPOCH + timedelta(hours=hour)).strftime("%Y%m%dT%H")


def day_name(day: int) -> str:
    """A day as `YYYYMMDD`. Days are numbered from 1970-01-01."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")


def audience_week(day: int) -> int:
    """The number of the week, from Monday on, that a day lies in. Week 0 is that of 1970-01-01."""
    return (day + _DAYS_FROM_MONDAY) // DAYS_A_WEEK


def audience_week_name(week: int) -> str:
    """A week of `audience_week` as `YYYYWww`, by ISO 8601: the year is that of the week's Thursday."""
    year, number, _ = (_EPOCH + timedelta(days=DAYS_A_WEEK * week)).isocalendar()
    return f"{year:04}W{number:02}"


def first_day(week: int) -> int:
    """The number of the day on which a week of `audience_week` begins."""
    return week * DAYS_A_WEEK - _DAYS_FROM_MONDAY


def ages_at(age_hours: int) -> Sequence[int]:
    """The places in `AGES` of the windows that an age lies in.

    Every window is a whole number of hours long, so the age in whole hours decides.
    """
    return [place for place, hours in enumerate(_LENGTHS) if age_hours < hours]


def week_at(age_hours: int) -> Sequence[int]:
    """The number of the week that an age in whole hours lies in; empty if it is past the last week."""
    week = age_hours // HOURS_A_WEEK + 1
    return [week] if week <= LAST_WEEK else []


class OfHours(NamedTuple):
    """Windows by UTC. `number`: the window that an hour lies in; `first_hour`: the hour at which a window begins."""

    number: Callable[[int], int]
    first_hour: Callable[[int], int]


class OfAges(NamedTuple):
    """Windows by age. `numbers`: the windows that an age in whole hours, 0 or more, lies in; `all`: every window."""

    numbers: Callable[[int], Sequence[int]]
    all: range


class WindowKind(NamedTuple):
    """A kind of window.

    A key has the `word`, then what `name` makes of the window's number, in the form `named`. `holds` describes it for
    the docs. `kept_ms` picks its retention. `only_in_time`: events that come too late for their hour window do not
    count in it. `as_titles`: it holds a title's counters, and changes with the title; other kinds are changed by the
    module that counts them.
    """

    word: str
    named: str
    holds: str
    name: Callable[[int], str]
    bounds: OfHours | OfAges
    kept_ms: Callable[[Retention], int]
    only_in_time: bool = False
    as_titles: bool = True


KINDS: Final[dict[str, WindowKind]] = {
    DAY: WindowKind(
        word="day",
        named="<YYYYMMDD>",
        holds="a UTC day of a title",
        name=day_name,
        bounds=OfHours(lambda hour: hour // HOURS_A_DAY, lambda day: day * HOURS_A_DAY),
        kept_ms=lambda kept: kept.day_ms,
    ),
    HOUR: WindowKind(
        word="hour",
        named="<YYYYMMDDTHH>",
        holds="a UTC hour of a title",
        name=hour_name,
        bounds=OfHours(lambda hour: hour, lambda hour: hour),
        kept_ms=lambda kept: kept.hour_ms,
        only_in_time=True,
    ),
    AGE: WindowKind(
        word="age",
        named="<age>",
        holds="a title's first 72 hours (opening), 7, 28 or 91 days",
        name=list(AGES).__getitem__,
        bounds=OfAges(ages_at, range(len(AGES))),
        kept_ms=lambda kept: kept.age_ms,
    ),
    WEEK: WindowKind(
        word="week",
        named="<n>",
        holds="a week of a title, from its release on, 1 to 104",
        name=str,
        bounds=OfAges(week_at, range(1, LAST_WEEK + 1)),
        kept_ms=lambda kept: kept.age_ms,
    ),
    AUDIENCE: WindowKind(
        word="audience",
        named="<YYYY>W<ww>",
        holds="the households that a title reached in a UTC week",
        name=audience_week_name,
        bounds=OfHours(lambda hour: audience_week(hour // HOURS_A_DAY), lambda week: first_day(week) * HOURS_A_DAY),
        kept_ms=lambda kept: kept.day_ms,
        as_titles=False,
    ),
}
"""All kinds, by their letters in the state, which never change. Add a new one at the end: the state uses this order."""

_BY_HOUR: Final = [
    (letter, kind.bounds.number, kind.only_in_time)
    for letter, kind in KINDS.items()
    if kind.as_titles and isinstance(kind.bounds, OfHours)
]
_BY_AGE: Final = [
    (letter, kind.bounds.numbers)
    for letter, kind in KINDS.items()
    if kind.as_titles and isinstance(kind.bounds, OfAges)
]


def windows_at(hour: int, age_hours: int | None, in_time: bool) -> list[tuple[str, int]]:
    """The windows, by letter and number, that a title's changes in a UTC hour and at an age belong to.

    `age_hours`: None without a release. `in_time`: whether the changes came in time for the hour window.
    """
    found = [(letter, number(hour)) for letter, number, only_in_time in _BY_HOUR if in_time or not only_in_time]
    if age_hours is not None and age_hours >= 0:
        found += [(letter, each) for letter, numbers in _BY_AGE for each in numbers(age_hours)]
    return found


def kept_until_ms(letter: str, number: int, release_ms: int | None, retention: Retention) -> int | None:
    """Until when a window is kept; None if `letter` names no window, and for a window by age without a release."""
    kind = KINDS.get(letter)
    if kind is None:
        return None
    bounds = kind.bounds
    begins_ms = bounds.first_hour(number) * HOUR_MS if isinstance(bounds, OfHours) else release_ms
    return None if begins_ms is None else begins_ms + kind.kept_ms(retention)


def all_by_age() -> list[tuple[str, int]]:
    """All windows by age that a title may have: letter and number."""
    return [(letter, n) for letter, kind in KINDS.items() if isinstance(kind.bounds, OfAges) for n in kind.bounds.all]
