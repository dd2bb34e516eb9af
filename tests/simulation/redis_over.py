"""The fake Redis behind the simulated network: calls take time, are lost, repeated and late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fake_sink import FakeRedis, FakeSink
from loop import SimulatedLoop
from network import CUT, Network

from streams.publishing.sink import DataLost, ForeignPrefix, Unreachable

_TRIES = 2
_CALLS = (
    "join", "is_complete", "begin_round", "published_version", "note_published", "begin_rebuild", "note_recounts",
    "sweep", "note_partitions", "read_state", "add_shares", "write_hashes", "derive", "delete_hashes", "weeks",
)  # fmt: skip


class SinkOverNetwork(FakeSink):
    """A worker's sink. As redis-py does, it repeats a call whose answer is lost. `on_call` is told of each effect."""

    def __init__(
        self, redis: FakeRedis, network: Network, loop: SimulatedLoop, application: str, on_call: Callable[[], object]
    ) -> None:
        super().__init__(redis, "p:", application)
        self._network, self._loop, self._name, self._on_call = network, loop, application, on_call
        self._client = loop.current.name

    async def _call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        for _ in range(_TRIES):
            found = await self._ask(name, arguments, named)
            if found is not CUT:
                result, problem, self._marker = found
                if problem is not None:
                    raise problem
                return result
        raise Unreachable("the connection was cut")

    async def _ask(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        # What the client knows changes only by answers that reach it.
        sink = FakeSink(self.redis, "p:", self._name)
        sink._marker = self._marker
        answer = self._loop.create_future()

        def execute() -> tuple[Any, Exception | None, str]:
            try:
                getattr(sink, name)(*arguments, **named).send(None)
            except StopIteration as end:
                return end.value, None, sink._marker
            except (Unreachable, DataLost, ForeignPrefix) as problem:
                return None, problem, sink._marker
            finally:
                self._on_call()
            raise AssertionError(name)

        self._network.ask(
            f"Redis {name}", self._client, execute, lambda found: answer.done() or answer.set_result(found)
        )
        return await answer


def _over_network(name: str) -> Any:
    async def call(self: SinkOverNetwork, *arguments: Any, **named: Any) -> Any:
        return await self._call(name, arguments, named)

    return call


for _name in _CALLS:
    setattr(SinkOverNetwork, _name, _over_network(_name))
