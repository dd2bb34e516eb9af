"""A producer of transactions keeps to the time that it was given. Where no server listens, this can still be told."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException

from streams.config.kafka_security import KafkaAddress
from streams.kafka.transactional_producer import transactional_producer

NOBODY = KafkaAddress("127.0.0.1:1")


@pytest.mark.parametrize("waits_ms", [19_999, 20_000])
def test_a_message_may_wait_for_as_long_as_its_transaction_is_open(waits_ms: int) -> None:
    transactional_producer(NOBODY, "some", 20.0, {"message.timeout.ms": waits_ms})


def test_no_message_waits_for_longer_than_its_transaction_is_open() -> None:
    with pytest.raises(KafkaException, match=r"transaction\.timeout\.ms"):
        transactional_producer(NOBODY, "some", 20.0, {"message.timeout.ms": 20_001})
