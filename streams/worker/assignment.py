"""A process's partitions of its source: assigned, restored, delivered, checkpointed, revoked.

Owns the Faust application, whose group assigns partitions, and which partitions may be delivered to its agent. It must
not know what a partition makes of its records: `streams.worker.counted_partitions` counts them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

from prometheus_client import Counter

from streams.config.failpoints import Failpoint, reached
from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.observability.liveness import HasCheckpointWait, Vitals
from streams.observability.partition_metrics import CheckpointLag
from streams.source.app import SourcePartitions, create_app
from streams.state.transactions import RecordRefused
from streams.worker.stopped import StoppedPartitions

log = logging.getLogger(__name__)

_MOST_PARTITIONS = 64


class OwnedPartition(HasCheckpointWait, Protocol):
    """A partition that is open.

    `position`: the next offset to be applied; `checkpointed_position`: the next one after the last checkpoint, whose
    number is `sequence`.
    """

    position: int
    checkpointed_position: int
    sequence: int
    restored_rows: int

    @property
    def uncheckpointed(self) -> int:
        """How many offsets were applied since the last committed checkpoint."""

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Take a batch in; `event` is acknowledged once it is checkpointed."""

    async def checkpoint(self) -> None:
        """Write all changes since the last checkpoint in one transaction. Raises `CheckpointFailed`,
        `RecordRefused`."""

    async def close(self) -> None:
        """Close the partition without a checkpoint."""


class OwnershipMetrics(Protocol):
    """The metrics that are set here."""

    rebalances: Counter

    def forget(self, partition: int) -> None:
        """Remove a partition's gauges: it belongs to another process now."""

    def note_restore(self, seconds: float, rows: int) -> None:
        """Count the restore of a partition."""


P = TypeVar("P", bound=OwnedPartition)


