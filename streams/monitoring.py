"""What others see of a running worker: its metrics and vitals, and the port on which it tells them.

Owns when gauges are set, and what becomes of a partition's that has gone. It must not know what anything means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from streams.metrics import Metrics
from streams.probes import Probes
from streams.settings import Settings
from streams.vitals import HasPulse, Vitals


class Published(Protocol):
    """What is asked of the publisher."""

    @property
    def waiting_keys(self) -> int:
        """How much waits to be written."""

    def lag(self, partition: int) -> int:
        """How many records a partition is behind."""


class Monitoring:
    """One worker's. `partitions` and `openings` are its own, as they change; `published` once it is there."""

    def __init__(self, settings: Settings, partitions: Mapping[int, HasPulse], openings: Collection[int]) -> None:
        self.metrics = Metrics()
        self.vitals = Vitals(partitions, openings)
        self.published: Published | None = None
        self._settings, self._partitions = settings, partitions
        self._probes: Probes | None = None

    def open(self) -> None:
        """Answer from now on, where the settings name a port. Raises `PortTaken`."""
        vitals = self.vitals
        if self._settings.metrics_port:
            whys = {
                "/livez": vitals.why_dead,
                "/readyz": vitals.why_not_ready,
                "/startupz": vitals.why_not_started,
            }
            self._probes = Probes(
                self._settings.metrics_host, self._settings.metrics_port, self.metrics.registry, self.measure, whys
            )

    def close(self) -> None:
        """Answer no more."""
        if self._probes is not None:
            self._probes.close()

    def measure(self) -> None:
        """Set all gauges. Called from the threads that answer."""
        published = self.published
        if published is not None:
            self.metrics.waiting_keys.set(published.waiting_keys)
            for number, partition in list(self._partitions.items()):
                partition.pulse.measure(published.lag(number))
