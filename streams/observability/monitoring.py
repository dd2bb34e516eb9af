"""Monitoring of a running worker: its metrics, its vitals, and the port that serves them.

Owns when gauges are set, and removes those of a partition that was revoked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Protocol

from streams.config.settings import Settings
from streams.observability.http_server import probes
from streams.observability.liveness import Vitals
from streams.observability.metrics import Metrics
from streams.observability.partition_metrics import CheckpointLag, Pulse


class PublisherPart(Protocol):
    """The part of the publisher that is needed here."""

    @property
    def waiting_keys(self) -> int:
        """How many keys are pending."""

    def lag(self, partition: int) -> int:
        """How many records a partition is behind."""


class HasPulse(Protocol):
    """The part of a partition that is needed here."""

    @property
    def pulse(self) -> Pulse:
        """Its measurements."""


class StoppedNumbers(Collection[int], Protocol):
    """The partitions that are stopped, as they change."""

    def lags(self) -> Mapping[int, CheckpointLag]:
        """How far behind each is."""


class Owned(Protocol):
    """The part of the worker's assignment that is needed here."""

    @property
    def partitions(self) -> Mapping[int, HasPulse]:
        """The partitions that are open, as they change."""

    @property
    def openings(self) -> Collection[int]:
        """The partitions that are being opened, as they change."""

    @property
    def stopped(self) -> StoppedNumbers:
        """The partitions that are stopped, as they change."""


class Monitoring:
    """One worker's monitoring; usable before the worker has partitions."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self.vitals = Vitals({}, ())
        self._owned: Owned | None = None
        self._published: PublisherPart | None = None
        self._settings = settings
        self._opened = ExitStack()

    def watch(self, owned: Owned, published: PublisherPart) -> None:
        """Measure these from now on."""
        self.vitals.partitions, self.vitals.openings = owned.partitions, owned.openings
        self.vitals.stopped = owned.stopped
        self._owned, self._published = owned, published

    def open(self) -> None:
        """Start the port, if the settings name one. Raises `PortTaken`."""
        settings, registry = self._settings, self.metrics.registry
        answering = probes(settings.metrics_host, settings.metrics_port, registry, self.vitals.whys, self.measure)
        self._opened.enter_context(answering)

    def close(self) -> None:
        """Close the port."""
        self._opened.close()

    def measure(self) -> None:
        """Set all gauges. Called from the threads that answer."""
        owned, published = self._owned, self._published
        if owned is not None and published is not None:
            stopped = owned.stopped
            self.metrics.waiting_keys.set(published.waiting_keys)
            for number, partition in list(owned.partitions.items()):
                partition.pulse.measure(published.lag(number))
            for number in {*owned.partitions, *stopped}:
                self.metrics.stopped_partitions.labels(str(number)).set(number in stopped)
            # Also while it is tried again: until it is past what was refused, it is at least so far behind.
            for number, lag in stopped.lags().items():
                lag.measure(number, self.metrics)
