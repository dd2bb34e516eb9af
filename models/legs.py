"""Legs: how a title holds its audience, week by week since its release (the design, section 1: hold … unstoppable).

Owns what is computed from the totals of a title's complete weeks. Weeks are numbered from 1. A week is complete once
the stream time of all partitions has passed its end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from models.counters import Counters
from models.rules import DAY_MS
from models.windows import AGES, LAST_WEEK

WEEK_DAYS = 7
WEEK_MS = WEEK_DAYS * DAY_MS
OPENING, FOUR_WEEKS = (list(AGES).index(name) for name in ("opening", "28d"))
"""The places in `models.windows.AGES` of the windows that legs are computed from, besides weeks."""

_SLOPE_WEEKS = 6
_HOLD_WEEKS = 4
LEAST_HOLD_PERCENT, LEAST_REWATCH_PERCENT, LEAST_COMPLETION_PERCENT = 85, 30, 60
LEAST_STARTERS = 20
_LEAST_HOLD = (LEAST_HOLD_PERCENT**4, 100**4)
_STARTERS, _COMPLETERS, _COMPLETIONS, _REWATCHES, _WATCHED = (
    Counters.__struct_fields__.index(name)
    for name in ("starters", "completers", "completions", "rewatches", "watched_ms")
)

Totals = Sequence[int]
"""The counters of a window, over all partitions; empty where there is no such window."""


class Legs(NamedTuple):
    """A title's legs at the end of `week`, its last complete one. `…_before`: a week earlier. None: not defined."""

    week: int
    week_watched_ms: int
    week_before_watched_ms: int | None
    hold: float | None
    opening_watched_ms: int
    d28_watched_ms: int | None
    multiple: float | None
    half_life_days: float | None
    hold_4w: float | None
    hold_4w_before: float | None
    rewatch_share: float | None
    rewatch_share_before: float | None
    completion_rate: float | None
    completion_rate_before: float | None
    unstoppable: bool


def complete_weeks(release_ms: int | None, as_of_ms: int) -> int:
    """How many weeks of a title are complete at a time, at most 104; 0 without a release."""
    return 0 if release_ms is None else max(0, min(LAST_WEEK, (as_of_ms - release_ms) // WEEK_MS))


def next_week_end(release_ms: int | None, as_of_ms: int) -> int | None:
    """When the next week of a title will be complete, in milliseconds since 1970; None: never."""
    if release_ms is None:
        return None
    week = max(1, (as_of_ms - release_ms) // WEEK_MS + 1)
    return release_ms + week * WEEK_MS if week <= LAST_WEEK else None


def is_week_used(number: int, week: int) -> bool:
    """Whether the legs at the end of `week` depend on the window of week `number`."""
    return number <= week


def is_age_used(place: int, week: int) -> bool:
    """Whether the legs at the end of `week` depend on the window at `place` in `models.windows.AGES`."""
    return (place == OPENING and week > 0) or (place == FOUR_WEEKS and week >= _HOLD_WEEKS)


def legs(week: int, weeks: Mapping[int, Totals], opening: Totals, four_weeks: Totals) -> Legs:
    """The legs at the end of `week` (1 or more), from the totals of the weeks up to it and of two windows by age."""
    # By the week's number; the 0 in front stands for the time before the first week.
    watched = [0, *(_counter(weeks.get(n), _WATCHED) for n in range(1, week + 1))]
    starters, completers, completions, rewatches = (
        list(accumulate((_counter(weeks.get(n), place) for n in range(1, week + 1)), initial=0))
        for place in (_STARTERS, _COMPLETERS, _COMPLETIONS, _REWATCHES)
    )
    opening_ms = _counter(opening, _WATCHED)
    d28_ms = _counter(four_weeks, _WATCHED) if week >= _HOLD_WEEKS else None

    def qualifies(at: int) -> bool:
        return (
            _holds(watched, at)
            and _is_share(rewatches[at], completions[at], LEAST_REWATCH_PERCENT)
            and starters[at] >= LEAST_STARTERS
            and _is_share(completers[at], starters[at], LEAST_COMPLETION_PERCENT)
        )

    return Legs(
        week=week,
        week_watched_ms=watched[week],
        week_before_watched_ms=watched[week - 1] if week > 1 else None,
        hold=_ratio(watched[week], watched[week - 1]),
        opening_watched_ms=opening_ms,
        d28_watched_ms=d28_ms,
        multiple=None if d28_ms is None else _ratio(d28_ms, opening_ms),
        half_life_days=_half_life_days(watched[-_SLOPE_WEEKS:]) if week >= _SLOPE_WEEKS else None,
        hold_4w=_hold_4w(watched, week),
        hold_4w_before=_hold_4w(watched, week - 1),
        rewatch_share=_ratio(rewatches[week], completions[week]),
        rewatch_share_before=_ratio(rewatches[week - 1], completions[week - 1]),
        completion_rate=_ratio(min(completers[week], starters[week]), starters[week]),
        completion_rate_before=_ratio(min(completers[week - 1], starters[week - 1]), starters[week - 1]),
        unstoppable=qualifies(week) and qualifies(week - 1),
    )


def _counter(totals: Totals | None, place: int) -> int:
    return totals[place] if totals else 0


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _is_share(part: int, whole: int, percent: int) -> bool:
    return whole > 0 and part * 100 >= whole * percent


def _hold_4w(watched: Sequence[int], week: int) -> float | None:
    """The geometric mean of four weeks' holds."""
    if week <= _HOLD_WEEKS or not watched[week - _HOLD_WEEKS]:
        return None
    return float((watched[week] / watched[week - _HOLD_WEEKS]) ** (1 / _HOLD_WEEKS))


def _holds(watched: Sequence[int], week: int) -> bool:
    """Whether that mean is large enough, from the fifth week on. In integers, so that equality is exact."""
    if week <= _HOLD_WEEKS or not watched[week - _HOLD_WEEKS]:
        return False
    least, whole = _LEAST_HOLD
    return watched[week] * whole >= watched[week - _HOLD_WEEKS] * least


def _half_life_days(watched: Sequence[int]) -> float | None:
    """In how many days the weekly watched time halves, by the slope of its logarithm over six weeks.

    None if it does not fall, or if one of the weeks has none.
    """
    one, two, three, four, five, six = watched
    # Least squares over equal steps depends only on the differences of opposite weeks: 6 and 1, 5 and 2, 4 and 3.
    falls = six**5 * five**3 * four < one**5 * two**3 * three
    if not all(watched) or not falls:
        return None
    slope = (5 * _log(six, one) + 3 * _log(five, two) + _log(four, three)) / 35
    return WEEK_DAYS * math.log(2) / -slope if slope < 0 else None


def _log(part: int, whole: int) -> float:
    """The logarithm of a ratio, also accurate if it is nearly 1."""
    return math.log1p((part - whole) / whole)
