"""An export file into the topics: read, ordered by event time, given runtimes, sent.

Owns the order, the catalog rows that are missing and the counts. It must not know the format of the file:
that is for `models.sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from models.partitioner import partition_of
from models.rules import SHORTEST_STATED_LENGTH_MS
from models.sources.netflix_export import BadRow, PlaybackEvent, Viewer, read_header, read_row
from streams.kafka_security import KafkaAddress
from streams.simulate.faults import Item
from streams.titles import Row
from streams.topics import ADMIN_TIMEOUT_MS, KafkaFailed

LONGEST_LINE_BYTES = 1 << 24


class NotAnExport(Exception):
    """The file has not the columns of an export. The message says which is missing."""


@dataclass(slots=True)
class Import:
    """A file as read: its events, and what was seen on the way."""

    rows: int = 0
    empty_rows: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    events: list[PlaybackEvent] = field(default_factory=list)

    def items(self) -> Iterator[Item]:
        """Records in the order of event time (of one session: at one time, by `seq`), stamped with it."""
        for event in sorted(self.events, key=_place):
            time_ms = _time_ms(event)
            yield Item(time_ms, str(event["household_id"]).encode(), msgspec.json.encode(event), time_ms)

    def older_than(self, time_ms: int) -> int:
        """How many of the events are older than a time (Unix ms)."""
        return sum(_time_ms(event) < time_ms for event in self.events)

    def missing_titles(self, catalog: Mapping[str, Row]) -> list[Row]:
        """Rows for the main titles without a runtime: the largest position seen, if a minute or more."""
        largest: dict[str, int] = {}
        for event in self.events:
            if "content_kind" not in event:
                title_id = str(event["title_id"])
                largest[title_id] = max(largest.get(title_id, 0), int(event["position_ms"]))
        return [
            {"name": title_id, **catalog.get(title_id, {}), "title_id": title_id, "runtime_ms": runtime_ms}
            for title_id, runtime_ms in sorted(largest.items())
            if runtime_ms >= SHORTEST_STATED_LENGTH_MS and not _runtime_ms(catalog.get(title_id))
        ]

    def titles_without_length(self, catalog: Mapping[str, Row]) -> int:
        """Main titles whose runtime stays unknown: too little of them was watched."""
        known = {row["title_id"] for row in self.missing_titles(catalog)}
        known |= {title_id for title_id, row in catalog.items() if _runtime_ms(row)}
        return len({event["title_id"] for event in self.events if "content_kind" not in event} - known)


def read_export(path: Path, viewer: Viewer, progress: Callable[[int], None]) -> Import:
    """Read an export; `progress` gets the bytes read so far. Raises `NotAnExport`, `OSError`."""
    result = Import()
    with path.open("rb") as file:
        header = _header(path, file.readline(LONGEST_LINE_BYTES))
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE_BYTES), b""), 2):
            if line.strip():
                _take(result, header, number, line, viewer)
            progress(file.tell())
    return result


def title_ids(catalog: Mapping[str, Row]) -> dict[str, str]:
    """From the names of the catalog's titles to their ids."""
    return {str(row["name"]): title_id for title_id, row in catalog.items() if row.get("name")}


def newest_record_ms(kafka: KafkaAddress, topic: str, household_id: str) -> int:
    """The largest record timestamp of the household's partition, 0 where it is empty. `KafkaFailed`."""
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient, OffsetSpec
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(**kafka.for_python(), bootstrap_timeout_ms=ADMIN_TIMEOUT_MS)
        try:
            partitions = len(admin.describe_topics([topic])[0]["partitions"])
            part = TopicPartition(topic, partition_of(household_id.encode(), partitions))
            newest = admin.list_partition_offsets({part: OffsetSpec.MAX_TIMESTAMP})[part]
            return max(0, int(newest.timestamp))
        finally:
            admin.close()
    except KafkaError as problem:
        raise KafkaFailed(f"Kafka at {kafka}, topic {topic}: {problem}") from None


def _header(path: Path, line: bytes) -> tuple[str, ...]:
    try:
        return read_header(line)
    except BadRow as problem:
        raise NotAnExport(f"{path}: {problem}") from None


def _take(result: Import, header: tuple[str, ...], number: int, line: bytes, viewer: Viewer) -> None:
    try:
        events = read_row(header, number, line, viewer)
    except BadRow as problem:
        result.bad_rows.append(problem)
        return
    result.rows += 1
    result.empty_rows += not events
    result.events += events


def _place(event: PlaybackEvent) -> tuple[Any, ...]:
    return event["event_time_ms"], event["play_session_id"], event["seq"]


def _time_ms(event: PlaybackEvent) -> int:
    return int(event["event_time_ms"])


def _runtime_ms(row: Row | None) -> int:
    return (row or {}).get("runtime_ms") or 0
