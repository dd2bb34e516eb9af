"""Reads the newest records of the source topic, for the doctor.

Owns how many are read and for how long. It joins no group and commits nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from models.diagnosis import Sampled
from streams.config.kafka_security import KafkaAddress
from streams.kafka.topics import KafkaFailed

OF_A_PARTITION, OF_ALL, WITHIN_S = 3_000, 60_000, 15.0
"""Enough for whole viewings in many sessions. From 20 partitions on, fewer of each, so that memory stays bounded."""


def read_sample(kafka: KafkaAddress, topic: str, spans: Mapping[int, tuple[int, int]]) -> list[Sampled]:
    """The newest records of each partition, or fewer if the time is up. `spans`: first offset and end of each.

    Raises `KafkaFailed`.
    """
    each = min(OF_A_PARTITION, max(1, OF_ALL // max(1, len(spans))))
    places = [
        TopicPartition(topic, part, max(first, end - each)) for part, (first, end) in spans.items() if end > first
    ]
    consumer = Consumer(
        {
            **kafka.for_librdkafka(),
            "group.id": topic,  # required by the client, and auditors may describe it; no group is joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    try:
        consumer.assign(places)
        return list(_records(consumer, {place.partition for place in places}, spans))
    except KafkaException as problem:
        raise KafkaFailed(f"Kafka at {kafka}, topic {topic}: {problem.args[0].str()}") from None
    finally:
        consumer.close()


def _records(consumer: Consumer, unread: set[int], spans: Mapping[int, tuple[int, int]]) -> Iterator[Sampled]:
    """Yield records until every partition is read to its end, or the time is up."""
    until = time.monotonic() + WITHIN_S
    while unread and time.monotonic() < until:
        for message in consumer.consume(1_000, timeout=0.2):
            error, part, offset = message.error(), message.partition(), message.offset()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is not None or offset >= spans[part][1] - 1:
                unread.discard(part)
            if error is None and offset < spans[part][1]:
                yield Sampled(part, offset, message.timestamp()[1], message.key(), message.value())
