"""How often each part of a title is played: the sums of its curve (the design, section 1: curve).

Owns the slices, and which cells belong to each.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, pairwise
from operator import add, mul
from typing import Final

from models.coverage import cells_of
from models.rules import MOST_SLICES

_NARROW_SLICES: Final = 16
"""An interval between two heartbeats touches few slices, twelve of a short title: a span of so many is added slice by
slice, which leaves the sums of the others as they are."""


def slices_of(length_ms: int) -> int:
    """How many slices a curve has for a content length in milliseconds."""
    return min(MOST_SLICES, cells_of(length_ms))


@lru_cache(maxsize=10_000)
def _ends_of_slices(length_ms: int) -> tuple[int, ...]:
    """The first cell beyond each slice: cell i lies in slice `i * slices // cells`."""
    cells, slices = cells_of(length_ms), slices_of(length_ms)
    return tuple(-(-place * cells // slices) for place in range(1, slices + 1))


@lru_cache(maxsize=10_000)
def cells_of_slices(length_ms: int) -> tuple[int, ...]:
    """How many cells each slice has, for a content length in milliseconds."""
    return tuple(beyond - first for first, beyond in pairwise((0, *_ends_of_slices(length_ms))))


def add_played(tally: list[int], played: list[int], length_ms: int) -> None:
    """Count the cells that were played in a curve's tally: its sequence, then the sums of its slices.

    `played` are the spans that were played: the first cell of each, and the one after its last, in turns.
    """
    cells, slices = cells_of(length_ms), len(tally) - 1
    ends = _ends_of_slices(length_ms)
    wide: list[int] = []
    for place in range(0, len(played), 2):
        first, beyond = played[place], min(played[place + 1], cells)
        if first >= beyond:
            continue
        in_slice, last = first * slices // cells, (beyond - 1) * slices // cells
        if last - in_slice > _NARROW_SLICES:
            wide += (first, beyond)
            continue
        while in_slice < last:
            tally[1 + in_slice] += ends[in_slice] - first
            first = ends[in_slice]
            in_slice += 1
        tally[1 + last] += beyond - first
    if wide:
        tally[1:] = _with_wide(tally[1:], wide, length_ms)


def _with_wide(sums: list[int], played: list[int], length_ms: int) -> list[int]:
    """The sums with spans added that are not beyond the length's cells. Takes the same time however wide they are."""
    cells, slices = cells_of(length_ms), len(sums)
    ends = _ends_of_slices(length_ms)
    # A span adds to the cells from its first one in its own slice, and to all cells of the slices after that. What it
    # adds beyond its end is taken away again, unless it goes to the end of the title.
    more, by = [0] * (slices + 1), -1
    for cell in played:
        by = -by
        if cell < cells:
            slice_ = cell * slices // cells
            sums[slice_] += by * (ends[slice_] - cell)
            more[slice_ + 1] += by
    return list(map(add, sums, map(mul, accumulate(more), cells_of_slices(length_ms))))
