"""The households that titles reached, by the UTC week: one title's by what they were before, or several titles'.

Owns the charts' data; `static/chart.js` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from models.windows import DAYS_A_WEEK, audience_week_name
from streams.dashboard.chart import HOUSEHOLDS, Chart, ChartSeries
from streams.display.measures import audience_by_week, newest_week
from streams.reader import AudienceWeek, Profile

_CLASSES = ("returning", "resurrected", "new")
"""The parts of a bar, from bottom to top."""

_FEW = 26
_ACROSS = "UTC weeks, from Monday"


def audience_chart(profile: Profile) -> Chart | None:
    """The households reached in each week, by class; None: nobody was reached."""
    newest = newest_week([profile])
    weeks = audience_by_week(profile.audience, newest)
    if not weeks:
        return None
    mondays, so_far = [week.monday for week in weeks], weeks[-1].name >= audience_week_name(newest)
    return Chart(
        title="Households reached in each week",
        form="stack",
        unit=HOUSEHOLDS,
        across=_ACROSS,
        places=_places(mondays, so_far, [f": {week.reached:,} reached" for week in weeks]),
        ticks=_ticks(mondays),
        series=tuple(_series(name, [getattr(week, name) for week in weeks]) for name in _CLASSES),
        so_far=so_far,
    )


def audience_compared(profiles: Sequence[Profile], names: Mapping[str, str]) -> Chart | None:
    """The households that each title reached in each complete week, from the first one on that any did."""
    newest = newest_week(profiles)
    goes_on = audience_week_name(newest)
    found = [
        {week.monday: week for week in audience_by_week(profile.audience, newest) if week.name < goes_on}
        for profile in profiles
    ]
    some = [monday for weeks in found for monday in weeks]
    if not some:
        return None
    mondays = [min(some) + timedelta(days=day) for day in range(0, (max(some) - min(some)).days + 1, DAYS_A_WEEK)]
    return Chart(
        title="Households reached in each week",
        form="lines",
        unit=HOUSEHOLDS,
        across=_ACROSS,
        places=_places(mondays, False),
        ticks=_ticks(mondays),
        series=tuple(
            _series(names[profile.title_id], [_reached(weeks.get(monday)) for monday in mondays])
            for profile, weeks in zip(profiles, found, strict=True)
        ),
    )


def _reached(week: AudienceWeek | None) -> int | None:
    return None if week is None else week.reached


def _series(name: str, values: Sequence[int | None]) -> ChartSeries:
    return ChartSeries(name, tuple(values), tuple("" if value is None else f"{value:,}" for value in values))


def _places(mondays: Sequence[date], so_far: bool, further: Sequence[str] = ()) -> tuple[str, ...]:
    ends = [", so far" if so_far and monday == mondays[-1] else "" for monday in mondays]
    said = further or [""] * len(mondays)
    return tuple(f"week from {monday}{end}{more}" for monday, end, more in zip(mondays, ends, said, strict=True))


def _ticks(mondays: Sequence[date]) -> tuple[tuple[float, str], ...]:
    """The Mondays of few weeks; of many the months, each at its first Monday."""
    if len(mondays) <= _FEW:
        return tuple((place, f"{monday:%b} {monday.day}") for place, monday in enumerate(mondays))
    return tuple((place, f"{monday:%b}") for place, monday in enumerate(mondays) if monday.day <= DAYS_A_WEEK)