class Ownership(ABC, Generic[P]):
    """The partitions of one process. `partitions` are open; `openings` are the tasks that open others.

    `stopped` are those of which Kafka refused a record, until they are past it. `delivering` are the tasks of
    `openings` until they are done. Nothing is delivered once `ending` is set. `fail` is called with every other error.
    """

    def __init__(
        self,
        settings: Settings,
        vitals: Vitals,
        metrics: OwnershipMetrics,
        ending: asyncio.Event,
        fail: Callable[[BaseException], None],
    ) -> None:
        self.settings = settings
        self.partitions: dict[int, P] = {}
        self.openings: dict[int, asyncio.Task[None]] = {}
        self.delivering: set[asyncio.Task[None]] = set()
        self.stopped = StoppedPartitions(self._begin_to_open)
        self.app = create_app(settings, self)
        self._read = SourcePartitions(self.app, settings.source_topic)
        self._vitals, self._metrics, self._ending, self._fail = vitals, metrics, ending, fail
        self.pool = ThreadPoolExecutor(_MOST_PARTITIONS, thread_name_prefix="kafka")
        self._assigned: set[int] = set()
        self._epochs: dict[int, int] = {}
        self._last_epoch = 0
        self._generation = 0
        # How often the group had a generation without this worker.
        self._missed = 0

    # -- what a partition is ----------------------------------------------------------------------------------

    @abstractmethod
    async def _open_partition(self, number: int) -> P:
        """A partition that is restored, and continues the source."""

    async def _note_opened(self, partition: P) -> None:
        """Note that a partition is restored, before others find it."""

    def _note_closed(self, number: int) -> None:
        """Note that a partition is closed."""

    def _prepare_checkpoint(self, number: int, is_at_end: bool) -> None:
        """Prepare a partition's checkpoint on time. `is_at_end`: it has read all that there is."""

    def _note_lag(self, number: int, records: int) -> None:
        """Note how many records a partition is behind its source."""

    # -- what the transport and the agent ask ---------------------------------------------------------------

    def epoch(self, partition: int) -> int | None:
        """The epoch of an open partition; None: it must not be delivered now."""
        owned = self.partitions.get(partition)
        if owned is None or self._ending.is_set() or owned.uncheckpointed >= self.settings.uncheckpointed_records:
            return None
        return self._epochs.get(partition)

    async def prepare(self, batch: RecordBatch) -> None:
        """Fetch what the batch cannot be applied without: whatever blocks."""

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Fold a batch into its partition. Ignore a batch of an older epoch: it was fetched before a seek, and comes
        again."""
        if self._ending.is_set() or self._epochs.get(batch.partition) != batch.epoch:
            return
        try:
            self.partitions[batch.partition].apply(batch, event)
        except Exception as problem:
            self._fail(problem)

    def positions(self) -> dict[int, int]:
        """The next offsets of the partitions that may be delivered now."""
        owned = self.partitions.items()
        return {number: partition.position for number, partition in owned if self.epoch(number) is not None}

    # -- partitions come and go -----------------------------------------------------------------------------

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Stop delivering partitions and checkpoint them, so that their next owner starts from there.

        They stay in memory until the next assignment, which often gives them to this worker again.
        """
        numbers = set(partitions)
        self._assigned -= numbers
        for number in numbers:
            self._epochs.pop(number, None)
        if numbers:
            reached(Failpoint.REVOKED)
        try:
            await self._checkpoint(numbers & set(self.partitions))
        except Exception as problem:
            self._fail(problem)

    async def assign(self, partitions: Iterable[int]) -> None:
        """Close all other partitions, restore these in the background, and deliver each once it is open.

        If the group had a generation without this worker, another one may have moved its partitions on: then what is in
        memory is closed, too.
        """
        self._assigned = set(partitions)
        log.info("assigned partitions %s", sorted(self._assigned) or "none")
        reached(Failpoint.ASSIGNED)
        try:
            for number in {*self.partitions, *self.stopped} - self._assigned:
                await self._release(number)
            if self._has_missed_a_generation():
                self._missed += 1
                for number in list(self.partitions):
                    await self._close(number)
            for number in sorted(self._assigned):
                if number in self.partitions:
                    await self._deliver(number)
                else:
                    self._begin_to_open(number)
            self._vitals.note_assigned()
            self._metrics.rebalances.inc()
        except Exception as problem:
            self._fail(problem)

    def _has_missed_a_generation(self) -> bool:
        before, self._generation = self._generation, self._read.generation()
        return self._generation not in (before, before + 1)

    def _begin_to_open(self, number: int) -> None:
        """Open a partition in the background, unless that is under way, or it rests, or it is not this worker's now."""
        is_due = number in self._assigned and not self.stopped.is_resting(number)
        if is_due and number not in self.openings and not self._ending.is_set():
            self.openings[number] = asyncio.create_task(self._open(number))
            self.delivering.add(self.openings[number])
            self.openings[number].add_done_callback(self.delivering.discard)

    async def _open(self, number: int) -> None:
        missed = self._missed
        try:
            partition = await self._restored(number)
            await self._note_opened(partition)
            # Only now: the publisher must know a partition before others find it here.
            del self.openings[number]
            self.partitions[number] = partition
            if number not in self._assigned:
                await self._release(number)
            elif missed == self._missed:
                await self._deliver(number)
            else:
                await self._close(number)
                self._begin_to_open(number)
        except Exception as problem:
            self._fail(problem)

    async def _deliver(self, number: int) -> None:
        if await self._read.seek(number, self.partitions[number].position) and number in self._assigned:
            self._last_epoch += 1
            self._epochs[number] = self._last_epoch
        else:
            log.info("partition %d was revoked before it could be delivered", number)

    async def _release(self, number: int) -> None:
        self.stopped.forget(number)
        await self._close(number)

    async def _close(self, number: int) -> None:
        if number in self.partitions:
            # Closed first, so that the publisher still receives a checkpoint that is in flight.
            await self.partitions.pop(number).close()
            self._note_closed(number)
        self._metrics.forget(number)

    async def _stop(self, number: int, why: RecordRefused) -> None:
        """Close a partition of which Kafka refused a record. After a rest it is opened again, as after a rebalance."""
        partition = self.partitions[number]
        self._epochs.pop(number, None)
        lag = CheckpointLag(self._behind(number, partition), partition.pulse.latest_ms)
        self.stopped.stop(number, (partition.position, partition.sequence), lag, why)
        await self._close(number)

    async def _restored(self, number: int) -> P:
        begun = time.monotonic()
        partition = await self._open_partition(number)
        rows, seconds = partition.restored_rows, time.monotonic() - begun
        self._metrics.note_restore(seconds, rows)
        log.info(
            "partition %d restored: %d rows in %.1f s, continues at offset %d",
            number,
            rows,
            seconds,
            partition.position,
        )
        return partition

    # -- checkpoints ----------------------------------------------------------------------------------------

    async def checkpoint(self) -> None:
        """Checkpoint all partitions that are delivered. Raises `CheckpointFailed`, `Fenced`."""
        numbers = [number for number in self._epochs if number in self.partitions]
        for number in numbers:
            self._prepare_checkpoint(number, self._read.end(number) == self.partitions[number].position)
        await self._checkpoint(numbers)
        for number in numbers:
            if number in self.partitions and number in self._epochs:
                self._note_lag(number, self._behind(number, self.partitions[number]))

    async def _checkpoint(self, numbers: Iterable[int]) -> None:
        owned = [(number, self.partitions[number]) for number in numbers]
        await asyncio.gather(*(self._checkpoint_one(*each, turn) for turn, each in enumerate(owned)))

    async def _checkpoint_one(self, number: int, partition: P, turn: int) -> None:
        # A checkpoint is cut at one go: between two of them publishing gets its turn.
        for _ in range(turn):
            await asyncio.sleep(0)
        if self.partitions.get(number) is not partition:
            return
        try:
            await partition.checkpoint()
            self.stopped.note_committed(number, (partition.checkpointed_position, partition.sequence))
        except RecordRefused as problem:
            # A checkpoint by the timer and one by a rebalance may meet the same refusal.
            if self.partitions.get(number) is partition:
                await self._stop(number, problem)

    def _behind(self, number: int, partition: P) -> int:
        """How many records a partition is behind its source, as of the latest fetch."""
        return max(0, self._read.end(number) - partition.checkpointed_position)
