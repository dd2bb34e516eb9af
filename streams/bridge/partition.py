"""One foreign partition that a bridge owns: what it translates, and the checkpoints that move everything together.

A checkpoint is one transaction: the playback events, the dead letters, the sessions that changed and the position. So
each record is translated once, whenever a bridge dies. It must not know Faust.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from secrets import token_hex
from typing import Any, NamedTuple, TypeVar

from models.sources.foreign_partition import ForeignPartition, Output, Refusal
from models.sources.identities import Identities
from models.sources.told import Schema
from streams.bridge.state import BridgePosition, BridgeRestore, check_continues, check_source, state_messages
from streams.config.failpoints import Failpoint, reached
from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.observability.bridge_metrics import BridgeMetrics
from streams.observability.partition_metrics import CheckpointWait
from streams.state.changelog import StateError
from streams.state.restore import read_state
from streams.state.side_outputs import refused_record
from streams.state.transactions import CheckpointBatch, CheckpointFailed, SideRecord, TransactionalWriter

_HOUR_MS = 3_600_000
T = TypeVar("T")


class Bridge(NamedTuple):
    """What a bridge is. `settings`: its own (`streams.config.bridges`). `writes`: the topic of playback events.

    `topic_id`, `state_id`: of the foreign topic and of the state, as they were found at the start.
    """

    settings: Settings
    schema: Schema
    identities: Identities
    writes: str
    topic_id: str
    state_id: str
    accept_gap: bool = False


class BridgedPartition:
    """A foreign partition. Runs on the event loop; restores and writes in threads."""

    def __init__(self, number: int, bridge: Bridge, pool: Executor, metrics: BridgeMetrics) -> None:
        self.number, self.bridge = number, bridge
        self.foreign = ForeignPartition(
            bridge.schema, bridge.identities, bridge.settings.bridge_session_hours * _HOUR_MS
        )
        self.position = self.checkpointed_position = self.sequence = self.restored_rows = 0
        self.pulse = CheckpointWait()
        self._metrics, self._pool = metrics, pool
        settings = bridge.settings
        self._writer = TransactionalWriter(
            settings.kafka_address,
            f"{settings.app_id}-{number}",
            settings.state_topic,
            number,
            settings.transaction_timeout_s,
            metrics.bridge_producer_renewals.inc,
            partitioner="murmur2_random",
        )
        self._writer_name = token_hex(4)
        self._pseudonyms = settings.pseudonyms()
        self._lock = asyncio.Lock()
        self._unfinished: CheckpointFailed | None = None
        self._unacknowledged: list[Any] = []

    async def open(self, committed: int | None, offsets: Callable[[], Awaitable[tuple[int, int]]]) -> None:
        """Fence the former owner, restore the state, and check that it is complete and that the topic continues it.

        `committed`: the offset that the group has committed. `offsets` returns the first offset of the partition and
        the one after its last. Raises `StateError` or `CheckpointFailed`.
        """
        bridge = self.bridge
        position = await self._in_pool(self._restore)
        first, end = await offsets()
        check_continues(bridge.settings, self.number, position, committed, (bridge.topic_id, bridge.state_id))
        if position is None:
            self.position = first
        else:
            self.sequence = position.sequence
            self.position = check_source(
                bridge.settings, self.number, position.next_offset, first, end, accept_gap=bridge.accept_gap
            )
        self.checkpointed_position = self.position

    def _restore(self) -> BridgePosition | None:
        self._writer.open()
        settings, restored = self.bridge.settings, BridgeRestore(self.foreign)
        read_state(
            settings.kafka_address,
            settings.state_topic,
            self.number,
            restored,
            timeout_s=settings.startup_timeout_s,
        )
        self._writer.continue_from(restored.last)
        self.restored_rows = restored.rows
        return restored.position

    @property
    def uncheckpointed(self) -> int:
        """How many offsets were translated since the last committed checkpoint."""
        return self.position - self.checkpointed_position

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Translate a batch; `event` is acknowledged once it is checkpointed. Raises `StateError`."""
        if batch.start != self.position:
            raise StateError(
                f"{self.bridge.settings.source_topic}/{self.number}: the next record is {self.position}, delivered were"
                f" those from {batch.start} on (a gap); the bridge ends and continues from its last checkpoint"
            )
        self.foreign.take(batch.records)
        self.position = batch.end
        self.pulse.note_read(batch.records)
        self._unacknowledged.append(event)

    async def checkpoint(self) -> None:
        """Write all that was translated since the last checkpoint in one transaction, then acknowledge.

        Raises `CheckpointFailed`: all of it is committed then, or nothing, and the process must end. If it is
        `RecordRefused`, nothing is, and only the partition must be closed.
        """
        async with self._lock:
            # What a failed checkpoint held is in no later one.
            if self._unfinished is not None:
                raise self._unfinished
            if self.uncheckpointed:
                self._unfinished = CheckpointFailed(f"a checkpoint of {self._writer.name} was given up")
                try:
                    await self._checkpoint()
                except CheckpointFailed as problem:
                    self._unfinished = problem
                    raise
                self._unfinished = None

    async def _checkpoint(self) -> None:
        begun_s, taken = time.monotonic(), self.uncheckpointed
        self.pulse.begin_checkpoint()
        self.sequence += 1
        output, sessions = self.foreign.drain()
        position = self._position()
        acknowledged, self._unacknowledged = self._unacknowledged, []
        sent = {self.bridge.writes: output.events}
        batch = CheckpointBatch(state_messages(sessions, position), list(self._dead_letters(output.refusals)), sent)
        reached(Failpoint.CUT)
        await self._in_pool(self._writer.write, batch)
        reached(Failpoint.COMMITTED)
        self.checkpointed_position = position.next_offset
        for event in acknowledged:
            event.ack()
        self.pulse.end_checkpoint()
        self._note(output, taken, time.monotonic() - begun_s)

    def _position(self) -> BridgePosition:
        return BridgePosition(
            self.position,
            self.bridge.topic_id,
            self.bridge.state_id,
            self.sequence,
            self.foreign.forgetting,
            self._writer_name,
        )

    def _dead_letters(self, refusals: Iterable[Refusal]) -> Iterable[SideRecord]:
        settings, source = self.bridge.settings, (self.bridge.settings.source_topic, self.bridge.topic_id, self.number)
        for record, code, text in refusals:
            # The time of some messages is their record's: what is sent again must have it.
            more = [("code", code.encode()), ("timestamp", b"%d" % record.timestamp)]
            yield refused_record(settings.dead_letters_topic, record, source, f"{code}: {text}", self._pseudonyms, more)

    def _note(self, output: Output, taken: int, seconds: float) -> None:
        reasons: dict[str, int] = {}
        for refusal in output.refusals:
            reasons[refusal.code] = reasons.get(refusal.code, 0) + 1
        self._metrics.note_checkpoint(self.number, seconds, taken, len(output.events), reasons, output.left_out)

    async def close(self) -> None:
        """Close the partition without a checkpoint; the next owner translates again what was not checkpointed."""
        async with self._lock:
            self._unacknowledged = []
            await self._in_pool(self._writer.close)

    async def _in_pool(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
