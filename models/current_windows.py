"""The windows that are current, and all tallies of a partition together with them.

For an hour, everything that happens to a title belongs to the same few windows: the hour, its day and week, and the
title's ages. They all change by the same amount, so each is stored as an offset from the title's totals, and an event
changes only the totals. Owns that form, and converts it to tallies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from operator import sub
from typing import NamedTuple

from models.tally import TITLE, TallyKey

Lack = list[int]
"""What a window lacks of its title's tally, place by place; 0 in place of a sequence."""


class CurrentWindows(NamedTuple):
    """The windows that a slot (`models.title.Title`) of a title belongs to, and what each lacks.

    A value: it is replaced, never changed, as readers may not know of a change yet.
    """

    slot: int
    lacks: Mapping[TallyKey, Lack]

    def tallies(self, title: list[int]) -> list[tuple[TallyKey, list[int]]]:
        """The windows' tallies, by their title's. Their sequence is the title's."""
        return [(key, window_of(title, lack)) for key, lack in self.lacks.items()]


def lack_of(title: list[int], window: list[int]) -> Lack:
    """What a window's tally lacks of its title's."""
    lack = list(map(sub, title, window))
    lack[0] = 0
    return lack


def window_of(title: list[int], lack: Lack) -> list[int]:
    """The tally of a window that lacks this of its title's."""
    return list(map(sub, title, lack))


class Tallies(Mapping[TallyKey, list[int]]):
    """All tallies of a partition: `own` are kept as they are, `current` by the title that they move with.

    Whoever writes `own` or `current` sees to it that no window is in both.
    """

    def __init__(self) -> None:
        self.own: dict[TallyKey, list[int]] = {}
        self.current: dict[str, CurrentWindows] = {}

    def __getitem__(self, key: TallyKey) -> list[int]:
        tally = self.own.get(key)
        if tally is not None:
            return tally
        lack = self.current[key.title_id].lacks[key]
        return window_of(self.own[TallyKey(TITLE, 0, key.title_id)], lack)

    def __iter__(self) -> Iterator[TallyKey]:
        return chain(self.own, *(windows.lacks for windows in self.current.values()))

    def __len__(self) -> int:
        return len(self.own) + sum(len(windows.lacks) for windows in self.current.values())
