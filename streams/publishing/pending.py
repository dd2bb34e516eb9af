"""This worker's committed shares, and which of them are not published yet.

Keeps the newest unpublished share of each key; failed writes are queued again. Owns what a round takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from models.tally import TITLE, TallyKey
from streams.publishing.hashes import STATUS
from streams.publishing.partition_queue import PartitionQueue, first_of, in_turns
from streams.publishing.sink import Share, Version
from streams.publishing.waits import NOT_MISSED, Waits
from streams.state.committed import Committed


class Taken(NamedTuple):
    """What a round publishes: by partition, the pending keys and titles, and the version up to which that publishes it.

    `shares`: each key's newest shares, one for each partition. `oldest_ms`: by partition, the timestamp of the first
    record that readers may not see yet. `unfinished`: the partitions of which something stays pending. `ends`: by
    partition, the source offset below which records may be counted in the shares. `seen`: the same, of the partitions
    of which readers see everything once this round is written.
    """

    waiting: dict[int, Waits]
    versions: dict[int, Version]
    shares: dict[TallyKey, list[Share]]
    oldest_ms: dict[int, int]
    unfinished: set[int]
    ends: dict[int, int]
    seen: dict[int, int]


class PendingChanges:
    """What is pending of all partitions of one worker."""

    def __init__(self) -> None:
        self._told: dict[int, PartitionQueue] = {}
        self._never_taken: set[str] = set()

    @property
    def left(self) -> int:
        """How many keys and titles are pending. May be called from any thread."""
        return sum(told.left for told in list(self._told.values()))

    @property
    def incarnation(self) -> int:
        """The partitions' newest incarnation; 0 without partitions."""
        return max((told.version[0] for told in self._told.values()), default=0)

    def open(self, state: Committed) -> None:
        """Start with a partition; nothing of it is pending. Its state is copied, as the fold may soon be ahead."""
        self._told[state.partition] = PartitionQueue(state, self._never_taken, self.has)

    def age(self, partition: int, published: Version) -> None:
        """Let what a former owner has published by that version wait behind what changes from now on."""
        self._told[partition].age(published)

    def note_published(self, versions: Mapping[int, Version]) -> None:
        """Note that everything is published up to these versions."""
        for partition in versions.keys() & self._told.keys():
            self._told[partition].noted = versions[partition]

    def summary(self) -> str:
        """What is pending, in words."""
        pending = [waits for told in self._told.values() for waits in (told.waits, told.new, told.old)]
        kinds = Counter(key.kind for waits in pending for key in waits.tally_keys())
        windows = sum(len(waits.windows) for waits in pending)
        others = sum(kinds.values()) - kinds[TITLE]
        partitions = ", ".join(str(partition) for partition, told in self._told.items() if told.left)
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

    def requeue(self, key: TallyKey) -> None:
        """Queue a key again, if it has a tally; not for windows."""
        for told in self._told.values():
            told.requeue([key])

    def requeue_in(self, partition: int, keys: set[TallyKey]) -> None:
        """Queue keys of one partition again, as far as it has tallies of them; not for windows."""
        self._told[partition].requeue(keys)

    def requeue_all(self) -> None:
        """Queue all keys again."""
        for told in self._told.values():
            told.requeue_all()

    @property
    def is_charts_alone(self) -> bool:
        """Whether nothing is pending, or only charts."""
        return all(told.is_charts_alone for told in self._told.values())

    def take(self, most: int, *, with_charts: bool = True) -> Taken:
        """Take what is pending, as much as makes about `most` hashes: what changed last, and known titles, first.

        Versions end before the oldest change that stays pending.
        """
        taken = Taken({}, {}, {}, {}, set(), {}, {})
        for partition, waits in self._chosen(most, with_charts=with_charts).items():
            told = self._told[partition]
            for key, tally in told.tallies_of(waits):
                taken.shares.setdefault(key, []).append((partition, told.version[0], *tally))
            taken.waiting[partition] = waits
            if told.weight(with_charts=with_charts):
                taken.unfinished.add(partition)
            elif told.oldest_ms is not None:
                taken.oldest_ms[partition], told.oldest_ms = told.oldest_ms, None
            taken.versions[partition], taken.ends[partition] = told.version_before(), told.next_offset
            if taken.versions[partition] == told.version:
                taken.seen[partition] = told.next_offset
        return taken

    def _chosen(self, most: int, *, with_charts: bool) -> dict[int, Waits]:
        if sum(told.weight(with_charts=with_charts) for told in self._told.values()) <= most:
            return {partition: told.take_all(with_charts=with_charts) for partition, told in self._told.items()}
        queues = [told.queues(with_charts=with_charts) for told in self._told.values()]
        # A hash that is written for one partition takes in what is pending of it in the others.
        chosen = Waits({STATUS: NOT_MISSED})
        for item in first_of([in_turns(each) for each in zip(*queues, strict=True)], most):
            chosen.put(item, NOT_MISSED)
        return {p: told.take(chosen, with_charts=with_charts) for p, told in self._told.items()}

    def put_back(self, taken: Taken) -> None:
        """Queue again what was taken. If a partition was closed meanwhile, its next owner publishes it."""
        for partition in taken.waiting.keys() & self._told.keys():
            self._told[partition].requeue(taken.waiting[partition].items())
        self.keep_age(taken)

    def keep_age(self, taken: Taken) -> None:
        """Keep the age of what was taken: it may be written, but its hashes are not marked as complete yet."""
        for partition in taken.oldest_ms.keys() & self._told.keys():
            self._told[partition].oldest_ms = taken.oldest_ms[partition]
