"""The way of requests to the servers, and of answers back: how long each takes, and what is lost or comes late.

Owns the faults of requests. Each strikes the next request of its kind: the answer is lost, the request comes only after
the client has repeated it, or both are slow.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any, NamedTuple

from loop import PROCESS, SimulatedLoop, Wait

CUT = object()
"""What a client finds in place of an answer: its connection is gone."""

_TAKES_S = (0.0005, 0.004)
_CUT_AFTER_S = (0.001, 0.02)
_NO_ANSWER_S = 10.0

LATE, LOST, SLOW, UNANSWERED = "late", "answer lost", "slow", "unanswered"


class Fate(NamedTuple):
    """What happens to a request. `value`: how late or slow, in seconds; below 0, before which of the next requests."""

    kind: str
    value: float


class Network:
    """One network for all processes and servers."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self._world = Context()
        self._world.run(PROCESS.set, loop.world)
        self._fates: list[tuple[str, Fate]] = []
        self._late: list[tuple[str, int, Callable[[], object]]] = []
        self.log: list[str] = []

    def meet(self, api: str, fate: Fate) -> None:
        """Let the next request of a kind meet this fate; its kind begins with `api`."""
        self._fates.append((api, fate))

    def heal(self) -> None:
        """No request meets a fate any more; those that are late still come."""
        self._fates.clear()

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Call on the servers' side, whatever becomes of the processes."""
        self._loop.call_later(seconds, call, context=self._world)

    def later(self, call: Callable[[], object]) -> None:
        self.after(self._draw(_TAKES_S), call)

    def _draw(self, between: tuple[float, float]) -> float:
        return self._loop.random.uniform(*between)

    def ask(self, api: str, client: str, execute: Callable[[], Any], answer: Callable[[Any], object]) -> None:
        """Send a request. `answer` gets what `execute` returned on the server, or `CUT`."""
        self._deliver_before(client)
        fate = self._fate(api)
        if fate is None:
            self.later(lambda: self._reply(execute(), answer))
            return
        self.log.append(f"{self._loop.now_s:.3f} {client} {api}: {fate.kind} {fate.value:.2f}")
        if fate.kind == SLOW:
            self.later(lambda: self._reply(execute(), answer, fate.value))
            return
        if fate.kind == LOST:
            self.later(execute)
        elif fate.value < 0:
            self._late.append((client, int(-fate.value), execute))
        else:
            self.after(fate.value, execute)
        gone_s = _NO_ANSWER_S if fate.kind == UNANSWERED else self._draw(_CUT_AFTER_S)
        self.after(gone_s, lambda: answer(CUT))

    def _reply(self, result: Any, answer: Callable[[Any], object], slow_s: float = 0.0) -> None:
        self.after(slow_s + self._draw(_TAKES_S), lambda: answer(result))

    def _fate(self, api: str) -> Fate | None:
        for place, (kind, fate) in enumerate(self._fates):
            if api.startswith(kind):
                del self._fates[place]
                return fate
        return None

    def _deliver_before(self, client: str) -> None:
        """What was kept back of a client comes before one of its next requests."""
        waiting, self._late = self._late, []
        for of_client, left, execute in waiting:
            if of_client != client:
                self._late.append((of_client, left, execute))
            elif left > 1:
                self._late.append((of_client, left - 1, execute))
            else:
                execute()

    def deliver_late(self) -> None:
        """Let everything that is kept back arrive now."""
        late, self._late = self._late, []
        for _, _, execute in late:
            execute()

    def call(self, api: str, client: str, execute: Callable[[], Any]) -> Any:
        """In a thread: send a request, and wait for its answer or for `CUT`."""
        wait = Wait()
        self.ask(api, client, execute, wait.end)
        return self._loop.block(wait)
