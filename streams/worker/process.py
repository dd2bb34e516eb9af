"""The worker process: starts, checkpoints and publishes on time, and stops in order or with an error.

Owns the process's life: wait for the servers, read the catalog, run the application, stop. Its partitions are in
`streams.worker.assignment`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
from typing import Any

from models import FORM
from streams.config.failpoints import arm
from streams.config.redis_address import without_password
from streams.config.settings import Settings
from streams.kafka.topics import KafkaFailed
from streams.observability.monitoring import Monitoring
from streams.observability.systemd import STOPPING, tell_supervisor
from streams.publishing.publisher import Publisher
from streams.publishing.redis_sink import RedisSink
from streams.publishing.sink import Sink, Unreachable
from streams.state.transactions import CheckpointFailed, Fenced
from streams.worker.assignment import Ownership
from streams.worker.startup import Stopped, find_ground, reach
from streams.worker.watchdog import watch_progress, watch_topics

log = logging.getLogger(__name__)

_TIMES_FAR_BEHIND = 5
_COLLECT_S, _LOOK_S = 60.0, 0.25
_COLLECT_OBJECTS = 25_000
_CHECKPOINT_AT_STOP_S = 8.0
_PUBLISH_AT_STOP_S = 8.0
_LEAVE_AT_STOP_S = 8.0
_END_S = 28
"""The system ends the process this many seconds after the decision to end, even if something hangs."""


class ThreadEnded(Exception):
    """A client's thread has ended by an exception."""


