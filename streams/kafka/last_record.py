"""The last committed record of a topic's partition.

Owns the short-lived consumer that reads it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.config.kafka_security import KafkaAddress, with_refusal
from streams.kafka.admin import until_answered
from streams.kafka.reader import WATERMARKS_AGAIN, CannotRead
from streams.observability.logs import LIBRDKAFKA

_BACK = 8
"""How many offsets from the end are read first, then eight times as many: transaction markers follow the record."""

_ONE_TRY_S = 5.0


class LastRecord(NamedTuple):
    """A committed record of the partition."""

    offset: int
    key: bytes | None
    value: bytes | None


def state_consumer(kafka: KafkaAddress, options: Mapping[str, Any]) -> Consumer:
    """A consumer that reads partitions of the state up to their last stable offsets. `options`: further options."""
    return Consumer(
        {
            **kafka.for_librdkafka(),
            "group.id": "encore-restore",  # required by the client; nothing is committed
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,
            **options,
            "log_level": 2,
            "logger": logging.getLogger(LIBRDKAFKA),
        }
    )


def last_record(kafka: KafkaAddress, topic: str, partition: int, within_s: float) -> LastRecord | None:
    """The last record before the partition's last stable offset; None: there is none.

    Blocks for at most about twice `within_s`. Raises `CannotRead`.
    """
    consumer = state_consumer(kafka, {})
    place, one_try_s = TopicPartition(topic, partition), min(within_s, _ONE_TRY_S)
    try:
        first, end = until_answered(lambda: _watermarks(consumer, place, one_try_s), WATERMARKS_AGAIN, within_s)
        return _last_between(consumer, place, first, end, time.monotonic() + within_s)
    except KafkaException as problem:
        raise CannotRead(_unreadable(kafka, place, problem.args[0])) from None
    finally:
        consumer.close()


def _watermarks(consumer: Consumer, place: TopicPartition, within_s: float) -> tuple[int, int]:
    # A client that learned of the topic before the partition existed would not ask for it again.
    consumer.list_topics(place.topic, timeout=within_s)
    first, end = consumer.get_watermark_offsets(place, timeout=within_s)
    return first, end


def _last_between(consumer: Consumer, place: TopicPartition, first: int, end: int, until: float) -> LastRecord | None:
    back, last = _BACK, None
    while last is None and first < end:
        begin = max(first, end - back)
        consumer.assign([TopicPartition(place.topic, place.partition, begin)])
        last = _read_to_end(consumer, place, until)
        if begin == first:
            break
        back *= _BACK
    return last


def _read_to_end(consumer: Consumer, place: TopicPartition, until: float) -> LastRecord | None:
    last = None
    while True:
        message = consumer.poll(max(0.0, until - time.monotonic()))
        if message is None:
            raise CannotRead(f"{place.topic}/{place.partition} returned neither a record nor its end")
        error = message.error()
        if error is None:
            last = LastRecord(message.offset(), message.key(), message.value())
        elif error.code() == KafkaError._PARTITION_EOF:
            return last
        else:
            raise KafkaException(error)


def _unreadable(kafka: KafkaAddress, place: TopicPartition, error: KafkaError) -> str:
    said = with_refusal(kafka, error.str())
    return f"{place.topic}/{place.partition} at {kafka} cannot be read: {said}"
