"""One partition's committed tallies, and which of them are pending, in their order.

Owns the precedence where a round cannot take everything: what checkpoints changed goes before what is queued again, and
titles before their windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.current_windows import CurrentWindows
from models.tally import CURVE, FRANCHISE, TITLE, TallyKey
from models.windows import AUDIENCE
from streams.publishing.hashes import STATUS
from streams.publishing.sink import Version
from streams.state.committed import Committed

CHARTS = (CURVE, AUDIENCE)
"""Kinds of tallies that may stay pending longer than others."""

ALWAYS_QUEUED = (TITLE, FRANCHISE)
"""Kinds of tallies that every new owner of a partition queues (`Committed.after`)."""

_FIRST = (STATUS.kind, *ALWAYS_QUEUED)
_LEAST = 8
"""No kind of pending keys waits for ever: each gets at least one in so many places of a round."""

_CURVE_WEIGHT = 10
WINDOWS = 7
"""About how many current windows a title has."""
_NOTHING: Version = (0, 0)


@dataclass(slots=True)
class Waits:
    """A partition's pending keys of tallies, and titles with pending current windows."""

    keys: set[TallyKey] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.keys) + len(self.titles)

    def add(self, others: Waits) -> None:
        self.keys.update(others.keys)
        self.titles.update(others.titles)

    def without(self, others: Waits) -> Waits:
        return Waits(self.keys - others.keys, self.titles - others.titles)


class Pending(NamedTuple):
    """One pending key, or a title with pending current windows, and about how many hashes it costs to write it."""

    key: TallyKey | None
    title_id: str | None
    weight: int


class PartitionQueue:
    """A partition's committed tallies, and which of them are pending.

    `waits` are changes of checkpoints; `old` is what is queued again, or what was left over by a round before.
    `noted` is the version up to which everything is known to be published.
    """

    def __init__(self, state: Committed) -> None:
        self.tallies = {key: tally for key, tally in state.tallies.items() if tally is not None}
        self.current = {title_id: windows for title_id, windows in state.current.items() if windows is not None}
        self.waits = Waits()
        self.old = Waits()
        self.version: Version = _NOTHING
        self.noted: Version = _NOTHING
        self.oldest_ms: int | None = None

    def tallies_of(self, waits: Waits) -> Iterator[tuple[TallyKey, list[int]]]:
        """The tallies of pending keys and titles."""
        for key in waits.keys:
            yield key, self.tallies[key]
        for title_id in waits.titles:
            yield from self.current[title_id].tallies(self.tallies[TallyKey(TITLE, 0, title_id)])

    def charts(self) -> set[TallyKey]:
        """The pending curves and audiences."""
        return {key for waits in (self.waits, self.old) for key in waits.keys if key.kind in CHARTS}

    def all_but(self, charts: set[TallyKey]) -> Waits:
        """Everything that is pending, except these keys."""
        if not self.old:
            return Waits(self.waits.keys - charts, self.waits.titles)
        return Waits((self.waits.keys | self.old.keys) - charts, self.waits.titles | self.old.titles)

    def queues(self, held: set[TallyKey]) -> list[Iterator[Pending]]:
        """What is pending, except `held`, in queues by precedence."""
        old = self.old.without(self.waits)
        return [queue for waits in (self.waits, old) for queue in (self._first(waits), self._others(waits, held))]

    def _first(self, waits: Waits) -> Iterator[Pending]:
        return (Pending(key, None, 1) for key in waits.keys if key.kind in _FIRST)

    def _others(self, waits: Waits, held: set[TallyKey]) -> Iterator[Pending]:
        for title_id in waits.titles:
            yield Pending(None, title_id, len(self.current[title_id].lacks))
        for key in waits.keys:
            if key.kind not in _FIRST and key not in held:
                yield Pending(key, None, _CURVE_WEIGHT if key.kind == CURVE else 1)

    def leave(self, taken: Waits, held: set[TallyKey]) -> bool:
        """Take `taken` out of what is pending. Returns whether anything but `held` stays."""
        rest, old = self.waits.without(taken), self.old.without(taken)
        self.waits = Waits(rest.keys & held, set())
        old.add(rest.without(self.waits))
        self.old = old
        return bool(old.keys - held or old.titles)

    def version_before(self) -> Version:
        """The version up to which everything is published, once all but what is pending now is."""
        (incarnation, sequence), noted = self.version, self.noted
        known = noted[1] if noted[0] == incarnation else -1
        for waits in (self.waits, self.old):
            for key in waits.keys:
                changed = self.tallies[key][0]
                if changed <= sequence and (changed > known or key.kind not in ALWAYS_QUEUED):
                    sequence = changed - 1
            for title_id in waits.titles:
                sequence = min(sequence, self.tallies[TallyKey(TITLE, 0, title_id)][0] - 1)
        return incarnation, sequence

    def age(self, published: Version) -> None:
        """Give what is published by that version, and is queued again all the same, the last place."""
        self.noted = published
        keys = {key for key in self.waits.keys if (self.version[0], self.tallies[key][0]) <= published}
        self.old.add(Waits(keys, set()))
        self.waits = self.waits.without(self.old)

    def commit(self, state: Committed) -> None:
        """Queue a checkpoint's changes."""
        tallies, keys = self.tallies, self.waits.keys
        for key, tally in state.tallies.items():
            if tally is None:
                tallies.pop(key, None)
                self._forget(key)
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
            self.old.titles.discard(title_id)
            return
        self.current[title_id] = windows
        for key in windows.lacks:
            # From now on these tallies are computed from their title's.
            self.tallies.pop(key, None)
            self._forget(key)

    def _forget(self, key: TallyKey) -> None:
        self.waits.keys.discard(key)
        self.old.keys.discard(key)

    def let_wait(self, waits: Waits) -> None:
        """Queue keys and titles again, as far as they still exist."""
        self.old.keys.update(waits.keys & self.tallies.keys())
        self.old.titles.update(waits.titles & self.current.keys())

    def let_everything_wait(self) -> None:
        self.noted = _NOTHING
        self.old.keys.update(self.tallies)
        self.old.titles.update(self.current)


def in_turns(queues: dict[int, Iterator[Pending]]) -> Iterator[tuple[int, Pending]]:
    """What is pending of all partitions, of each in turn."""
    while queues:
        for partition in list(queues):
            pending = next(queues[partition], None)
            if pending is None:
                del queues[partition]
            else:
                yield partition, pending


def first_of(queues: Sequence[Iterator[tuple[int, Pending]]], most: int) -> Iterator[tuple[int, Pending]]:
    """A part of every queue, then the first queues, until it is about `most` hashes."""
    left = most
    for at_most in (most // _LEAST, most):
        for queue in queues:
            end = max(0, left - at_most)
            while left > end and (item := next(queue, None)) is not None:
                left -= item[1].weight
                yield item
