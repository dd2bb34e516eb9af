"""A TCP proxy on the loopback for tests: it delays, cuts, swallows and redirects what passes.

Owns its port, its connections and the thread that they live in.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import Queue, StreamReader, StreamWriter
from collections.abc import Coroutine
from concurrent.futures import Future
from ssl import SSLContext
from types import TracebackType

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
CHUNKS_ON_THE_WAY = 64
PATIENCE_S = 10

End = tuple[StreamReader, StreamWriter]


class Proxy:
    """`with Proxy((host, port)) as proxy:` listens on `proxy.port`, from the start to the end of the block.

    `target`: where new connections go; assign it to redirect them. `delay_each_way_s`: what every byte takes in each
    direction, on connections that are open too; an answer takes twice that. `tls`: what clients are to speak to it; to
    the target it speaks without.
    """

    def __init__(
        self, target: tuple[str, int], *, delay_each_way_s: float = 0.0, tls: SSLContext | None = None
    ) -> None:
        self.target = target
        self._tls = tls
        self.delay_each_way_s = delay_each_way_s
        self.port = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)
        self._listening: Future[int] = Future()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._connections)

    def cut(self) -> None:
        """Close the open connections, at both ends."""
        self._do(self._cut())

    def blackhole(self) -> None:
        """From now on nothing passes, in either direction, and nobody is told: open connections stay open, new ones
        are accepted and get no answer. An end that closes its side is not noticed by the other.
        """
        self._do(self._switch(passing=False))

    def heal(self) -> None:
        """Let everything pass again; first what was held back."""
        self._do(self._switch(passing=True))

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.port = self._listening.result(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(PATIENCE_S)

    def _do(self, what: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_S)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._passing, self._ended = asyncio.Event(), asyncio.Event()
        self._passing.set()
        try:
            server = await asyncio.start_server(self._connected, HOST, 0, ssl=self._tls)
        except OSError as problem:
            self._listening.set_exception(problem)
            return
        self._listening.set_result(server.sockets[0].getsockname()[1])
        await self._ended.wait()
        server.close()
        await self._cut()

    async def _switch(self, *, passing: bool) -> None:
        self._passing.set() if passing else self._passing.clear()

    async def _cut(self) -> None:
        cut = set(self._connections)
        for connection in cut:
            connection.cancel()
        if cut:
            await asyncio.wait(cut)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await self._passing.wait()
            await self._join(reader, writer)
        except* OSError:
            pass  # one end is gone, or never was: so is the other, below
        finally:
            writer.transport.abort()

    async def _join(self, reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        try:
            async with asyncio.TaskGroup() as both_ways:
                for way in self._ways((reader, writer), (far_reader, far_writer)):
                    both_ways.create_task(way)
        finally:
            far_writer.transport.abort()

    def _ways(self, near: End, far: End) -> tuple[Coroutine[None, None, None], Coroutine[None, None, None]]:
        """What carries the bytes there and back, until there are no more; an `OSError` ends the connection."""
        return self._pass(near[0], far[1]), self._pass(far[0], near[1])

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        on_the_way: Queue[tuple[float, bytes]] = Queue(CHUNKS_ON_THE_WAY)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._take(reader, on_the_way))
            ends.create_task(self._deliver(on_the_way, writer))

    async def _take(self, reader: StreamReader, on_the_way: Queue[tuple[float, bytes]]) -> None:
        data = b"more"
        while data:
            await self._passing.wait()
            data = await reader.read(CHUNK_BYTES)
            await on_the_way.put((self._loop.time() + self.delay_each_way_s, data))

    async def _deliver(self, on_the_way: Queue[tuple[float, bytes]], writer: StreamWriter) -> None:
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(due - self._loop.time())
            await self._passing.wait()
            if not data:
                # TLS knows no connection that is closed on one side.
                writer.write_eof() if writer.can_write_eof() else writer.close()
                return
            writer.write(data)
            await writer.drain()
