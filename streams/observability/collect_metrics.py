"""Every Prometheus metric of `encore collect`, declared once, with the sentence that documents it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streams.observability.metrics import PREFIX

_SOURCE = ("source",)
_ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class CollectMetrics:
    """One collector's metrics, in a registry of their own. `source`: its name in the file of the sources."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.collected_records = self._counter("collected_records", "records that Kafka has", _SOURCE)
        self.collect_mended_records = self._counter(
            "collect_mended_records", "records of devices whose clock was ahead, with their times moved back", _SOURCE
        )
        self.collect_left_out_records = self._counter(
            "collect_left_out_records", "messages that tell nothing of playback, and were not written", _SOURCE
        )
        self.collect_unreadable_records = self._counter(
            "collect_unreadable_records", "messages that cannot be read, by why", (*_SOURCE, "reason")
        )
        self.collect_requests = self._counter(
            "collect_requests", "requests by the status of their answer; without a known key source is empty",
            (*_SOURCE, "status"),
        )  # fmt: skip
        self.collect_answer_seconds = Histogram(
            PREFIX + "collect_answer_seconds",
            "time from a request to its answer",
            buckets=_ANSWER_S,
            registry=self.registry,
        )
        self.collect_waiting_bytes = Gauge(
            PREFIX + "collect_waiting_bytes",
            "bytes of bodies that are being read or wait for Kafka",
            registry=self.registry,
        )

    def _counter(self, name: str, words: str, labels: tuple[str, ...]) -> Counter:
        return Counter(PREFIX + name, words, labels, registry=self.registry)
