"""Runs the dashboard and the API beside it: a socket, the web server, and the feed, until SIGTERM or Ctrl-C.

Owns the order of start and stop, and that a read key, where one is required, is required for both.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

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
from streams.observability.listening import opened as opened_for
from streams.reader import AsyncReader

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


def run_dashboard(
    url: str,
    prefix: str,
    names: Names,
    listening: socket.socket,
    host: str,
    say: Callable[[str], None],
    keys: ReadKeys | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Calls `say` with the address once it answers. At start, raises `ReaderError`."""
    asyncio.run(_serve(url, prefix, names, listening, host, say, keys))


def served_app(
    feed: Feed, reader: AsyncReader, catalogue: Catalogue, hosts: Sequence[str], keys: ReadKeys | None
) -> ASGIApp:
    """The API, and the dashboard for every other path."""
    dashboard: ASGIApp = dashboard_app(feed, hosts)
    if keys is not None:
        dashboard = KeyGuard(dashboard, keys, _no_key)
    return Starlette(routes=[Mount(PREFIX, api_app(reader, catalogue, hosts, keys)), Mount("", dashboard)])


def _no_key() -> Response:
    """A browser then asks for a name, which may be any, and a password, which is the key."""
    headers = {"WWW-Authenticate": 'Basic realm="Encore", charset="UTF-8"', "Cache-Control": "no-store", **HEADERS}
    return PlainTextResponse("A read key is required: as the password of any user.\n", 401, headers)


async def _serve(
    url: str,
    prefix: str,
    names: Names,
    listening: socket.socket,
    host: str,
    say: Callable[[str], None],
    keys: ReadKeys | None,
) -> None:
    async with AsyncReader(url, prefix) as reader:
        await reader.status()
        catalogue = Catalogue(reader, names)
        feed = Feed(reader, catalogue, names)
        server = uvicorn.Server(
            uvicorn.Config(
                served_app(feed, reader, catalogue, hosts_of(host), keys),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=END_S,
            )
        )
        feeding = asyncio.create_task(feed.run())
        feeding.add_done_callback(lambda _: server.handle_exit(signal.SIGTERM, None))
        # The server handles both signals while it runs, and raises them again when it has ended.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        say(url_of(listening))
        try:
            await server.serve(sockets=[listening])
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
