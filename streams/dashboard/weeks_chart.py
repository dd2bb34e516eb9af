"""Titles by the weeks since their release: one against its opening, or several on one scale.

Owns the charts' data; `static/chart.js` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.dashboard.chart import Chart, Level, series, told, unit_of
from streams.dashboard.figure import metric_words, rate
from streams.reader import Profile

_WATCHED = "watched_s"
_ACROSS = "weeks since the release"
_EMPTY = 13
"""How many empty weeks a title may begin with."""

_FEW, _MONTH = 26, 4


def weeks_chart(profile: Profile) -> Chart | None:
    """The watched time of each week since the release, against the first 72 hours; None without weeks."""
    watched = {week.number: week.watched_s for week in profile.weeks}
    first = _first([number for number, value in watched.items() if value])
    if not first:
        return None
    opening = profile.age("opening")
    level_s = opening.watched_s if opening is not None else 0.0
    numbers = range(first, max(watched) + 1)
    values = [watched.get(number, 0.0) for number in numbers]
    unit, so_far = unit_of(_WATCHED, [*values, level_s]), numbers[-1] > profile.complete_weeks
    drawn = series("watched", _WATCHED, values, unit)
    if level_s:
        said = zip(drawn.says, values, strict=True)
        says = tuple(f"{words}, {rate(value / level_s).text} of the opening" for words, value in said)
        drawn = type(drawn)(drawn.name, drawn.values, says)
    return Chart(
        title="Watched time of each week since the release",
        form="bars",
        unit=unit.name,
        across=_ACROSS,
        places=_places(numbers, so_far),
        ticks=_ticks(numbers),
        series=(drawn,),
        so_far=so_far,
        level=Level("opening", round(level_s / unit.size, 3), told(_WATCHED, level_s)) if level_s else None,
        left_out=f"The chart begins with {_left_out(first)}" if first > 1 else "",
    )


def weeks_compared(profiles: Sequence[Profile], names: Mapping[str, str], measure: str) -> Chart | None:
    """A measure of each title by its own weeks, side by side from the first one of each.

    A week that goes on would look like a fall, and is left out.
    """
    found = [
        {week.number: getattr(week, measure) for week in profile.weeks if week.number <= profile.complete_weeks}
        for profile in profiles
    ]
    firsts = [_first([number for number, value in weeks.items() if value]) for weeks in found]
    if not any(firsts):
        return None
    rows = [
        [weeks.get(number, 0) for number in range(first, profile.complete_weeks + 1)] if first else []
        for first, weeks, profile in zip(firsts, found, profiles, strict=True)
    ]
    numbers = range(1, max(map(len, rows)) + 1)
    unit = unit_of(measure, (value for row in rows for value in row))
    called = [names[profile.title_id] for profile in profiles]
    return Chart(
        title=f"{metric_words(measure).capitalize()} of each week since the release",
        form="lines",
        unit=unit.name,
        across=_ACROSS,
        places=_places(numbers),
        ticks=_ticks(numbers),
        series=tuple(
            series(name, measure, [*row, *[None] * (len(numbers) - len(row))], unit)
            for name, row in zip(called, rows, strict=True)
        ),
        left_out=" ".join(
            f"{name} begins with its {_left_out(first)}"
            for name, first in zip(called, firsts, strict=True)
            if first > 1
        ),
    )


def _first(numbers: Sequence[int]) -> int:
    """The week that a chart begins with, of those in which there was something; 0 where there was nothing.

    It is the first week, though nothing was watched in it; of a title that was old when it was first seen, a later one.
    """
    first = min(numbers, default=0)
    return 1 if 0 < first <= _EMPTY else first


def _places(numbers: range, so_far: bool = False) -> tuple[str, ...]:
    return tuple(f"week {number}{', so far' if so_far and number == numbers[-1] else ''}" for number in numbers)


def _ticks(numbers: range) -> tuple[tuple[float, str], ...]:
    each = 1 if len(numbers) <= _FEW else _MONTH
    return tuple((place, str(number)) for place, number in enumerate(numbers) if not place or number % each == 0)


def _left_out(first: int) -> str:
    return f"week {first}: nothing is known of those before."
