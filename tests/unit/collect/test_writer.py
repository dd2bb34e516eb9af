"""Why nothing can be written to Kafka, where no server is."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import KafkaError

from models.sources.posted import Posted
from streams.collect import writer
from streams.collect.writer import CollectWriter
from streams.config.kafka_security import KafkaAddress


def test_where_nobody_listens_kafka_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_ASKED_S", 0.1)
    why = CollectWriter(KafkaAddress("127.0.0.1:1"), 10, pytest.fail).why_away(["playback-events"])
    assert why.startswith("Kafka does not answer: ")
    assert len(why) > len("Kafka does not answer: ")


async def _written(timeout_s: float) -> KafkaError | None:
    to_nobody = CollectWriter(KafkaAddress("127.0.0.1:1"), timeout_s, pytest.fail)
    to_nobody.start()
    try:
        return await asyncio.wait_for(to_nobody.write("playback-events", [Posted(b"home", b"{}")], 1), 30)
    finally:
        to_nobody.stop()


def test_what_kafka_does_not_take_in_time_is_told() -> None:
    error = asyncio.run(_written(0.2))
    assert error is not None
    assert error.code() == KafkaError._MSG_TIMED_OUT
