"""A proxy before each broker of a Kafka that understands its framing: chosen requests are held, cut off or repeated.

Owns the ways that frames take, the addresses that clients are told, and what was kept of the requests. A `Judge` says
which request is hit.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import ExitStack
from enum import Enum, auto
from types import TracebackType

from kafka_frames import TELLS_ADDRESSES, TRANSACTIONAL, Request, correlation_of, error_in, read_request
from proxy import HOST, End, Proxy

_SEEN = 20_000
_ANSWER_S = 10.0


class Verdict(Enum):
    """What becomes of a request."""

    PASS = auto()
    HOLD = auto()
    """It is kept, and nothing that follows on its connection arrives either; the client is not told."""
    CUT = auto()
    """It is kept, and its connection ends."""
    REPEAT = auto()
    """It passes, and is kept too."""


Judge = Callable[[Request], Awaitable[Verdict]]
"""Asked of every request, on the thread of its proxy. While it waits, so does the connection: that is a delay."""


async def let_pass(request: Request) -> Verdict:
    """The judge of an ordinary day."""
    return Verdict.PASS


class ProxiedKafka:
    """`with ProxiedKafka(ports) as kafka:` puts a proxy before each broker of these ports of the loopback.

    Clients that begin at `address` are told of no other way to the brokers. `seen` are the last requests of
    transactions, `held` those that were kept; `judge` may be assigned at any time.
    """

    def __init__(self, ports: Iterable[int], judge: Judge = let_pass) -> None:
        self.judge = judge
        self.seen: deque[Request] = deque(maxlen=_SEEN)
        self.held: list[Request] = []
        self.late: list[Request] = []
        """Those of `held` that were delivered."""
        self._instead: dict[int, int] = {}
        self.proxies = {port: _KafkaProxy(port, self._judged, self._instead) for port in ports}
        self._open = ExitStack()

    @classmethod
    def before(cls, address: str) -> ProxiedKafka:
        """Proxies before the brokers of an address, `HOST:PORT[,HOST:PORT…]`; they must be on the loopback."""
        places = [place.rsplit(":", 1) for place in address.split(",")]
        assert {host for host, _ in places} == {HOST}, f"only brokers on {HOST} can be put behind a proxy: {address}"
        return cls(int(port) for _, port in places)

    @property
    def address(self) -> str:
        """`HOST:PORT[,HOST:PORT…]`, of the proxies."""
        return ",".join(f"{HOST}:{proxy.port}" for proxy in self.proxies.values())

    def deliver(self, request: Request, broker: int | None = None) -> int:
        """Send a request that was kept, over a connection of its own, to the broker that it was addressed to or to
        another one; the error code of the answer, which no client sees.
        """
        with socket.create_connection((HOST, broker or request.broker), timeout=_ANSWER_S) as connection:
            connection.sendall(_framed(request.frame))
            with connection.makefile("rb") as answers:
                (size,) = struct.unpack(">i", answers.read(4))
                request.error = error_in(answers.read(size), request)
        self.late.append(request)
        return request.error

    def log(self, last: int = 40) -> str:
        """The last requests of transactions and what was answered, for a failing test's message."""
        return "\n".join(map(str, list(self.seen)[-last:]))

    async def _judged(self, request: Request) -> Verdict:
        verdict = await self.judge(request)
        if request.api in TRANSACTIONAL:
            self.seen.append(request)
        if verdict is not Verdict.PASS:
            self.held.append(request)
        return verdict

    def __enter__(self) -> ProxiedKafka:
        for port, proxy in self.proxies.items():
            self._open.enter_context(proxy)
            self._instead[port] = proxy.port
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


class _KafkaProxy(Proxy):
    """Before one broker. `instead`: the ports that clients are told, by the brokers' own."""

    def __init__(self, port: int, judge: Judge, instead: Mapping[int, int]) -> None:
        super().__init__((HOST, port))
        self._judge = judge
        self._instead = instead

    def _ways(self, near: End, far: End) -> tuple[Coroutine[None, None, None], Coroutine[None, None, None]]:
        unanswered: dict[int, Request] = {}
        return self._pass_requests(near[0], far[1], unanswered), self._pass_answers(far[0], near[1], unanswered)

    async def _pass_requests(self, reader: StreamReader, writer: StreamWriter, unanswered: dict[int, Request]) -> None:
        while True:
            frame = await self._frame(reader)
            request = read_request(frame, self.target[1])
            verdict = await self._judge(request)
            if verdict is Verdict.CUT:
                raise ConnectionAbortedError
            if verdict is Verdict.HOLD:
                await _swallow(reader)
            if verdict is Verdict.PASS:
                request.frame = b""
            unanswered[request.correlation] = request
            writer.write(_framed(frame))
            await writer.drain()

    async def _pass_answers(self, reader: StreamReader, writer: StreamWriter, unanswered: dict[int, Request]) -> None:
        while True:
            answer = await self._frame(reader)
            request = unanswered.pop(correlation_of(answer), None)
            if request is not None:
                request.error = error_in(answer, request)
                request.answered.set()
                if request.api in TELLS_ADDRESSES:
                    answer = self._readdressed(answer)
            writer.write(_framed(answer))
            await writer.drain()

    async def _frame(self, reader: StreamReader) -> bytes:
        try:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            frame = await reader.readexactly(size)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError from None
        await self._passing.wait()
        return frame

    def _readdressed(self, answer: bytes) -> bytes:
        """In every version of every answer a host is followed by its port: of the same length, nothing else moves."""
        for port, other in self._instead.items():
            answer = answer.replace(_place(port), _place(other))
        return answer


async def _swallow(reader: StreamReader) -> None:
    """Take in what a client sends until it gives up."""
    while await reader.read(65_536):
        pass
    raise ConnectionResetError


def _framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


def _place(port: int) -> bytes:
    return HOST.encode() + struct.pack(">i", port)
