"""The page of a title: everything about it, as plain values for JSON, section by section.

A section that is being rebuilt is marked so, and its numbers are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from models.legs import LEAST_COMPLETION_PERCENT, LEAST_HOLD_PERCENT, LEAST_REWATCH_PERCENT, LEAST_STARTERS
from streams.dashboard.audience_chart import audience_chart
from streams.dashboard.board_page import CHOICES, Choice
from streams.dashboard.chart import Chart
from streams.dashboard.curve_chart import curve_chart
from streams.dashboard.days_chart import ShownDays, days_chart, hours_chart
from streams.dashboard.figure import Figure, Named, State, count, days, factor, moment, rate, viewing
from streams.dashboard.totals import again, all_time, funnel, headline, histogram
from streams.dashboard.weeks_chart import weeks_chart
from streams.display.measures import AGE_WORDS, starters_by
from streams.reader import Age, Day, Dayparts, Hour, Legs, Profile, Week

_LEAST = {
    "hold_4w": LEAST_HOLD_PERCENT,
    "rewatch_share": LEAST_REWATCH_PERCENT,
    "completion_rate": LEAST_COMPLETION_PERCENT,
}


DAY_CHOICES = tuple(choice for choice in CHOICES if choice.of_days)
"""The measures that are counted by the day, and by the week."""


class Heat(msgspec.Struct, frozen=True):
    """A table. The larger a cell's share, the darker it is."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Figure, ...]], ...]


class Criterion(msgspec.Struct, frozen=True):
    """A measure of legs, now and a week before. `asked`: what `unstoppable` requires; `is_met`: on both dates."""

    name: str
    now: Figure
    before: Figure
    asked: str = ""
    is_met: bool | None = None


class LegsShown(msgspec.Struct, frozen=True):
    """How a title holds its audience, as of its last complete week."""

    week: int
    unstoppable: bool
    figures: tuple[Named, ...]
    criteria: tuple[Criterion, ...]


class ByDay(msgspec.Struct, frozen=True):
    """A measure day by day, and what else may be asked for. `chart` None: nothing was counted in these days."""

    measure: str
    choices: tuple[Choice, ...]
    first: str
    last: str
    chart: Chart | None


class DaysRead(NamedTuple):
    """A title's days as they were asked for."""

    measure: str
    days: ShownDays
    found: Sequence[Day]


class TitlePage(msgspec.Struct, frozen=True):
    """A title. Missing sections are None or empty; `rebuilding` names those that are being rebuilt."""

    title_id: str
    name: str
    state: State
    franchise_id: str = ""
    as_of: str = ""
    rebuilding: tuple[str, ...] = ()
    headline: tuple[Named, ...] = ()
    totals: tuple[Named, ...] = ()
    funnel: tuple[Named, ...] = ()
    histogram: tuple[Named, ...] = ()
    hours: Chart | None = None
    weeks: Chart | None = None
    ages: tuple[tuple[str, tuple[Figure, ...]], ...] = ()
    dayparts: Heat | None = None
    streaks: Heat | None = None
    legs: LegsShown | None = None
    again: tuple[Named, ...] = ()
    audience: Chart | None = None
    curve: Chart | None = None
    by_day: ByDay | None = None


def title_page(
    profile: Profile,
    hours: Sequence[Hour],
    by_day: DaysRead | None,
    names: Mapping[str, str],
    lengths_ms: Mapping[str, int],
) -> TitlePage:
    """The page of a title. `lengths_ms`: the known content lengths, by title id."""
    name = names.get(profile.title_id, profile.title_id)
    title = profile.title
    if title is None:
        return TitlePage(profile.title_id, name, "unknown")
    if not title.complete:
        return TitlePage(profile.title_id, name, "rebuilding", as_of=moment(title.as_of_ms))
    believed, rebuilding = complete_parts(profile)
    if not all(hour.complete for hour in hours):
        hours, rebuilding = (), (*rebuilding, "hours")
    if by_day is not None and not all(day.complete for day in by_day.found):
        by_day, rebuilding = None, (*rebuilding, "by_day")
    return TitlePage(
        title_id=profile.title_id,
        name=name,
        state="shown",
        franchise_id=title.franchise_id or "",
        as_of=moment(title.as_of_ms),
        rebuilding=rebuilding,
        headline=headline(title),
        totals=all_time(title),
        funnel=funnel(title),
        histogram=histogram(title),
        hours=hours_chart(hours, title.as_of_ms) if "hours" not in rebuilding else None,
        weeks=weeks_chart(believed),
        ages=tuple((AGE_WORDS[age.name], _window(age)) for age in believed.ages),
        dayparts=_dayparts(believed.dayparts),
        streaks=_streaks(believed.dayparts),
        legs=_legs(believed.legs, believed.weeks),
        again=again(title),
        audience=audience_chart(believed),
        curve=curve_chart(believed.curve, lengths_ms.get(profile.title_id, 0)),
        by_day=_by_day(by_day, profile.title_id, name, title.as_of_ms),
    )


