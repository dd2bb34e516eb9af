"""What is committed of this worker's partitions, and which keys of it readers do not know yet.

Owns that the newest share of a key is the one that waits, and that what was taken and not written waits again. It must
not know when anything is written, nor how.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.tallies import TallyKey
from streams.committed import Committed
from streams.redis_sink import Share
from streams.rendering import STATUS

Version = tuple[int, int]
"""Incarnation and sequence."""


class Taken(NamedTuple):
    """What waits no more: keys by partition, up to these versions; and of each key its newest shares."""

    keys: dict[int, set[TallyKey]]
    versions: dict[int, Version]
    shares: dict[TallyKey, list[Share]]


class Waiting:
    """The partitions of one worker."""

    def __init__(self) -> None:
        self._tallies: dict[int, dict[TallyKey, list[int]]] = {}
        self._keys: dict[int, set[TallyKey]] = {}
        self._versions: dict[int, Version] = {}

    @property
    def left(self) -> int:
        """How many shares wait."""
        return sum(map(len, self._keys.values()))

    @property
    def incarnation(self) -> int:
        """The newest of the partitions'; 0 where there are none."""
        return max((incarnation for incarnation, _ in self._versions.values()), default=0)

    def open(self, partition: int, tallies: Mapping[TallyKey, list[int]]) -> None:
        """Begin with a partition; nothing of it waits. The mapping is copied: the fold's may be ahead soon."""
        self._tallies[partition], self._keys[partition] = dict(tallies), set()

    def close(self, partition: int) -> None:
        """Forget a partition, and what waits of it."""
        for of_partitions in (self._tallies, self._keys, self._versions):
            of_partitions.pop(partition, None)

    def commit(self, state: Committed) -> None:
        """Let a checkpoint's changes wait. What left the fold's memory is forgotten; it expires where it is written."""
        tallies, keys = self._tallies[state.partition], self._keys[state.partition]
        for key, tally in state.tallies.items():
            if tally is None:
                tallies.pop(key, None)
                keys.discard(key)
            else:
                tallies[key] = tally
                keys.add(key)
        tallies[STATUS] = [state.sequence, *state.stream]
        keys.add(STATUS)
        self._versions[state.partition] = (state.incarnation, state.sequence)

    def has(self, key: TallyKey) -> bool:
        """Whether any partition has a tally of that key."""
        return any(key in tallies for tallies in self._tallies.values())

    def let_wait(self, key: TallyKey) -> None:
        """Let a key be written anew, where there is a tally of it."""
        for partition, tallies in self._tallies.items():
            if key in tallies:
                self._keys[partition].add(key)

    def let_everything_wait(self) -> None:
        """Let all keys be written anew."""
        for partition, tallies in self._tallies.items():
            self._keys[partition].update(tallies)

    def take(self) -> Taken:
        """All that waits."""
        keys, self._keys = self._keys, {partition: set() for partition in self._tallies}
        shares: dict[TallyKey, list[Share]] = {}
        for partition, of_partition in keys.items():
            tallies, incarnation = self._tallies[partition], self._versions[partition][0]
            for key in of_partition:
                shares.setdefault(key, []).append((partition, incarnation, *tallies[key]))
        return Taken(keys, dict(self._versions), shares)

    def wait_again(self, taken: Taken) -> None:
        """Let what was taken wait again. A partition given up meanwhile is its next owner's to publish."""
        for partition in taken.keys.keys() & self._keys.keys():
            self._keys[partition] |= taken.keys[partition] & self._tallies[partition].keys()
