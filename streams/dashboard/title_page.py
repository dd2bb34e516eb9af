"""The page of a title: everything about it, as plain values for JSON, section by section.

A section that is being rebuilt is marked so, and its numbers are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from models.legs import LEAST_COMPLETION_PERCENT, LEAST_HOLD_PERCENT, LEAST_REWATCH_PERCENT, LEAST_STARTERS
from streams.dashboard.audience_chart import Stacks, audience_stacks
from streams.dashboard.curve_chart import Area, curve_area
from streams.dashboard.figure import Figure, Named, State, count, days, factor, moment, rate, share, viewing
from streams.display.measures import AGE_WORDS, starters_by
from streams.reader import Age, Dayparts, Hour, Legs, Profile, Title, Week

HOURS = 72
"""How many hours of completions are shown. The last one is still in progress."""

_STEPS = ("starters", "viewers", "watchers", "completers", "repeaters")
_MEANINGS = {
    "starters": "watched 2 minutes",
    "viewers": "watched 5 minutes",
    "watchers": "covered 70 % of it",
    "completers": "completed it",
    "repeaters": "completed it twice or more",
}
_LEAST = {
    "hold_4w": LEAST_HOLD_PERCENT,
    "rewatch_share": LEAST_REWATCH_PERCENT,
    "completion_rate": LEAST_COMPLETION_PERCENT,
}


class Bar(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bar of a chart: its height from 0 to 1, and its text. `so_far`: its time is not over."""

    share: float
    says: str
    tick: str = ""
    so_far: bool = False


class Chart(msgspec.Struct, frozen=True):
    """Bars from left to right. `top`: the largest value; `line`: a horizontal line's meaning and height."""

    bars: tuple[Bar, ...]
    top: str
    line: str = ""
    line_share: float = 0.0


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


class TitlePage(msgspec.Struct, frozen=True):
    """A title. Missing sections are None or empty; `rebuilding` names those that are being rebuilt."""

    title_id: str
    name: str
    state: State
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
    audience: Stacks | None = None
    curve: Area | None = None


def hours_span(as_of_ms: int) -> tuple[datetime, datetime]:
    """The first and the last hour to show for a title whose counters are as of this time."""
    as_of = datetime.fromtimestamp(max(as_of_ms / 1000, HOURS * 3_600), UTC)
    last = as_of.replace(minute=0, second=0, microsecond=0)
    return last - timedelta(hours=HOURS - 1), last


