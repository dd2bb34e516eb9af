"""The page of titles side by side, as plain values for JSON: one chart of all of them, and a table of measures.

The measures are chosen in `streams.display.measures`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from streams.dashboard.audience_chart import audience_compared
from streams.dashboard.board_page import Choice
from streams.dashboard.chart import Chart
from streams.dashboard.curve_chart import curves_compared
from streams.dashboard.days_chart import ShownDays, days_chart
from streams.dashboard.figure import Figure, State, exact, moment
from streams.dashboard.households_chart import households_compared
from streams.dashboard.title_page import DAY_CHOICES, complete_parts
from streams.dashboard.weeks_chart import weeks_compared
from streams.display.measures import Measure, largest_of, sections
from streams.reader import Day, Profile

Drawn = Literal["weeks", "days", "audience", "curve", "households"]

DRAWN: dict[Drawn, str] = {
    "weeks": "weeks since the release",
    "days": "days",
    "audience": "households reached by week",
    "curve": "which parts are played",
    "households": "households, from start to again",
}
"""What can be drawn of several titles."""

OF_A_MEASURE = ("weeks", "days")
"""The charts whose measure can be chosen."""

_ELSEWHERE = ("week by week", "reached, week by week", "from beginning to end")
"""Measures that a terminal has as text and this page as a chart."""


class Column(msgspec.Struct, frozen=True):
    """A title of the comparison. `rebuilding`: the sections that are left out, as workers are catching up."""

    title_id: str
    name: str
    state: State
    rebuilding: tuple[str, ...] = ()


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measure of one title; `stands_out`: it is the largest of its row."""

    value: Figure
    stands_out: bool = False


class Line(msgspec.Struct, frozen=True):
    """A measure, of each title."""

    name: str
    cells: tuple[Cell, ...]


class Block(msgspec.Struct, frozen=True):
    """Measures under a heading."""

    name: str
    lines: tuple[Line, ...]


class ComparisonPage(msgspec.Struct, frozen=True):
    """Titles side by side: `chart` draws them on one scale, in the columns' order; None: there is nothing to draw.

    `drawn`, `measure`: what it draws; `of_days`, `of_measure`: whether days and a measure may be chosen.
    """

    as_of: str
    columns: tuple[Column, ...]
    drawn: Drawn
    draws: tuple[tuple[str, str], ...]
    measure: str
    choices: tuple[Choice, ...]
    of_measure: bool
    of_days: bool
    first: str
    last: str
    chart: Chart | None
    blocks: tuple[Block, ...]


class Drawing(NamedTuple):
    """What is to be drawn. `found`: each title's days, where days are."""

    drawn: Drawn
    measure: str
    days: ShownDays
    found: Sequence[Sequence[Day]] = ()


def comparison_page(
    profiles: Sequence[Profile], drawing: Drawing, names: Mapping[str, str], lengths_ms: Mapping[str, int]
) -> ComparisonPage:
    """The page for these titles. A title that is unknown or incomplete has no numbers."""
    believed = [_believed(profile) for profile in profiles]
    called = _called([profile.title_id for profile in profiles], names)
    as_of_ms = max((profile.title.as_of_ms for profile in profiles if profile.title is not None), default=0)
    return ComparisonPage(
        as_of=moment(as_of_ms),
        columns=tuple(_column(profile, called[profile.title_id]) for profile in profiles),
        drawn=drawing.drawn,
        draws=tuple(DRAWN.items()),
        measure=drawing.measure,
        choices=DAY_CHOICES,
        of_measure=drawing.drawn in OF_A_MEASURE,
        of_days=drawing.drawn == "days",
        first=drawing.days.first.isoformat(),
        last=drawing.days.last.isoformat(),
        chart=_chart(believed, drawing, called, as_of_ms),
        blocks=tuple(
            Block(section.name, tuple(_line(row, believed) for row in section.rows if row.name not in _ELSEWHERE))
            for section in sections(believed, lengths_ms)
        ),
    )


def _called(title_ids: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """What each title is called; titles of one name are told apart by their ids."""
    often = Counter(names.get(title_id, title_id) for title_id in title_ids)
    called = {title_id: names.get(title_id, title_id) for title_id in title_ids}
    return {title_id: name if often[name] == 1 else f"{name} ({title_id})" for title_id, name in called.items()}


def _chart(profiles: Sequence[Profile], drawing: Drawing, called: Mapping[str, str], as_of_ms: int) -> Chart | None:
    match drawing.drawn:
        case "weeks":
            return weeks_compared(profiles, called, drawing.measure)
        case "days":
            found = {
                profile.title_id: days if profile.title is not None and all(day.complete for day in days) else None
                for profile, days in zip(profiles, drawing.found, strict=True)
            }
            return days_chart(found, called, drawing.measure, drawing.days, as_of_ms)
        case "audience":
            return audience_compared(profiles, called)
        case "curve":
            return curves_compared(profiles, called)
        case "households":
            return households_compared(profiles, called)


def _believed(profile: Profile) -> Profile:
    """The complete parts of a profile; nothing if the title itself is not complete."""
    if profile.title is None or not profile.title.complete:
        return Profile(title_id=profile.title_id)
    return complete_parts(profile)[0]


def _column(profile: Profile, name: str) -> Column:
    if profile.title is None:
        return Column(profile.title_id, name, "unknown")
    if not profile.title.complete:
        return Column(profile.title_id, name, "rebuilding")
    return Column(profile.title_id, name, "shown", complete_parts(profile)[1])


def _line(row: Measure, profiles: Sequence[Profile]) -> Line:
    values = [row.value(profile) for profile in profiles]
    largest = largest_of(values)
    return Line(row.name, tuple(Cell(_figure(row, value), value == largest is not None) for value in values))


def _figure(row: Measure, value: Any) -> Figure:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Figure(row.words(value), exact(value) if is_number else "")
