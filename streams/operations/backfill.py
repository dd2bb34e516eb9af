"""Sends years of history from a warehouse, in time order, before the live records of a new source topic.

Owns the order, and how a run that was killed goes on: the order is the same each time, and each partition of the topic
holds the first of its records, so the topic itself says how many are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.partitioner import partition_of
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.last_record import last_record
from streams.kafka.producer import Outgoing

_AT_ONCE = 10_000
_ASK_S = 20.0
_READERS = {
    ".parquet": """select household_id, event_time_ms, to_json(events)::varchar as value
                   from read_parquet($files, union_by_name = true, hive_partitioning = false) as events""",
    ".jsonl": """select json ->> 'household_id' as household_id, (json ->> 'event_time_ms')::bigint as event_time_ms,
                        json::varchar as value
                 from read_ndjson_objects($files)""",
}
FORMATS = tuple(_READERS)


class CannotBackfill(Exception):
    """Nothing was sent. The message is one line that says why and what to do."""


class FilesContent(NamedTuple):
    """What the files hold: events, and the times of the first and the last one in milliseconds."""

    events: int
    first_ms: int
    last_ms: int


class Files:
    """History files of one format: Parquet with the fields of an event as columns, or an event a line in JSON.

    Raises `CannotBackfill`, on creation too.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        import duckdb

        endings = {path.suffix for path in paths}
        if len(endings) != 1 or not endings <= _READERS.keys():
            raise CannotBackfill(
                f"{', '.join(sorted(endings)) or 'no files'}: name files that all end in {' or '.join(FORMATS)}"
            )
        self._error = duckdb.Error
        self._files = {"files": [str(path) for path in paths]}
        self._query = _READERS[endings.pop()]
        self._duckdb = duckdb.connect()

    def look(self) -> FilesContent:
        """Read all files once."""
        unusable = "count(*) filter (household_id is null or household_id = '' or event_time_ms is null)"
        asked = f"count(*), {unusable}, min(event_time_ms), max(event_time_ms)"
        events, lacking, first_ms, last_ms = self._asked(f"select {asked} from ({self._query})").fetchone()
        if not events:
            raise CannotBackfill("there are no events in these files")
        if lacking:
            raise CannotBackfill(f"{lacking:,} of {events:,} rows lack household_id or event_time_ms: leave them out")
        return FilesContent(events, first_ms, last_ms)

    def records(self) -> Iterator[Outgoing]:
        """All events in the order of their times, as records that are stamped with them. The same each time."""
        order = "order by event_time_ms, household_id, value"
        found = self._asked(f"select household_id, value, event_time_ms from ({self._query}) {order}")
        while rows := found.fetchmany(_AT_ONCE):
            for household, value, time_ms in rows:
                yield Outgoing(time_ms, household.encode(), value.encode(), time_ms)

    def _asked(self, query: str) -> Any:
        try:
            return self._duckdb.execute(query, self._files)
        except self._error as problem:
            raise CannotBackfill(str(problem).partition("\n")[0]) from None


def already_there(settings: Settings) -> dict[int, int]:
    """How many records each partition of the source has. Raises `KafkaFailed`, and `CannotBackfill` if it lost some."""
    view = KafkaView(settings.kafka_address)
    partitions = view.topic_there(settings.source_topic).partitions
    spans = view.spans(settings.source_topic, range(partitions))
    if any(first for first, _ in spans.values()):
        raise CannotBackfill(f"{settings.source_topic} has lost its first records: {_elsewhere(settings)}")
    return {number: end for number, (_, end) in spans.items()}


def check_begun(settings: Settings, records: Iterator[Outgoing], there: Mapping[int, int]) -> None:
    """Check that the topic holds the first of these records and nothing else. Raises `CannotBackfill`."""
    left = {number: count for number, count in there.items() if count}
    for record in records:
        if not left:
            return
        number = partition_of(record.key or b"", len(there))
        if number in left:
            left[number] -= 1
            if not left[number]:
                del left[number]
                _check_last(settings, number, record)
    if left:
        raise CannotBackfill(f"{settings.source_topic} has more records than these files: {_elsewhere(settings)}")


def _check_last(settings: Settings, number: int, record: Outgoing) -> None:
    found = last_record(settings.kafka_address, settings.source_topic, number, _ASK_S)
    if found is None or (found.key, found.value) != (record.key, record.value):
        raise CannotBackfill(f"{settings.source_topic} holds other records than these files: {_elsewhere(settings)}")


def without_begun(records: Iterator[Outgoing], there: Mapping[int, int]) -> Iterator[Outgoing]:
    """The records that the topic lacks, if it holds the first ones of each partition."""
    left = dict(there)
    for record in records:
        number = partition_of(record.key or b"", len(there))
        if left[number]:
            left[number] -= 1
        else:
            yield record


def _elsewhere(settings: Settings) -> str:
    return "history must come before live records: backfill into a new topic (ENCORE_SOURCE_TOPIC)"
