"""The cost of a worker's run, measured from outside: its changelog's positions and its process's CPU clock.

Owns the sampling of a process and the reading of a state topic.

The clock runs from the oldest record of the changelog to the moment at which the last partition's position is committed
at the source's end. Events below each partition's first position are left out, since some of their work was done before
that record. Both choices can only understate the worker.
"""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from confluent_kafka import Consumer, KafkaError, TopicPartition

from streams.config.kafka_security import KafkaAddress
from streams.tools.processes import Child, ChildEnded

SAMPLE_S = 0.02


class CpuClock:
    """The CPU seconds of a child, sampled often, so that they can be asked for at a past moment."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._times: list[float] = []
        self._cpu: list[float] = []

    def sample(self) -> float:
        """CPU seconds now. Raises `ChildEnded` if the child is gone."""
        self._child.check()
        cpu = self._child.cpu_s()
        self._times.append(time.time())
        self._cpu.append(cpu)
        return cpu

    def at(self, when: float) -> float:
        """CPU seconds at `when` (seconds since the epoch), from the first sample at or after it."""
        if not self._times:
            return 0.0
        return self._cpu[min(bisect_left(self._times, when), len(self._times) - 1)]

    @contextmanager
    def running(self) -> Iterator[CpuClock]:
        """Sample in the background until the block is left."""
        over = threading.Event()

        def keep_sampling() -> None:
            with suppress(ChildEnded, psutil.Error):
                while not over.wait(SAMPLE_S):
                    self.sample()

        thread = threading.Thread(target=keep_sampling, name="cpu-clock", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()


class Positions:
    """The positions that the checkpoints committed, read from the state topic as they come."""

    def __init__(self, kafka: KafkaAddress, state_topic: str, partitions: int) -> None:
        self.first: dict[int, int] = {}
        self.latest: dict[int, int] = {}
        self.rows = 0
        self.oldest_s: float | None = None
        self._consumer = Consumer(
            {
                **kafka.for_librdkafka(),
                "group.id": f"{state_topic}-bench",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "allow.auto.create.topics": False,
            }
        )
        self._consumer.assign([TopicPartition(state_topic, n, 0) for n in range(partitions)])

    def poll(self, wait_s: float = 0.1) -> None:
        """Take in what was committed since."""
        for message in self._consumer.consume(10_000, wait_s):
            error = message.error()
            if error is None:
                self._take(message.partition(), message.key(), message.value(), message.timestamp()[1] / 1000)
            elif error.code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._PARTITION_EOF):
                raise RuntimeError(f"reading the state topic: {error.str()}")

    def _take(self, partition: int, key: bytes, value: bytes | None, when_s: float) -> None:
        self.rows += 1
        if self.oldest_s is None or when_s < self.oldest_s:
            self.oldest_s = when_s
        if key == b"p" and value:
            offset = json.loads(value)["next_offset"]
            self.first.setdefault(partition, offset)
            self.latest[partition] = offset

    def close(self) -> None:
        self._consumer.close()
