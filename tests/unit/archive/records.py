"""Kafka messages of a partition, as the client gives them, and archives of them in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from models.pseudonymous_record import Pseudonymizer
from streams.archive.parquet_file import ArchivedRecord
from streams.archive.partition_writer import PartitionWriter, Wrote
from streams.archive.store import Store

TOPIC, TOPIC_ID = "events", "id-1"
NOON_MS = 1_700_000_000_000 // 86_400_000 * 86_400_000 + 43_200_000
DAY_MS = 86_400_000
DAYS = ("2023-11-14", "2023-11-15", "2023-11-16")


class Message(NamedTuple):
    """What is used of confluent-kafka's message."""

    offset_: int
    timestamp_ms: int
    key_: bytes | None = b"home"
    value_: bytes | None = b"{}"
    headers_: list[tuple[str, bytes | None]] | None = None

    def offset(self) -> int:
        return self.offset_

    def timestamp(self) -> tuple[int, int]:
        return 1, self.timestamp_ms

    def key(self) -> bytes | None:
        return self.key_

    def value(self) -> bytes | None:
        return self.value_

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.headers_


def archived(partition: int, messages: Iterable[Message]) -> list[ArchivedRecord]:
    """The same records as an archive gives them."""
    return [ArchivedRecord(partition, *message[:4]) for message in messages]


def writer_of(
    store: Store,
    position: int = 0,
    stream_time_ms: int = -1,
    gaps: tuple[tuple[int, int], ...] = (),
    partition: int = 3,
    wrote: list[Wrote] | None = None,
    pseudonymizer: Pseudonymizer | None = None,
) -> PartitionWriter:
    """A writer that may always write."""
    told = [] if wrote is None else wrote
    return PartitionWriter(
        store, TOPIC, TOPIC_ID, partition, position, stream_time_ms, gaps, lambda: None, told.append, pseudonymizer
    )


def write(
    store: Store,
    *files: Iterable[Message],
    position: int = 0,
    partition: int = 3,
    pseudonymizer: Pseudonymizer | None = None,
) -> None:
    """Write records, a file for each group."""
    stream_time_ms = -1
    for messages in files:
        some = list(messages)
        writer = writer_of(store, position, stream_time_ms, partition=partition, pseudonymizer=pseudonymizer)
        writer.take(some)
        writer.write()
        position = writer.position
        stream_time_ms = max(stream_time_ms, *(message.timestamp_ms for message in some))
