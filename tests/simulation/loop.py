"""An event loop on a virtual clock, shared by several simulated processes.

Owns which process runs next, when time passes, and the blocking calls that processes make in threads. A thread is a
greenlet here: it gives way wherever it waits. Everything is drawn from one `Random`, so a run can be repeated exactly.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

import greenlet

PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)
_THREAD_BEGINS_S = (0.0, 0.002)


class Process:
    """A simulated process. Nothing of it runs any more once it `is_dead`, nor while it `is_frozen`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = self.is_frozen = False
        self.ready: deque[asyncio.Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []
        self.threads = 0
        self.signal_handlers: dict[int, Callable[[], object]] = {}

    def __repr__(self) -> str:
        return self.name


class Deadlock(Exception):
    """Nothing will ever happen any more."""


class Wait:
    """What a thread waits for: `end` resumes it, and `result` is what it was resumed with."""

    def __init__(self) -> None:
        self.result: Any = None
        self.is_over = False
        self._resume: Callable[[], object] | None = None

    def end(self, result: Any = None) -> None:
        """Resume the thread, if it still waits."""
        if not self.is_over:
            self.is_over, self.result = True, result
            if self._resume is not None:
                self._resume()


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one step of one process after the other. `steps` counts them; `on_step` is called after each."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self.now_s = 0.0
        self.steps = 0
        self.world = Process("world")
        self.processes: list[Process] = [self.world]
        self.current = self.world
        self.on_step: Callable[[], object] = lambda: None
        self.problems: list[str] = []
        self._hub = greenlet.getcurrent()
        self.set_exception_handler(self._note_problem)

    def time(self) -> float:
        return self.now_s

    # -- processes ------------------------------------------------------------------------------------------

    def start(self, process: Process, main: Any) -> asyncio.Task[Any]:
        """Run a coroutine as the main task of a process."""
        self.processes.append(process)
        context = copy_context()
        context.run(PROCESS.set, process)
        return context.run(self.create_task, main)

    def kill(self, process: Process) -> None:
        """End a process at once: not even its `finally` blocks run."""
        process.is_dead = True
        process.ready.clear()
        if process in self.processes:
            self.processes.remove(process)

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        # Kept, so that the tasks of a dead process are not ended by the collector while the others still run.
        (PROCESS.get() or self.world).tasks.append(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        return task

    def _note_problem(self, _: asyncio.AbstractEventLoop, said: dict[str, Any]) -> None:
        self.problems.append(f"{said['message']}: {said.get('exception')!r}")

    # -- steps ----------------------------------------------------------------------------------------------

    def _call_soon(self, callback: Any, args: Any, context: Context | None) -> asyncio.Handle:  # type: ignore[override]
        handle = asyncio.Handle(callback, args, self, context)
        self._put(handle)
        return handle

    def _put(self, handle: asyncio.Handle) -> None:
        process = handle._context.get(PROCESS) or self.world  # type: ignore[attr-defined]
        if not process.is_dead:
            process.ready.append(handle)

    def _run_once(self) -> None:
        runnable = [process for process in self.processes if process.ready and not process.is_frozen]
        if not runnable:
            self._advance_clock()
            return
        process = runnable[0] if len(runnable) == 1 else self.random.choice(runnable)
        handle = process.ready.popleft()
        if handle._cancelled:
            return
        self.steps += 1
        self.current = process
        handle._run()
        self.current = self.world
        self.on_step()

    def _advance_clock(self) -> None:
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not scheduled:
            if self._stopping:  # type: ignore[attr-defined]
                return
            raise Deadlock
        self.now_s = max(self.now_s, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self.now_s:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            if not handle._cancelled:
                self._put(handle)

    def finish(self) -> None:
        """End all processes: what the collector ends of them later does nothing any more."""
        for process in [*self.processes]:
            self.kill(process)
        self._scheduled.clear()  # type: ignore[attr-defined]

    def _check_closed(self) -> None: ...

    def _write_to_self(self) -> None: ...

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None: ...

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:
        self.current.signal_handlers[sig] = callback

    # -- threads --------------------------------------------------------------------------------------------

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run a blocking call in a thread of the current process, from a drawn moment on."""
        future, process = self.create_future(), self.current

        def run() -> None:
            process.threads += 1
            try:
                result = func(*args)
            except BaseException as problem:
                if isinstance(problem, greenlet.GreenletExit):
                    raise
                self._settle(future, future.set_exception, problem)
            else:
                self._settle(future, future.set_result, result)
            process.threads -= 1

        thread = greenlet.greenlet(run, parent=self._hub)
        thread.gr_context = copy_context()
        self.call_later(self.random.uniform(*_THREAD_BEGINS_S), lambda: future.cancelled() or thread.switch())
        return future

    def _settle(self, future: asyncio.Future[Any], settle: Callable[[Any], None], result: Any) -> None:
        if not future.cancelled():
            settle(result)

    def block(self, wait: Wait, timeout_s: float | None = None) -> Any:
        """In a thread: wait until something ends the wait. Returns its result, None after `timeout_s` seconds."""
        thread = greenlet.getcurrent()
        assert thread is not self._hub, f"{self.current} blocks its event loop"
        timer = None if timeout_s is None else self.call_later(timeout_s, wait.end)
        if not wait.is_over:
            context = copy_context()
            wait._resume = lambda: self.call_soon(thread.switch, context=context)
            self._hub.switch()
        if timer is not None:
            timer.cancel()
        return wait.result

    def sleep(self, seconds: float) -> None:
        """In a thread: wait."""
        self.block(Wait(), seconds)
