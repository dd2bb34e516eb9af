"""How long a client may take: connections to a real server, of clients that begin and do not go on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from starlette.responses import Response

from streams.collect import server
from streams.collect.server import Connection

HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"
WHOLE = HEAD + b"content-length: 0\r\n\r\n"
PATIENCE_S = 0.5


class Client:
    """A connection to the server."""

    def __init__(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        self._reading, self._writing = reading, writing

    async def sends(self, data: bytes) -> None:
        self._writing.write(data)
        await self._writing.drain()

    async def is_answered(self) -> bool:
        return (await self._reading.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")

    async def is_closed(self, within_s: float = 10 * PATIENCE_S) -> bool:
        try:
            async with asyncio.timeout(within_s):
                return await self._reading.read(1) == b""
        except TimeoutError:
            return False


def asked(monkeypatch: pytest.MonkeyPatch, test: Callable[[Client], Awaitable[None]]) -> None:
    """Run a test on a connection to a server that answers 204 to everything, without looking at the body."""
    monkeypatch.setattr(server, "SLOWEST_S", PATIENCE_S)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Response(status_code=204)(scope, receive, send)

    async def running() -> None:
        config = uvicorn.Config(app, http=Connection, log_config=None, lifespan="off", ws="none")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = uvicorn.Server(config)
            task = asyncio.create_task(serving.serve(sockets=[listening]))
            client = Client(*await asyncio.open_connection(*listening.getsockname()))
            try:
                async with asyncio.timeout(30):
                    await test(client)
            finally:
                serving.should_exit = serving.force_exit = True
                await task

    asyncio.run(running())


@pytest.mark.parametrize("begun", [b"", HEAD])
def test_a_client_that_asks_nothing_is_gone_after_a_while(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    async def test(client: Client) -> None:
        await client.sends(begun)
        assert await client.is_closed()

    asked(monkeypatch, test)


def test_so_is_one_that_does_not_ask_its_second_question_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client) -> None:
        await client.sends(WHOLE)
        assert await client.is_answered()
        await client.sends(HEAD)
        assert await client.is_closed()

    asked(monkeypatch, test)


def test_and_one_that_goes_on_slowly_with_a_body_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client) -> None:
        await client.sends(HEAD + b"content-length: 10\r\n\r\n")
        assert await client.is_answered()
        await client.sends(b"1")
        assert await client.is_closed()

    asked(monkeypatch, test)


def test_a_client_that_asks_again_and_again_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client) -> None:
        for _ in range(4):
            await client.sends(WHOLE)
            assert await client.is_answered()
            assert not await client.is_closed(PATIENCE_S / 2)

    asked(monkeypatch, test)
