"""A librdkafka producer of transactions: its options, and when a new one must take over.

librdkafka repeats a commit whose answer is lost. If the first request was only delayed, it would end the producer's
next transaction, half written. So after a commit that may have been repeated the next transaction is made by a new
producer, in a new epoch: a request of the former epoch is refused (decision 20).
"""

from __future__ import annotations

import logging
from typing import Any

from confluent_kafka import KafkaError, Producer

from streams.config.kafka_security import KafkaAddress
from streams.kafka.topics import LARGEST_MESSAGE_BYTES
from streams.observability.logs import LIBRDKAFKA

CALL_S = 10.0
"""The longest that one call may block."""

_RETRY_BACKOFF_MS = 1_000
UNREPEATED_S = 0.8 * _RETRY_BACKOFF_MS / 1000
"""librdkafka repeats a request after `retry.backoff.ms`, less its jitter of at most 20 %. A commit that was answered
sooner was sent only once, so no copy of it can arrive later."""

FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
"""Another producer of this name has taken over."""


def transactional_producer(kafka: KafkaAddress, name: str, timeout_s: float, options: dict[str, Any]) -> Producer:
    """A producer whose transactional id is `name`, and whose transactions stay open for at most `timeout_s`."""
    return Producer(
        {
            **kafka.for_librdkafka(),
            "transactional.id": name,
            "transaction.timeout.ms": int(timeout_s * 1000),
            "retry.backoff.ms": _RETRY_BACKOFF_MS,
            "message.max.bytes": LARGEST_MESSAGE_BYTES,
            "delivery.report.only.error": True,
            # A frozen broker never answers: after this time, requests go to its successor.
            "socket.timeout.ms": 10_000,
            "log_level": 2,
            "logger": logging.getLogger(LIBRDKAFKA),
            **options,
        }
    )
