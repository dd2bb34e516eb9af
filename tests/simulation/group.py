"""The consumer group and the source: who reads which partition, and a stand-in for Faust's application.

Owns rebalances (everybody revokes, joins, and is assigned), session timeouts, the group's offsets and the delivery of
batches. A frozen worker loses its partitions and does not know it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka.errors import IllegalStateError
from faust.types import TP
from loop import Process, SimulatedLoop
from network import Network

from streams.kafka.record_batch import RecordBatch

_NOTICES_S = (0.0, 0.6)
_FETCH_S = (0.005, 0.05)
_IDLE_S = (0.05, 0.3)
_COMMIT_S = 1.0
_LOOK_S = 0.5
_MOST_RECORDS = 7


class Record(NamedTuple):
    """A record of the source, as far as a fold looks at it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Group:
    """The coordinator of the group, and the source's partitions. `offsets` are those that members have committed."""

    def __init__(self, loop: SimulatedLoop, network: Network, partitions: int, session_s: float) -> None:
        self.loop, self.network, self.session_s = loop, network, session_s
        self.source: list[list[Record]] = [[] for _ in range(partitions)]
        self.offsets: dict[int, int] = {}
        self.generation = self.assignments = 0
        self.skips = 0
        self._members: list[Application] = []
        self._joined: dict[Application, Callable[[Any], object]] = {}
        self._silent_since_s: dict[Application, float] = {}
        network.after(_LOOK_S, self._look)

    def _look(self) -> None:
        """Remove members that have been silent for too long."""
        for member in list(self._members):
            if not (member.process.is_dead or member.process.is_frozen):
                self._silent_since_s.pop(member, None)
            elif self.loop.now_s - self._silent_since_s.setdefault(member, self.loop.now_s) > self.session_s:
                self.leave(member)
        self.network.after(_LOOK_S, self._look)

    def leave(self, member: Application) -> None:
        if member in self._members:
            self._members.remove(member)
            self._silent_since_s.pop(member, None)
            waits = self._joined.pop(member, None)
            if waits is not None:
                self.network.later(lambda: waits(None))
            self.rebalance()
            self._notice(member)

    def rebalance(self) -> None:
        """Let all members join again; those who wait for an assignment already have joined."""
        self.generation += 1
        for member in self._members:
            if member not in self._joined:
                self._notice(member)
        self._assign_if_all_joined()

    def _notice(self, member: Application) -> None:
        generation = self.generation
        self.network.after(self.loop.random.uniform(*_NOTICES_S), lambda: member.note_generation(generation))

    def join(self, member: Application, answer: Callable[[Any], object]) -> None:
        self._joined[member] = answer
        if member not in self._members:
            self._members.append(member)
            self.rebalance()
        else:
            self._assign_if_all_joined()

    def _assign_if_all_joined(self) -> None:
        if not self._members or len(self._joined) < len(self._members):
            return
        joined, self._joined = self._joined, {}
        self.assignments += 1
        members = list(joined)
        self.loop.random.shuffle(members)
        for place, member in enumerate(members):
            mine = set(range(len(self.source))[place :: len(members)])
            told = mine, self.generation, self.assignments
            self.network.later(lambda member=member, told=told: joined[member](told))  # type: ignore[misc]

    def commit(self, member: Application, generation: int, offsets: dict[int, int]) -> None:
        if member in self._members and generation == self.generation:
            self.offsets |= offsets


class Event:
    """A batch that was delivered, and waits to be acknowledged."""

    def __init__(self, acked: dict[int, int], batch: RecordBatch) -> None:
        self._acked, self._batch = acked, batch

    def ack(self) -> None:
        self._acked[self._batch.partition] = self._batch.end


