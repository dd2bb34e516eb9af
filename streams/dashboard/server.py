"""Runs the dashboard: a socket, the web server, and the feed, until SIGTERM or Ctrl-C.

Owns the order of start and stop.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from streams.config.plaintext import is_loopback
from streams.dashboard.app import dashboard_app
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
    url: str, prefix: str, names: Names, listening: socket.socket, host: str, say: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C. Calls `say` with the address once it answers. At start, raises `ReaderError`."""
    asyncio.run(_serve(url, prefix, names, listening, host, say))


async def _serve(
    url: str, prefix: str, names: Names, listening: socket.socket, host: str, say: Callable[[str], None]
) -> None:
    async with AsyncReader(url, prefix) as reader:
        await reader.status()
        feed = Feed(reader, names)
        server = uvicorn.Server(
            uvicorn.Config(
                dashboard_app(feed, hosts_of(host)),
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
