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
        self._queues: dict[int, PartitionQueue] = {}
        self._never_taken: set[str] = set()

    @property
    def left(self) -> int:
        """How many keys and titles are pending. May be called from any thread."""
        return sum(queue.left for queue in list(self._queues.values()))

    @property
    def incarnation(self) -> int:
        """The partitions' newest incarnation; 0 without partitions."""
        return max((queue.version[0] for queue in self._queues.values()), default=0)

    def open(self, state: Committed) -> None:
        """Start with a partition; nothing of it is pending. Its state is copied, as the fold may soon be ahead."""
        self._queues[state.partition] = PartitionQueue(state, self._never_taken, self.has)

    def age(self, partition: int, published: Version) -> None:
        """Let what a former owner has published by that version wait behind what changes from now on."""
        self._queues[partition].age(published)

    def note_published(self, versions: Mapping[int, Version]) -> None:
        """Note that everything is published up to these versions."""
        for partition in versions.keys() & self._queues.keys():
            self._queues[partition].noted = versions[partition]

    def summary(self) -> str:
        """What is pending, in words."""
        pending = [waits for queue in self._queues.values() for waits in (queue.waits, queue.new, queue.old)]
        kinds = Counter(key.kind for waits in pending for key in waits.tally_keys())
        windows = sum(len(waits.windows) for waits in pending)
        others = sum(kinds.values()) - kinds[TITLE]
        partitions = ", ".join(str(partition) for partition, queue in self._queues.items() if queue.left)
        return f"{kinds[TITLE]:,} titles, the windows of {windows:,}, {others:,} other keys; partitions {partitions}"

    def close(self, partition: int) -> None:
        """Forget a partition and what is pending of it."""
        self._queues.pop(partition, None)

    def commit(self, state: Committed) -> None:
        """Queue a checkpoint's changes. Tallies that the fold dropped are forgotten; their hashes will expire."""
        self._queues[state.partition].commit(state)

    def has(self, key: TallyKey) -> bool:
        """Whether any partition has a tally with this key. Do not call it for windows: current ones have none."""
        return any(key in queue.tallies for queue in self._queues.values())

    def requeue(self, key: TallyKey) -> None:
        """Queue a key again, if it has a tally; not for windows."""
        for queue in self._queues.values():
            queue.requeue([key])

    def requeue_in(self, partition: int, keys: set[TallyKey]) -> None:
        """Queue keys of one partition again, as far as it has tallies of them; not for windows."""
        self._queues[partition].requeue(keys)

    def requeue_all(self) -> None:
        """Queue all keys again."""
        for queue in self._queues.values():
            queue.requeue_all()

    @property
    def is_charts_alone(self) -> bool:
        """Whether nothing is pending, or only charts."""
        return all(queue.is_charts_alone for queue in self._queues.values())

    def take(self, most: int, *, with_charts: bool = True) -> Taken:
        """Take what is pending, as much as makes about `most` hashes: what changed last, and known titles, first.

        Versions end before the oldest change that stays pending.
        """
        taken = Taken({}, {}, {}, {}, set(), {}, {})
        for partition, waits in self._chosen(most, with_charts=with_charts).items():
            queue = self._queues[partition]
            for key, tally in queue.tallies_of(waits):
                taken.shares.setdefault(key, []).append((partition, queue.version[0], *tally))
            taken.waiting[partition] = waits
            if queue.weight(with_charts=with_charts):
                taken.unfinished.add(partition)
            elif queue.oldest_ms is not None:
                taken.oldest_ms[partition], queue.oldest_ms = queue.oldest_ms, None
            taken.versions[partition], taken.ends[partition] = queue.version_before(), queue.next_offset
            if taken.versions[partition] == queue.version:
                taken.seen[partition] = queue.next_offset
        return taken

    def _chosen(self, most: int, *, with_charts: bool) -> dict[int, Waits]:
        if sum(queue.weight(with_charts=with_charts) for queue in self._queues.values()) <= most:
            return {partition: queue.take_all(with_charts=with_charts) for partition, queue in self._queues.items()}
        queues = [queue.queues(with_charts=with_charts) for queue in self._queues.values()]
        # A hash that is written for one partition takes in what is pending of it in the others.
        chosen = Waits({STATUS: NOT_MISSED})
        for item in first_of([in_turns(each) for each in zip(*queues, strict=True)], most):
            chosen.put(item, NOT_MISSED)
        return {p: queue.take(chosen, with_charts=with_charts) for p, queue in self._queues.items()}

    def put_back(self, taken: Taken) -> None:
        """Queue again what was taken. If a partition was closed meanwhile, its next owner publishes it."""
        for partition in taken.waiting.keys() & self._queues.keys():
            self._queues[partition].requeue(taken.waiting[partition].items())
        self.keep_age(taken)

    def keep_age(self, taken: Taken) -> None:
        """Keep the age of what was taken: it may be written, but its hashes are not marked as complete yet."""
        for partition in taken.oldest_ms.keys() & self._queues.keys():
            self._queues[partition].oldest_ms = taken.oldest_ms[partition]
