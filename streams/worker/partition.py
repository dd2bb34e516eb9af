"""One owned partition: its fold, its position, and the checkpoints that move both together.

Owns a partition's life in a worker: opened (fenced, restored, checked), fed with batches, checkpointed, closed. It must
not know Faust or Redis; the publisher receives committed changes through `on_committed`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from secrets import token_hex
from typing import Any, NamedTuple, TypeVar

from models.catalog import CatalogRow
from models.current_windows import CurrentWindows
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.tally import TallyKey
from streams.config.failpoints import Failpoint, reached
from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.observability.metrics import Metrics
from streams.observability.partition_metrics import Pulse
from streams.registry.decoder import SourceDecoder
from streams.state.changelog import ZONES_SINCE, Position, StateError, position_message, state_messages
from streams.state.committed import Committed
from streams.state.consistency import RecordedElsewhere, StateNames, check_fits, check_remembered, check_source
from streams.state.restore import restore
from streams.state.side_outputs import kept_records
from streams.state.transactions import CheckpointBatch, CheckpointFailed, TransactionalWriter
from streams.worker.control_rows import Controls, ControlSources

log = logging.getLogger(__name__)

SILENT_S = 30.0
"""After this long without a record, the clock advances by itself, and ends streaks and *watching now*."""

_SWEPT_ROWS = 500
T = TypeVar("T")


class Gap(StateError):
    """A batch does not begin at the state's position: the source was cut, or the wrong records were fetched."""


class SourceAtStart(NamedTuple):
    """The source and the state topic as the worker found them at its start, and the installed zone data.

    `decode` turns the source's values into JSON; None: they are JSON.
    """

    topic_id: str
    partitions: int
    state_id: str
    zones: Mapping[str, bytes]
    zones_version: str
    decode: SourceDecoder | None = None


