"""Which five-second cells of a title a household has seen, as bits of plain integers.

Owns the cells, the two planes and *owed* (the design, section 1: coverage, completion). Bit i stands for cell i, whose
midpoint is `5000·i + 2500` ms.
"""

from __future__ import annotations

from typing import Final

from models.rules import CELL_MS, UNKNOWN_LENGTH_CELLS

_BEFORE_MIDPOINT_MS: Final = CELL_MS // 2 - 1


def cells_of(length_ms: int) -> int:
    """The number of cells of a content length in milliseconds; at least one."""
    return length_ms // CELL_MS or 1


def cells_between(start_ms: int, end_ms: int, length_ms: int) -> tuple[int, int]:
    """The cells whose midpoint lies in [start_ms, end_ms): the first, and the first beyond them, which may be the same.

    Cells past the last one do not count; with a `length_ms` of 0 (not known), 24 hours of them are kept.
    """
    cells = cells_of(length_ms) if length_ms else UNKNOWN_LENGTH_CELLS
    if cells == 1:
        return 0, int(start_ms <= length_ms // 2 < end_ms)
    first = (start_ms + _BEFORE_MIDPOINT_MS) // CELL_MS
    beyond = min((end_ms + _BEFORE_MIDPOINT_MS) // CELL_MS, cells)
    return first, beyond if beyond > first else first


def plane_of(first: int, beyond: int) -> int:
    """These cells as bits."""
    return ((1 << beyond - first) - 1) << first


def count_within(plane: int, full: int) -> int:
    """How many cells of a plane are set, of those in `full` (all cells of the title)."""
    return (plane if plane <= full else plane & full).bit_count()
