"""Runs the dashboard and the API beside it: a socket, the web server, and the feed, until SIGTERM or Ctrl-C.

Owns the order of start and stop, and that a read key, where one is required, is required for both.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp

from streams.api.app import api_app
from streams.api.catalogue import Catalogue
from streams.api.read_key import KeyGuard, ReadKeys
from streams.api.routes import PREFIX
from streams.config.plaintext import is_loopback
from streams.dashboard.app import HEADERS, dashboard_app
from streams.dashboard.feed import Feed
from streams.display.titles_file import Names
from streams.observability.dashboard_metrics import DashboardMetrics
from streams.observability.health import ServiceHealth
from streams.observability.http_server import probes
from streams.observability.listening import opened as opened_for
from streams.observability.web_server import ServiceServer
from streams.reader import AsyncReader, ReaderError

MOST_CONNECTIONS = 1_000
END_S = 5
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


def opened(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortTaken`."""
    return opened_for(host, port, "ENCORE_DASHBOARD", "--dashboard-port 0 takes a port that is free")


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def hosts_of(host: str) -> tuple[str, ...]:
    """The names by which a browser may call it: on the loopback only its own, elsewhere any of the network."""
    return (host, *_LOOPBACK) if is_loopback(host) else ("*",)


class ServedCounters(NamedTuple):
    """What is served, and to whom: the counters under a prefix of a Redis. `names`: those of a file, which go first.

    `keys`: who may read (None: everybody who can open the address); `metrics_port` 0: no metrics and probes.
    """

    url: str
    prefix: str
    names: Names
    host: str
    keys: ReadKeys | None
    metrics_host: str
    metrics_port: int


def run_dashboard(served: ServedCounters, listening: socket.socket, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. Calls `say` with the address once it answers.

    At start, raises `ReaderError` and `PortTaken`.
    """
    asyncio.run(_serve(served, listening, say))


def served_app(
    served: ServedCounters, feed: Feed, reader: AsyncReader, catalogue: Catalogue, metrics: DashboardMetrics
) -> ASGIApp:
    """The API, and the dashboard for every other path."""
    hosts = hosts_of(served.host)
    dashboard: ASGIApp = dashboard_app(feed, metrics.dashboard_open_pages, hosts)
    if served.keys is not None:
        dashboard = KeyGuard(dashboard, served.keys, _no_key)
    api = api_app(reader, catalogue, metrics, hosts, served.keys)
    return Starlette(routes=[Mount(PREFIX, api), Mount("", dashboard)])


def _no_key() -> Response:
    """A browser then asks for a name, which may be any, and a password, which is the key."""
    headers = {"WWW-Authenticate": 'Basic realm="Encore", charset="UTF-8"', "Cache-Control": "no-store", **HEADERS}
    return PlainTextResponse("A read key is required: as the password of any user.\n", 401, headers)


async def _serve(served: ServedCounters, listening: socket.socket, say: Callable[[str], None]) -> None:
    async with AsyncReader(served.url, served.prefix) as reader:
        await reader.status()
        catalogue, metrics = Catalogue(reader, served.names), DashboardMetrics()
        feed = Feed(reader, catalogue, served.names)
        health = ServiceHealth("Redis", lambda: _why_away(reader))
        server = _server(served_app(served, feed, reader, catalogue, metrics), health)
        with probes(served.metrics_host, served.metrics_port, metrics.registry, health.whys):
            minding = [asyncio.create_task(each) for each in (feed.run(), health.keep_beating(), health.keep_asking())]
            minding[0].add_done_callback(lambda _: server.handle_exit(signal.SIGTERM, None))
            # The server handles both signals while it runs, and raises them again when it has ended.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, server.handle_exit)
            say(url_of(listening))
            try:
                await server.serve(sockets=[listening])
            finally:
                for each in minding:
                    each.cancel()
                    with suppress(asyncio.CancelledError):
                        await each


async def _why_away(reader: AsyncReader) -> str:
    try:
        await reader.status()
    except ReaderError as problem:
        return str(problem)
    return ""


def _server(app: ASGIApp, health: ServiceHealth) -> ServiceServer:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=END_S,
    )
    return ServiceServer(config, health)
