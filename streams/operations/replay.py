"""Counts what Kafka has forgotten from the archive, into a new state, before any worker starts.

Owns the processes, one for each core. Each makes the checkpoints that a worker would make of the same records; workers
go on where it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import NamedTuple

from streams.archive.history import read_archived
from streams.config.failpoints import arm
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.reader import CannotRead
from streams.kafka.record_batch import RecordBatch
from streams.observability.metrics import Metrics
from streams.state.consistency import RecordedElsewhere
from streams.worker.control_rows import ControlSources
from streams.worker.partition import Partition
from streams.worker.startup import Ground, find_ground

_BATCH_RECORDS = 1_000
_CHECKPOINT_BATCHES = 50


class Stretch(NamedTuple):
    """What is replayed of one partition: from `first` up to what Kafka has. `end`: the end of the source."""

    partition: int
    first: int
    end: int


class _Nobody:
    """The event of a batch that nobody waits for."""

    def ack(self) -> None:
        """Do nothing."""


def replay(settings: Settings, firsts: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
    """Count the archive's records from these offsets on. Returns where workers go on, by partition.

    Raises `CannotRead`, `KafkaFailed`, `CheckpointFailed` if a worker or another rebuild was started meanwhile.
    """
    stretches = [Stretch(number, first, ends[number]) for number, first in firsts.items()]
    processes = min(os.cpu_count() or 1, len(stretches))
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin) as pool:
            done = pool.map(_replay, [settings] * len(stretches), stretches)
            return dict(zip(firsts, done, strict=True))
    except BrokenProcessPool:
        raise CannotRead(
            "a process that counted the archive's records ended too early, perhaps for lack of memory: run it again"
        ) from None


# In a process of its own


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends this one
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent ends: if it was killed, it could not end this process."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _replay(settings: Settings, stretch: Stretch) -> int:
    arm(settings.failpoint)
    ground = find_ground(settings)
    try:
        return asyncio.run(_counted(settings, ground, stretch))
    finally:
        ground.catalog.stop()
        ground.erasures.stop()


async def _counted(settings: Settings, ground: Ground, stretch: Stretch) -> int:
    with ThreadPoolExecutor(1) as pool:
        told = ControlSources(lambda: ground.catalog.rows, lambda: ground.erasures.rows)
        partition = Partition(stretch.partition, settings, ground.source, pool, told, lambda _: None, Metrics())

        async def offsets() -> tuple[int, int]:
            return stretch.first, stretch.end

        await partition.open(RecordedElsewhere(None, None), offsets)
        try:
            # Kafka forgets on meanwhile.
            while (until := _first_in_kafka(ground.view, settings, stretch.partition)) > partition.position:
                await _count(settings, partition, until)
            return partition.position
        finally:
            await partition.close()


def _first_in_kafka(view: KafkaView, settings: Settings, number: int) -> int:
    return view.spans(settings.source_topic, [number])[number][0]


async def _count(settings: Settings, partition: Partition, until: int) -> None:
    """Count up to the offset `until`, and checkpoint."""
    number = partition.number
    records = read_archived(settings.archive, settings.source_topic, number, partition.position, until)
    batches = 0
    while some := list(islice(records, _BATCH_RECORDS)):
        partition.apply(RecordBatch(number, partition.position, some[-1].offset + 1, 0, some), _Nobody())
        batches += 1
        if batches % _CHECKPOINT_BATCHES == 0:
            await partition.checkpoint()
    if partition.position < until:
        # Offsets of markers and of records that were aborted.
        partition.apply(RecordBatch(number, partition.position, until, 0, []), _Nobody())
    await partition.checkpoint()
