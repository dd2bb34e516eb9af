"""How often each part of a title was played.

Owns the slices, their cells, and what is added to each. It shares no code with `models` but the thresholds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from models.rules import MOST_SLICES
from streams.verify.coverage import Cells


def slices(cells: Cells) -> int:
    return min(MOST_SLICES, cells.count)


def slices_of(played: range, cells: Cells) -> Counter[int]:
    """How many of the played cells lie in each slice."""
    return Counter(cell * slices(cells) // cells.count for cell in played)


def curve(played: Mapping[int, int], length_ms: int) -> dict[str, str]:
    """The fields of a title's curve, from its slices' sums and the content length in ms. Empty if all sums are 0."""
    cells = Cells(length_ms)
    sizes = slices_of(range(cells.count), cells)
    if not any(played.get(number, 0) > 0 for number in sizes):
        return {}
    values = {str(number): f"{Decimal(played.get(number, 0)) / size:.3f}" for number, size in sorted(sizes.items())}
    return {"slices": str(len(sizes)), **values}