class Consumer:
    """What the worker asks of Faust's consumer."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._group = application.group
        self.positions: dict[int, int] = {}
        self.ends: dict[int, int] = {}

    async def seek_wait(self, offsets: dict[TP, int]) -> None:
        for tp, offset in offsets.items():
            await asyncio.sleep(self._group.loop.random.uniform(0, 0.003))
            if tp.partition not in self._application.assigned:
                raise IllegalStateError
            self.positions[tp.partition] = offset

    async def earliest_offsets(self, tp: TP) -> dict[TP, int]:
        await asyncio.sleep(self._group.loop.random.uniform(*_FETCH_S))
        return {tp: 0}

    async def highwaters(self, tp: TP) -> dict[TP, int]:
        await asyncio.sleep(self._group.loop.random.uniform(*_FETCH_S))
        return {tp: len(self._group.source[tp.partition])}

    def highwater(self, tp: TP) -> int:
        return self.ends.get(tp.partition, 0)


class Application:
    """Faust's application in one worker: its membership in the group, and the agent that gets the batches."""

    def __init__(self, group: Group, process: Process, owner: Any) -> None:
        self.group, self.process, self.owner = group, process, owner
        self.assigned: set[int] = set()
        self._must_join = asyncio.Event()
        self._newest = 0
        self.consumer = Consumer(self)
        self._crashed = asyncio.Event()
        self._crash_reason: BaseException | None = None
        self._flows = False
        self._generation = -1
        self.consumer_generation_id = 0
        self._acked: dict[int, int] = {}
        self._batches: asyncio.Queue[RecordBatch] = asyncio.Queue(16)
        self._tasks: list[asyncio.Task[None]] = []

    def note_generation(self, generation: int) -> None:
        """The group has begun another generation: whoever is in an older one must join again."""
        self._newest = max(self._newest, generation)
        self._must_join.set()

    async def start(self) -> None:
        self._must_join.set()
        self._tasks = [
            asyncio.create_task(task) for task in (self._stay(), self._fetch(), self._work(), self._commit())
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(self._draw(_FETCH_S))
        self.group.commit(self, self._generation, self._acked)
        self.group.leave(self)

    def _draw(self, between: tuple[float, float]) -> float:
        return self.group.loop.random.uniform(*between)

    async def _stay(self) -> None:
        """Revoke and join whenever the group says so."""
        while True:
            while self._newest <= self._generation:
                self._must_join.clear()
                await self._must_join.wait()
            self._flows = False
            await self.owner.revoke(set(self.assigned))
            # Kafka counts a generation where all have joined; `Group.generation` counts what made them join.
            self.assigned, self._generation, self.consumer_generation_id = await self._join()
            await self.owner.assign(set(self.assigned))
            self._flows = True

    async def _join(self) -> tuple[set[int], int, int]:
        while True:
            answer = self.group.loop.create_future()
            settle = self._settling(answer)
            self.group.network.later(lambda: self.group.join(self, settle))  # noqa: B023
            mine: tuple[set[int], int, int] | None = await answer
            if mine is not None:  # else the group has lost it
                return mine

    @staticmethod
    def _settling(answer: asyncio.Future[Any]) -> Callable[[Any], object]:
        return lambda mine: answer.done() or answer.set_result(mine)

    async def _fetch(self) -> None:
        while True:
            epochs = {number: self.owner.epoch(number) for number in sorted(self.assigned)}
            await asyncio.sleep(self._draw(_FETCH_S))
            found = False
            for number, epoch in epochs.items():
                if self._flows and epoch is not None and self.owner.epoch(number) == epoch:
                    found |= await self._deliver(number, epoch)
            if not found:
                await asyncio.sleep(self._draw(_IDLE_S))

    async def _deliver(self, number: int, epoch: int) -> bool:
        records, start = self.group.source[number], self.consumer.positions[number]
        self.consumer.ends[number] = len(records)
        if self.group.skips and start + 1 < len(records):
            self.group.skips -= 1
            start += 1
        batch = records[start : start + _MOST_RECORDS]
        if not batch:
            return False
        end = self.consumer.positions[number] = start + len(batch)
        await self._batches.put(RecordBatch(number, start, end, epoch, list(batch)))
        return True

    async def _work(self) -> None:
        while True:
            batch = await self._batches.get()
            self.owner.apply(batch, Event(self._acked, batch))
            await asyncio.sleep(self._draw((0.0, 0.01)))

    async def _commit(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            if self._acked:
                offsets = {number: offset for number, offset in self._acked.items() if number in self.assigned}
                generation = self._generation
                self.group.network.later(lambda: self.group.commit(self, generation, offsets))  # noqa: B023
