"""Dead letters for an operator: lists them with reason and source offset, and sends them again, each once.

Owns the topic that remembers what was sent again: its keys are the places of the source records.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.producer import Outgoing, send
from streams.kafka.reader import read_all
from streams.kafka.topics import LARGEST_MESSAGE_BYTES, make_topics, replays
from streams.operations.dead_letter_codes import code_of
from streams.operations.titles import NOW


class DeadLetter(NamedTuple):
    """One dead letter. `topic`, `topic_id`, `partition`, `offset`: its source record. `time_ms`: when it was written.

    `code`: the kind of its reason, `error`. `is_cut`: it was shortened; the source topic has all of it. `source_ms`:
    the source record's time, where it is kept (a bridge's letters); -1: it is not.
    """

    topic: str
    partition: int
    offset: int
    code: str
    error: str
    time_ms: int
    key: bytes | None
    value: bytes | None
    is_cut: bool
    topic_id: str
    source_ms: int = -1

    @property
    def place(self) -> bytes:
        """The source record, wherever it was copied to."""
        return f"{self.topic_id}/{self.partition}/{self.offset}".encode()


def read_dead_letters(kafka: KafkaAddress, settings: Settings) -> Iterator[DeadLetter]:
    """All dead letters, partition by partition; empty if the topic does not exist yet. Raises `CannotRead`."""
    return map(_letter, read_all(kafka, settings.dead_letters_topic))


def _letter(message: Any) -> DeadLetter:
    headers = {name: (value or b"").decode(errors="replace") for name, value in message.headers() or ()}
    error = headers.get("error", "?")
    return DeadLetter(
        headers.get("topic", "?"),
        _number(headers.get("partition", "")),
        _number(headers.get("offset", "")),
        headers.get("code") or code_of(error),  # a bridge says it itself
        error,
        message.timestamp()[1],
        message.key(),
        message.value(),
        bool(headers.keys() & {"key_bytes", "value_bytes"}),
        headers.get("topic_id", "?"),
        _number(headers.get("timestamp", "")),
    )


def _number(text: str) -> int:
    # A header may hold anything: `isdigit` is true of ², which is no integer to Python.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def sent_before(kafka: KafkaAddress, settings: Settings) -> set[bytes]:
    """The places of the dead letters that were sent again. Raises `CannotRead`."""
    return {message.key() for message in read_all(kafka, replays(settings).name)}


def send_again(kafka: KafkaAddress, settings: Settings, letters: Sequence[DeadLetter]) -> int:
    """Send the original keys and values to the source topic, and remember that; returns how many were sent.

    Raises `KafkaFailed`, and `SendFailed` perhaps after some: these are not remembered.
    """
    make_topics(settings, kafka, only=replays(settings))
    now_ms = int(time.time() * 1000)
    items = (
        Outgoing(now_ms, letter.key, letter.value, letter.source_ms if letter.source_ms > 0 else now_ms)
        for letter in letters
    )
    sent = send(items, kafka, settings.source_topic, stamp=False, largest_bytes=LARGEST_MESSAGE_BYTES).events
    notes = (Outgoing(0, letter.place, b"{}", NOW) for letter in letters[:sent])
    send(notes, kafka, replays(settings).name, stamp=False)
    return sent
