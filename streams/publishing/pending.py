"""This worker's committed shares, and which of them are not published yet.

Keeps the newest unpublished share of each key; failed writes are queued again.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from models.current_windows import CurrentWindows
from models.tally import CURVE, TITLE, TallyKey
from models.windows import AUDIENCE
from streams.publishing.hashes import STATUS
from streams.publishing.sink import Share, Version
from streams.state.committed import Committed

CHARTS = (CURVE, AUDIENCE)
"""Kinds of tallies that may stay pending longer than others."""


class Taken(NamedTuple):
    """What a round publishes: by partition, the pending keys and titles, and the version up to which that publishes it.

    `shares`: each key's newest shares, one for each partition. `oldest_ms`: by partition, the timestamp of the first
    record that readers may not see yet.
    """

    waiting: dict[int, _Waits]
    versions: dict[int, Version]
    shares: dict[TallyKey, list[Share]]
    oldest_ms: dict[int, int]


class _Waits(NamedTuple):
    """A partition's pending keys of tallies, and titles with pending current windows."""

    keys: set[TallyKey]
    titles: set[str]


class _Told:
    """A partition's committed tallies, and which of them are pending."""

    def __init__(self, state: Committed) -> None:
        self.tallies = {key: tally for key, tally in state.tallies.items() if tally is not None}
        self.current = {title_id: windows for title_id, windows in state.current.items() if windows is not None}
        self.waits = _Waits(set(), set())
        self.version: Version = (0, 0)
        self.oldest_ms: int | None = None

    def take(self, held: Set[TallyKey]) -> Iterator[tuple[TallyKey, list[int]]]:
        """Yield the pending tallies, except those with keys in `held`."""
        for key in self.waits.keys - held:
            yield key, self.tallies[key]
        for title_id in self.waits.titles:
            yield from self.current[title_id].tallies(self.tallies[TallyKey(TITLE, 0, title_id)])

    def charts(self) -> set[TallyKey]:
        """The pending curves and audiences."""
        return {key for key in self.waits.keys if key.kind in CHARTS}

    def version_before(self, held: Set[TallyKey]) -> Version:
        """The version up to which everything is published, once all but the keys in `held` are."""
        incarnation, sequence = self.version
        return incarnation, min([sequence, *(self.tallies[key][0] - 1 for key in held)])

    def commit(self, state: Committed) -> None:
        """Queue a checkpoint's changes."""
        tallies, keys = self.tallies, self.waits.keys
        for key, tally in state.tallies.items():
            if tally is None:
                tallies.pop(key, None)
                keys.discard(key)
            else:
                tallies[key] = tally
                keys.add(key)
        for title_id, windows in state.current.items():
            self._turn(title_id, windows)
        self.waits.titles.update(state.moved)
        tallies[STATUS] = [state.sequence, *state.stream]
        keys.add(STATUS)
        self.version = (state.incarnation, state.sequence)
        if self.oldest_ms is None:
            self.oldest_ms = state.oldest_ms

    def _turn(self, title_id: str, windows: CurrentWindows | None) -> None:
        if windows is None:
            self.current.pop(title_id, None)
            self.waits.titles.discard(title_id)
            return
        self.current[title_id] = windows
        for key in windows.lacks:
            # From now on these tallies are computed from their title's.
            self.tallies.pop(key, None)
            self.waits.keys.discard(key)

    def let_wait(self, waits: _Waits) -> None:
        """Queue keys and titles again, as far as they still exist."""
        self.waits.keys.update(waits.keys & self.tallies.keys())
        self.waits.titles.update(waits.titles & self.current.keys())

    def let_everything_wait(self) -> None:
        self.waits.keys.update(self.tallies)
        self.waits.titles.update(self.current)


class Waiting:
    """What is pending of all partitions of one worker."""

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}

    @property
    def left(self) -> int:
        """How many keys and titles are pending. May be called from any thread."""
        return sum(len(told.waits.keys) + len(told.waits.titles) for told in list(self._told.values()))

    @property
    def incarnation(self) -> int:
        """The partitions' newest incarnation; 0 without partitions."""
        return max((told.version[0] for told in self._told.values()), default=0)

    def open(self, state: Committed) -> None:
        """Start with a partition; nothing of it is pending. Its state is copied, as the fold may soon be ahead."""
        self._told[state.partition] = _Told(state)

    def close(self, partition: int) -> None:
        """Forget a partition and what is pending of it."""
        self._told.pop(partition, None)

    def commit(self, state: Committed) -> None:
        """Queue a checkpoint's changes. Tallies that the fold dropped are forgotten; their hashes will expire."""
        self._told[state.partition].commit(state)

    def has(self, key: TallyKey) -> bool:
        """Whether any partition has a tally with this key. Do not call it for windows: current ones have none."""
        return any(key in told.tallies for told in self._told.values())

    def let_wait(self, key: TallyKey) -> None:
        """Queue a key again, if it has a tally; not for windows."""
        for told in self._told.values():
            told.let_wait(_Waits({key}, set()))

    def let_everything_wait(self) -> None:
        """Queue all keys again."""
        for told in self._told.values():
            told.let_everything_wait()

    @property
    def is_charts_alone(self) -> bool:
        """Whether nothing is pending, or only charts."""
        return not any(told.waits.titles or told.waits.keys - told.charts() for told in self._told.values())

    def take(self, *, with_charts: bool = True) -> Taken:
        """Take everything that is pending. Without charts, versions end before the oldest chart that stays pending."""
        taken = Taken({}, {}, {}, {})
        for partition, told in self._told.items():
            held = set() if with_charts else told.charts()
            for key, tally in told.take(held):
                taken.shares.setdefault(key, []).append((partition, told.version[0], *tally))
            taken.waiting[partition] = _Waits(told.waits.keys - held, told.waits.titles)
            told.waits = _Waits(held, set())
            taken.versions[partition] = told.version_before(held)
            if told.oldest_ms is not None:
                taken.oldest_ms[partition], told.oldest_ms = told.oldest_ms, None
        return taken

    def wait_again(self, taken: Taken) -> None:
        """Queue again what was taken. If a partition was closed meanwhile, its next owner publishes it."""
        for partition in taken.waiting.keys() & self._told.keys():
            self._told[partition].let_wait(taken.waiting[partition])
        self.still_old(taken)

    def still_old(self, taken: Taken) -> None:
        """Keep the age of what was taken: it may be written, but its hashes are not marked as complete yet."""
        for partition in taken.oldest_ms.keys() & self._told.keys():
            self._told[partition].oldest_ms = taken.oldest_ms[partition]
