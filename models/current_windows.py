"""Windows that move as their title does, and all tallies of a partition with them.

What happens to a title now belongs to the same few windows for an hour: the hour, its day and week, the title's ages.
All of them move by the same, so none is kept as a sum of its own meanwhile: each is its title's tally less what it
lacks of that, and only the title's moves. Owns that form, and reading it as tallies. It must not know why windows are
current.
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
