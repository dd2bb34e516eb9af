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
    """The cells whose midpoint lies in [start_ms, end_ms): the first, and the one after the last. Equal: none.

    Cells past the title's last one do not count. If `length_ms` is 0 (not known), cells up to 24 hours do.
    """
    cells = cells_of(length_ms) if length_ms else UNKNOWN_LENGTH_CELLS
    if cells == 1:
        return 0, int(start_ms <= length_ms // 2 < end_ms)
    first = (start_ms + _BEFORE_MIDPOINT_MS) // CELL_MS
    beyond = min((end_ms + _BEFORE_MIDPOINT_MS) // CELL_MS, cells)
    return first, beyond if beyond > first else first


def plane_of(first: int, beyond: int) -> int:
    """A plane in which the cells from `first` to before `beyond` are set."""
    return ((1 << beyond - first) - 1) << first


def count_within(plane: int, full: int) -> int:
    """How many cells are set in a plane; only those that are set in `full` (all cells of the title) count."""
    return (plane if plane <= full else plane & full).bit_count()
