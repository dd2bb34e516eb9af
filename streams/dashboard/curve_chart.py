"""How often each part of a title was played: one with its notable parts (`streams.display.curve_shape`), or several.

Owns the charts' data; `static/chart.js` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from streams.dashboard.chart import Chart, ChartSeries, Mark
from streams.display.curve_shape import fall_words, most_replayed, peak_words, position, steepest_fall, times_played
from streams.reader import Curve, Profile

_HALF = 0.5
"""A slice stands at a whole number; it begins half a place before."""


def curve_chart(curve: Curve | None, length_ms: int) -> Chart | None:
    """How often each part was played, from the beginning of a title to its end."""
    if curve is None or not curve.values:
        return None
    values = curve.values
    slices = len(values)
    fall, peak = steepest_fall(values), most_replayed(values)
    marks = [] if fall is None else [_mark("steepest fall", fall.place, fall.place, slices, length_ms)]
    marks += [] if peak is None else [_mark("most replayed", peak.place, peak.place + 1, slices, length_ms)]
    starts = [position(at, slices, length_ms) for at in range(slices + 1)]
    return Chart(
        title="How often each part was played",
        form="area",
        unit="times played",
        across="from the beginning to the end",
        places=tuple(f"{start} to {end}" for start, end in pairwise(starts)),
        ticks=tuple((at - _HALF, starts[at]) for at in _quarters(slices)),
        series=(_series("played", values),),
        marks=tuple(marks),
        notes=(
            ("steepest fall", fall_words(fall, slices, length_ms)),
            ("most replayed part", peak_words(peak, slices, length_ms)),
        ),
    )


def curves_compared(profiles: Sequence[Profile], names: Mapping[str, str]) -> Chart | None:
    """The curves of titles, each from its own beginning to its own end."""
    found = [profile.curve.values if profile.curve is not None else () for profile in profiles]
    slices = max(map(len, found), default=0)
    if not slices:
        return None
    return Chart(
        title="How often each part was played",
        form="lines",
        unit="times played",
        across="from each title's beginning to its end",
        places=tuple(f"{100 * at // slices}% to {100 * (at + 1) // slices}%" for at in range(slices)),
        ticks=tuple((at - _HALF, f"{100 * at // slices}%") for at in _quarters(slices)),
        series=tuple(
            _series(names[profile.title_id], [_at(values, place, slices) for place in range(slices)])
            for profile, values in zip(profiles, found, strict=True)
        ),
    )


def _at(values: Sequence[float], place: int, slices: int) -> float | None:
    """The value of a curve at a place of one that has more slices."""
    return values[place * len(values) // slices] if values else None


def _series(name: str, values: Sequence[float | None]) -> ChartSeries:
    says = tuple("" if value is None else f"{times_played(value)} times" for value in values)
    return ChartSeries(name, tuple(None if value is None else round(value, 3) for value in values), says)


def _quarters(slices: int) -> list[int]:
    """Where the axis is labelled. A short curve has fewer labels."""
    return sorted({slices * quarter // 4 for quarter in range(5)})


def _mark(name: str, start: int, end: int, slices: int, length_ms: int) -> Mark:
    return Mark(name, position(start, slices, length_ms), start - _HALF, end - _HALF)
