"""Imports a viewing history: recognizes and reads the file, orders events by event time, adds runtimes.

Owns the order, the missing catalog rows and the counts. The formats are in `models.sources`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from models.partitioner import partition_of
from models.sources.document import Document
from models.sources.netflix_playback_related_events import FORMAT as PLAYBACK_RELATED_EVENTS
from models.sources.netflix_viewing_activity import FORMAT as VIEWING_ACTIVITY
from models.sources.reading import BadRow, FileOwner, Format, NotImportable, PlaybackEvent, Reading
from streams.config.kafka_security import KafkaAddress
from streams.kafka.producer import Outgoing
from streams.operations.import_formats import recognized
from streams.operations.titles import Row

LARGEST_FIELD_CHARACTERS = 1 << 24
HOUR_MS, MINUTE_MS = 3_600_000, 60_000


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was read, and its format."""

    format_name: str
    reading: Reading

    @property
    def events(self) -> list[PlaybackEvent]:
        """All events, in the order of the file."""
        return self.reading.events

    @property
    def rows(self) -> int:
        """How many rows could be read."""
        return self.reading.rows

    @property
    def bad_rows(self) -> list[BadRow]:
        """How many rows could not be read."""
        return self.reading.bad_rows

    def items(self) -> Iterator[Outgoing]:
        """Records in the order of event time (at the same time, within a session, by `seq`), with it as timestamp."""
        for event in sorted(self.events, key=_place):
            time_ms = _time_ms(event)
            yield Outgoing(time_ms, str(event["household_id"]).encode(), msgspec.json.encode(event), time_ms)

    def older_than(self, time_ms: int) -> int:
        """How many of the events are older than a time (Unix ms)."""
        return sum(_time_ms(event) < time_ms for event in self.events)

    def missing_titles(self, catalog: Mapping[str, Row]) -> list[Row]:
        """Rows for the main titles without a runtime, or of a series that the catalog does not have.

        The runtime is the one that the file states, else the largest position, if ten minutes or more.
        """
        rows = (self._row(title_id, catalog.get(title_id)) for title_id in sorted(self.reading.titles))
        return [row for row in rows if row]

    def _row(self, title_id: str, known: Row | None) -> Row | None:
        title = self.reading.titles[title_id]
        stated: Row = {"name": title.name}
        if title.franchise_id:
            stated["franchise_id"] = title.franchise_id
        row = stated | (known or {}) | {"title_id": title_id}
        if title.length_ms and not _runtime_ms(known):
            return row | {"runtime_ms": title.length_ms}
        return row if known is None and title.franchise_id else None

    def titles_without_length(self, catalog: Mapping[str, Row]) -> int:
        """Main titles whose runtime stays unknown: too little of them was watched."""
        known = {title_id for title_id, row in catalog.items() if _runtime_ms(row)}
        known |= {row["title_id"] for row in self.missing_titles(catalog) if _runtime_ms(row)}
        return len(self.reading.titles.keys() - known)

    def account(self) -> Iterator[str]:
        """What the file states and what became of it, in lines for people."""
        told_ms, delivered_ms = self.reading.told_ms, self.reading.delivered_ms
        promotional = ""
        if self.reading.promotional_ms:
            promotional = (
                f", {_hours(self.reading.promotional_ms)} of them trailers and the like, which count for nothing"
            )
        yield f"{_hours(told_ms)} of viewing in the file; {_hours(delivered_ms)} to be delivered{promotional}"
        for reason, lost_ms in self.reading.lost_ms.most_common():
            yield f"  {_hours(lost_ms)} not: {reason}"
        if self.bad_rows:
            yield f"  {len(self.bad_rows):,} rows could not be read: how long they tell of is not known"


def read_import(path: Path, viewer: FileOwner, beside: Path | None = None) -> Import:
    """Read a file; `beside` is the viewing activity of the same export. Raises `NotImportable`, `OSError`."""
    csv.field_size_limit(LARGEST_FIELD_CHARACTERS)
    document = _document(path)
    try:
        found = recognized(document)
        reading = found.read(document, replace(viewer, beside=_beside(found, beside)))
    except NotImportable as problem:
        raise NotImportable(f"{path}: {problem}") from None
    return Import(found.name, reading)


def in_catalog(viewer: FileOwner, catalog: Mapping[str, Row]) -> FileOwner:
    """The viewer with the catalog's titles: their ids by name, and their runtimes."""
    ids = {str(row["name"]): title_id for title_id, row in catalog.items() if row.get("name")}
    runtimes = {title_id: _runtime_ms(row) for title_id, row in catalog.items() if _runtime_ms(row) > 0}
    return replace(viewer, title_ids=ids, runtimes_ms=runtimes)


def stream_time_ms(kafka: KafkaAddress, topic: str, household_id: str, now_ms: int) -> int:
    """The stream time of the household's partition once the records arrive: now, if the broker sets timestamps.

    Raises `KafkaFailed`.
    """
    from streams.kafka.admin import KafkaView

    view = KafkaView(kafka)
    stamped = view.options(topic).get("message.timestamp.type") == "LogAppendTime"
    partition = partition_of(household_id.encode(), view.topic_there(topic).partitions)
    return max(now_ms if stamped else 0, view.newest_record_ms(topic, partition))


def _document(path: Path) -> Document:
    with path.open("rb") as file:
        return Document(file.read())


def _beside(found: Format, path: Path | None) -> Document | None:
    if path is None:
        return None
    if found is not PLAYBACK_RELATED_EVENTS:
        raise NotImportable(f"it is {found.name}: a viewing activity is joined to PlaybackRelatedEvents.csv only")
    document = _document(path)
    if (other := recognized(document)) is not VIEWING_ACTIVITY:
        raise NotImportable(f"{path} is {other.name}, accepted: {VIEWING_ACTIVITY.name}")
    return document


def _hours(duration_ms: int) -> str:
    """A duration in hours; less than one hour, in minutes."""
    return f"{duration_ms / HOUR_MS:,.1f} h" if duration_ms >= HOUR_MS else f"{duration_ms / MINUTE_MS:.1f} min"


def _place(event: PlaybackEvent) -> tuple[Any, ...]:
    return event["event_time_ms"], event["play_session_id"], event["seq"]


def _time_ms(event: PlaybackEvent) -> int:
    return int(event["event_time_ms"])


def _runtime_ms(row: Row | None) -> int:
    return (row or {}).get("runtime_ms") or 0
