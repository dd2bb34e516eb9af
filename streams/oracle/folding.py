"""What one partition's log means, folded by the plainest code that the rules allow.

Owns the order of judgement, stream time, the catalog as it was taken in, and what is forgotten. Gives facts, one row
each, and the records that are kept in topics of their own. It must not know windows, sums, Kafka or Redis, and
shares no code with `models` but the thresholds.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from models.rules import Rules
from streams.kept import LARGEST_KEPT_BYTES
from streams.oracle.kept import Kept, held
from streams.oracle.records import RawRecord, Unreadable, home_partition, known_zones, read_event
from streams.oracle.viewing import Applied, Made, Viewing, end_owed, is_no_op


class CatalogRow(NamedTuple):
    """A title's row (`row`: JSON, empty for a removed title), taken in by a partition at `offset`."""

    offset: int
    title_id: str
    row: bytes


class PartitionLog:
    """Folds the records of one partition, given in the order of their offsets."""

    def __init__(self, partition: int, partitions: int, rules: Rules, catalog: list[CatalogRow]) -> None:
        self.partition = partition
        self.partitions = partitions
        self.rules = rules
        self.coming_rows = sorted(catalog, key=lambda row: row.offset, reverse=True)
        self.catalog: dict[str, dict[str, Any]] = {}
        self.viewings: dict[tuple[str, str], Viewing] = {}
        self.stream_ms = -(2**63)
        self.produced = 0
        self.made = Made()
        self.dead_letters: dict[Kept, str] = {}
        self.late: list[Kept] = []
        self.events = self.late_hour_events = self.unknown_zone_events = self.misrouted_events = 0

    def take(self, record: RawRecord) -> None:
        self.produced += 1
        while self.coming_rows and self.coming_rows[-1].offset <= record.offset:
            row = self.coming_rows.pop()
            self.catalog[row.title_id] = json.loads(row.row) if row.row else {}
        self.stream_ms = max(self.stream_ms, record.timestamp_ms)
        try:
            event = read_event(record.key, record.value)
            if event["event_time_ms"] > record.timestamp_ms + self.rules.future_ms:
                raise Unreadable("event_time_ms is in the future")
        except Unreadable as reason:
            self.dead_letters[_kept(record)] = str(reason)
            return
        if event["event_time_ms"] < self.stream_ms - self.rules.grace_ms:
            self.late.append(_kept(record))
            return
        self.events += 1
        title = self.catalog.get(event["title_id"], {})
        if event.get("content_kind", "main") == "main" and (title.get("content_kind") or "main") == "main":
            self._count(event, record, title)

    def _count(self, event: dict[str, Any], record: RawRecord, title: dict[str, Any]) -> None:
        in_hour = event["event_time_ms"] >= self.stream_ms - self.rules.hour_grace_ms
        self.late_hour_events += not in_hour
        self.unknown_zone_events += "time_zone" in event and event["time_zone"] not in known_zones()
        self.misrouted_events += home_partition(record.key or b"", self.partitions) != self.partition
        viewing = self._viewing(event)
        session = viewing.sessions.get(event["play_session_id"])
        if session is not None and is_no_op(event, session):
            return
        Applied(self.rules, self.made, event, record, title, in_hour, viewing).apply(session)
        viewing.applied_stream_ms = self.stream_ms

    def _viewing(self, event: dict[str, Any]) -> Viewing:
        """The household and title as they are now: forgotten where they were silent for long."""
        pair = (event["household_id"], event["title_id"])
        viewing = self.viewings.get(pair)
        if viewing is None or viewing.applied_stream_ms < self.stream_ms - self.rules.forget_ms:
            viewing = self.viewings[pair] = Viewing(self.stream_ms)
        for session_id, session in list(viewing.sessions.items()):
            assert session.largest_time_ms is not None
            if session.largest_time_ms < self.stream_ms - self.rules.grace_ms:
                del viewing.sessions[session_id]
                end_owed(viewing, session_id)
        return viewing


def _kept(record: RawRecord) -> Kept:
    (key, key_bytes), (value, value_bytes) = _cut(record.key), _cut(record.value)
    return Kept(record.partition, record.offset, key, value, key_bytes, value_bytes)


def _cut(data: bytes | None) -> tuple[bytes | None, int | None]:
    """What a topic keeps of a key or value, and its length where that is not all."""
    if data is None or len(data) <= LARGEST_KEPT_BYTES:
        return held(data), None
    return held(data[:LARGEST_KEPT_BYTES]), len(data)
