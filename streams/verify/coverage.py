"""Which cells of a title were played, and how often each counts towards a completion.

Owns the cells, what is owed, and when a viewing is complete. It shares no code with `models` but the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.rules import CELL_MS, SHORTEST_STATED_LENGTH_MS, UNKNOWN_LENGTH_CELLS, Rules

# Tables for `bytes.translate`: cells seen once more (at most twice), and once less.
ONCE_MORE = bytes([1, 2, 2, *range(3, 256)])
ONCE_LESS = bytes([0, 0, 1, *range(3, 256)])


class Cells:
    """The cells of a title of this length in milliseconds; 0: not known."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self.count = max(1, length_ms // CELL_MS) if length_ms else UNKNOWN_LENGTH_CELLS

    def played(self, start_ms: int, end_ms: int) -> range:
        """The cells whose midpoint was played: those that were touched, perhaps without the first or the last."""
        first, beyond = start_ms // CELL_MS, min(self.count, end_ms // CELL_MS + 1)
        if first < beyond and self._midpoint_ms(first) < start_ms:
            first += 1
        if first < beyond and self._midpoint_ms(beyond - 1) >= end_ms:
            beyond -= 1
        return range(first, max(first, beyond))

    def _midpoint_ms(self, cell: int) -> int:
        alone = self.length_ms and self.count == 1
        return self.length_ms // 2 if alone else CELL_MS * cell + CELL_MS // 2


@dataclass(slots=True)
class Coverage:
    """How often a household has seen each cell since a completion last used it up: 0, 1 or 2 times.

    `owed` are the cells that session `owed_by` still owes. `unjudged`: cells were credited while the length was not
    known.
    """

    seen: bytearray = field(default_factory=bytearray)
    owed: set[int] = field(default_factory=set)
    owed_by: str | None = None
    unjudged: bool = False

    def cover(self, cells: range, session_id: str) -> None:
        seen = self.seen
        seen.extend(bytes(max(0, cells.stop - len(seen))))
        owed = self.owed.intersection(cells) if self.owed and self.owed_by == session_id else ()
        if owed:
            self.owed.difference_update(owed)
            for cell in set(cells).difference(owed):
                seen[cell] = ONCE_MORE[seen[cell]]
        else:
            seen[cells.start : cells.stop] = seen[cells.start : cells.stop].translate(ONCE_MORE)

    def covered(self, count: int) -> int:
        """How many of the first `count` cells were seen."""
        return min(count, len(self.seen)) - self.seen.count(0, 0, count)

    def is_complete(self, count: int, rules: Rules) -> bool:
        """Whether enough of the cells were seen, and one of the last of them."""
        last = -(-rules.end_percent * count // 100) - 1
        return self.covered(count) * 100 >= rules.completion_percent * count and any(self.seen[last:count])

    def complete(self, count: int, owner: str | None) -> None:
        """Use up one viewing. Its owner, the session that completed it, owes the cells that it has not played."""
        self.owed_by = owner
        self.owed = set() if owner is None else self._not_seen(count)
        self.seen = self.seen.translate(ONCE_LESS)

    def end_owed(self, session_id: str) -> None:
        """Drop what the session owes, if anything."""
        if self.owed_by == session_id:
            self.owed, self.owed_by = set(), None

    def _not_seen(self, count: int) -> set[int]:
        return {cell for cell, times in enumerate(self.seen[:count]) if not times} | set(range(len(self.seen), count))


def catalog_length(title: dict[str, Any]) -> int:
    """The content length of a catalog row in milliseconds; 0: not known."""
    return _first_of(title, 1)


def stated_length(event: dict[str, Any]) -> int:
    """The content length that an event states, in milliseconds; 0: none."""
    return _first_of(event, SHORTEST_STATED_LENGTH_MS)


def _first_of(stated: dict[str, Any], least_ms: int) -> int:
    """The start of the credits, else the runtime: the first that is stated and at least `least_ms`."""
    for name in ("credits_start_ms", "runtime_ms"):
        length_ms: int = stated.get(name) or 0
        if length_ms >= least_ms:
            return length_ms
    return 0
