"""Every Prometheus metric of `encore archive`, declared once, with the sentence that documents it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from streams.observability.metrics import PREFIX

_PARTITION = ("partition",)


class ArchiveMetrics:
    """One archiver's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.archived_records = self._counter("archived_records", "records written to the archive", _PARTITION)
        self.archived_bytes = self._counter("archived_bytes", "bytes of the files written to the archive")
        self.compacted_files = self._counter("compacted_files", "files that became part of a day's one file")
        self.archive_lag_records = self._gauge(
            "archive_lag_records", "records of the source that are not in the archive", _PARTITION
        )
        self.archive_waiting_seconds = self._gauge(
            "archive_waiting_seconds", "time that the oldest record waits that is read and in no file", _PARTITION
        )

    def note_file(self, partition: int, records: int, size_bytes: int) -> None:
        """Count a file that was written."""
        self.archived_records.labels(str(partition)).inc(records)
        self.archived_bytes.inc(size_bytes)

    def note_lag(self, partition: int, records: int, waits_s: float) -> None:
        """Set a partition's gauges."""
        self.archive_lag_records.labels(str(partition)).set(records)
        self.archive_waiting_seconds.labels(str(partition)).set(waits_s)

    def forget(self) -> None:
        """Remove the gauges of all partitions: they may belong to another process now."""
        self.archive_lag_records.clear()
        self.archive_waiting_seconds.clear()

    def _counter(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(PREFIX + name, words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(PREFIX + name, words, labels, registry=self.registry)
