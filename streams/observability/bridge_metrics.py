"""Every Prometheus metric of `encore bridge`, declared once, with the sentence that documents it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streams.observability.metrics import PREFIX, QUICK_S, RESTORE_S
from streams.observability.partition_metrics import CheckpointWait

_PARTITION = ("partition",)


class BridgeMetrics:
    """One bridge's metrics, in a registry of their own. Those of partitions have the foreign partition's number."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._of_partitions: list[Gauge] = []
        self.bridge_consumed_records = self._counter(
            "bridge_consumed_records", "records of the foreign topic that a checkpoint has taken in", _PARTITION
        )
        self.bridge_events = self._counter("bridge_events", "playback events written", _PARTITION)
        self.bridge_dead_letters = self._counter(
            "bridge_dead_letters", "records that could not be translated and were set aside", ("reason",)
        )
        self.bridge_left_out_records = self._counter(
            "bridge_left_out_records", "records that tell nothing that counts", ("reason",)
        )
        self.bridge_lag_records = self._gauge(
            "bridge_lag_records", "records of the foreign topic that are not checkpointed", _PARTITION
        )
        self.bridge_lag_seconds = self._gauge(
            "bridge_lag_seconds", "age of the last record that was read, while others wait; else 0", _PARTITION
        )
        self.bridge_checkpoint_age_seconds = self._gauge(
            "bridge_checkpoint_age_seconds",
            "time that the oldest record waits that is read and in no checkpoint",
            _PARTITION,
        )
        self.bridge_sessions = self._gauge("bridge_sessions", "foreign sessions that are remembered", _PARTITION)
        self.bridge_checkpoint_seconds = self._histogram(
            "bridge_checkpoint_seconds", "time from a checkpoint's cut to its commit", QUICK_S
        )
        self.rebalances = self._counter("bridge_rebalances", "assignments of partitions to this process")
        self.bridge_restored_rows = self._counter(
            "bridge_restored_rows", "records of the state topic that were read in restores"
        )
        self.bridge_restore_seconds = self._histogram(
            "bridge_restore_seconds", "time that the restore of a partition took", RESTORE_S
        )
        self.bridge_refused_transactions = self._counter(
            "bridge_refused_transactions",
            "transactions refused as another process owned the partition; the process then ends",
        )
        self.bridge_producer_renewals = self._counter(
            "bridge_producer_renewals", "new producers made after a commit that was answered late"
        )
        self.bridge_stopped_partitions = self._gauge(
            "bridge_stopped_partitions", "partitions that are stopped, as Kafka refused a record of theirs"
        )

    def note_checkpoint(
        self,
        partition: int,
        seconds: float,
        records: int,
        events: int,
        dead_letters: Mapping[str, int],
        left_out: Mapping[str, int],
    ) -> None:
        """Count what a committed checkpoint contained; dead letters and what was left out by reason."""
        self.bridge_consumed_records.labels(str(partition)).inc(records)
        self.bridge_events.labels(str(partition)).inc(events)
        for reason, count in dead_letters.items():
            self.bridge_dead_letters.labels(reason).inc(count)
        for reason, count in left_out.items():
            self.bridge_left_out_records.labels(reason).inc(count)
        self.bridge_checkpoint_seconds.observe(seconds)

    def note_restore(self, seconds: float, rows: int) -> None:
        """Count the restore of a partition."""
        self.bridge_restored_rows.inc(rows)
        self.bridge_restore_seconds.observe(seconds)

    def measure(self, partition: int, lag: int, pulse: CheckpointWait, sessions: int) -> None:
        """Set a partition's gauges; it is `lag` records behind."""
        label = str(partition)
        behind_s = max(0.0, time.time() - pulse.latest_ms / 1000) if lag and pulse.latest_ms else 0.0
        self.bridge_lag_records.labels(label).set(lag)
        self.bridge_lag_seconds.labels(label).set(behind_s)
        self.bridge_checkpoint_age_seconds.labels(label).set(pulse.checkpoint_age_s)
        self.bridge_sessions.labels(label).set(sessions)

    def forget(self, partition: int) -> None:
        """Remove a partition's gauges: it belongs to another process now."""
        for gauge in self._of_partitions:
            with suppress(KeyError):
                gauge.remove(str(partition))

    def _counter(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(PREFIX + name, words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Gauge:
        gauge = Gauge(PREFIX + name, words, labels, registry=self.registry)
        if labels:
            self._of_partitions.append(gauge)
        return gauge

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(PREFIX + name, words, buckets=buckets, registry=self.registry)