def complete_parts(profile: Profile) -> tuple[Profile, tuple[str, ...]]:
    """The profile without the sections that are being rebuilt, and the names of those."""
    parts: dict[str, bool] = {
        "ages": all(age.complete for age in profile.ages),
        "weeks": all(week.complete for week in profile.weeks),
        "dayparts": profile.dayparts is None or profile.dayparts.complete,
        "legs": profile.legs is None or profile.legs.complete,
        "audience": all(week.complete for week in profile.audience),
        "curve": profile.curve is None or profile.curve.complete,
    }
    gone = tuple(name for name, is_complete in parts.items() if not is_complete)
    without = {name: () if name in ("ages", "weeks", "audience") else None for name in gone}
    return msgspec.structs.replace(profile, **without), gone


def _by_day(read: DaysRead | None, title_id: str, name: str, as_of_ms: int) -> ByDay | None:
    if read is None:
        return None
    return ByDay(
        measure=read.measure,
        choices=DAY_CHOICES,
        first=read.days.first.isoformat(),
        last=read.days.last.isoformat(),
        chart=days_chart({title_id: read.found}, {title_id: name}, read.measure, read.days, as_of_ms, "bars"),
    )


def _window(window: Age | Week) -> tuple[Figure, ...]:
    counts = (window.starters, window.completers, window.completions, window.rewatches)
    return (viewing(window.watched_s), *map(count, counts))


def _dayparts(found: Dayparts | None) -> Heat | None:
    if found is None:
        return None
    watched = sum(part.watched_s for part in found.dayparts)
    completions = sum(part.completions for part in found.dayparts)
    rows = tuple(
        (
            part.name.replace("_", " "),
            (_part(viewing(part.watched_s, watched)), _part(count(part.completions, completions))),
        )
        for part in found.dayparts
    )
    return Heat(("watched", "completions"), rows)


def _part(value: Figure) -> Figure:
    """A part of a whole: shown as its share, with the exact number on hover."""
    return Figure(rate(value.share).text, f"{value.text} ({value.exact})" if value.exact else value.text, value.share)


def _streaks(found: Dayparts | None) -> Heat | None:
    if found is None:
        return None
    fields = ("streak_3", "streak_5", "streak_10")
    largest = max((getattr(part, field) for part in found.dayparts for field in fields), default=0)
    rows = tuple(
        (part.name.replace("_", " "), tuple(count(getattr(part, field), largest) for field in fields))
        for part in found.dayparts
    )
    return Heat(("3 days", "5 days", "10 days"), rows)


def _legs(legs: Legs | None, weeks: Sequence[Week]) -> LegsShown | None:
    if legs is None:
        return None
    shown = (
        Named("hold", rate(legs.hold), f"week {legs.week} ÷ the week before"),
        Named("multiple", factor(legs.multiple), "28 days ÷ opening"),
        Named("half-life", days(legs.half_life_days), "until half as much is watched a week"),
    )
    criteria = (
        _test("hold, mean of 4 weeks", "hold_4w", legs),
        _test("rewatches ÷ completions", "rewatch_share", legs),
        _test("completers ÷ starters", "completion_rate", legs),
        _starters(legs.week, weeks),
    )
    return LegsShown(legs.week, legs.unstoppable, shown, criteria)


def _test(name: str, field: str, legs: Legs) -> Criterion:
    now, before = getattr(legs, field), getattr(legs, f"{field}_before")
    least = _LEAST[field] / 100
    is_met = all(value is not None and value >= least for value in (now, before))
    return Criterion(name, rate(now), rate(before), f"at least {_LEAST[field]} %, two weeks running", is_met)


def _starters(week: int, weeks: Sequence[Week]) -> Criterion:
    now, before = starters_by(weeks, week), starters_by(weeks, week - 1)
    is_met = all(value is not None and value >= LEAST_STARTERS for value in (now, before))
    return Criterion("starters", count(now), count(before), f"at least {LEAST_STARTERS}, two weeks running", is_met)
