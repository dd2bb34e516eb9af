"""How titles look side by side in a terminal: a row for each measure, a column for each title.

Owns which measures tell the story, in which order, and their words. It must not know where counters come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams import figures
from streams.cli.reading import NOT_COMPLETE, Names
from streams.cli.title_page import watched_by_week
from streams.reader import Daypart, Profile

LARGEST = "bold cyan"
"""The style of the largest value of a row, where there is one."""

_NARROWEST, _WIDEST, _GAP = 14, 36, 2
_FIRST = 28
_WEEKS = 14

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


def comparison(profiles: Sequence[Profile], names: Names, width: int) -> RenderableType:
    """All titles, in as many tables as the width asks for."""
    at_once = max(1, (width - _FIRST) // (_NARROWEST + _GAP))
    tables = [_table(profiles[at : at + at_once], names, width) for at in range(0, len(profiles), at_once)]
    titles = [profile.title for profile in profiles if profile.title is not None]
    lines = [Text(figures.moment(max((title.as_of_ms for title in titles), default=0)), style="dim")]
    if not all(title.complete for title in titles):
        lines.append(Text(NOT_COMPLETE, style="bold yellow"))
    return Group(*(part for table in tables for part in (table, Text())), *lines)


def _table(profiles: Sequence[Profile], names: Names, width: int) -> Table:
    widest = min(_WIDEST, (width - _FIRST) // len(profiles) - _GAP)
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    grid.add_column(no_wrap=True, width=_FIRST - _GAP)
    for profile in profiles:
        # An id is broken at its hyphens where it can be.
        label = figures.label(names.get(profile.title_id, profile.title_id))
        name = Text("\n".join(wrap(label, max(widest, _NARROWEST))))
        grid.add_column(
            name, justify="right", vertical="bottom", min_width=_NARROWEST, max_width=widest, overflow="fold"
        )
    for section in _sections(profiles):
        grid.add_row()
        grid.add_row(Text(section.name, style="dim"))
        for row in section.rows:
            grid.add_row(Text(f"  {row.name}"), *_cells(row, profiles))
    return grid


def _cells(row: Row, profiles: Sequence[Profile]) -> list[Text]:
    values = [row.value(profile) for profile in profiles]
    known = [value for value in values if isinstance(value, int | float)]
    largest = max(known, default=None) if len(profiles) > 1 and len(set(known)) > 1 else None
    return [Text(row.words(value), style=LARGEST if value == largest is not None else "") for value in values]


def _sections(profiles: Sequence[Profile]) -> list[Section]:
    found = [profile.dayparts.dayparts for profile in profiles if profile.dayparts is not None]
    dayparts = list(dict.fromkeys(part.name for parts in found for part in parts))
    sections = [
        Section("opening: first 72 hours", _OPENING),
        Section("all time: households", _HOUSEHOLDS),
        Section("all time: again and again", _AGAIN),
        Section("share of watched time", [_share(name) for name in dayparts]),
        Section("habit: 5 days in a row", [_streaks(name) for name in dayparts]),
        Section("staying power", _STAYING),
    ]
    return [section for section in sections if section.rows]


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
