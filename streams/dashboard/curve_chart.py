"""A title's curve as an area, with its notable parts (`streams.display.curve_shape`).

Owns the data of the chart; the browser draws it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.dashboard.figure import share
from streams.display.curve_shape import fall_words, most_replayed, peak_words, position, steepest_fall, times_played
from streams.reader import Curve


class Mark(msgspec.Struct, frozen=True):
    """A part of an area that stands out: from where to where (0 to 1), and its text."""

    name: str
    says: str
    start: float
    end: float


class Area(msgspec.Struct, frozen=True):
    """A course from left to right: heights from 0 to 1, and the text of each. `notes`: the text below it."""

    heights: tuple[float, ...]
    says: tuple[str, ...]
    top: str
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    notes: tuple[tuple[str, str], ...]


def curve_area(curve: Curve | None, length_ms: int) -> Area | None:
    """How often each part was played, from the beginning of a title to its end."""
    if curve is None:
        return None
    values = curve.values
    slices, largest = len(values), max(values, default=0.0)
    fall, peak = steepest_fall(values), most_replayed(values)
    marks = [] if fall is None else [_mark("steepest fall", fall.place, fall.place, slices, length_ms)]
    marks += [] if peak is None else [_mark("most replayed", peak.place, peak.place + 1, slices, length_ms)]
    return Area(
        heights=tuple(share(value, largest) for value in values),
        says=tuple(_slice_says(place, values, length_ms) for place in range(slices)),
        top=f"{times_played(largest)} times played",
        ticks=tuple((round(at / slices, 4), position(at, slices, length_ms)) for at in _quarters(slices)),
        marks=tuple(marks),
        notes=(
            ("steepest fall", fall_words(fall, slices, length_ms)),
            ("most replayed part", peak_words(peak, slices, length_ms)),
        ),
    )


def _quarters(slices: int) -> list[int]:
    """Where the axis is labelled. A short curve has fewer labels."""
    return sorted({slices * quarter // 4 for quarter in range(5)}) if slices else []


def _slice_says(place: int, values: Sequence[float], length_ms: int) -> str:
    start, end = (position(at, len(values), length_ms) for at in (place, place + 1))
    return f"{start} to {end}: {times_played(values[place])} times played"


def _mark(name: str, start: int, end: int, slices: int, length_ms: int) -> Mark:
    return Mark(name, position(start, slices, length_ms), round(start / slices, 4), round(end / slices, 4))
