"""What the demo shows: the status and every title's counters, from `streams.reader`, and trends over the run.

Owns the ranking and the trends. A title's name is the one thing that does not come from Redis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from streams.reader import Status, Title

BARS = 12
NOTHING_YET = Status(version=0, complete=False)


@dataclass(frozen=True)
class LiveTitle:
    """One title's name and counters. `trend`: its completions over the run, oldest first."""

    name: str
    counts: Title
    trend: tuple[int, ...] = ()


@dataclass(frozen=True)
class LiveBoard:
    """One look at Redis. `titles` by rewatches, then completions, then plays, largest first."""

    status: Status
    titles: tuple[LiveTitle, ...]

    @property
    def records(self) -> int:
        """All records that were read and judged, whatever became of them."""
        return self.status.events + self.status.dead_letters + self.status.late_events

    @property
    def completions(self) -> int:
        return sum(title.counts.completions for title in self.titles)

    @property
    def rewatches(self) -> int:
        return sum(title.counts.rewatches for title in self.titles)


class CountersReader(Protocol):
    """The part of `streams.reader.Reader` that a board needs."""

    def status(self) -> Status | None: ...

    def titles(self, title_ids: Iterable[str]) -> Mapping[str, Title]: ...


class Trends:
    """The completions of each title over the run so far, from the counts at each look.

    Looks are kept at even distances: once there are too many, every second one goes and the distance doubles.
    """

    def __init__(self, most: int = 40 * BARS) -> None:
        self._most = most
        self._every = 1
        self._looks = 0
        self._kept: list[Mapping[str, int]] = []

    def look(self, completions: Mapping[str, int]) -> None:
        """Take in the completions of all titles, by id, as of now."""
        if self._looks % self._every == 0:
            self._kept.append(completions)
        self._looks += 1
        if len(self._kept) > self._most:
            self._kept = self._kept[::2]
            self._every *= 2

    def of(self, title_id: str) -> tuple[int, ...]:
        """The completions made between looks, summed into at most `BARS` bars."""
        totals = [look.get(title_id, 0) for look in self._kept]
        return into_bars([after - before for before, after in pairwise([0, *totals])])


def into_bars(counts: Sequence[int], bars: int = BARS) -> tuple[int, ...]:
    """Sum consecutive counts into at most `bars` groups of one size; only the oldest may be smaller."""
    size = -(-len(counts) // bars) or 1
    ends = range(len(counts), 0, -size)
    return tuple(sum(counts[max(0, end - size) : end]) for end in reversed(ends))


class BoardReader:
    """Reads boards, and remembers the trends between them.

    `names` maps the ids of the titles to look for to their names.
    """

    def __init__(self, reader: CountersReader, names: Mapping[str, str]) -> None:
        self._reader = reader
        self._names = names
        self._trends = Trends()

    def read(self) -> LiveBoard:
        """The board now. Raises `ReaderError`."""
        status, found = self._reader.status() or NOTHING_YET, self._reader.titles(self._names)
        self._trends.look({title_id: title.completions for title_id, title in found.items()})
        titles = (LiveTitle(self._names[key], title, self._trends.of(key)) for key, title in found.items())
        return LiveBoard(status, tuple(sorted(titles, key=_rank)))


def _rank(title: LiveTitle) -> tuple[int, int, int, str]:
    return -title.counts.rewatches, -title.counts.completions, -title.counts.plays, title.name
