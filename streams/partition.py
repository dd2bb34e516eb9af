"""One owned partition: its fold, its position, and the checkpoints that move both together.

Owns the life of a partition in a worker: opened (fenced, restored, checked), fed with batches, checkpointed,
closed. It must not know Faust or Redis; what is published reaches the publisher through `on_committed`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, NamedTuple

from models.catalog import CatalogRow
from models.fold import Changes, Fold, TallyKey
from streams.changelog import Position, StateError, catalog_message, position_message, state_messages
from streams.committed import Committed
from streams.failpoints import Failpoint, reached
from streams.kept import kept_records
from streams.restore import restore
from streams.settings import Settings
from streams.transactions import Batch, CheckpointFailed, TransactionalWriter
from streams.transport import RecordBatch

log = logging.getLogger(__name__)


class Gap(StateError):
    """Records between the state's position and the batch at hand were never delivered."""


class Source(NamedTuple):
    """What a worker knows of the source topic when it starts, and the zone names it judges by."""

    topic_id: str
    partitions: int
    zones: frozenset[str]
    zones_version: str


class Partition:
    """The state of one partition that this worker owns. All methods but the opening run on the event loop."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        source: Source,
        pool: Executor,
        catalog: Callable[[], Mapping[str, CatalogRow]],
        on_committed: Callable[[Committed], None],
    ) -> None:
        self.number = number
        self.settings = settings
        self.source = source
        self.fold = Fold(settings.rules(), partition=number, partitions=source.partitions, zones=source.zones)
        self._rules = self.fold.rules.fingerprint()
        self.position = 0
        self.sequence = 0
        self.incarnation = 0
        self.restored_rows = 0
        self.checkpointed_position = 0
        self._catalog = catalog
        self._taken_in: Mapping[str, CatalogRow] | None = None
        self._on_committed = on_committed
        self._pool = pool
        self._writer = TransactionalWriter(
            settings.kafka,
            f"{settings.app_id}-{number}",
            settings.state_topic,
            number,
            settings.transaction_timeout_s,
        )
        self._lock = asyncio.Lock()
        self._unfinished: CheckpointFailed | None = None
        self._unacknowledged: list[Any] = []
        self._catalog_messages: list[dict[str, Any]] = []

    async def open(self, first_offset: int, end_offset: int) -> None:
        """Fence the former owner, bring the state back, and check that the source still continues it.

        `first_offset` and `end_offset` are the source partition's, read after the fence would do no harm.
        Raises `StateError` or `CheckpointFailed`.
        """
        await self._in_pool(self._open)
        if self.position == 0 and self.sequence == 0:
            self.position = self.checkpointed_position = first_offset
        if not first_offset <= self.position <= end_offset:
            raise StateError(
                f"{self._name} has records {first_offset} to {end_offset}, the state continues at"
                f" {self.position}: the records between are gone; rebuild under a new ENCORE_APP_ID"
            )
        self._take_in_catalog()

    def _open(self) -> None:
        self._writer.open()
        timeout_s = self.settings.startup_timeout_s
        restored = restore(self.settings.kafka, self.settings.state_topic, self.number, self.fold, timeout_s=timeout_s)
        self.restored_rows = restored.rows
        if restored.position is None:
            self.incarnation = time.time_ns() // 1_000_000
        else:
            self._continue_from(restored.position)

    def _continue_from(self, position: Position) -> None:
        for name, found, now in (
            ("the row format", position.format, self._position().format),
            ("the rule settings", position.rules, self._rules),
            ("the zone data", position.zones, self.source.zones_version),
            ("the partition count", position.partitions, self.source.partitions),
            ("the topic's id", position.topic_id, self.source.topic_id),
        ):
            if found != now:
                raise StateError(
                    f"{self._name}: {name} of the state is {found!r}, of this worker {now!r}:"
                    " go back to what it was, or rebuild under a new ENCORE_APP_ID"
                )
        self.position = self.checkpointed_position = position.next_offset
        self.sequence, self.incarnation = position.sequence, position.incarnation

    @property
    def _name(self) -> str:
        return f"{self.settings.source_topic}/{self.number}"

    @property
    def uncheckpointed(self) -> int:
        """Offsets applied since the last checkpoint that was committed."""
        return self.position - self.checkpointed_position

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Fold a batch in; `event` is acknowledged once it is checkpointed. Raises `Gap`."""
        if batch.start > self.position:
            raise Gap(
                f"{self._name}: records {self.position} to {batch.start} were not delivered (a gap);"
                " the worker ends and continues from its last checkpoint"
            )
        if batch.end > self.position:
            records = batch.records
            if batch.start < self.position:
                records = [record for record in records if record.offset >= self.position]
            self.fold.apply(records)
            self.position = batch.end
        self._unacknowledged.append(event)

    async def checkpoint(self) -> None:
        """Write all changes since the last checkpoint in one transaction, then acknowledge and publish.

        Raises `CheckpointFailed`: nothing of it is written then, and the process must end.
        """
        async with self._lock:
            # What a checkpoint that failed held is in no later one.
            if self._unfinished is not None:
                raise self._unfinished
            if self.uncheckpointed:
                self._unfinished = CheckpointFailed(f"a checkpoint of {self._name} was given up")
                try:
                    await self._checkpoint()
                except CheckpointFailed as problem:
                    self._unfinished = problem
                    raise
                self._unfinished = None

    async def _checkpoint(self) -> None:
        self.sequence += 1
        changes, position = self.fold.drain(self.sequence), self._position()
        acknowledged, self._unacknowledged = self._unacknowledged, []
        batch = self._batch(changes, position)
        self._take_in_catalog()
        reached(Failpoint.CUT)
        await self._in_pool(self._writer.write, batch)
        reached(Failpoint.COMMITTED)
        self.checkpointed_position = position.next_offset
        for event in acknowledged:
            event.ack()
        self._on_committed(self._committed(position, changes.tallies))
        self.fold.cool(self.settings.hot_rows)

    def _batch(self, changes: Changes, position: Position) -> Batch:
        state = [*self._catalog_messages, *state_messages(changes), position_message(position)]
        self._catalog_messages = []
        return Batch(state, kept_records(changes, self.settings, self.number))

    def _position(self) -> Position:
        return Position(
            next_offset=self.position,
            topic_id=self.source.topic_id,
            partitions=self.source.partitions,
            stream_time_ms=self.fold.stream_time_ms,
            sequence=self.sequence,
            rules=self._rules,
            zones=self.source.zones_version,
            incarnation=self.incarnation,
            stream=self.fold.stream_counts(),
        )

    def _take_in_catalog(self) -> None:
        """Let the catalog as it is now hold from the next record on, and record that it does."""
        before, now = self.fold.catalog, self._catalog()
        # The feed replaces its mapping when titles change: the same one holds nothing new.
        if now is self._taken_in:
            return
        self._taken_in = now
        for title_id in [
            title_id for title_id in before.keys() | now.keys() if before.get(title_id) != now.get(title_id)
        ]:
            self.fold.take_in(title_id, now.get(title_id))
            self._catalog_messages.append(catalog_message(self.position, title_id, now.get(title_id)))

    def committed_state(self) -> Committed:
        """All that readers should know of this partition, as of its last checkpoint. Call when just opened."""
        return self._committed(self._position(), self.fold.tallies)

    def _committed(self, position: Position, tallies: Mapping[TallyKey, list[int]]) -> Committed:
        return Committed(
            self.number,
            position.incarnation,
            position.sequence,
            position.stream_time_ms,
            position.stream,
            tallies,
        )

    async def close(self) -> None:
        """Let go of the partition as it is; what was not checkpointed, the next owner reads again."""
        async with self._lock:
            self._unacknowledged = []
            await self._in_pool(self._writer.close)

    async def _in_pool(self, call: Callable[..., None], *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
