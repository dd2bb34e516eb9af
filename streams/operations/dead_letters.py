"""Dead letters for an operator: lists them with reason and source offset, and sends them again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.producer import Outgoing, send
from streams.kafka.reader import read_all
from streams.kafka.topics import LARGEST_MESSAGE_BYTES


class DeadLetter(NamedTuple):
    """One dead letter. `topic`, `partition`, `offset`: its source record. `time_ms`: when it was written.

    `is_cut`: it was shortened; the source topic has all of it.
    """

    topic: str
    partition: int
    offset: int
    error: str
    time_ms: int
    key: bytes | None
    value: bytes | None
    is_cut: bool


def read_dead_letters(kafka: KafkaAddress, settings: Settings) -> Iterator[DeadLetter]:
    """All dead letters, partition by partition; empty if the topic does not exist yet. Raises `CannotRead`."""
    return map(_letter, read_all(kafka, settings.dead_letters_topic))


def _letter(message: Any) -> DeadLetter:
    headers = {name: (value or b"").decode(errors="replace") for name, value in message.headers() or ()}
    return DeadLetter(
        headers.get("topic", "?"),
        _number(headers.get("partition", "")),
        _number(headers.get("offset", "")),
        headers.get("error", "?"),
        message.timestamp()[1],
        message.key(),
        message.value(),
        bool(headers.keys() & {"key_bytes", "value_bytes"}),
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def send_again(kafka: KafkaAddress, topic: str, letters: Iterable[DeadLetter]) -> int:
    """Send the original keys and values to a topic; returns how many. Raises `SendFailed`, perhaps after some."""
    now_ms = int(time.time() * 1000)
    items = (Outgoing(now_ms, letter.key, letter.value, now_ms) for letter in letters)
    return send(items, kafka, topic, stamp=False, largest_bytes=LARGEST_MESSAGE_BYTES).events
