"""Every Prometheus metric of a worker, declared once, with the sentence that documents it.

Owns names, units, labels and buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from models.account import StreamCounters

# A series beside every counter that says when it began; the process tells when it did.
disable_created_metrics()

PREFIX = "encore_"
_PARTITION = ("partition",)
QUICK_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LATENCY_S = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600)
RESTORE_S = (0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 300)


class Checkpoint(NamedTuple):
    """What a committed checkpoint contained. `stream`: counts by the fields of `StreamCounters`."""

    partition: int
    seconds: float
    records: int
    changelog_records: int
    credited_ms: int
    stream: Sequence[int]


class Metrics:
    """One worker's metrics, in a registry of their own. Those of partitions have the source partition's number."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._of_partitions: list[Gauge] = []
        self.consumed_records = self._counter(
            "consumed_records", "records covered by a committed checkpoint", _PARTITION
        )
        self.events = self._counter("events", "good events, in time for the grace", _PARTITION)
        self.credited_seconds = self._counter("credited_seconds", "seconds of content credited", _PARTITION)
        self.dead_letters = self._counter(
            "dead_letters", "records that could not be read and were set aside", _PARTITION
        )
        self.late_events = self._counter(
            "late_events",
            "events that came late; reason grace: set aside; reason hour: not counted in their hour window",
            (*_PARTITION, "reason"),
        )
        self.misrouted_events = self._gauge(
            "misrouted_events",
            "events that the state has counted in another partition than murmur2 of their key says",
            _PARTITION,
        )
        self.stale_events = self._counter(
            "stale_events", "events older than what their session had applied, and not counted again", _PARTITION
        )
        self.player_restarts = self._counter(
            "player_restarts", "players that began to count their events anew within a session", _PARTITION
        )
        self.refused_seconds = self._counter(
            "refused_seconds",
            "seconds of content not credited; reason long: the interval exceeds the longest; reason fast: more content "
            "than the time allows; reason gap: a long interval that was not played throughout",
            (*_PARTITION, "reason"),
        )
        self.refused_intervals = self._counter(
            "refused_intervals", "intervals not credited; reason back: ended before they began", (*_PARTITION, "reason")
        )
        self.lag_records = self._gauge(
            "lag_records",
            "records of the source that are not checkpointed; of a stopped partition, when it was tried last",
            _PARTITION,
        )
        self.lag_seconds = self._gauge(
            "lag_seconds", "age of the last record that was read, while others wait; else 0", _PARTITION
        )
        self.checkpoint_age_seconds = self._gauge(
            "checkpoint_age_seconds", "time that the oldest record waits that is read and in no checkpoint", _PARTITION
        )
        self.checkpoint_seconds = self._histogram(
            "checkpoint_seconds", "time from a checkpoint's cut to its commit", QUICK_S
        )
        self.changelog_records = self._counter("changelog_records", "records that checkpoints wrote to the state topic")
        self.event_to_redis_seconds = self._histogram(
            "event_to_redis_seconds", "age of a round's oldest record, once readers find all of the round", _LATENCY_S
        )
        self.waiting_keys = self._gauge("waiting_keys", "Redis keys that wait to be written")
        self.redis_rebuilds = self._counter("redis_rebuilds", "times that all counters were written again after a loss")
        self.rebalances = self._counter("rebalances", "assignments of partitions to this worker")
        self.restores = self._counter("restores", "partitions restored from the state topic")
        self.restored_rows = self._counter("restored_rows", "records of the state topic that were read in restores")
        self.restore_seconds = self._histogram(
            "restore_seconds", "time that the restore of a partition took", RESTORE_S
        )
        self.refused_transactions = self._counter(
            "refused_transactions", "transactions refused as another worker owned the partition; the worker then ends"
        )
        self.producer_renewals = self._counter(
            "producer_renewals", "new producers made after a commit that was answered late, before the next checkpoint"
        )
        self.stopped_partitions = self._gauge(
            "stopped_partitions", "1 while a partition is stopped, as Kafka refused a record of it; else 0", _PARTITION
        )
        self.refused_shares = self._counter(
            "refused_shares", "counters refused by Redis as another worker had written newer ones"
        )
        self.state_rows = self._gauge("state_rows", "rows (household and title) in memory", _PARTITION)
        self.state_bytes = self._gauge(
            "state_bytes", "estimated bytes of the packed rows, by the mean size of those written last", _PARTITION
        )

    def note_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Count what a committed checkpoint contained."""
        label, stream = str(checkpoint.partition), StreamCounters(*checkpoint.stream)
        self.consumed_records.labels(label).inc(checkpoint.records)
        self.events.labels(label).inc(stream.events)
        self.credited_seconds.labels(label).inc(checkpoint.credited_ms / 1000)
        self.dead_letters.labels(label).inc(stream.dead_letters)
        self.late_events.labels(label, "grace").inc(stream.late_events)
        self.late_events.labels(label, "hour").inc(stream.late_hour_events)
        self._note_refusals(label, stream)
        self.checkpoint_seconds.observe(checkpoint.seconds)
        self.changelog_records.inc(checkpoint.changelog_records)

    def _note_refusals(self, label: str, stream: StreamCounters) -> None:
        self.stale_events.labels(label).inc(stream.stale_events)
        self.player_restarts.labels(label).inc(stream.player_restarts)
        self.refused_seconds.labels(label, "long").inc(stream.refused_long_ms / 1000)
        self.refused_seconds.labels(label, "fast").inc(stream.refused_fast_ms / 1000)
        self.refused_seconds.labels(label, "gap").inc(stream.refused_gap_ms / 1000)
        self.refused_intervals.labels(label, "back").inc(stream.refused_back)

    def note_restore(self, seconds: float, rows: int) -> None:
        """Count the restore of a partition."""
        self.restores.inc()
        self.restored_rows.inc(rows)
        self.restore_seconds.observe(seconds)

    def forget(self, partition: int) -> None:
        """Remove a partition's gauges: it belongs to another worker now."""
        for gauge in self._of_partitions:
            with suppress(KeyError):
                gauge.remove(str(partition))

    def _counter(self, name: str, words: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(PREFIX + name, words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, labels: Sequence[str] = ()) -> Gauge:
        gauge = Gauge(PREFIX + name, words, labels, registry=self.registry)
        if labels == _PARTITION:
            self._of_partitions.append(gauge)
        return gauge

    def _histogram(self, name: str, words: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(PREFIX + name, words, buckets=buckets, registry=self.registry)
