"""What Redis says now: the status and every title's counters, read as any other service would read them.

Owns the reading and its types. It must not know how the numbers came about or how they are shown; a title's
name is the one thing that does not come from Redis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

COUNTS = ("plays", "starters", "completers", "completions", "rewatches")
RATES = ("completion_rate", "repeat_rate")
BARS = 12


@dataclass(frozen=True)
class LiveStatus:
    """The `status` hash: counts of records, records behind, and the stream time in UTC milliseconds."""

    events: int = 0
    dead_letters: int = 0
    late: int = 0
    lag: int = 0
    as_of_ms: int = 0

    @property
    def records(self) -> int:
        """All records that were read and judged, whatever became of them."""
        return self.events + self.dead_letters + self.late


@dataclass(frozen=True)
class LiveTitle:
    """One title's counters. Rates are `None` where their divisor is 0; `trend`: completions, oldest first."""

    name: str
    plays: int
    starters: int
    completers: int
    completions: int
    rewatches: int
    completion_rate: float | None
    repeat_rate: float | None
    trend: tuple[int, ...] = ()


@dataclass(frozen=True)
class LiveBoard:
    """One look at Redis. `titles` by rewatches, then completions, then plays, largest first."""

    status: LiveStatus
    titles: tuple[LiveTitle, ...]

    @property
    def completions(self) -> int:
        return sum(title.completions for title in self.titles)

    @property
    def rewatches(self) -> int:
        return sum(title.rewatches for title in self.titles)


def title_key(prefix: str, title_id: str) -> str:
    """The Redis key of a title's hash."""
    return f"{prefix}title:{quote(title_id, safe='')}"


class Trends:
    """The completions of each title over the run so far, from what it was told at each look.

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
    """Reads boards from a Redis client with decoded responses, and remembers the trends between them.

    `names` maps the ids of the titles to look for to their names.
    """

    def __init__(self, redis: Any, prefix: str, names: Mapping[str, str]) -> None:
        self._redis = redis
        self._prefix = prefix
        self._names = names
        self._trends = Trends()

    def read(self) -> LiveBoard:
        """The board now, in one round trip."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(f"{self._prefix}status")
        for title_id in self._names:
            pipe.hmget(title_key(self._prefix, title_id), *COUNTS, *RATES)
        status, *rows = pipe.execute()
        found = {key: row for key, row in zip(self._names, rows, strict=True) if row[0] is not None}
        self._trends.look({key: int(row[COUNTS.index("completions")]) for key, row in found.items()})
        titles = (to_title(self._names[key], row, self._trends.of(key)) for key, row in found.items())
        return LiveBoard(to_status(status), tuple(sorted(titles, key=_rank)))


def _rank(title: LiveTitle) -> tuple[int, int, int, str]:
    return -title.rewatches, -title.completions, -title.plays, title.name


def to_status(fields: Mapping[str, str]) -> LiveStatus:
    """A status hash as it came from Redis; a field that is not there yet is 0."""
    return LiveStatus(
        events=int(fields.get("events", 0)),
        dead_letters=int(fields.get("dead_letters", 0)),
        late=int(fields.get("late_events", 0)),
        lag=int(fields.get("lag", 0)),
        as_of_ms=int(fields.get("as_of_ms", 0)),
    )


def to_title(name: str, row: Sequence[str | None], trend: tuple[int, ...]) -> LiveTitle:
    """A title from the values of `COUNTS` and `RATES`, in their order."""
    plays, starters, completers, completions, rewatches = (int(value or 0) for value in row[: len(COUNTS)])
    completion_rate, repeat_rate = (float(value) if value else None for value in row[len(COUNTS) :])
    return LiveTitle(name, plays, starters, completers, completions, rewatches, completion_rate, repeat_rate, trend)
