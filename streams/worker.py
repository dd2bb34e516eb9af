"""The worker: owns partitions, checkpoints them on time, publishes, and ends the process when it must.

Owns the process's life: wait for the servers, read the catalog, run the application, stop in order. What it
must not know: rules, keys, the form of anything it moves.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streams.app import SourcePartitions, create_app
from streams.continuity import Known
from streams.controls import Told
from streams.failpoints import Failpoint, arm, reached
from streams.monitoring import Monitoring
from streams.partition import Partition
from streams.publish import Publisher
from streams.redis_address import without_password
from streams.redis_sink import RedisSink, Unreachable
from streams.settings import Settings
from streams.startup import Stopped, find_ground, reach
from streams.supervisor import STOPPING, tell_supervisor
from streams.topics import KafkaFailed
from streams.transactions import CheckpointFailed, Fenced
from streams.transport import RecordBatch
from streams.watch import watch_progress, watch_topics

log = logging.getLogger(__name__)

_MOST_PARTITIONS = 64
_TIMES_FAR_BEHIND = 5
_COLLECT_S = 60.0
_CHECKPOINT_AT_STOP_S = 8.0
_PUBLISH_AT_STOP_S = 8.0
_LEAVE_AT_STOP_S = 8.0
_END_S = 28
"""Seconds from the decision to end until the system ends the process, whatever hangs in it."""


class ThreadEnded(Exception):
    """A thread that this worker works with has ended by an exception."""


class Worker:
    """One worker process's state. `epoch` and `apply` are called by the transport and the agent."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        arm(settings.failpoint)
        self.failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._pool = ThreadPoolExecutor(_MOST_PARTITIONS, thread_name_prefix="kafka")
        self._assigned: set[int] = set()
        self._partitions: dict[int, Partition] = {}
        self._epochs: dict[int, int] = {}
        self._last_epoch = 0
        self._openings: dict[int, asyncio.Task[None]] = {}
        self._delivering: set[asyncio.Task[None]] = set()
        self._draining = False
        self.monitoring = Monitoring(settings, self._partitions, self._openings)

    # -- what the transport and the agent ask ---------------------------------------------------------------

    def epoch(self, partition: int) -> int | None:
        """The epoch of an open partition; None while it must not be delivered."""
        owned = self._partitions.get(partition)
        if owned is None or self._draining or owned.uncheckpointed >= self.settings.uncheckpointed_records:
            return None
        return self._epochs.get(partition)

    def apply(self, batch: RecordBatch, event: Any) -> None:
        """Fold a batch into its partition. One of an older epoch was fetched before a seek: it comes again."""
        if self._draining or self._epochs.get(batch.partition) != batch.epoch:
            return
        try:
            self._partitions[batch.partition].apply(batch, event)
        except Exception as problem:
            self.fail(problem)

    def _positions(self) -> dict[int, int]:
        """The next offsets of the partitions that are to be delivered now."""
        owned = self._partitions.items()
        return {number: partition.position for number, partition in owned if self.epoch(number) is not None}

    # -- partitions come and go -----------------------------------------------------------------------------

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Stop delivery of partitions and checkpoint them: whoever owns them next starts from there.

        They stay in memory until the next assignment says whose they are: often it is this worker's again.
        """
        numbers = set(partitions)
        self._assigned -= numbers
        for number in numbers:
            self._epochs.pop(number, None)
        if numbers:
            reached(Failpoint.REVOKED)
        try:
            await asyncio.gather(*(self._partitions[number].checkpoint() for number in numbers & set(self._partitions)))
        except Exception as problem:
            self.fail(problem)

    async def assign(self, partitions: Iterable[int]) -> None:
        """Let go of all other partitions, and deliver these once they are restored, in the background."""
        self._assigned = set(partitions)
        log.info("assigned partitions %s", sorted(self._assigned) or "none")
        reached(Failpoint.ASSIGNED)
        try:
            for number in set(self._partitions) - self._assigned:
                await self._let_go(self._partitions.pop(number))
            for number in self._assigned:
                if number in self._partitions:
                    await self._deliver(number)
                elif number not in self._openings:
                    self._openings[number] = asyncio.create_task(self._open(number))
                    self._delivering.add(self._openings[number])
                    self._openings[number].add_done_callback(self._delivering.discard)
            self.monitoring.vitals.note_assigned()
            self.monitoring.metrics.rebalances.inc()
        except Exception as problem:
            self.fail(problem)

    async def _open(self, number: int) -> None:
        try:
            partition = await self._restored(number)
            del self._openings[number]
            if number in self._assigned:
                self._partitions[number] = partition
                await self.publisher.open_partition(partition.committed_state())
                await self._deliver(number)
            else:
                await partition.close()
        except Exception as problem:
            self.fail(problem)

    async def _deliver(self, number: int) -> None:
        if await self.partitions_read.seek(number, self._partitions[number].position) and number in self._assigned:
            self._last_epoch += 1
            self._epochs[number] = self._last_epoch
        else:
            log.info("partition %d was revoked before it could be delivered", number)

    async def _let_go(self, partition: Partition) -> None:
        self.publisher.close_partition(partition.number)
        self.monitoring.metrics.forget(partition.number)
        await partition.close()

    async def _restored(self, number: int) -> Partition:
        begun = time.monotonic()
        partition = Partition(
            number,
            self.settings,
            self.source,
            self._pool,
            Told(lambda: self.catalog.rows, lambda: self.erasures.rows),
            self.publisher.on_committed,
            self.monitoring.metrics,
        )
        known, offsets = await self._known(number), await self.partitions_read.offsets(number)
        await partition.open(*offsets, known)
        rows, seconds = partition.restored_rows, time.monotonic() - begun
        self.monitoring.metrics.note_restore(seconds, rows)
        log.info(
            "partition %d restored: %d rows in %.1f s, continues at offset %d",
            number,
            rows,
            seconds,
            partition.position,
        )
        return partition

    async def _known(self, number: int) -> Known:
        settings = self.settings
        committed = await asyncio.to_thread(self.view.committed, settings.app_id, settings.source_topic, number)
        try:
            return Known(committed, await self.sink.published_version(number))
        except Unreachable:
            return Known(committed, None)

    # -- checkpoints ----------------------------------------------------------------------------------------

    async def _checkpoint_on_time(self) -> None:
        while True:
            # In a backlog fewer and larger ones: what changes twice is written once.
            times = _TIMES_FAR_BEHIND if self.publisher.is_far_behind else 1
            await asyncio.sleep(times * self.settings.checkpoint_s)
            await self._checkpoint_all()

    async def _checkpoint_all(self) -> None:
        numbers = [number for number in self._epochs if number in self._partitions]
        for number in numbers:
            if self.partitions_read.end(number) == self._partitions[number].position:
                self._partitions[number].let_time_pass()
            self._partitions[number].published = self.publisher.published.get(number, 0)
        await asyncio.gather(*(self._partitions[number].checkpoint() for number in numbers))
        for number in numbers:
            self._note_lag(number)

    async def _collect_cycles(self) -> None:
        """Free the cycles that libraries leave; what is alive then is never walked again."""
        while True:
            await asyncio.sleep(_COLLECT_S)
            gc.collect()
            gc.freeze()

    def _note_lag(self, number: int) -> None:
        if number in self._partitions and number in self._epochs:
            behind = self.partitions_read.end(number) - self._partitions[number].checkpointed_position
            self.publisher.on_lag(number, max(0, behind))

    # -- the process ----------------------------------------------------------------------------------------

    def fail(self, problem: BaseException) -> None:
        """End the process, non-zero: state that may be half changed must not be used any more."""
        if self.failure is None:
            self.failure = problem
            self.monitoring.metrics.refused_transactions.inc(isinstance(problem, Fenced))
        self._draining = True
        self._stop.set()

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT (0) or a failure (1)."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        self._end_with_threads(loop)
        beating = asyncio.create_task(self.monitoring.vitals.keep_beating())
        try:
            self.monitoring.open()
            await self._start()
            publishing = asyncio.create_task(self.publisher.run())
            tasks = [
                asyncio.create_task(task)
                for task in (
                    self._checkpoint_on_time(),
                    self._collect_cycles(),
                    watch_topics(self.view, self._rests_on),
                    watch_progress(self.view, self.settings.source_topic, self._positions, self.settings.stall_s),
                    self.app.start(),
                )
            ]
            for task in (publishing, *tasks):
                task.add_done_callback(self._ended)
            await self._stop_or_crash()
            await self._shut_down(publishing, tasks)
        except Stopped:
            pass
        except Exception as problem:
            self.fail(problem)
        beating.cancel()
        self.monitoring.close()
        if self.failure is None:
            log.info("worker ended")
            return 0
        kind, unexpected = type(self.failure).__name__, _unexpected(self.failure)
        log.error("worker failed: %s: %s", kind, self.failure, exc_info=unexpected)
        return 1

    def _end_with_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """A client whose thread has died (it got no memory, say) delivers nothing more, without a word."""
        tell = threading.excepthook

        def end(ended: threading.ExceptHookArgs) -> None:
            tell(ended)
            if not self._draining:
                loop.call_soon_threadsafe(self.fail, ThreadEnded(f"a client's thread ended: {ended.exc_type.__name__}"))

        threading.excepthook = end

    async def _start(self) -> None:
        settings = self.settings
        within_s, stop = settings.startup_timeout_s, self._stop
        await reach("ENCORE_KAFKA", settings.kafka, self._reach_kafka, KafkaFailed, within_s, stop)
        self.sink = RedisSink(settings.redis_url, settings.redis_prefix, settings.app_id)
        metrics, partitions = self.monitoring.metrics, self.source.partitions
        self.publisher = Publisher(settings, self.sink, lambda: self.catalog.rows, partitions, metrics)
        self.monitoring.published = self.publisher
        redis = without_password(settings.redis)
        await reach("ENCORE_REDIS", redis, self.publisher.join, Unreachable, within_s, stop)
        # Rows are many and hold no cycles: a collector that walks them again and again costs a tenth of all CPU.
        gc.freeze()
        gc.disable()
        self.app = create_app(settings, self)
        self.partitions_read = SourcePartitions(self.app, settings.source_topic)
        log.info("worker of %s starts: Kafka %s, Redis %s", settings.app_id, settings.kafka, redis)

    async def _reach_kafka(self) -> None:
        ground = await asyncio.to_thread(find_ground, self.settings)
        self.view, self._rests_on, self.source, self.catalog, self.erasures = ground

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.fail(task.exception() or RuntimeError("a task ended"))

    async def _stop_or_crash(self) -> None:
        stop, crash = (asyncio.ensure_future(event.wait()) for event in (self._stop, self.app._crashed))
        await asyncio.wait([stop, crash], return_when=asyncio.FIRST_COMPLETED)
        if crash.done():
            self.fail(self.app._crash_reason or RuntimeError("the Faust application crashed"))

    async def _shut_down(self, publishing: asyncio.Task[None], tasks: list[asyncio.Task[Any]]) -> None:
        """Last checkpoint, last publishing, leave the group; after a failure, leave at once."""
        signal.alarm(_END_S)
        tell_supervisor(STOPPING)
        self._draining = True
        # A partition that is not delivered yet stays closed: whoever comes next opens it.
        for task in (publishing, *self._delivering):
            await _cancelled(task)
        if self.failure is None:
            log.info("worker ends: last checkpoint, last counters")
            await self._checkpoint_last()
            await self.publisher.drain(_PUBLISH_AT_STOP_S)
        for task in tasks:
            task.cancel()
        await self._leave()
        self.catalog.stop()
        self.erasures.stop()
        await self.sink.close()

    async def _checkpoint_last(self) -> None:
        try:
            async with asyncio.timeout(_CHECKPOINT_AT_STOP_S):
                await self._checkpoint_all()
        except TimeoutError:
            raise CheckpointFailed(
                f"the last checkpoint was not written within {_CHECKPOINT_AT_STOP_S:g} s, Kafka does not answer;"
                " the next worker continues from the one before"
            ) from None

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_AT_STOP_S):
                await self.app.stop()
        except TimeoutError:
            log.warning(
                "Kafka did not answer within %g s: the group misses this worker after the session timeout",
                _LEAVE_AT_STOP_S,
            )


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait for its end. What it failed by is told elsewhere."""
    while not task.done():
        # Again and again: `wait_for` of Python 3.11, which redis-py uses, may swallow a cancellation.
        task.cancel()
        await asyncio.wait([task], timeout=0.2)


def _unexpected(failure: BaseException) -> BaseException | None:
    """The failure itself where a traceback helps: where it is none that we, or the Kafka client, name."""
    return None if type(failure).__module__.startswith(("streams.", "aiokafka.")) else failure
