"""Runs the collector: topics, a socket, the web server and the writer, until SIGTERM or Ctrl-C.

Owns the order of start and stop: what was accepted is answered before the process ends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from contextlib import suppress

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from streams.collect.app import PATH, Door, collect_app
from streams.collect.body import SLOWEST_S, Room
from streams.collect.sources import Sources
from streams.collect.writer import CollectWriter
from streams.config.settings import Settings
from streams.kafka.topics import make_posted_topics
from streams.observability.collect_metrics import CollectMetrics
from streams.observability.health import ServiceHealth
from streams.observability.http_server import probes
from streams.observability.listening import opened
from streams.observability.web_server import ServiceServer

MOST_CONNECTIONS = 10_000
_WAITING = 2_048
KEEP_ALIVE_S = 75
"""Longer than proxies keep a connection that is not used: they close it, not we, while they send a request."""

END_S = 5
"""Longer than any request waits for Kafka, to answer it when the collector is stopped."""

log = logging.getLogger(__name__)


class CollectFailed(Exception):
    """The collector cannot go on. The message says why, in one line."""


def run_collect(settings: Settings, sources: Sources) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `PortTaken`, `KafkaFailed` and `CollectFailed`."""
    topics = dict.fromkeys(source.topic for source in sources.all)
    made = make_posted_topics(settings, settings.kafka_address, topics, settings.startup_timeout_s)
    if made:
        log.info("topics made: %s", ", ".join(made))
    remedy = "each collector of a machine needs a port of its own"
    with opened(settings.collect_host, settings.collect_port, "ENCORE_COLLECT", remedy, _WAITING) as listening:
        _Collector(settings, sources, list(topics), listening).run()


class Connection(HttpToolsProtocol):
    """Is closed if a client takes too long for the head of a request, or for the rest of a body that was refused.

    Uvicorn minds only a connection on which nothing comes after an answer, not one on which something has begun.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._mind()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _mind(self) -> None:
        """Give the client time from now on, if it has not got it already; while a request is answered it needs none."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._late is None:
            self._late = self.loop.call_later(SLOWEST_S, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Collector:
    def __init__(self, settings: Settings, sources: Sources, topics: list[str], listening: socket.socket) -> None:
        self._settings, self._listening = settings, listening
        self._why_failed = ""
        self._metrics = CollectMetrics()
        self._room = Room(settings.collect_waiting_mib << 20)
        self._writer = CollectWriter(settings.kafka_address, settings.collect_timeout_s, self._fail)
        self._health = ServiceHealth("Kafka", lambda: asyncio.to_thread(self._writer.why_away, topics))
        door = Door(sources, self._writer, self._room, self._metrics, settings.collect_body_kib << 10)
        origins = [each.strip() for each in settings.collect_origins.split(",") if each.strip()]
        self._server = ServiceServer(
            uvicorn.Config(
                collect_app(door, origins),
                http=Connection,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(settings.collect_timeout_s) + END_S,
            ),
            self._health,
        )

    def run(self) -> None:
        """Serve until it is stopped."""
        settings, registry = self._settings, self._metrics.registry
        with (
            probes(settings.metrics_host, settings.metrics_port, registry, self._health.whys, self._measure),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(self._serve())
        if self._why_failed:
            raise CollectFailed(self._why_failed)

    async def _serve(self) -> None:
        self._writer.start()
        minding = [asyncio.create_task(self._health.keep_beating()), asyncio.create_task(self._health.keep_asking())]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._server.handle_exit)
        log.info("collecting at http://%s:%d%s", *self._listening.getsockname()[:2], PATH)
        try:
            await self._server.serve(sockets=[self._listening])
        finally:
            await asyncio.to_thread(self._writer.stop)
            for each in minding:
                each.cancel()
                with suppress(asyncio.CancelledError):
                    await each

    def _fail(self, why: str) -> None:
        """Note why it cannot go on, and end. Called from the writer's thread."""
        self._why_failed = self._why_failed or why
        self._server.should_exit = True

    def _measure(self) -> None:
        """Set the gauge. Called from the threads that answer."""
        self._metrics.collect_waiting_bytes.set(self._room.held)
