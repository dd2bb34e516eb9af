"""Which measures tell the story of titles laid side by side, in which order, and their words.

Owns rows and sections for the terminal and the dashboard alike. It must not know how they are drawn, nor where counters
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from models.published import RATIO, SECONDS, WHOLE
from streams import figures
from streams.reader import Daypart, Profile, Week

_WEEKS = 14
KINDS = {field.name: field.kind for field in WHOLE}
"""What each of a title's fields is: a count, seconds, a ratio, …"""

Value = Any


class Row(NamedTuple):
    """A measure: its name, its value of a title (None: none), and how that is written."""

    name: str
    value: Callable[[Profile], Value]
    words: Callable[[Value], str]


class Section(NamedTuple):
    """Rows under a heading."""

    name: str
    rows: Sequence[Row]


def shown(metric: str, value: float | None) -> str:
    """The value of a title's field in words."""
    if metric == "views":
        return figures.count(value)
    if KINDS[metric] == RATIO:
        return figures.rate(value)
    return figures.viewing(value) if KINDS[metric] == SECONDS else figures.count(value)


def largest_of(values: Sequence[Value]) -> float | None:
    """The value that stands out in a row: the largest, where there are several and they differ."""
    known = [value for value in values if isinstance(value, int | float)]
    return max(known) if len(values) > 1 and len(set(known)) > 1 else None


def watched_by_week(weeks: Sequence[Week], complete: int) -> list[float]:
    """The watched time of each complete week, from the first one on: one that has only just begun looks like a fall."""
    watched = {week.number: week.watched_s for week in weeks}
    return [watched.get(number, 0.0) for number in range(1, complete + 1)]


def sections(profiles: Sequence[Profile]) -> list[Section]:
    """The sections that say something of these titles."""
    found = [profile.dayparts.dayparts for profile in profiles if profile.dayparts is not None]
    dayparts = list(dict.fromkeys(part.name for parts in found for part in parts))
    found_sections = [
        Section("opening: first 72 hours", _OPENING),
        Section("all time: households", _HOUSEHOLDS),
        Section("all time: again and again", _AGAIN),
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


def _share(name: str) -> Row:
    def share(profile: Profile) -> float | None:
        part, parts = _daypart(profile, name), profile.dayparts.dayparts if profile.dayparts is not None else ()
        whole = sum(one.watched_s for one in parts)
        return part.watched_s / whole if part is not None and whole else None

    return Row(name.replace("_", " "), share, figures.rate)


def _streaks(name: str) -> Row:
    return Row(
        name.replace("_", " "), lambda profile: getattr(_daypart(profile, name), "streak_5", None), figures.count
    )


def _weeks(profile: Profile) -> str:
    return figures.sparkline(watched_by_week(profile.weeks, profile.complete_weeks)[-_WEEKS:]) or figures.NONE


def _yes_or_no(value: bool | None) -> str:
    return figures.NONE if value is None else "yes" if value else "no"


_OPENING = (
    Row("watched", _opening("watched_s"), figures.viewing),
    Row("starters", _opening("starters"), figures.count),
    Row("completers", _opening("completers"), figures.count),
    Row("completion rate", _opening_rate, figures.rate),
)
_HOUSEHOLDS = (
    Row("starters", _title("starters"), figures.count),
    Row("completers", _title("completers"), figures.count),
    Row("completion rate", _title("completion_rate"), figures.rate),
    Row("skimmers", _title("skimmers"), figures.count),
)
_AGAIN = (
    Row("completions", _title("completions"), figures.count),
    Row("rewatches ÷ completions", _rewatch_share, figures.rate),
    Row("repeat rate", _title("repeat_rate"), figures.rate),
    Row("5 completions or more", _fans, figures.count),
    Row("kids' completions", _title("kids_completions"), figures.count),
)
_STAYING = (
    Row("complete weeks", _legs("week"), figures.count),
    Row("week by week", _weeks, str),
    Row("hold, last week", _legs("hold"), figures.rate),
    Row("hold, mean of 4 weeks", _legs("hold_4w"), figures.rate),
    Row("28 days ÷ opening", _legs("multiple"), figures.factor),
    Row("half-life", _legs("half_life_days"), figures.days),
    Row("unstoppable", _legs("unstoppable"), _yes_or_no),
)
