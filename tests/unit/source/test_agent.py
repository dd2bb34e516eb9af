"""The agent: what it passes on of each batch, and what it lets go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from streams.kafka.record_batch import RecordBatch
from streams.source.agent import fold_batches


class Stream:
    """A Faust stream of these batches."""

    def __init__(self, *batches: RecordBatch) -> None:
        self._batches = batches

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for batch in self._batches:
            yield SimpleNamespace(value=batch)


def test_the_records_of_a_batch_are_let_go_once_it_is_applied_as_it_stays_until_its_checkpoint() -> None:
    first, second = RecordBatch(0, 0, 2, 1, ["a", "b"]), RecordBatch(0, 2, 3, 1, ["c"])
    seen: list[Any] = []

    async def prepare(batch: RecordBatch) -> None:
        seen.append(("prepared", *batch.records))

    def apply(batch: RecordBatch, event: Any) -> None:
        seen.append(("applied", *batch.records))
        assert event.value is batch

    stream: Any = Stream(first, second)
    asyncio.run(fold_batches(prepare, apply)(stream))  # type: ignore[arg-type]

    assert seen == [("prepared", "a", "b"), ("applied", "a", "b"), ("prepared", "c"), ("applied", "c")]
    assert (first.records, second.records) == ([], [])
