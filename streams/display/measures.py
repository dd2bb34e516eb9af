"""Which measures compare titles, in which order, and their labels.

Owns rows and sections, for the terminal and the dashboard alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from models.hash_fields import RATIO, SECONDS, WHOLE
from models.rules import DAY_MS
from models.windows import AGES, HOURS_A_DAY, HOURS_A_WEEK, audience_week, audience_week_name
from streams.display import numbers
from streams.display.curve_shape import condensed, most_replayed, position, steepest_fall
from streams.reader import AudienceWeek, Daypart, Profile, Week

_WEEKS = 14
KINDS = {field.name: field.kind for field in WHOLE}
"""What each of a title's fields is: a count, seconds, a ratio, …"""

AGE_WORDS = {
    name: f"first {hours // HOURS_A_DAY} days" if hours >= HOURS_A_WEEK else f"first {hours} hours"
    for name, hours in AGES.items()
}
"""What readers are told of each window by a title's age."""

Value = Any


class Measure(NamedTuple):
    """A measure: its name, its value for a title (None: none), and how that is written."""

    name: str
    value: Callable[[Profile], Value]
    words: Callable[[Value], str]


class Section(NamedTuple):
    """Rows under a heading."""

    name: str
    rows: Sequence[Measure]


def shown(metric: str, value: float | None) -> str:
    """The value of a title's field in words."""
    if metric == "views":
        return numbers.count(value)
    if KINDS[metric] == RATIO:
        return numbers.rate(value)
    return numbers.viewing(value) if KINDS[metric] == SECONDS else numbers.count(value)


def largest_of(values: Sequence[Value]) -> float | None:
    """The value that stands out in a row: the largest, if there are several and they differ."""
    known = [value for value in values if isinstance(value, int | float)]
    return max(known) if len(values) > 1 and len(set(known)) > 1 else None


def watched_by_week(weeks: Sequence[Week], complete: int) -> list[float]:
    """The watched time of each complete week, from the first one on. A week that has just begun would look like a
    fall."""
    watched = {week.number: week.watched_s for week in weeks}
    return [watched.get(number, 0.0) for number in range(1, complete + 1)]


def starters_by(weeks: Sequence[Week], last: int) -> int | None:
    """The households that became starters from the release to the end of a week; None without weeks, or before one."""
    return sum(week.starters for week in weeks if week.number <= last) if weeks and last > 0 else None


