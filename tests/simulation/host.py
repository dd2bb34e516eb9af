"""Worker processes in the simulation: the real `Worker`, with servers, clocks and threads replaced underneath.

Owns which names are replaced. All of them are at the edge: the Kafka clients, the Redis client, Faust's application,
the time, and the watchdogs of clients that are not there.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from clients import Consumer, Kafka, Producer
from group import Application
from loop import SimulatedLoop

from streams.worker.partition import SourceAtStart
from streams.worker.startup import Ground

EPOCH_S = 1_760_000_000.0
ZONES: Mapping[str, bytes] = {}


class Feed:
    """A compacted topic as one worker has read it so far."""

    def __init__(self, rows: Mapping[str, Any]) -> None:
        self.rows = rows

    def stop(self) -> None: ...


class View:
    """What the worker asks of Kafka's administration: the offset that the group has committed."""

    def __init__(self, kafka: Kafka, offsets: Mapping[int, int]) -> None:
        self._kafka, self._offsets = kafka, offsets

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        found = self._kafka.network.call("OffsetFetch", "view", lambda: (self._offsets.get(partition),))
        return found[0] if isinstance(found, tuple) else None


def ground(kafka: Kafka, offsets: Mapping[int, int], partitions: int, catalog: Feed, erasures: Feed) -> Ground:
    """What a worker finds when it starts."""
    view: Any = View(kafka, offsets)
    feeds: Any = (catalog, erasures)
    return Ground(view, {}, SourceAtStart("source-id", partitions, "state-id", ZONES, "zones"), *feeds)


async def _idle(*_: object) -> None:
    await asyncio.Event().wait()


class _NoCollector:
    """The collector is not the worker's to turn off here."""

    collect = freeze = disable = staticmethod(lambda: None)
    get_count = staticmethod(lambda: (0, 0, 0))


@contextmanager
def replaced(
    loop: SimulatedLoop,
    kafka: Kafka,
    application: Callable[[Any], Application],
    sink: Callable[[], Any],
    new_ground: Callable[[], Ground],
    alarm: Callable[[int], object],
) -> Iterator[None]:
    """While it is entered, workers live in the simulation."""
    names, hook = itertools.count(), threading.excepthook
    with ExitStack() as stack:
        for target, new in (
            ("time.monotonic", loop.time),
            ("time.time", lambda: EPOCH_S + loop.now_s),
            ("time.time_ns", lambda: int((EPOCH_S + loop.now_s) * 1e9)),
            ("time.sleep", loop.sleep),
            ("streams.kafka.transactional_producer.Producer", lambda config: Producer(kafka, config)),
            ("streams.kafka.last_record.Consumer", lambda config: Consumer(kafka, config)),
            ("streams.state.restore._return_memory", lambda: None),
            ("streams.worker.assignment.create_app", lambda settings, owner: application(owner)),
            ("streams.worker.partition.token_hex", lambda _: f"{next(names):08x}"),
            ("streams.worker.process.RedisSink.of", lambda *_: sink()),
            ("streams.worker.process.find_ground", lambda settings: new_ground()),
            ("streams.worker.process.watch_topics", _idle),
            ("streams.worker.process.watch_progress", _idle),
            ("streams.worker.process.gc", _NoCollector),
            ("streams.worker.group_process.gc", _NoCollector),
            ("signal.alarm", alarm),
        ):
            stack.enter_context(patch(target, new))
        stack.callback(setattr, threading, "excepthook", hook)
        yield
