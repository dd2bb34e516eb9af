"""What a chart shows, as plain values for JSON: places from left to right, and the value of each series at each.

Owns the form that all charts have, and the units of measures; `static/chart.js` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from models.hash_fields import SECONDS
from streams.display import measures, numbers

Form = Literal["bars", "stack", "area", "lines"]

HOUSEHOLDS = "households"
_HOUR_S, _MINUTE_S = 3_600, 60
_COUNTED = {"starters": HOUSEHOLDS, "viewers": HOUSEHOLDS, "completers": HOUSEHOLDS}
"""What the other counts count says their name."""


class ChartSeries(msgspec.Struct, frozen=True):
    """The values of one thing, and the text of each. None: it has no value there."""

    name: str
    values: tuple[float | None, ...]
    says: tuple[str, ...]


class Level(msgspec.Struct, frozen=True):
    """A horizontal line to measure against."""

    name: str
    value: float
    says: str


class Mark(msgspec.Struct, frozen=True):
    """What stands out, from one place to another, and its text."""

    name: str
    says: str
    start: float
    end: float


class Chart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A chart. `unit`, `across`: what the vertical and the horizontal axis count.

    `places` are told in words, and stand at 0, 1, 2 …; `ticks` are labels at such numbers. `so_far`: the time of the
    last place is not over. `notes`: what is said below, with a name each; `left_out`: why it begins where it does.
    """

    title: str
    form: Form
    unit: str
    across: str
    places: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]
    series: tuple[ChartSeries, ...]
    so_far: bool = False
    level: Level | None = None
    marks: tuple[Mark, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    left_out: str = ""


class Unit(NamedTuple):
    """What an axis counts, and how much of the measure is one of it."""

    name: str
    size: float = 1.0


def unit_of(measure: str, values: Iterable[float | None]) -> Unit:
    """The unit in which these values of a measure are drawn."""
    if measures.KINDS[measure] != SECONDS:
        return Unit(_COUNTED.get(measure, measure))
    largest = max((value for value in values if value is not None), default=0.0)
    return Unit("hours watched", _HOUR_S) if largest >= 2 * _HOUR_S else Unit("minutes watched", _MINUTE_S)


def series(name: str, measure: str, values: Sequence[float | None], unit: Unit) -> ChartSeries:
    """The values of a measure as they are drawn and told."""
    drawn = tuple(None if value is None else round(value / unit.size, 3) for value in values)
    return ChartSeries(name, drawn, tuple("" if value is None else told(measure, value) for value in values))


def told(measure: str, value: float) -> str:
    """A value in words: of counts every digit, of times about three."""
    return numbers.viewing(value) if measures.KINDS[measure] == SECONDS else f"{value:,}"
