"""The cache of decoded rows: households that are watching these days. All other rows stay packed, which is far smaller.

Owns which rows are decoded, and when a row starts afresh: at its first event, and after a silence so long that the
household is forgotten (the design, section 1: time).
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Final

from models.partitioner import partition_of
from models.pseudonymous_record import PseudonymousRecord
from models.rows import unpack
from models.rules import Rules
from models.source_record import SourceRecord
from models.title import TitleState
from models.viewing import MISROUTED, Row
from models.watching import Watching

_ROUTES_KEPT: Final = 100_000


class RowCache:
    """The cache of one partition; `partitions` is how many the topic has."""

    def __init__(self, rules: Rules, partition: int, partitions: int, watching: Watching) -> None:
        self._forget_ms = rules.forget_ms
        self._partition = partition
        self._partitions = partitions
        self._watching = watching
        self._rows: deque[tuple[TitleState, str]] = deque()
        self._routes: dict[bytes, int] = {}

    def touch(self, title: TitleState, household_id: str, record: SourceRecord, stream_time_ms: int) -> Row:
        """The decoded row of a household; a new one if there is none, or if it is forgotten by now.

        If the record's key belongs to another partition, a new row is flagged as misrouted.
        """
        # Interned: a household's rows of many titles share one string.
        household_id = sys.intern(household_id)
        kept = title.rows.get(household_id)
        if not isinstance(kept, Row):
            self._rows.append((title, household_id))
        row = self._unpacked(title, household_id, kept) if isinstance(kept, bytes) else kept
        if row is None or stream_time_ms - row.touched_ms > self._forget_ms:
            row = Row(touched_ms=stream_time_ms)
            if self._is_misrouted(record):
                row.flags = MISROUTED
        title.rows[household_id] = row
        return row

    def _unpacked(self, title: TitleState, household_id: str, packed: bytes) -> Row:
        row = unpack(packed)
        if title.watching:
            row.watched = self._watching.of_row(title, household_id, row)
        return row

    def _is_misrouted(self, record: SourceRecord) -> bool:
        if isinstance(record, PseudonymousRecord):
            return record.is_misrouted
        return self._partition_of(record.key or b"") != self._partition

    def _partition_of(self, key: bytes) -> int:
        """Cached by household: murmur2 costs as much as folding an event."""
        number = self._routes.get(key)
        if number is None:
            if len(self._routes) >= _ROUTES_KEPT:
                self._routes.clear()
            number = self._routes[key] = partition_of(key, self._partitions)
        return number

    def evict(self, most: int, generation: int) -> None:
        """Pack rows until at most `most` are decoded; those changed in this generation or the last stay decoded."""
        rows = self._rows
        for _ in range(len(rows) - most):
            title, household_id = rows.popleft()
            row = title.rows.get(household_id)
            if not isinstance(row, Row):
                continue
            if row.generation >= generation - 1:
                rows.append((title, household_id))
            else:
                title.rows[household_id] = row.packed
