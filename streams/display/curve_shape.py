"""The notable parts of a curve: its steepest fall, its most replayed part.

Owns how they are found, and where in the title a slice lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import fsum
from typing import NamedTuple

from models.curve import cells_of_slices
from models.rules import CELL_MS, MOST_SLICES
from streams.display import numbers

STANDS_OUT = 1.25
"""A most replayed part is played at least so many times as often as the mean of all, and as some part before it.

A beginning that most leave after is played most, too, but not again and again.
"""


class Fall(NamedTuple):
    """A drop from one slice to the next: how often each was played."""

    place: int
    before: float
    after: float

    @property
    def lost(self) -> float:
        """The share that is lost, from 0 to 1."""
        return 1 - self.after / self.before


class Peak(NamedTuple):
    """A slice that stands out, and how many times the mean it was played."""

    place: int
    times: float


def steepest_fall(values: Sequence[float]) -> Fall | None:
    """The largest drop from one slice to the next (the first of several); None: there is no drop."""
    falls = [Fall(place, values[place - 1], values[place]) for place in range(1, len(values))]
    largest = max(falls, key=lambda fall: fall.before - fall.after, default=None)
    return largest if largest is not None and largest.after < largest.before else None


def most_replayed(values: Sequence[float]) -> Peak | None:
    """The slice that was played most (the first of several); None: it does not stand out."""
    largest = max(values, default=0.0)
    if not largest:
        return None
    place, mean = values.index(largest), fsum(values) / len(values)
    stands_out = largest >= STANDS_OUT * max(mean, min(values[: place + 1]))
    return Peak(place, largest / mean) if stands_out else None


def position(place: int, slices: int, length_ms: int = 0) -> str:
    """Where in the title a slice begins: a time if the content length is known, else a percentage.

    Fewer than the most slices there can be are one cell each, so that the length is not needed.
    """
    if slices < MOST_SLICES:
        return numbers.position(CELL_MS * place)
    cells = cells_of_slices(length_ms) if length_ms else ()
    if len(cells) != slices:
        return f"{100 * place // slices}%"
    return numbers.position(CELL_MS * sum(cells[:place]))


def condensed(values: Sequence[float], most: int) -> list[float]:
    """The series shortened to at most `most` values, each the mean of neighbouring ones."""
    points = min(most, len(values))
    ends = [-(-number * len(values) // points) for number in range(points + 1)] if points else []
    return [fsum(values[start:end]) / (end - start) for start, end in pairwise(ends)]


def times_played(value: float) -> str:
    """How often a part was played. It is a mean, so small values have a decimal."""
    return numbers.count(value) if value >= 100 or value == int(value) else f"{value:.1f}"


def fall_words(fall: Fall | None, slices: int, length_ms: int = 0) -> str:
    """A fall in words: where it is, from and to which value, and the share lost."""
    if fall is None:
        return "none: it falls nowhere"
    before, after = times_played(fall.before), times_played(fall.after)
    return f"at {position(fall.place, slices, length_ms)}: from {before} to {after} times played, −{fall.lost:.1%}"


def peak_words(peak: Peak | None, slices: int, length_ms: int = 0) -> str:
    """A peak in words: from where to where it is, and how much it stands out."""
    if peak is None:
        return "none stands out"
    start, end = (position(place, slices, length_ms) for place in (peak.place, peak.place + 1))
    return f"{start} to {end}: {peak.times:.2f} times the mean"
