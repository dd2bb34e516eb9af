"""A long-running process of a consumer group: it checkpoints on time, and stops in order or with an error.

Owns the process's life from its signals to its exit code. What it runs is the subclass's: `streams.worker.process`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, ClassVar

from streams.config.failpoints import arm
from streams.config.settings import Settings
from streams.observability.liveness import Vitals
from streams.observability.systemd import STOPPING, tell_supervisor
from streams.state.transactions import CheckpointFailed
from streams.worker.assignment import Ownership
from streams.worker.startup import StoppedAtStartup

log = logging.getLogger(__name__)

_COLLECT_S, _LOOK_S = 60.0, 0.25
_COLLECT_OBJECTS, _COLLECT_AT_ONCE = 25_000, 200_000
_BETWEEN_COLLECTIONS = 50
"""A collection may take about a fiftieth of the time since the last one."""

_CHECKPOINT_AT_STOP_S = 8.0
_LEAVE_AT_STOP_S = 8.0
_END_S = 28
"""The system ends the process this many seconds after the decision to end, even if something hangs."""


class ThreadEnded(Exception):
    """A client's thread has ended by an exception."""


class GroupProcess(ABC):
    """One process of a consumer group. `name`: what it is called in its log."""

    name: ClassVar[str]
    ownership: Ownership[Any]

    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self.settings, self.vitals = settings, vitals
        arm(settings.failpoint)
        self.failure: BaseException | None = None
        self._stop = asyncio.Event()

    # -- what it runs -----------------------------------------------------------------------------------------

    @abstractmethod
    async def _start(self) -> None:
        """Wait for the servers, and make `ownership`. Raises `NotReachable`, `StoppedAtStartup`."""

    @abstractmethod
    def _watching(self) -> list[Coroutine[Any, Any, Any]]:
        """What looks for changes that the clients do not report."""

    @abstractmethod
    def _open_port(self) -> None:
        """Open the port of metrics and probes. Raises `PortTaken`."""

    @abstractmethod
    def _close_port(self) -> None:
        """Close it."""

    def _ending_first(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside, and is cancelled before the last checkpoint."""
        return []

    @abstractmethod
    async def _drain(self) -> None:
        """Finish what the last checkpoint has left to do."""

    @abstractmethod
    async def _close(self) -> None:
        """Close the connections."""

    @property
    def _checkpoint_s(self) -> float:
        """The seconds until the next checkpoint."""
        return self.settings.checkpoint_s

    # -- on time ----------------------------------------------------------------------------------------------

    async def _checkpoint_on_time(self) -> None:
        while True:
            await asyncio.sleep(self._checkpoint_s)
            await self.ownership.checkpoint()

    async def _collect_cycles(self) -> None:
        """Free the cycles that libraries leave. What survives is never looked at again.

        A collection looks at all that is new, nearly a microsecond each, and holds up everything meanwhile. It comes
        soon where much is new, or the next one would hold up for long; but most of what is new under load is replaced
        within a second, and need not be looked at.
        """
        since_s = rest_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            since_s += _LOOK_S
            new = gc.get_count()[0]
            is_due = new >= _COLLECT_AT_ONCE or (new >= _COLLECT_OBJECTS and since_s >= rest_s)
            if is_due or since_s >= _COLLECT_S:
                begun_s = time.monotonic()
                gc.collect()
                gc.freeze()
                since_s, rest_s = 0.0, _BETWEEN_COLLECTIONS * (time.monotonic() - begun_s)

    # -- the process ------------------------------------------------------------------------------------------

    def fail(self, problem: BaseException) -> None:
        """End the process with a failure: its state may be half changed, and must not be used any more."""
        if self.failure is None:
            self.failure = problem
        self._stop.set()

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT, and return 0; after a failure, return 1."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        self._end_with_threads(loop)
        beating = asyncio.create_task(self.vitals.keep_beating())
        try:
            self._open_port()
            await self._start()
            first = [asyncio.create_task(task) for task in self._ending_first()]
            tasks = [
                asyncio.create_task(task)
                for task in (
                    self._checkpoint_on_time(),
                    self._collect_cycles(),
                    *self._watching(),
                    self.ownership.app.start(),
                )
            ]
            for task in (*first, *tasks):
                task.add_done_callback(self._ended)
            await self._stop_or_crash()
            await self._shut_down(first, tasks)
        except StoppedAtStartup:
            pass
        except Exception as problem:
            self.fail(problem)
        beating.cancel()
        self._close_port()
        if self.failure is None:
            log.info("%s ended", self.name)
            return 0
        words, unexpected = in_words(self.failure, self.settings.kafka, self.name), _unexpected(self.failure)
        log.error("%s failed: %s", self.name, words, exc_info=unexpected)
        return 1

    def _end_with_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the process if a client's thread dies, for example for lack of memory: the client would deliver nothing
        more, without an error."""
        tell = threading.excepthook

        def end(ended: threading.ExceptHookArgs) -> None:
            tell(ended)
            if not self._stop.is_set():
                loop.call_soon_threadsafe(self.fail, ThreadEnded(f"a client's thread ended: {ended.exc_type.__name__}"))

        threading.excepthook = end

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.fail(task.exception() or RuntimeError("a task ended"))

    async def _stop_or_crash(self) -> None:
        stop, crash = (asyncio.ensure_future(event.wait()) for event in (self._stop, self.ownership.app._crashed))
        await asyncio.wait([stop, crash], return_when=asyncio.FIRST_COMPLETED)
        if crash.done():
            self.fail(self.ownership.app._crash_reason or RuntimeError("the Faust application crashed"))

    async def _shut_down(self, first: list[asyncio.Task[None]], tasks: list[asyncio.Task[Any]]) -> None:
        """Write the last checkpoint, finish, and leave the group; after a failure, only leave."""
        signal.alarm(_END_S)
        tell_supervisor(STOPPING)
        # A partition that is not delivered yet stays closed: its next owner opens it.
        for task in (*first, *self.ownership.delivering):
            await _cancelled(task)
        if self.failure is None:
            log.info("%s ends: last checkpoint", self.name)
            await self._checkpoint_last()
            await self._drain()
        for task in tasks:
            task.cancel()
        await self._leave()
        await self._close()

    async def _checkpoint_last(self) -> None:
        try:
            async with asyncio.timeout(_CHECKPOINT_AT_STOP_S):
                await self.ownership.checkpoint()
        except TimeoutError:
            raise CheckpointFailed(
                f"the last checkpoint was not written within {_CHECKPOINT_AT_STOP_S:g} s, Kafka does not answer;"
                " the next process continues from the one before"
            ) from None

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_AT_STOP_S):
                await self.ownership.app.stop()
        except TimeoutError:
            log.warning(
                "Kafka did not answer within %g s: the group misses this process after the session timeout",
                _LEAVE_AT_STOP_S,
            )


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait for its end. Its error, if any, is reported elsewhere."""
    while not task.done():
        # Repeatedly: `wait_for` of Python 3.11, which redis-py uses, may swallow a cancellation.
        task.cancel()
        await asyncio.wait([task], timeout=0.2)


def in_words(failure: BaseException, kafka: str, name: str = "worker") -> str:
    """The kind of a failure and what it says. To one of the Kafka client it adds where and what to do: that names
    neither a setting nor a remedy, for example if Kafka goes away just after the start has reached it."""
    kind = type(failure).__name__
    said = str(failure).removeprefix(f"{kind}: ")
    if _is_of_the_client(failure):
        said = f"ENCORE_KAFKA={kafka}: {said}; check that its brokers run (`encore doctor`), and start the {name} again"
    return f"{kind}: {said}"


def _is_of_the_client(failure: BaseException) -> bool:
    return type(failure).__module__.startswith("aiokafka.")


def _unexpected(failure: BaseException) -> BaseException | None:
    """The failure, if a traceback helps: if it is no exception of Encore or of the Kafka client."""
    is_ours = type(failure).__module__.startswith("streams.")
    return None if is_ours or _is_of_the_client(failure) else failure
