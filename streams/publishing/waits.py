"""Pending items of a partition, by kind, in the order in which they came."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from models.tally import CURVE, FRANCHISE, TITLE, TallyKey
from models.windows import AUDIENCE
from streams.publishing.hashes import STATUS

CHARTS = (CURVE, AUDIENCE)
"""Kinds of tallies that may stay pending longer than others."""

ALWAYS_QUEUED = (TITLE, FRANCHISE)
"""Kinds of tallies that every new owner of a partition queues (`Committed.after`)."""

FIRST = (STATUS.kind, *ALWAYS_QUEUED)
"""Kinds of tallies that go before others."""

NOT_MISSED = sys.maxsize
"""In place of a sequence: the next owner misses nothing if this stays pending."""

_WINDOWS = 7
"""About how many current windows a title has."""

Key = TypeVar("Key", TallyKey, str)
Item = TallyKey | str
"""A pending key, or the id of a title with pending current windows."""


@dataclass(slots=True)
class Waits:
    """Pending items of a partition, in the order in which they came, by kind.

    `titles`: titles, franchises and the status; `windows`: titles with pending current windows; `charts`: curves and
    audiences. Each with the sequence of the checkpoint that its next owner would miss.
    """

    titles: dict[TallyKey, int] = field(default_factory=dict)
    windows: dict[str, int] = field(default_factory=dict)
    others: dict[TallyKey, int] = field(default_factory=dict)
    charts: dict[TallyKey, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.titles) + len(self.windows) + len(self.others) + len(self.charts)

    def items(self) -> Iterator[Item]:
        return chain(self.tally_keys(), self.windows)

    def tally_keys(self) -> Iterator[TallyKey]:
        return chain(self.titles, self.others, self.charts)

    def of_kind(self, kind: str) -> dict[TallyKey, int]:
        """Those among which keys of a kind are."""
        if kind in FIRST:
            return self.titles
        return self.charts if kind in CHARTS else self.others

    def has(self, item: Item) -> bool:
        return item in self.windows if isinstance(item, str) else item in self.of_kind(item.kind)

    def put(self, item: Item, missed: int) -> None:
        if isinstance(item, str):
            self.windows[item] = missed
        else:
            self.of_kind(item.kind)[item] = missed

    def pop(self, item: Item) -> int | None:
        """Remove an item. Returns the sequence that was given with it; None: it was not there."""
        if isinstance(item, str):
            return self.windows.pop(item, None)
        return self.of_kind(item.kind).pop(item, None)

    def add(self, others: Waits) -> None:
        self.titles.update(others.titles)
        self.windows.update(others.windows)
        self.others.update(others.others)
        self.charts.update(others.charts)

    def remove(self, others: Waits) -> None:
        """Remove what is also in others."""
        _remove(self.titles, others.titles)
        _remove(self.windows, others.windows)
        _remove(self.others, others.others)
        _remove(self.charts, others.charts)

    def move(self, chosen: Waits, into: Waits) -> None:
        """Move what is also in `chosen` into another."""
        _move(self.titles, chosen.titles, into.titles)
        _move(self.windows, chosen.windows, into.windows)
        _move(self.others, chosen.others, into.others)
        _move(self.charts, chosen.charts, into.charts)

    def weight(self) -> int:
        """About how many hashes this is."""
        return len(self) + (_WINDOWS - 1) * len(self.windows)

    def oldest(self) -> int:
        """The least sequence that the next owner would miss."""
        lanes: tuple[dict[TallyKey, int] | dict[str, int], ...] = self.titles, self.windows, self.others, self.charts
        return min((min(lane.values()) for lane in lanes if lane), default=NOT_MISSED)


def _move(lane: dict[Key, int], chosen: dict[Key, int], into: dict[Key, int]) -> None:
    for key in chosen:
        missed = lane.pop(key, None)
        if missed is not None:
            into[key] = missed


def _remove(lane: dict[Key, int], others: dict[Key, int]) -> None:
    for key in lane.keys() & others.keys():
        del lane[key]