class Partition:
    """The state of one partition that this worker owns. Runs on the event loop; restores and writes in threads."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        source: SourceAtStart,
        pool: Executor,
        control_sources: ControlSources,
        on_committed: Callable[[Committed], None],
        metrics: Metrics,
    ) -> None:
        self.number = number
        self.settings = settings
        self.source = source
        self._pseudonyms = settings.pseudonyms()
        self.fold = Fold(
            settings.rules(),
            partition=number,
            partitions=source.partitions,
            retention=settings.retention(),
            pseudonyms=self._pseudonyms,
            decode=source.decode,
        )
        self._rules, self._changed_rules = settings.state_fingerprint(), settings.changed_rules()
        self.position = 0
        self.sequence = 0
        self.incarnation = self._next_incarnation = 0
        self.restored_rows = 0
        self.checkpointed_position = 0
        self.rebuild_until = 0
        self.published = 0
        self._told = 0
        self._place = StateNames(
            f"{settings.source_topic}/{number}", f"{settings.state_topic}/{number}", group=settings.app_id
        )
        self._controls = Controls(number, source.topic_id, self.fold, control_sources)
        self._on_committed = on_committed
        self.pulse = Pulse(number, self.fold, metrics)
        self._pool = pool
        self._writer = TransactionalWriter.of(settings, number, metrics.producer_renewals.inc)
        self._writer_name = token_hex(4)
        self._lock = asyncio.Lock()
        self._unfinished: CheckpointFailed | None = None
        self._zones_of_state: Mapping[str, bytes] = {}
        self._catalog_of_state: Mapping[str, CatalogRow] = {}
        self._unacknowledged: list[Any] = []
        self._break_silence()

    async def open(self, known: RecordedElsewhere, offsets: Callable[[], Awaitable[tuple[int, int]]]) -> None:
        """Fence the former owner, restore the state, and check that it is complete and that the source continues it.

        `known` may be read before the fence, as what it proves stays true. `offsets` returns the first offset of the
        source partition and the one after its last: it is called after the restore, as the former owner may read on
        and write checkpoints until it is fenced. Raises `StateError` or `CheckpointFailed`.
        """
        position = await self._in_pool(self._restore)
        first_offset, end_offset = await offsets()
        check_remembered(self._place, position, known)
        self.pulse.begin()
        if position is None:
            self.position = self.checkpointed_position = first_offset
            # Former versions published before a first checkpoint, by clocks that may be ahead of this one's.
            told, _ = known.published or (0, 0)
            self._next_incarnation = max(time.time_ns() // 1_000_000, told + 1)
        else:
            check_fits(self._place, position, self._position())
            check_source(self._place, position.next_offset, first_offset, end_offset)
            self._continue_from(position)
        self._apply_zones(position)
        self._catalog_of_state = dict(self.fold.catalog)
        self._controls.apply_catalog(self.position)
        self._controls.apply_erasures(self.position)
        self._break_silence()

    def _restore(self) -> Position | None:
        self._writer.open()
        timeout_s = self.settings.startup_timeout_s
        restored = restore(
            self.settings.kafka_address, self.settings.state_topic, self.number, self.fold, timeout_s=timeout_s
        )
        self._writer.continue_from(restored.last)
        self.restored_rows, self._zones_of_state = restored.rows, restored.zones
        return restored.position

    def _apply_zones(self, restored: Position | None) -> None:
        """A state without zone data was computed with the installed data from its first record on."""
        has_zones = restored is None or restored.format >= ZONES_SINCE
        offset = self.position if has_zones else 0
        self._controls.apply_zones(offset, self._zones_of_state, self.source.zones, waits=has_zones)
        self._zones_of_state = {}

    def _continue_from(self, position: Position) -> None:
        self.position = self.checkpointed_position = position.next_offset
        self.sequence, self.incarnation = position.sequence, position.incarnation
        self._told, self.rebuild_until = position.told, position.rebuild_until
        if self.recounts:
            log.info("partition %d recounts: up to offset %d", self.number, self.rebuild_until)

    @property
    def _name(self) -> str:
        return self._place.source

    @property
    def recounts(self) -> bool:
        """Whether the partition is being recounted: readers must not see these counters yet."""
        return self.checkpointed_position < self.rebuild_until

    @property
    def uncheckpointed(self) -> int:
        """How many offsets were applied since the last committed checkpoint."""
        return self.position - self.checkpointed_position

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Fold a batch in; `event` is acknowledged once it is checkpointed. Raises `Gap`."""
        if batch.start != self.position:
            # The topic may have been recreated, or have lost its end: new records must not be skipped silently.
            raise Gap(
                f"{self._name}: the next record is {self.position}, delivered were those from {batch.start} on (a gap);"
                " the worker ends and continues from its last checkpoint"
            )
        self.fold.apply(batch.records)
        self.position = batch.end
        self.pulse.note_read(batch.records)
        self._break_silence()
        self._unacknowledged.append(event)

    def _break_silence(self) -> None:
        self._silent_since_s, self._clock_before_ms = time.monotonic(), self.fold.clock_ms

    def _silent_s(self) -> float:
        return time.monotonic() - self._silent_since_s

    def advance_clock_if_silent(self) -> None:
        """After a long silence, advance the clock, which ends streaks and *watching now*, and record that.

        The clock advances from the last record's time by this worker's monotonic clock, whatever the wall clock says.
        Call it only if there is no record left to read.
        """
        if self._silent_s() < SILENT_S or self._clock_before_ms < 0:
            return
        self._controls.advance_clock(self.position, self._clock_before_ms + int(self._silent_s() * 1000))

    async def checkpoint(self) -> None:
        """Write all changes since the last checkpoint in one transaction, then acknowledge and publish.

        Raises `CheckpointFailed`: all of it is committed then, or nothing, and the process must end. If it is
        `RecordRefused`, nothing is, and only the partition must be closed.
        """
        async with self._lock:
            # The changes of a failed checkpoint are in no later one.
            if self._unfinished is not None:
                raise self._unfinished
            self._controls.apply_erasures(self.position)
            if self.uncheckpointed or self._controls_are_due():
                self._unfinished = CheckpointFailed(f"a checkpoint of {self._name} was given up")
                try:
                    await self._checkpoint()
                except CheckpointFailed as problem:
                    self._unfinished = problem
                    raise
                self._unfinished = None

    def _controls_are_due(self) -> bool:
        return self._controls.are_urgent or (bool(self._controls) and self._silent_s() >= SILENT_S)

    async def _checkpoint(self) -> None:
        cut, taken = self.pulse.cut(), self.uncheckpointed
        self.sequence += 1
        # Only now: until it is committed, another worker may begin the state, with an older incarnation.
        self.incarnation = self.incarnation or self._next_incarnation
        # Nothing is published during a recount, so expired windows need not wait for that: they would fill the memory.
        changes = self.fold.drain(self.sequence, None if self.recounts else self.published)
        position = self._position()
        if self.checkpointed_position < self._told:
            changes = _untold(changes, self._told)
        acknowledged, self._unacknowledged = self._unacknowledged, []
        batch = self._batch(changes, position)
        self._controls.apply_catalog(self.position)
        reached(Failpoint.CUT)
        await self._in_pool(self._writer.write, batch)
        reached(Failpoint.COMMITTED)
        recounted, self.checkpointed_position = self.recounts, position.next_offset
        if recounted and not self.recounts:
            log.info("partition %d is recounted, up to offset %d", self.number, position.next_offset)
        for event in acknowledged:
            event.ack()
        committed = self._committed(position, changes.tallies, changes.current, changes.moved)
        self._on_committed(committed._replace(oldest_ms=cut.oldest_ms))
        self.pulse.note_committed(cut, changes, taken, len(batch.state))
        self.fold.evict(self.settings.hot_rows)
        self.fold.sweep(_SWEPT_ROWS)

    def _batch(self, changes: FoldChanges, position: Position) -> CheckpointBatch:
        state = [*self._controls.drain(), *state_messages(changes), position_message(position)]
        kept = kept_records(changes, self.settings, self.number, self.source.topic_id, self._pseudonyms)
        return CheckpointBatch(state, kept)

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
            state_id=self.source.state_id,
            told=self._told,
            rebuild_until=self.rebuild_until,
            writer=self._writer_name,
            changed_rules=self._changed_rules,
        )

    def committed_state(self) -> Committed:
        """Everything that readers should see of this partition. Call it once, right after opening."""
        tallies = self.fold.tallies
        state = self._committed(self._position(), tallies.own, tallies.current, tallies.current.keys())
        catalog, self._catalog_of_state = self._catalog_of_state, {}
        return state._replace(catalog=catalog)

    def _committed(
        self,
        position: Position,
        tallies: Mapping[TallyKey, list[int] | None],
        current: Mapping[str, CurrentWindows | None],
        moved: AbstractSet[str],
    ) -> Committed:
        return Committed(
            self.number,
            position.incarnation,
            position.sequence,
            position.stream_time_ms,
            position.stream,
            tallies,
            position.next_offset < position.rebuild_until,
            current,
            moved,
            next_offset=position.next_offset,
            topic_id=position.topic_id,
        )

    async def close(self) -> None:
        """Close the partition without a checkpoint; the next owner reads again what was not checkpointed."""
        async with self._lock:
            self._unacknowledged = []
            await self._in_pool(self._writer.close)
            self._free_memory()

    def _free_memory(self) -> None:
        """Let go of the rows: the collector looks at nothing old, so what refers to itself would stay for ever."""
        for title in self.fold.titles.values():
            title.rows.clear()
        self.fold.tallies.own.clear()
        if self._unfinished is not None:
            self._unfinished.__traceback__ = None

    async def _in_pool(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)


def _untold(changes: FoldChanges, told: int) -> FoldChanges:
    """The changes without outputs of records below the offset `told`, which were written before the rebuild."""
    return changes._replace(
        dead_letters=[(record, reason) for record, reason in changes.dead_letters if record.offset >= told],
        late=[record for record in changes.late if record.offset >= told],
        milestones=[milestone for milestone in changes.milestones if milestone.offset >= told],
    )
