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
"""A title's tally less that of one of its windows, place by place; 0 in place of the sequence."""


class CurrentWindows(NamedTuple):
    """The windows of a title that a slot (`models.title.TitleState`) belongs to, and what each lacks of the title's
    tally.

    Replaced, never changed in place: the former value may still wait to be published.
    """

    slot: int
    lacks: Mapping[TallyKey, Lack]

    def tallies(self, title: list[int]) -> list[tuple[TallyKey, list[int]]]:
        """The windows' tallies, computed from the title's. They have its sequence."""
        return [(key, window_of(title, lack)) for key, lack in self.lacks.items()]


def lack_of(title: list[int], window: list[int]) -> Lack:
    """The title's tally less the window's."""
    lack = list(map(sub, title, window))
    lack[0] = 0
    return lack


def window_of(title: list[int], lack: Lack) -> list[int]:
    """A window's tally, computed from its title's."""
    return list(map(sub, title, lack))


class Tallies(Mapping[TallyKey, list[int]]):
    """All tallies of a partition. Those in `own` are stored as they are; those in `current` depend on their title's.

    No window may be in both: the code that writes `own` or `current` ensures that.
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