class Worker:
    """One worker process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        arm(settings.failpoint)
        self.failure: BaseException | None = None
        self._stop = asyncio.Event()
        self.monitoring = Monitoring(settings)

    # -- on time --------------------------------------------------------------------------------------------

    async def _checkpoint_on_time(self) -> None:
        while True:
            # Fewer and larger checkpoints in a backlog: what changes several times is written once.
            times = _TIMES_FAR_BEHIND if self.publisher.is_far_behind else 1
            await asyncio.sleep(times * self.settings.checkpoint_s)
            await self.ownership.checkpoint()

    async def _collect_cycles(self) -> None:
        """Free the cycles that libraries leave. What survives is never looked at again.

        A collection looks at all that is new, nearly a microsecond each, and holds up everything meanwhile: it comes
        soon where much is new. Each object is looked at once however often that is.
        """
        since_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            since_s += _LOOK_S
            if since_s >= _COLLECT_S or gc.get_count()[0] >= _COLLECT_OBJECTS:
                gc.collect()
                gc.freeze()
                since_s = 0.0

    # -- the process ----------------------------------------------------------------------------------------

    def fail(self, problem: BaseException) -> None:
        """End the process with a failure: its state may be half changed, and must not be used any more."""
        if self.failure is None:
            self.failure = problem
            self.monitoring.metrics.refused_transactions.inc(isinstance(problem, Fenced))
        self._stop.set()

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT, and return 0; after a failure, return 1."""
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
                    watch_topics(self.ground.view, self.ground.rests_on),
                    watch_progress(
                        self.ground.view, self.settings.source_topic, self.ownership.positions, self.settings.stall_s
                    ),
                    self.ownership.app.start(),
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
        words, unexpected = in_words(self.failure, self.settings.kafka), _unexpected(self.failure)
        log.error("worker failed: %s", words, exc_info=unexpected)
        return 1

    def _end_with_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the process if a client's thread dies, for example for lack of memory: the client would deliver nothing
        more, without an error."""
        tell = threading.excepthook

        def end(ended: threading.ExceptHookArgs) -> None:
            tell(ended)
            if not self._stop.is_set():
                loop.call_soon_threadsafe(self.fail, ThreadEnded(f"a client's thread ended: {ended.exc_type.__name__}"))

        threading.excepthook = end

    async def _start(self) -> None:
        settings = self.settings
        log.info(introduction(settings))
        within_s, stop = settings.startup_timeout_s, self._stop
        await reach("ENCORE_KAFKA", settings.kafka, self._reach_kafka, KafkaFailed, within_s, stop)
        self.sink: Sink = RedisSink.of(settings)
        metrics, partitions = self.monitoring.metrics, self.ground.source.partitions
        self.publisher = Publisher(settings, self.sink, lambda: self.ground.catalog.rows, partitions, metrics)
        redis = without_password(settings.redis)
        await reach("ENCORE_REDIS", redis, self.publisher.join, Unreachable, within_s, stop)
        # There are many rows, without cycles: a collector that keeps walking them costs a tenth of all CPU.
        gc.freeze()
        gc.disable()
        self.ownership = Ownership(
            settings, self.ground, self.sink, self.publisher, self.monitoring, self._stop, self.fail
        )
        self.monitoring.watch(self.ownership, self.publisher)

    async def _reach_kafka(self) -> None:
        self.ground = await asyncio.to_thread(find_ground, self.settings)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.fail(task.exception() or RuntimeError("a task ended"))

    async def _stop_or_crash(self) -> None:
        stop, crash = (asyncio.ensure_future(event.wait()) for event in (self._stop, self.ownership.app._crashed))
        await asyncio.wait([stop, crash], return_when=asyncio.FIRST_COMPLETED)
        if crash.done():
            self.fail(self.ownership.app._crash_reason or RuntimeError("the Faust application crashed"))

    async def _shut_down(self, publishing: asyncio.Task[None], tasks: list[asyncio.Task[Any]]) -> None:
        """Write the last checkpoint, publish, and leave the group; after a failure, only leave."""
        signal.alarm(_END_S)
        tell_supervisor(STOPPING)
        # A partition that is not delivered yet stays closed: its next owner opens it.
        for task in (publishing, *self.ownership.delivering):
            await _cancelled(task)
        if self.failure is None:
            log.info("worker ends: last checkpoint, last counters")
            await self._checkpoint_last()
            await self.publisher.drain(_PUBLISH_AT_STOP_S)
        for task in tasks:
            task.cancel()
        await self._leave()
        self.ground.catalog.stop()
        self.ground.erasures.stop()
        await self.sink.close()

    async def _checkpoint_last(self) -> None:
        try:
            async with asyncio.timeout(_CHECKPOINT_AT_STOP_S):
                await self.ownership.checkpoint()
        except TimeoutError:
            raise CheckpointFailed(
                f"the last checkpoint was not written within {_CHECKPOINT_AT_STOP_S:g} s, Kafka does not answer;"
                " the next worker continues from the one before"
            ) from None

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_AT_STOP_S):
                await self.ownership.app.stop()
        except TimeoutError:
            log.warning(
                "Kafka did not answer within %g s: the group misses this worker after the session timeout",
                _LEAVE_AT_STOP_S,
            )


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait for its end. Its error, if any, is reported elsewhere."""
    while not task.done():
        # Repeatedly: `wait_for` of Python 3.11, which redis-py uses, may swallow a cancellation.
        task.cancel()
        await asyncio.wait([task], timeout=0.2)


def introduction(settings: Settings) -> str:
    """A worker's first line: what starts, where, and in which form the rules run."""
    redis = without_password(settings.redis)
    return f"worker of {settings.app_id} starts: Kafka {settings.kafka}, Redis {redis}, rules: {FORM}"


def in_words(failure: BaseException, kafka: str) -> str:
    """The kind of a failure and what it says. To one of the Kafka client it adds where and what to do: that names
    neither a setting nor a remedy, for example if Kafka goes away just after the start has reached it."""
    kind = type(failure).__name__
    said = str(failure).removeprefix(f"{kind}: ")
    if _is_of_the_client(failure):
        said = f"ENCORE_KAFKA={kafka}: {said}; check that its brokers run (`encore doctor`), and start the worker again"
    return f"{kind}: {said}"


def _is_of_the_client(failure: BaseException) -> bool:
    return type(failure).__module__.startswith("aiokafka.")


def _unexpected(failure: BaseException) -> BaseException | None:
    """The failure, if a traceback helps: if it is no exception of Encore or of the Kafka client."""
    is_ours = type(failure).__module__.startswith("streams.")
    return None if is_ours or _is_of_the_client(failure) else failure
