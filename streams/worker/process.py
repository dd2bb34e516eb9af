"""The worker process: waits for its servers, counts its partitions, publishes their counters.

Owns what a worker is made of; the life of the process is `streams.worker.group_process`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any

from models import FORM
from streams.config.redis_address import without_password
from streams.config.settings import Settings
from streams.kafka.topics import KafkaFailed
from streams.observability.monitoring import Monitoring
from streams.publishing.publisher import Publisher
from streams.publishing.redis_sink import RedisSink
from streams.publishing.sink import Sink, Unreachable
from streams.registry.client import RegistryAway
from streams.registry.decoder import decoder_of
from streams.state.transactions import Fenced
from streams.worker.counted_partitions import CountedPartitions
from streams.worker.group_process import GroupProcess
from streams.worker.startup import find_ground, reach
from streams.worker.watchdog import watch_progress, watch_topics

log = logging.getLogger(__name__)

_TIMES_FAR_BEHIND = 5
_PUBLISH_AT_STOP_S = 8.0


class Worker(GroupProcess):
    """One worker process."""

    name = "worker"

    def __init__(self, settings: Settings) -> None:
        self.monitoring = Monitoring(settings)
        super().__init__(settings, self.monitoring.vitals)

    def fail(self, problem: BaseException) -> None:
        """End the process with a failure."""
        if self.failure is None:
            self.monitoring.metrics.refused_transactions.inc(isinstance(problem, Fenced))
        super().fail(problem)

    @property
    def _checkpoint_s(self) -> float:
        # Fewer and larger checkpoints in a backlog: what changes several times is written once.
        return (_TIMES_FAR_BEHIND if self.publisher.is_far_behind else 1) * self.settings.checkpoint_s

    async def _start(self) -> None:
        settings = self.settings
        log.info(introduction(settings))
        within_s, stop = settings.startup_timeout_s, self._stop
        if (decode := decoder_of(settings)) is not None:
            check, registry = partial(asyncio.to_thread, decode.check), settings.schema_registry
            await reach("ENCORE_SCHEMA_REGISTRY", registry, check, RegistryAway, within_s, stop)
        await reach("ENCORE_KAFKA", settings.kafka, self._reach_kafka, KafkaFailed, within_s, stop)
        self.sink: Sink = RedisSink.of(settings)
        metrics, partitions = self.monitoring.metrics, self.ground.source.partitions
        self.publisher = Publisher(settings, self.sink, lambda: self.ground.catalog.rows, partitions, metrics)
        redis = without_password(settings.redis)
        await reach("ENCORE_REDIS", redis, self.publisher.join, Unreachable, within_s, stop)
        # There are many rows, without cycles: a collector that keeps walking them costs a tenth of all CPU.
        gc.freeze()
        gc.disable()
        self.ownership = CountedPartitions(
            settings, self.ground, self.sink, self.publisher, self.monitoring, self._stop, self.fail
        )
        self.monitoring.watch(self.ownership, self.publisher)

    async def _reach_kafka(self) -> None:
        self.ground = await asyncio.to_thread(find_ground, self.settings)

    def _ending_first(self) -> list[Coroutine[Any, Any, None]]:
        return [self.publisher.run()]

    def _watching(self) -> list[Coroutine[Any, Any, Any]]:
        view, settings = self.ground.view, self.settings
        return [
            watch_topics(view, self.ground.rests_on),
            watch_progress(view, settings.source_topic, self.ownership.positions, settings.stall_s),
        ]

    async def _drain(self) -> None:
        await self.publisher.drain(_PUBLISH_AT_STOP_S)

    async def _close(self) -> None:
        self.ground.catalog.stop()
        self.ground.erasures.stop()
        await self.sink.close()

    def _open_port(self) -> None:
        self.monitoring.open()

    def _close_port(self) -> None:
        self.monitoring.close()


def introduction(settings: Settings) -> str:
    """A worker's first line: what starts, where, and in which form the rules run."""
    redis = without_password(settings.redis)
    return f"worker of {settings.app_id} starts: Kafka {settings.kafka}, Redis {redis}, rules: {FORM}"
