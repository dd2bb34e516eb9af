"""What opening a partition relies on, and what is left of one that Kafka has refused a record of."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from streams.config.settings import Settings
from streams.observability.metrics import Metrics
from streams.state.changelog import Position, StateError
from streams.state.committed import Committed
from streams.state.consistency import RecordedElsewhere
from streams.state.transactions import RecordRefused
from streams.worker.control_rows import ControlSources
from streams.worker.partition import Partition, SourceAtStart

AHEAD = 10**15
"""The incarnation of a worker whose clock is ahead of this one's."""


class Growing:
    """A source to which records come, which the former owner reads and checkpoints until it is fenced."""

    def __init__(self) -> None:
        self.end = 22

    async def offsets(self) -> tuple[int, int]:
        return 0, self.end


def unopened(on_committed: Callable[[Committed], None]) -> Partition:
    settings, sources = Settings(kafka="127.0.0.1:1"), ControlSources(dict, dict)
    source = SourceAtStart("id", 1, "state", {}, "")
    return Partition(0, settings, source, ThreadPoolExecutor(1), sources, on_committed, Metrics())


async def opened(source: Growing, end: int, position: int) -> Partition:
    """A partition whose former owner, before its fence, reads up to a position of a source that ends there or later."""
    partition = unopened(_no)

    def restore() -> Position:
        source.end = end
        return msgspec.structs.replace(partition._position(), next_offset=position, sequence=7)

    partition._restore = restore  # type: ignore[method-assign]
    await partition.open(RecordedElsewhere(20, None), source.offsets)
    return partition


def _no(_: Any) -> None: ...


@pytest.mark.parametrize("position", [23, 24])
def test_a_state_that_grew_with_the_source_before_the_fence_is_continued(position: int) -> None:
    partition = asyncio.run(opened(Growing(), 24, position))

    assert (partition.position, partition.sequence) == (position, 7)


def test_a_state_that_is_ahead_of_its_source_is_refused() -> None:
    with pytest.raises(StateError, match="has records 0 to 24, the state continues at 25"):
        asyncio.run(opened(Growing(), 24, 25))


class Taking:
    """A writer of whose records Kafka takes all."""

    def write(self, batch: Any) -> None: ...


@pytest.mark.parametrize("told", [0, AHEAD])
def test_a_state_has_no_incarnation_before_its_first_checkpoint_as_another_worker_may_yet_begin_it(told: int) -> None:
    async def begun() -> list[tuple[int, int]]:
        committed: list[Committed] = []
        partition = unopened(committed.append)
        partition._restore = lambda: None  # type: ignore[method-assign]
        await partition.open(RecordedElsewhere(None, (told, 0)), Growing().offsets)
        committed.append(partition.committed_state())
        partition._writer = Taking()  # type: ignore[assignment]
        for position in (1, 2):
            partition.position = position
            await partition.checkpoint()
        return [(state.incarnation, state.sequence) for state in committed]

    before_ms = time.time_ns() // 1_000_000
    of_state, first, second = asyncio.run(begun())

    assert (of_state, first[1], second) == ((0, 0), 1, (first[0], 2))
    assert first[0] == told + 1 if told else first[0] >= before_ms


class Refusing:
    """A writer of whose records Kafka refuses one."""

    def write(self, batch: Any) -> None:
        raise RecordRefused("too large")

    def close(self) -> None: ...


def test_nothing_waits_for_the_collector_of_a_partition_that_is_closed_as_kafka_refused_its_record() -> None:
    """What is tried again and again would fill the memory, as a worker's collector looks at nothing old."""

    async def refused() -> weakref.ref[Partition]:
        partition = await opened(Growing(), 24, 23)
        partition._writer, partition.position = Refusing(), 24  # type: ignore[assignment]
        for _ in range(2):
            with pytest.raises(RecordRefused):
                await partition.checkpoint()
        await partition.close()
        # What the test itself has made a cycle of: the partition knows its own method.
        del partition._restore
        return weakref.ref(partition)

    gc.disable()
    try:
        assert asyncio.run(refused())() is None
    finally:
        gc.enable()
