"""A compacted topic, mirrored in memory: read to its end before any partition opens, then followed.

Owns one reader without a group, in a thread of its own, and the mapping that it keeps up to date. Each partition
applies the mapping at a checkpoint, and records that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.config.kafka_security import KafkaAddress
from streams.kafka.topics import KafkaFailed
from streams.observability.logs import LIBRDKAFKA

log = logging.getLogger(__name__)

_CALL_S = 10.0
_FOLLOW_S = 0.5
_LOAD_S = 0.05


T = TypeVar("T")
TakeRecord = Callable[[dict[str, T], Message], None]
"""Applies one record to the mapping, or ignores it."""


class FollowedTopic(Generic[T]):
    """The topic's rows by key. Any change replaces `rows` as a whole, so the mapping that a reader has never changes.

    `name`: of the thread, and of the consumer group that librdkafka requires.
    """

    def __init__(self, kafka: KafkaAddress, topic: str, name: str, take_record: TakeRecord[T]) -> None:
        self.rows: dict[str, T] = {}
        self.topic = topic
        self._take_record = take_record
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=name, daemon=True)
        self._reader = Consumer(
            {
                **kafka.for_librdkafka(),
                "group.id": f"encore-{name}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "log_level": 2,
                "logger": logging.getLogger(LIBRDKAFKA),
            }
        )

    def load(self, timeout_s: float) -> None:
        """Read the topic to its present end, then follow it in a thread. Blocks. Raises `KafkaFailed`."""
        try:
            self._read_to_end(time.monotonic() + timeout_s)
        except KafkaException as problem:
            self._reader.close()
            raise KafkaFailed(f"topic {self.topic} cannot be read: {problem.args[0].str()}") from None
        except KafkaFailed:
            self._reader.close()
            raise
        self._thread.start()

    def _read_to_end(self, until: float) -> None:
        parts = self._partitions()
        self._reader.assign(parts)
        at_end: set[int] = set()
        while len(at_end) < len(parts):
            at_end |= self._apply(self._reader.consume(10_000, timeout=_LOAD_S))
            if time.monotonic() > until:
                raise KafkaFailed(f"topic {self.topic} could not be read to its end in time")

    def _partitions(self) -> list[TopicPartition]:
        found = self._reader.list_topics(self.topic, timeout=_CALL_S).topics[self.topic]
        # A topic that is missing, or may not be read, has an error and no partitions: it must not look empty.
        if found.error is not None or not found.partitions:
            why = "it has no partitions" if found.error is None else found.error.str()
            raise KafkaFailed(f"topic {self.topic} cannot be read: {why}")
        return [TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in found.partitions]

    def _follow(self) -> None:
        while not self._stopped.is_set():
            self._apply(self._reader.consume(10_000, timeout=_FOLLOW_S))
        self._reader.close()

    def _apply(self, messages: list[Message]) -> set[int]:
        """Apply records. Returns the partitions whose end was reached."""
        if not messages:
            return set()
        at_end, rows = set(), dict(self.rows)
        for message in messages:
            error = message.error()
            if error is None:
                self._take_record(rows, message)
            elif error.code() == KafkaError._PARTITION_EOF:
                at_end.add(message.partition())
            else:
                log.warning("topic %s: %s", self.topic, error.str())
        if rows != self.rows:
            self.rows = rows
        return at_end

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
