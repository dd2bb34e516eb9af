"""A bridge's partitions of the foreign topic: each is translated.

Owns how one is opened, and its lag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streams.bridge.partition import Bridge, BridgedPartition
from streams.kafka.admin import KafkaView
from streams.observability.bridge_metrics import BridgeMetrics
from streams.observability.liveness import Vitals
from streams.worker.assignment import Ownership


class BridgedPartitions(Ownership[BridgedPartition]):
    """The partitions of one process of a bridge."""

    def __init__(
        self,
        bridge: Bridge,
        view: KafkaView,
        vitals: Vitals,
        metrics: BridgeMetrics,
        ending: asyncio.Event,
        fail: Callable[[BaseException], None],
    ) -> None:
        super().__init__(bridge.settings, vitals, metrics, ending, fail)
        self._bridge, self._view, self._bridge_metrics = bridge, view, metrics
        self.lags: dict[int, int] = {}

    async def _open_partition(self, number: int) -> BridgedPartition:
        partition = BridgedPartition(number, self._bridge, self.pool, self._bridge_metrics)
        settings = self.settings
        committed = await asyncio.to_thread(self._view.committed, settings.app_id, settings.source_topic, number)
        await partition.open(committed, lambda: self._read.offsets(number))
        return partition

    def _note_closed(self, number: int) -> None:
        self.lags.pop(number, None)

    def _note_lag(self, number: int, records: int) -> None:
        self.lags[number] = records
