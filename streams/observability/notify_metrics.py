"""Every Prometheus metric of `encore notify`, declared once, with the sentence that documents it."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from streams.observability.metrics import PREFIX


class NotifyMetrics:
    """The metrics of one process that tells verdicts, in a registry of their own.

    `next_ms`: when the verdict was written that is being told, in milliseconds since 1970; 0: none is.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.next_ms = 0
        self.notify_taken_verdicts = self._counter("notify_taken_verdicts", "verdicts that the receiver took")
        self.notify_refused_requests = self._counter(
            "notify_refused_requests", "requests after which the receiver had not taken a verdict; it is sent again"
        )
        self.notify_dropped_verdicts = self._counter(
            "notify_dropped_verdicts", "verdicts that Redis dropped before they were told: too many came since"
        )
        self.notify_waiting_seconds = Gauge(
            PREFIX + "notify_waiting_seconds",
            "age of the verdict that the receiver has not taken yet; 0 if there is none",
            registry=self.registry,
        )

    def measure(self) -> None:
        """Set the gauge. Called from the threads that answer."""
        self.notify_waiting_seconds.set(max(0.0, time.time() - self.next_ms / 1000) if self.next_ms else 0.0)

    def _counter(self, name: str, words: str) -> Counter:
        return Counter(PREFIX + name, words, registry=self.registry)
