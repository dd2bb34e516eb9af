"""What a verification reads from Kafka: the source, the state changelog, the catalog.

Owns which keys of the state changelog are read outside the worker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from streams.archive.history import History
from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import CannotRead, OptionalTopic, TopicReader
from streams.verify.folding import CatalogRow
from streams.verify.recomputation import readable_title
from streams.verify.records import Nameless, RawRecord
from streams.verify.zones import Zone, ZoneRow, stored_zone

# Who has no archive has no library for its files.
if TYPE_CHECKING:
    from streams.archive.parquet_file import Archived

TAKEN_IN = re.compile(rb"c\d{20}\|")
ERASED = re.compile(rb"e\d{20}\|")
ZONE = re.compile(rb"z\d{20}\|")
SILENT = re.compile(rb"k\d{20}")

Version = tuple[int, int]
"""A checkpoint of a partition: its state's incarnation, and the checkpoint's number in it."""


def source_records(reader: TopicReader, ends: Mapping[int, int], history: History | None = None) -> Iterator[RawRecord]:
    """The source's records below these ends, in order within each partition: first what only the archive has."""
    if history is not None:
        for partition, end in ends.items():
            yield from map(from_archive, history.records(partition, end))
    for message in reader.read_below(dict(ends)):
        timestamp_ms = message.timestamp()[1]
        yield RawRecord(message.partition(), message.offset(), timestamp_ms, message.key(), message.value())


def from_archive(record: Archived) -> RawRecord:
    """A record of an archive; what follows its value is there under pseudonyms only."""
    of_kafka, more = record[:5], record[5:]
    return RawRecord._make((*of_kafka, Nameless._make(more) if more else None))


class StateLog:
    """What a verification reads in the state changelog: positions and control rows.

    Control rows are the applied catalog rows and zone data, the clock's advances in silences, and erasures.
    """

    def __init__(self, kafka: KafkaAddress, topic: str) -> None:
        self._reader = TopicReader(kafka, topic)
        self.positions: dict[int, dict[str, Any]] = {}
        self.silent: dict[int, dict[int, int]] = {}
        self.erasures: dict[int, dict[tuple[int, str], int]] = {}
        self._zones: dict[int, dict[tuple[int, str], bytes]] = {}
        self._zone_data: dict[Zone, Zone] = {}
        self._rows: dict[int, dict[tuple[int, str], bytes]] = {}

    def close(self) -> None:
        self._reader.close()

    def read_on(self) -> None:
        """Read what was committed since the last call."""
        for message in self._reader.read(self._reader.ends()):
            key, value = message.key() or b"", message.value()
            if key == b"p" and value is not None:
                self.positions[message.partition()] = json.loads(value)
            elif TAKEN_IN.match(key):
                offset, title_id = int(key[1:21]), key[22:].decode()
                rows = self._rows.setdefault(message.partition(), {})
                rows[offset, title_id] = value or b""
            elif ERASED.match(key) and value is not None:
                erasures = self.erasures.setdefault(message.partition(), {})
                erasures[int(key[1:21]), key[22:].decode()] = int(json.loads(value)["until"])
            elif ZONE.match(key) and value is not None:
                zones = self._zones.setdefault(message.partition(), {})
                zones[int(key[1:21]), key[22:].decode()] = self._zone(key, value)
            elif SILENT.fullmatch(key) and value is not None:
                self.silent.setdefault(message.partition(), {})[int(key[1:])] = int(json.loads(value))

    def _zone(self, key: bytes, value: bytes) -> Zone:
        try:
            zone = stored_zone(value)
        except ValueError as problem:
            raise CannotRead(f"topic {self._reader.topic}, key {key!r}: {problem}") from None
        # Partitions have the same data, so one copy is kept, and passed to each process that folds.
        return self._zone_data.setdefault(zone, zone)

    def next_offset(self, partition: int) -> int:
        """The next source offset by the partition's last checkpoint; 0 before the first one."""
        return int(self.positions.get(partition, {}).get("next_offset", 0))

    def version(self, partition: int) -> Version:
        """The version of the partition's last checkpoint; (0, 0) before the first one."""
        position = self.positions.get(partition, {})
        return int(position.get("incarnation", 0)), int(position.get("sequence", 0))

    def told(self) -> dict[int, int]:
        """Each partition's first source offset whose milestones no former state has written."""
        return {partition: int(position.get("told", 0)) for partition, position in self.positions.items()}

    def catalog(self) -> dict[int, list[CatalogRow]]:
        """Each partition's catalog rows, by the offset from which they hold."""
        return {
            partition: [CatalogRow(offset, title_id, row) for (offset, title_id), row in sorted(rows.items())]
            for partition, rows in self._rows.items()
        }

    def zones(self) -> dict[int, list[ZoneRow]]:
        """Each partition's zone data, by the offset from which it holds."""
        return {
            partition: [ZoneRow(offset, name, zone) for (offset, name), zone in sorted(zones.items())]
            for partition, zones in self._zones.items()
        }


class TitlesTopic:
    """The catalog in the titles topic: the last readable row of each title. Empty if there is no such topic."""

    def __init__(self, kafka: KafkaAddress, topic: str) -> None:
        self.rows: dict[str, bytes] = {}
        self._messages = OptionalTopic(kafka, topic)

    def read_on(self) -> None:
        """Read what came since the last call."""
        for message in self._messages.read_on():
            key, row = message.key(), message.value()
            if row is None:
                self.rows.pop((key or b"").decode(errors="replace"), None)
            elif (title_id := readable_title(key, row)) is not None:
                self.rows[title_id] = row

    def close(self) -> None:
        self._messages.close()
