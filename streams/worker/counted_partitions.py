"""A worker's partitions: each is counted, and its counters are published.

Owns what the publisher learns of a partition, and what it needs to be opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.observability.monitoring import Monitoring
from streams.publishing.publisher import Publisher
from streams.publishing.sink import Sink, Unreachable
from streams.state.consistency import RecordedElsewhere
from streams.worker.assignment import Ownership
from streams.worker.control_rows import ControlSources
from streams.worker.partition import Partition
from streams.worker.startup import Ground


class CountedPartitions(Ownership[Partition]):
    """The partitions of one worker."""

    def __init__(
        self,
        settings: Settings,
        ground: Ground,
        sink: Sink,
        publisher: Publisher,
        monitoring: Monitoring,
        ending: asyncio.Event,
        fail: Callable[[BaseException], None],
    ) -> None:
        super().__init__(settings, monitoring.vitals, monitoring.metrics, ending, fail)
        self._ground, self._sink, self._publisher, self._monitoring = ground, sink, publisher, monitoring

    async def prepare(self, batch: RecordBatch) -> None:
        decode = self._ground.source.decode
        if decode is None or not (unknown := decode.unknown(record.value for record in batch.records)):
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self.pool, decode.load, unknown)
        except Exception as problem:
            self._fail(problem)

    async def _open_partition(self, number: int) -> Partition:
        partition = Partition(
            number,
            self.settings,
            self._ground.source,
            self.pool,
            ControlSources(lambda: self._ground.catalog.rows, lambda: self._ground.erasures.rows),
            self._publisher.on_committed,
            self._monitoring.metrics,
        )
        await partition.open(await self._known(number), lambda: self._read.offsets(number))
        return partition

    async def _known(self, number: int) -> RecordedElsewhere:
        settings = self.settings
        committed = await asyncio.to_thread(self._ground.view.committed, settings.app_id, settings.source_topic, number)
        try:
            return RecordedElsewhere(committed, await self._sink.published_version(number))
        except Unreachable:
            return RecordedElsewhere(committed, None)

    async def _note_opened(self, partition: Partition) -> None:
        await self._publisher.open_partition(partition.committed_state())

    def _note_closed(self, number: int) -> None:
        self._publisher.close_partition(number)

    def _prepare_checkpoint(self, number: int, is_at_end: bool) -> None:
        partition = self.partitions[number]
        if is_at_end:
            partition.advance_clock_if_silent()
        partition.published = self._publisher.published.get(number, 0)

    def _note_lag(self, number: int, records: int) -> None:
        self._publisher.on_lag(number, records)
