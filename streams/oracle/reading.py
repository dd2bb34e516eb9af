"""Reads what there is: topics to their end in `read_committed`, and the hashes in Redis.

Owns the Kafka consumer and the Redis scan of a verification. It must not know what the records mean beyond
the keys of the state changelog that outsiders may read.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.error import ConsumeError
from redis import Redis, RedisError

from streams.oracle.comparison import Found
from streams.oracle.folding import CatalogRow, Kept
from streams.oracle.recomputation import readable_title
from streams.oracle.records import RawRecord
from streams.oracle.sums import Hashes

STALLED_S = 30
PIPELINE_KEYS = 1_000


class CannotRead(Exception):
    """A server or topic cannot be read. The message is one line for people: what, where, what to do."""


class TopicReader:
    """Reads the partitions in `start` from that offset on (None: all from their beginning) to their end.

    Only the end of a partition is the end: a stall or any error raises `CannotRead`. Reading again goes on
    where the last reading ended.
    """

    def __init__(self, kafka: str, topic: str, start: dict[int, int] | None = None) -> None:
        self.kafka = kafka
        self.topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
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
            raise CannotRead(f"Kafka at {self.kafka} does not answer: {problem.args[0].str()}") from None
        if found.error is not None:
            raise NoTopic(f"Kafka at {self.kafka} has no topic {self.topic}")
        return len(found.partitions)

    def _watermarks(self, partition: int) -> tuple[int, int]:
        try:
            low, end = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=10)
        except KafkaException as problem:
            raise CannotRead(f"Kafka at {self.kafka} does not answer: {problem.args[0].str()}") from None
        return low, end


class NoTopic(CannotRead):
    """The topic is not there."""


def source_records(messages: Iterator[Any]) -> Iterator[RawRecord]:
    """Kafka messages as raw records."""
    for message in messages:
        timestamp_ms = message.timestamp()[1]
        yield RawRecord(message.partition(), message.offset(), timestamp_ms, message.key(), message.value())


class StateLog:
    """What outsiders may read in the state changelog: positions, and the catalog's rows as taken in."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._reader = TopicReader(kafka, topic)
        self.positions: dict[int, dict[str, Any]] = {}
        self._rows: dict[int, dict[tuple[int, str], bytes]] = {}

    def close(self) -> None:
        self._reader.__exit__()

    def read_on(self) -> None:
        """Take in what was committed since the last call."""
        for message in self._reader.read(self._reader.ends()):
            key, value = message.key() or b"", message.value()
            if key == b"p" and value is not None:
                self.positions[message.partition()] = json.loads(value)
            elif re.match(rb"c\d{20}\|", key):
                offset, title_id = int(key[1:21]), key[22:].decode()
                rows = self._rows.setdefault(message.partition(), {})
                rows[offset, title_id] = value or b""

    def next_offset(self, partition: int) -> int:
        """The position of the partition's last checkpoint; 0 before the first one."""
        return int(self.positions.get(partition, {}).get("next_offset", 0))

    def catalog(self) -> dict[int, list[CatalogRow]]:
        """Each partition's catalog rows, by the offset from which they hold."""
        return {
            partition: [CatalogRow(offset, title_id, row) for (offset, title_id), row in sorted(rows.items())]
            for partition, rows in self._rows.items()
        }


def current_titles(kafka: str, topic: str) -> dict[str, bytes]:
    """The catalog as the titles topic has it now: the last readable row of each title."""
    titles: dict[str, bytes] = {}
    with TopicReader(kafka, topic) as reader:
        for message in reader.read(reader.ends()):
            key, row = message.key(), message.value()
            if row is None:
                titles.pop((key or b"").decode(errors="replace"), None)
            elif (title_id := readable_title(key, row)) is not None:
                titles[title_id] = row
    return titles


def kept_records(kafka: str, topic: str, source_topic: str) -> list[Kept]:
    """The records of a dead-letter or late topic that came from `source_topic`; none without the topic."""
    try:
        with TopicReader(kafka, topic) as reader:
            kept = [(_origin(message), message) for message in reader.read(reader.ends())]
    except NoTopic:
        return []
    return [
        Kept(partition, offset, message.key(), message.value())
        for (origin, partition, offset), message in kept
        if origin == source_topic
    ]


def _origin(message: Any) -> tuple[str, int, int]:
    headers = {name: (value or b"").decode() for name, value in message.headers() or []}
    try:
        return headers["topic"], int(headers["partition"]), int(headers["offset"])
    except (KeyError, ValueError):
        raise CannotRead(
            f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}:"
            " its headers do not say topic, partition and offset"
        ) from None


def published(url: str, prefix: str) -> Hashes:
    """Every title's hash and the status, by key without the prefix."""
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", prefix)
    try:
        with Redis.from_url(url, decode_responses=True) as redis:
            keys = [f"{prefix}status", *sorted(set(redis.scan_iter(f"{pattern}title:*", 10_000, "HASH")))]
            return {key[len(prefix) :]: fields for key, fields in _hashes(redis, keys) if fields}
    except RedisError as problem:
        raise CannotRead(f"Redis at {_without_password(url)} cannot be read: {problem}") from None


def _hashes(redis: Any, keys: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for start in range(0, len(keys), PIPELINE_KEYS):
        some = keys[start : start + PIPELINE_KEYS]
        pipeline = redis.pipeline(transaction=False)
        for key in some:
            pipeline.hgetall(key)
        yield from zip(some, pipeline.execute(), strict=True)


def _without_password(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//", url)


def found_now(kafka: str, redis: str, settings: Any) -> Found:
    """All that the worker wrote, as it is now."""
    return Found(
        published(redis, settings.redis_prefix),
        kept_records(kafka, settings.dead_letters_topic, settings.source_topic),
        kept_records(kafka, settings.late_topic, settings.source_topic),
    )
