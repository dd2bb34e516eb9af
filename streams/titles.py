"""The titles topic from outside the worker: making it and the source topic, filling it, reading it.

Owns files of title rows and the topics' options. It must not know what a title's fields are for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from models.catalog import BadTitle, read_title
from streams.settings import Settings

LONGEST_MS = (1 << 63) - 1
ADMIN_TIMEOUT_MS = 10_000
NOW = 0
"""A record timestamp that the producer replaces by the time of sending."""

SOURCE_OPTIONS = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.after.max.ms": str(LONGEST_MS),
    "retention.ms": "-1",
}
"""Simulated and imported records carry times of their own, years ago or ahead, which must neither expire nor
be refused."""

Row = dict[str, Any]


class KafkaFailed(Exception):
    """Kafka did not do what was asked. One line: the address, the topic and the reason."""


@dataclass(frozen=True, slots=True)
class BadTitleRow:
    """A row of a file that is no title: its line (from 1) and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def make_topics(settings: Settings, kafka: str) -> list[str]:
    """Make the source and the titles topic where they are missing; the names of those made. `KafkaFailed`."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=kafka, bootstrap_timeout_ms=ADMIN_TIMEOUT_MS)
        try:
            present = set(admin.list_topics())
            missing = {name: topic for name, topic in _topics(settings).items() if name not in present}
            if missing:
                _create(admin, missing)
            return list(missing)
        finally:
            admin.close()
    except KafkaError as problem:
        raise KafkaFailed(f"Kafka at {kafka}: {problem}") from None


def _create(admin: Any, missing: dict[str, Any]) -> None:
    from kafka.errors import TopicAlreadyExistsError

    try:
        admin.create_topics(missing, timeout_ms=ADMIN_TIMEOUT_MS, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        admin.wait_for_topics(list(missing))


def _topics(settings: Settings) -> dict[str, Any]:
    replication = settings.topic_replication
    return {
        settings.source_topic: {
            "num_partitions": settings.topic_partitions,
            "replication_factor": replication,
            "configs": SOURCE_OPTIONS,
        },
        settings.titles_topic: {
            "num_partitions": 1,
            "replication_factor": replication,
            "configs": {"cleanup.policy": "compact"},
        },
    }


def write_titles(settings: Settings, kafka: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows into the titles topic, keyed by `title_id`; their number. Raises `SendFailed`."""
    from streams.simulate.faults import Item
    from streams.simulate.sender import send

    records = (Item(0, row["title_id"].encode(), msgspec.json.encode(row), NOW) for row in rows)
    return send(records, kafka, settings.titles_topic, stamp=False).events


def stored_titles(settings: Settings, kafka: str) -> dict[str, Row]:
    """The rows of the titles topic, the latest of each title; what is no title is left out. `KafkaFailed`."""
    rows: dict[str, Row] = {}
    for key, value in _records(settings.titles_topic, kafka):
        title_id = (key or b"").decode(errors="replace")
        rows.pop(title_id, None)
        if value is None:
            continue
        try:
            read_title(key, value)
        except BadTitle:
            continue
        rows[title_id] = msgspec.json.decode(value)
    return rows


def _records(topic: str, kafka: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Every record of a topic up to its end as of now, partition after partition."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    try:
        consumer = KafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed", group_id=None)
        try:
            parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            ends = consumer.end_offsets(parts)
            while any(consumer.position(part) < ends[part] for part in parts):
                for records in consumer.poll(timeout_ms=500).values():
                    yield from ((record.key, record.value) for record in records)
        finally:
            consumer.close()
    except KafkaError as problem:
        raise KafkaFailed(f"Kafka at {kafka}, topic {topic}: {problem}") from None


def read_rows(content: bytes) -> tuple[list[Row], list[BadTitleRow]]:
    """The titles of a file, JSON lines or one JSON array, and what in it is no title."""
    rows: list[Row] = []
    bad: list[BadTitleRow] = []
    for line, value in _elements(content) if content.lstrip().startswith(b"[") else _lines(content):
        try:
            rows.append(_title(value))
        except BadTitle as problem:
            bad.append(BadTitleRow(line, str(problem)))
    return rows, bad


def _title(value: bytes) -> Row:
    try:
        row = msgspec.json.decode(value, type=Row)
        key = str(row.get("title_id", "")).encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise BadTitle(str(problem)) from None
    read_title(key, value)
    return row


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield number, line


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a JSON array, each with the line on which it begins; a broken rest is one element."""
    text = content.decode(errors="surrogateescape")
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    while (at := _past_blanks(text, at)) < len(text) and text[at] != "]":
        line = text.count("\n", 0, at) + 1
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        yield line, text[at:end].encode(errors="surrogateescape")
        at = _past_blanks(text, end)
        at += text[at : at + 1] == ","


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