def title_page(
    profile: Profile, hours: Sequence[Hour], names: Mapping[str, str], lengths_ms: Mapping[str, int]
) -> TitlePage:
    """The page of a title. `lengths_ms`: the known content lengths, by title id."""
    name = names.get(profile.title_id, profile.title_id)
    title = profile.title
    if title is None:
        return TitlePage(profile.title_id, name, "unknown")
    if not title.complete:
        return TitlePage(profile.title_id, name, "rebuilding", moment(title.as_of_ms))
    believed, rebuilding = complete_parts(profile)
    if not all(hour.complete for hour in hours):
        hours, rebuilding = (), (*rebuilding, "hours")
    return TitlePage(
        title_id=profile.title_id,
        name=name,
        state="shown",
        as_of=moment(title.as_of_ms),
        rebuilding=rebuilding,
        headline=_headline(title),
        totals=_totals(title),
        funnel=funnel(title),
        histogram=_histogram(title),
        hours=_hours(hours, title.as_of_ms) if "hours" not in rebuilding else None,
        weeks=weeks_chart(believed),
        ages=tuple((AGE_WORDS[age.name], _window(age)) for age in believed.ages),
        dayparts=_dayparts(believed.dayparts),
        streaks=_streaks(believed.dayparts),
        legs=_legs(believed.legs, believed.weeks),
        again=_again(title),
        audience=audience_stacks(believed),
        curve=curve_area(believed.curve, lengths_ms.get(profile.title_id, 0)),
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


def _headline(title: Title) -> tuple[Named, ...]:
    return (
        Named("households reached", count(title.starters), "watched 2 minutes or more"),
        Named("completed it", count(title.completers), f"{rate(title.completion_rate).text} of those who started"),
        Named("completions", count(title.completions), f"{count(title.rewatches).text} of them rewatches"),
        Named(
            "completed it again", count(title.repeaters), f"{rate(title.repeat_rate).text} of those who completed it"
        ),
        Named("return rate", rate(title.return_rate_7d), "of completions: another within 7 days"),
    )


def _again(title: Title) -> tuple[Named, ...]:
    """What followed its completions, and how they were made: each as a part of all completions."""
    rows = (
        ("another within 1 day", title.returned_1d),
        ("another within 7 days", title.returned_7d),
        ("another within 28 days", title.returned_28d),
        ("by the same profile again", title.profile_rewatches),
        ("by autoplay", title.autoplay_completions),
    )
    whole = title.completions
    return tuple(
        Named(name, count(value, whole), f"{rate(value / whole).text} of them" if whole else "") for name, value in rows
    )


def _totals(title: Title) -> tuple[Named, ...]:
    return (
        Named("watching now", count(title.watching_now)),
        Named("plays", count(title.plays)),
        Named("watched", viewing(title.watched_s)),
        Named("views", count(title.views), "watched time ÷ runtime"),
        Named("skimmers", count(title.skimmers), "reached the end, covered less than half"),
        Named("kids' plays", count(title.kids_plays)),
        Named("kids' completions", count(title.kids_completions)),
        Named("kids' rewatches", count(title.kids_rewatches)),
        Named("kids' watched", viewing(title.kids_watched_s)),
    )


def funnel(title: Title) -> tuple[Named, ...]:
    """From starters to repeaters: each as a part of the largest, and beside that as a part of the step before."""
    values = [getattr(title, name) for name in _STEPS]
    largest = max(values)
    steps = []
    for name, value, before in zip(_STEPS, values, [0, *values], strict=False):
        of_those = f", {rate(value / before).text} of those before" if before else ""
        steps.append(Named(name, count(value, largest), _MEANINGS[name] + of_those))
    return tuple(steps)


def _histogram(title: Title) -> tuple[Named, ...]:
    largest = max(title.rewatch_histogram.values())
    return tuple(
        Named(f"{times.replace('-', '–')} ×", count(households, largest))
        for times, households in title.rewatch_histogram.items()
    )


def _hours(hours: Sequence[Hour], as_of_ms: int) -> Chart:
    found = {hour.start: hour for hour in hours}
    first, last = hours_span(as_of_ms)
    starts = [first + timedelta(hours=number) for number in range(HOURS)]
    largest = max((hour.completions for hour in hours), default=0)
    bars = []
    for start in starts:
        completions = found[start].completions if start in found else 0
        says = f"{start:%Y-%m-%d %H}:00 UTC: {completions:,}"
        tick = f"{start:%b} {start.day}" if start.hour == 0 else ""
        bars.append(Bar(share(completions, largest), says, tick, start == last))
    return Chart(tuple(bars), count(largest).text)


def weeks_chart(profile: Profile) -> Chart | None:
    """The watched time of each week since the release, against the first 72 hours; None without weeks."""
    if not profile.weeks:
        return None
    watched = {week.number: week.watched_s for week in profile.weeks}
    opening = profile.age("opening")
    level = opening.watched_s if opening is not None else 0.0
    largest = max(*watched.values(), level)
    bars = tuple(
        _week_bar(number, watched.get(number, 0.0), level, largest, number > profile.complete_weeks)
        for number in range(1, max(watched) + 1)
    )
    line = f"opening, {viewing(level).text}" if level else ""
    return Chart(bars, viewing(largest).text, line, share(level, largest))


def _week_bar(number: int, watched_s: float, opening_s: float, largest: float, so_far: bool) -> Bar:
    of_opening = f", {rate(watched_s / opening_s).text} of the opening" if opening_s else ""
    says = f"week {number}{', so far' if so_far else ''}: {viewing(watched_s).text}{of_opening}"
    return Bar(share(watched_s, largest), says, str(number) if number == 1 or number % 4 == 0 else "", so_far)


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
