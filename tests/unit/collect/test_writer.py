"""Why nothing can be written to Kafka, where no server is."""

from __future__ import annotations

import pytest

from streams.collect import writer
from streams.collect.writer import CollectWriter
from streams.config.kafka_security import KafkaAddress


def test_where_nobody_listens_kafka_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_ASKED_S", 0.1)
    why = CollectWriter(KafkaAddress("127.0.0.1:1"), 10, pytest.fail).why_away(["playback-events"])
    assert why.startswith("Kafka does not answer: ")
    assert len(why) > len("Kafka does not answer: ")
