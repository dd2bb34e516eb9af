"""Which parts of a title are played how often: the sums of its curve (the design, section 1: curve).

Owns the slices that cells lie in. It must not know rows, events or how a curve is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from models.coverage import cells_of
from models.rules import MOST_SLICES


def slices_of(length_ms: int) -> int:
    """In how many slices a content length is cut."""
    return min(MOST_SLICES, cells_of(length_ms))


@lru_cache(maxsize=10_000)
def cells_of_slices(length_ms: int) -> tuple[int, ...]:
    """How many cells each slice has: cell i lies in slice `i * slices // cells`."""
    cells, slices = cells_of(length_ms), slices_of(length_ms)
    bounds = [-(-place * cells // slices) for place in range(slices + 1)]
    return tuple(beyond - first for first, beyond in pairwise(bounds))


def added(sums: list[int], steps: Mapping[int, int], length_ms: int) -> list[int]:
    """The sums of slices after cells were played: `steps` says at which cell how many more play than at the one before.

    A step at the number of cells ends what is played to the end.
    """
    moved = sums.copy()
    cells, slices = cells_of(length_ms), len(sums)
    at, playing = 0, 0
    for cell in sorted(steps):
        if playing:
            _add_span(moved, at, cell, playing, cells, slices)
        at, playing = cell, playing + steps[cell]
    return moved


def _add_span(sums: list[int], first: int, beyond: int, times: int, cells: int, slices: int) -> None:
    """Add to each slice its cells in [first, beyond), so many times."""
    while first < beyond:
        slice_ = first * slices // cells
        end = min(-(-(slice_ + 1) * cells // slices), beyond)
        sums[slice_] += times * (end - first)
        first = end