def newest_week(profiles: Sequence[Profile]) -> int:
    """The number of the audience week that contains the titles' stream time."""
    as_of_ms = max((profile.title.as_of_ms for profile in profiles if profile.title is not None), default=0)
    return audience_week(as_of_ms // DAY_MS)


def audience_by_week(audience: Sequence[AudienceWeek], newest: int) -> list[AudienceWeek]:
    """The weeks from the first one reached to the newest, without a gap. Missing weeks reached nobody.

    One that is newer still comes from a partition that is ahead.
    """
    if not audience:
        return []
    found = {audience_week((week.monday - date(1970, 1, 1)).days): week for week in audience}
    first = audience[0]
    nobody = msgspec.structs.replace(first, reached=0, new=0, returning=0, resurrected=0)
    return [
        found.get(number) or msgspec.structs.replace(nobody, name=audience_week_name(number))
        for number in range(min(found), max(*found, newest) + 1)
    ]


def sections(profiles: Sequence[Profile], lengths_ms: Mapping[str, int]) -> list[Section]:
    """The sections with values for these titles. `lengths_ms`: the known content lengths, by title id."""
    last_week = audience_week_name(newest_week(profiles) - 1)
    found = [profile.dayparts.dayparts for profile in profiles if profile.dayparts is not None]
    dayparts = list(dict.fromkeys(part.name for parts in found for part in parts))
    found_sections = [
        Section(f"opening: {AGE_WORDS['opening']}", _OPENING),
        Section("all time: households", _HOUSEHOLDS),
        Section("all time: again and again", _AGAIN),
        Section(f"audience of {last_week}", _audience(last_week) if any(of.audience for of in profiles) else ()),
        Section("which parts are played", _parts(lengths_ms) if any(of.curve for of in profiles) else ()),
        Section("share of watched time", [_share(name) for name in dayparts]),
        Section("habit: 5 days in a row", [_streaks(name) for name in dayparts]),
        Section("staying power", _STAYING),
    ]
    return [section for section in found_sections if section.rows]


def _title(field: str) -> Callable[[Profile], Value]:
    return lambda profile: getattr(profile.title, field, None)


def _opening(field: str) -> Callable[[Profile], Value]:
    return lambda profile: getattr(profile.age("opening"), field, None)


def _legs(field: str) -> Callable[[Profile], Value]:
    return lambda profile: getattr(profile.legs, field, None)


def _opening_rate(profile: Profile) -> float | None:
    opening = profile.age("opening")
    return opening.completers / opening.starters if opening is not None and opening.starters else None


def _rewatch_share(profile: Profile) -> float | None:
    title = profile.title
    return title.rewatches / title.completions if title is not None and title.completions else None


def _fans(profile: Profile) -> int | None:
    title = profile.title
    return title.rewatch_hist_5_9 + title.rewatch_hist_10_plus if title is not None else None


def _daypart(profile: Profile, name: str) -> Daypart | None:
    parts = profile.dayparts.dayparts if profile.dayparts is not None else ()
    return next((part for part in parts if part.name == name), None)


def _share(name: str) -> Measure:
    def share(profile: Profile) -> float | None:
        part, parts = _daypart(profile, name), profile.dayparts.dayparts if profile.dayparts is not None else ()
        whole = sum(one.watched_s for one in parts)
        return part.watched_s / whole if part is not None and whole else None

    return Measure(name.replace("_", " "), share, numbers.rate)


def _streaks(name: str) -> Measure:
    return Measure(
        name.replace("_", " "), lambda profile: getattr(_daypart(profile, name), "streak_5", None), numbers.count
    )


def _audience(name: str) -> list[Measure]:
    def households(field: str) -> Callable[[Profile], Value]:
        def of_week(profile: Profile) -> int | None:
            week = next((week for week in profile.audience if week.name == name), None)
            return getattr(week, field) if week is not None else 0 if profile.audience else None

        return of_week

    fields = ("reached", "new", "returning", "resurrected")
    return [*(Measure(field, households(field), numbers.count) for field in fields), _REACHED]


def _reached(profile: Profile) -> str:
    weeks = audience_by_week(profile.audience, newest_week([profile]))
    return numbers.sparkline([week.reached for week in weeks[:-1]][-_WEEKS:]) or numbers.NONE


def _parts(lengths_ms: Mapping[str, int]) -> list[Measure]:
    def values(profile: Profile) -> Sequence[float]:
        return profile.curve.values if profile.curve is not None else ()

    def where(profile: Profile, place: int) -> str:
        return position(place, len(values(profile)), lengths_ms.get(profile.title_id, 0))

    def fall(profile: Profile) -> str:
        found = steepest_fall(values(profile))
        return numbers.NONE if found is None else f"{where(profile, found.place)} −{found.lost:.0%}"

    def peak(profile: Profile) -> str:
        found = most_replayed(values(profile))
        return numbers.NONE if found is None else f"{where(profile, found.place)} {found.times:.1f}×"

    def curve(profile: Profile) -> str:
        return numbers.sparkline(condensed(values(profile), _WEEKS)) or numbers.NONE

    return [
        Measure("from beginning to end", curve, str),
        Measure("steepest fall", fall, str),
        Measure("most replayed", peak, str),
    ]


def _weeks(profile: Profile) -> str:
    return numbers.sparkline(watched_by_week(profile.weeks, profile.complete_weeks)[-_WEEKS:]) or numbers.NONE


def _yes_or_no(value: bool | None) -> str:
    return numbers.NONE if value is None else "yes" if value else "no"


_OPENING = (
    Measure("watched", _opening("watched_s"), numbers.viewing),
    Measure("starters", _opening("starters"), numbers.count),
    Measure("completers", _opening("completers"), numbers.count),
    Measure("completion rate", _opening_rate, numbers.rate),
)
_HOUSEHOLDS = (
    Measure("starters", _title("starters"), numbers.count),
    Measure("completers", _title("completers"), numbers.count),
    Measure("completion rate", _title("completion_rate"), numbers.rate),
    Measure("skimmers", _title("skimmers"), numbers.count),
)
_AGAIN = (
    Measure("completions", _title("completions"), numbers.count),
    Measure("rewatches ÷ completions", _rewatch_share, numbers.rate),
    Measure("repeat rate", _title("repeat_rate"), numbers.rate),
    Measure("return rate, 7 days", _title("return_rate_7d"), numbers.rate),
    Measure("profile rewatches", _title("profile_rewatches"), numbers.count),
    Measure("5 completions or more", _fans, numbers.count),
    Measure("autoplay completions", _title("autoplay_completions"), numbers.count),
    Measure("kids' completions", _title("kids_completions"), numbers.count),
)
_REACHED = Measure("reached, week by week", _reached, str)
_STAYING = (
    Measure("complete weeks", _legs("week"), numbers.count),
    Measure("week by week", _weeks, str),
    Measure("hold, last week", _legs("hold"), numbers.rate),
    Measure("hold, mean of 4 weeks", _legs("hold_4w"), numbers.rate),
    Measure("28 days ÷ opening", _legs("multiple"), numbers.factor),
    Measure("half-life", _legs("half_life_days"), numbers.days),
    Measure("unstoppable", _legs("unstoppable"), _yes_or_no),
)
