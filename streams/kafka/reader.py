"""Reads a topic to its end in `read_committed`.

Owns the consumer, which has no group.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.error import ConsumeError

from streams.config.kafka_security import KafkaAddress, with_refusal
from streams.kafka.admin import until_answered

STALLED_S = 30
WATERMARKS_AGAIN = (
    KafkaError._DESTROY, KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN,
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
)  # fmt: skip


class CannotRead(Exception):
    """A server or topic cannot be read. The message is one line for people: what, where, what to do."""


class TopicReader:
    """Reads the partitions in `start` from that offset on (None: all from their beginning) to their end.

    Only the end of a partition is the end: a stall or any error raises `CannotRead`. Reading again goes on
    where the last reading ended.
    """

    def __init__(
        self, kafka: KafkaAddress, topic: str, start: dict[int, int] | None = None, *, queue_kb: int = 65_536
    ) -> None:
        self.kafka = kafka
        self.topic = topic
        self._consumer = Consumer(
            {
                **kafka.for_librdkafka(),
                "group.id": "encore-verify",  # required by the client; nothing is committed
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": queue_kb,
                "fetch.wait.max.ms": 20,  # a request for the ends waits until a fetch is over
                "log_level": 0,
            }
        )
        self.partitions = self._count_partitions()
        self._at = dict(self.beginnings if start is None else start)
        self._consumer.assign([TopicPartition(topic, partition, at) for partition, at in self._at.items()])

    @cached_property
    def beginnings(self) -> dict[int, int]:
        """Each partition's first offset, as of the first look."""
        return {partition: self._watermarks(partition)[0] for partition in range(self.partitions)}

    def __enter__(self) -> TopicReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def ends(self) -> dict[int, int]:
        """Each partition's last stable offset. Records from there on are not committed yet."""
        return {partition: self._watermarks(partition)[1] for partition in range(self.partitions)}

    def read(self, ends: dict[int, int], *, at_once: int = 10_000) -> Iterator[Any]:
        """The Kafka messages that were not read yet, at least up to `ends`, in order within each partition."""
        moved = time.monotonic()
        while any(self._at[partition] < end for partition, end in ends.items()):
            messages = self._consume(at_once)
            if not messages and time.monotonic() - moved > STALLED_S:
                raise CannotRead(f"topic {self.topic} at {self.kafka}: no record arrived for {STALLED_S} s")
            if messages:
                yield from [message for message in messages if self._step(message)]
                # Only now: who reads may take a while for them.
                moved = time.monotonic()

    def read_below(self, ends: dict[int, int], *, at_once: int = 10_000) -> Iterator[Any]:
        """As `read`, but without messages at or after `ends`."""
        for message in self.read(ends, at_once=at_once):
            if message.offset() < ends[message.partition()]:
                yield message

    def _step(self, message: Any) -> bool:
        """Advance the position. Returns whether the message is a record."""
        error = message.error()
        if error is None:
            self._at[message.partition()] = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            self._at[message.partition()] = message.offset()
        else:
            raise CannotRead(f"topic {self.topic} at {self.kafka}: {error.str()}")
        return error is None

    def _consume(self, at_once: int) -> list[Any]:
        try:
            return list(self._consumer.consume(at_once, timeout=0.05))
        except (ConsumeError, KafkaException) as problem:
            raise CannotRead(f"topic {self.topic} at {self.kafka}: {problem}") from None

    def _count_partitions(self) -> int:
        try:
            found = self._consumer.list_topics(self.topic, timeout=10).topics[self.topic]
        except KafkaException as problem:
            raise self._unanswered(problem) from None
        if found.error is not None:
            raise NoTopic(f"Kafka at {self.kafka} has no topic {self.topic}")
        return len(found.partitions)

    def _watermarks(self, partition: int) -> tuple[int, int]:
        place = TopicPartition(self.topic, partition)
        try:
            low, end = until_answered(
                lambda: self._consumer.get_watermark_offsets(place, timeout=10), WATERMARKS_AGAIN, STALLED_S
            )
        except KafkaException as problem:
            raise self._unanswered(problem) from None
        return low, end

    def _unanswered(self, problem: KafkaException) -> CannotRead:
        return CannotRead(f"Kafka at {self.kafka} does not answer: {with_refusal(self.kafka, problem.args[0].str())}")


class OptionalTopic:
    """A topic that may not exist yet: until it does, there is nothing to read."""

    def __init__(self, kafka: KafkaAddress, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._reader: TopicReader | None = None

    def read_on(self) -> Iterator[Any]:
        """Messages committed since the last call. Raises `CannotRead`."""
        try:
            reader = self._reader = self._reader or TopicReader(self._kafka, self._topic)
        except NoTopic:
            return
        yield from reader.read(reader.ends())

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def read_all(kafka: KafkaAddress, topic: str) -> Iterator[Any]:
    """Every message of a topic, up to its end as of now; none if the topic does not exist. Raises `CannotRead`."""
    try:
        reader = TopicReader(kafka, topic)
    except NoTopic:
        return
    with reader:
        yield from reader.read_below(reader.ends())


class NoTopic(CannotRead):
    """The topic is not there."""
