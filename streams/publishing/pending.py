"""This worker's committed shares, and which of them are not published yet.

Keeps the newest unpublished share of each key; failed writes are queued again. Owns what a round takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from models.tally import TITLE, TallyKey
from streams.publishing.hashes import STATUS
from streams.publishing.partition_queue import WINDOWS, PartitionQueue, Waits, first_of, in_turns
from streams.publishing.sink import Share, Version
from streams.state.committed import Committed


class Taken(NamedTuple):
    """What a round publishes: by partition, the pending keys and titles, and the version up to which that publishes it.

    `shares`: each key's newest shares, one for each partition. `oldest_ms`: by partition, the timestamp of the first
    record that readers may not see yet. `unfinished`: the partitions of which something stays pending.
    """

    waiting: dict[int, Waits]
    versions: dict[int, Version]
    shares: dict[TallyKey, list[Share]]
    oldest_ms: dict[int, int]
    unfinished: set[int]


class Waiting:
    """What is pending of all partitions of one worker."""

    def __init__(self) -> None:
        self._told: dict[int, PartitionQueue] = {}

    @property
    def left(self) -> int:
        """How many keys and titles are pending. May be called from any thread."""
        return sum(len(told.waits) + len(told.old) for told in list(self._told.values()))

    @property
    def incarnation(self) -> int:
        """The partitions' newest incarnation; 0 without partitions."""
        return max((told.version[0] for told in self._told.values()), default=0)

    def open(self, state: Committed) -> None:
        """Start with a partition; nothing of it is pending. Its state is copied, as the fold may soon be ahead."""
        self._told[state.partition] = PartitionQueue(state)

    def age(self, partition: int, published: Version) -> None:
        """Let what a former owner has published by that version wait behind what changes from now on."""
        self._told[partition].age(published)

    def note_published(self, versions: Mapping[int, Version]) -> None:
        """Note that everything is published up to these versions."""
        for partition in versions.keys() & self._told.keys():
            self._told[partition].noted = versions[partition]

    def summary(self) -> str:
        """What is pending, in words."""
        kinds = Counter(key.kind for told in self._told.values() for key in told.all_but(set()).keys)
        windows = sum(len(told.all_but(set()).titles) for told in self._told.values())
        others = sum(kinds.values()) - kinds[TITLE]
        partitions = ", ".join(str(partition) for partition, told in self._told.items() if told.waits or told.old)
        return f"{kinds[TITLE]:,} titles, the windows of {windows:,}, {others:,} other keys; partitions {partitions}"

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
            told.let_wait(Waits({key}, set()))

    def let_wait_in(self, partition: int, keys: set[TallyKey]) -> None:
        """Queue keys of one partition again, as far as it has tallies of them; not for windows."""
        self._told[partition].let_wait(Waits(keys, set()))

    def let_everything_wait(self) -> None:
        """Queue all keys again."""
        for told in self._told.values():
            told.let_everything_wait()

    @property
    def is_charts_alone(self) -> bool:
        """Whether nothing is pending, or only charts."""
        return not any(told.all_but(told.charts()) for told in self._told.values())

    def take(self, most: int, *, with_charts: bool = True) -> Taken:
        """Take what is pending, as much as makes about `most` hashes: what changed last and titles first.

        Versions end before the oldest change that stays pending.
        """
        taken = Taken({}, {}, {}, {}, set())
        held = {partition: set() if with_charts else told.charts() for partition, told in self._told.items()}
        for partition, waits in self._chosen(most, held).items():
            told = self._told[partition]
            for key, tally in told.tallies_of(waits):
                taken.shares.setdefault(key, []).append((partition, told.version[0], *tally))
            taken.waiting[partition] = waits
            if told.leave(waits, held[partition]):
                taken.unfinished.add(partition)
            elif told.oldest_ms is not None:
                taken.oldest_ms[partition], told.oldest_ms = told.oldest_ms, None
            taken.versions[partition] = told.version_before()
        return taken

    def _chosen(self, most: int, held: Mapping[int, set[TallyKey]]) -> dict[int, Waits]:
        everything = {partition: told.all_but(held[partition]) for partition, told in self._told.items()}
        if sum(len(waits.keys) + WINDOWS * len(waits.titles) for waits in everything.values()) <= most:
            return everything
        queues = [told.queues(held[partition]) for partition, told in self._told.items()]
        by_precedence = [in_turns(dict(zip(self._told, each, strict=True))) for each in zip(*queues, strict=True)]
        chosen = {partition: Waits({STATUS} & waits.keys, set()) for partition, waits in everything.items()}
        for partition, pending in first_of(by_precedence, most):
            if pending.key is not None:
                chosen[partition].keys.add(pending.key)
            elif pending.title_id is not None:
                chosen[partition].titles.add(pending.title_id)
        return chosen

    def wait_again(self, taken: Taken) -> None:
        """Queue again what was taken. If a partition was closed meanwhile, its next owner publishes it."""
        for partition in taken.waiting.keys() & self._told.keys():
            self._told[partition].let_wait(taken.waiting[partition])
        self.still_old(taken)

    def still_old(self, taken: Taken) -> None:
        """Keep the age of what was taken: it may be written, but its hashes are not marked as complete yet."""
        for partition in taken.oldest_ms.keys() & self._told.keys():
            self._told[partition].oldest_ms = taken.oldest_ms[partition]
