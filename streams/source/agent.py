"""The one Faust agent: passes each batch on.

Nothing is awaited between two records of a batch; after each batch, checkpoints and publishing get their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from faust import StreamT

from streams.kafka.record_batch import RecordBatch


def fold_batches(
    prepare: Callable[[RecordBatch], Awaitable[None]],
    apply: Callable[[RecordBatch, object], None],
) -> Callable[[StreamT[bytes]], Awaitable[None]]:
    """The agent's function. It acknowledges no events: `apply` must see to that, and keep the records that it needs."""

    async def viewing(stream: StreamT[bytes]) -> None:
        async for event in stream.noack().events():
            await prepare(event.value)
            apply(event.value, event)
            # A batch stays until its checkpoint is committed: its records would be much of the worker's memory.
            event.value.records.clear()
            # Batches that wait in the stream's buffer would all be folded before anything else ran.
            await asyncio.sleep(0)

    return viewing
