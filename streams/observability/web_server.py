"""The web server of a service: a signal is told to the probes and to the supervisor before it ends."""

from __future__ import annotations

from types import FrameType

import uvicorn

from streams.observability.health import ServiceHealth


class ServiceServer(uvicorn.Server):
    """The web server; it installs `handle_exit` for both signals while it runs, and raises them again afterwards."""

    def __init__(self, config: uvicorn.Config, health: ServiceHealth) -> None:
        super().__init__(config)
        self._health = health

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._health.note_stopping()
        super().handle_exit(sig, frame)
