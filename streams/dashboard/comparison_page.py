"""The page of titles side by side, as plain values for JSON.

The measures are chosen in `streams.display.measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streams.dashboard.audience_chart import Stacks, audience_stacks
from streams.dashboard.curve_chart import Area, curve_area
from streams.dashboard.figure import Figure, Named, State, exact, moment
from streams.dashboard.title_page import Chart, complete_parts, funnel, weeks_chart
from streams.display.measures import Measure, largest_of, sections
from streams.reader import Profile

_DRAWN = ("week by week", "reached, week by week", "from beginning to end")
"""Measures that a terminal has as text and this page as a chart."""


class Column(msgspec.Struct, frozen=True):
    """A title of the comparison. `rebuilding`: the sections that are left out, as they are being rebuilt."""

    title_id: str
    name: str
    state: State
    rebuilding: tuple[str, ...] = ()
    weeks: Chart | None = None
    funnel: tuple[Named, ...] = ()
    audience: Stacks | None = None
    curve: Area | None = None


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
    """Titles side by side, a column for each."""

    as_of: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]


def comparison_page(
    profiles: Sequence[Profile], names: Mapping[str, str], lengths_ms: Mapping[str, int]
) -> ComparisonPage:
    """The page for these titles. A title that is unknown or being rebuilt has no numbers."""
    believed = [_believed(profile) for profile in profiles]
    columns = tuple(
        _column(profile, shown, names.get(profile.title_id, profile.title_id), lengths_ms.get(profile.title_id, 0))
        for profile, shown in zip(profiles, believed, strict=True)
    )
    as_of_ms = max((profile.title.as_of_ms for profile in profiles if profile.title is not None), default=0)
    blocks = tuple(
        Block(section.name, tuple(_line(row, believed) for row in section.rows if row.name not in _DRAWN))
        for section in sections(believed, lengths_ms)
    )
    return ComparisonPage(moment(as_of_ms), columns, blocks)


def _believed(profile: Profile) -> Profile:
    """The complete parts of a profile; nothing if the title itself is not complete."""
    if profile.title is None or not profile.title.complete:
        return Profile(title_id=profile.title_id)
    return complete_parts(profile)[0]


def _column(profile: Profile, shown: Profile, name: str, length_ms: int) -> Column:
    if shown.title is None:
        return Column(profile.title_id, name, "unknown" if profile.title is None else "rebuilding")
    return Column(
        title_id=profile.title_id,
        name=name,
        state="shown",
        rebuilding=complete_parts(profile)[1],
        weeks=weeks_chart(shown),
        funnel=funnel(shown.title),
        audience=audience_stacks(shown),
        curve=curve_area(shown.curve, length_ms),
    )


def _line(row: Measure, profiles: Sequence[Profile]) -> Line:
    values = [row.value(profile) for profile in profiles]
    largest = largest_of(values)
    return Line(row.name, tuple(Cell(_figure(row, value), value == largest is not None) for value in values))


def _figure(row: Measure, value: Any) -> Figure:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Figure(row.words(value), exact(value) if is_number else "")
