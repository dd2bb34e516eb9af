"""Reads topics to their end in `read_committed`.

Owns the Kafka consumer of a verification. It must not know what the records mean beyond the keys of the state
changelog that outsiders may read.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.error import ConsumeError

from streams.config.kafka_security import KafkaAddress, with_refusal
from streams.kafka.admin import until_answered
from streams.verify.folding import CatalogRow
from streams.verify.recomputation import readable_title
from streams.verify.records import RawRecord

STALLED_S = 30
TAKEN_IN = re.compile(rb"c\d{20}\|")
ERASED = re.compile(rb"e\d{20}\|")
SILENT = re.compile(rb"k\d{20}")
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

    def __init__(self, kafka: KafkaAddress, topic: str, start: dict[int, int] | None = None) -> None:
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
                "queued.max.messages.kbytes": 65_536,
                "fetch.wait.max.ms": 20,  # a question for the ends waits behind a fetch
                "log_level": 0,
            }
        )
        self.partitions = self._count_partitions()
        self.beginnings = {partition: self._watermarks(partition)[0] for partition in range(self.partitions)}
        self._at = dict(self.beginnings if start is None else start)
        self._consumer.assign([TopicPartition(topic, partition, at) for partition, at in self._at.items()])

    def __enter__(self) -> TopicReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def ends(self) -> dict[int, int]:
        """Each partition's last stable offset: what is not below it is not committed yet."""
        return {partition: self._watermarks(partition)[1] for partition in range(self.partitions)}

    def read(self, ends: dict[int, int], *, at_once: int = 10_000) -> Iterator[Any]:
        """Kafka messages that were not read yet, each partition's in order, at least up to `ends`."""
        moved = time.monotonic()
        while any(self._at[partition] < end for partition, end in ends.items()):
            messages = self._consume(at_once)
            if messages:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALLED_S:
                raise CannotRead(f"topic {self.topic} at {self.kafka}: nothing came for {STALLED_S} s")
            yield from [message for message in messages if self._step(message)]

    def read_below(self, ends: dict[int, int], *, at_once: int = 10_000) -> Iterator[Any]:
        """As `read`, and no message at or past `ends`."""
        for message in self.read(ends, at_once=at_once):
            if message.offset() < ends[message.partition()]:
                yield message

    def _step(self, message: Any) -> bool:
        """Move the position; whether the message is a record."""
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


class NoTopic(CannotRead):
    """The topic is not there."""


def source_records(messages: Iterator[Any]) -> Iterator[RawRecord]:
    """Kafka messages as raw records."""
    for message in messages:
        timestamp_ms = message.timestamp()[1]
        yield RawRecord(message.partition(), message.offset(), timestamp_ms, message.key(), message.value())


class StateLog:
    """What outsiders may read in the state changelog: positions, and the control rows.

    Those are the catalog's rows as taken in, the steps of the silent clock, and erasures.
    """

    def __init__(self, kafka: KafkaAddress, topic: str) -> None:
        self._reader = TopicReader(kafka, topic)
        self.positions: dict[int, dict[str, Any]] = {}
        self.silent: dict[int, dict[int, int]] = {}
        self.erasures: dict[int, dict[tuple[int, str], int]] = {}
        self._rows: dict[int, dict[tuple[int, str], bytes]] = {}

    def close(self) -> None:
        self._reader.close()

    def read_on(self) -> None:
        """Take in what was committed since the last call."""
        for message in self._reader.read(self._reader.ends()):
            key, value = message.key() or b"", message.value()
            if key == b"p" and value is not None:
                self.positions[message.partition()] = json.loads(value)
            elif TAKEN_IN.match(key):
                offset, title_id = int(key[1:21]), key[22:].decode()
                rows = self._rows.setdefault(message.partition(), {})
                rows[offset, title_id] = value or b""
            elif ERASED.match(key) and value is not None:
                erasures = self.erasures.setdefault(message.partition(), {})
                erasures[int(key[1:21]), key[22:].decode()] = int(json.loads(value)["until"])
            elif SILENT.fullmatch(key) and value is not None:
                self.silent.setdefault(message.partition(), {})[int(key[1:])] = int(json.loads(value))

    def next_offset(self, partition: int) -> int:
        """The position of the partition's last checkpoint; 0 before the first one."""
        return int(self.positions.get(partition, {}).get("next_offset", 0))

    def told(self) -> dict[int, int]:
        """Each partition's first source offset that no state before this one has told of."""
        return {partition: int(position.get("told", 0)) for partition, position in self.positions.items()}

    def catalog(self) -> dict[int, list[CatalogRow]]:
        """Each partition's catalog rows, by the offset from which they hold."""
        return {
            partition: [CatalogRow(offset, title_id, row) for (offset, title_id), row in sorted(rows.items())]
            for partition, rows in self._rows.items()
        }


class TitlesTopic:
    """The catalog as the titles topic has it: the last readable row of each title; none without the topic."""

    def __init__(self, kafka: KafkaAddress, topic: str) -> None:
        self.rows: dict[str, bytes] = {}
        self._kafka = kafka
        self._topic = topic
        self._reader: TopicReader | None = None

    def read_on(self) -> None:
        """Take in what came since the last call."""
        try:
            reader = self._reader = self._reader or TopicReader(self._kafka, self._topic)
        except NoTopic:
            return
        for message in reader.read(reader.ends()):
            key, row = message.key(), message.value()
            if row is None:
                self.rows.pop((key or b"").decode(errors="replace"), None)
            elif (title_id := readable_title(key, row)) is not None:
                self.rows[title_id] = row

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
