"""Writes one partition's records to its archive, file after file.

Owns where a file begins and ends: it ends at a day's end (of the partition's stream time), so the first file of each
day has the same name whoever writes it. The records that are not written yet are in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from models.pseudonymous_record import Pseudonymizer
from models.rules import DAY_MS
from streams.archive.chain import LAST_MS, day_of, path_of
from streams.archive.parquet_file import Footer, Gap, pseudonymous_table_of, table_of, written
from streams.archive.store import Exists, Store

_OVERHEAD_BYTES = 400
"""What a record takes in memory beside its key and value."""


class Overtaken(Exception):
    """Another process has written from this offset on: it owns the partition now."""


class Wrote(NamedTuple):
    """A file that was written."""

    partition: int
    day: str
    begins_day: bool
    records: int
    size_bytes: int


class PartitionWriter:
    """From `position` on; `stream_time_ms` is the partition's until then. `gaps` were accepted just before.

    `may_write` is called before each file, and raises if it must not be written. `on_written` is called after it. With
    a `pseudonymizer`, no record is written, or waits, but as that makes it.
    """

    def __init__(
        self,
        store: Store,
        topic: str,
        topic_id: str,
        partition: int,
        position: int,
        stream_time_ms: int,
        gaps: tuple[Gap, ...],
        may_write: Callable[[], None],
        on_written: Callable[[Wrote], None],
        pseudonymizer: Pseudonymizer | None = None,
    ) -> None:
        self.partition, self.position = partition, position
        self.next_offset = gaps[-1][1] if gaps else position
        self.waiting_bytes = 0
        self._store, self._topic, self._topic_id = store, topic, topic_id
        self._stream_time_ms = stream_time_ms
        self._day_before = "" if stream_time_ms < 0 else day_of(stream_time_ms)
        self._gaps = gaps
        self._may_write, self._on_written = may_write, on_written
        self._pseudonymizer = pseudonymizer
        self._messages: list[Any] = []
        self._since_s = 0.0
        self._look_at_day()

    @property
    def waits_s(self) -> float:
        """How long the first record waits that is not written; 0: none does."""
        return time.monotonic() - self._since_s if self._messages else 0.0

    def take(self, messages: Sequence[Any]) -> None:
        """Take records in, in order. Raises `Overtaken`, and then has taken in only some."""
        keep, pseudonymizer = self._messages, self._pseudonymizer
        for message in messages:
            offset = message.offset()
            if offset < self.next_offset:
                continue
            timestamp_ms = message.timestamp()[1]
            if self._stream_time_ms < timestamp_ms <= LAST_MS:
                if timestamp_ms >= self._day_ends_ms:
                    self.write()
                    keep = self._messages
                self._stream_time_ms = timestamp_ms
                if timestamp_ms >= self._day_ends_ms:
                    self._look_at_day()
            if not keep:
                self._since_s = time.monotonic()
            key, value = message.key(), message.value()
            if pseudonymizer is not None:
                message = pseudonymizer.of(self.partition, offset, timestamp_ms, key, value, self._stream_time_ms)
            keep.append(message)
            self.next_offset = offset + 1
            self.waiting_bytes += _OVERHEAD_BYTES + len(value or b"") + len(key or b"")

    def _look_at_day(self) -> None:
        self._day_ends_ms = (max(0, self._stream_time_ms) // DAY_MS + 1) * DAY_MS

    def write(self) -> None:
        """Write what waits. Raises `Overtaken`, `ArchiveFailed`, and what `may_write` does."""
        if not self._messages:
            return
        self._may_write()
        table, footer = self._table_and_footer()
        day, data = day_of(self._stream_time_ms), written(table, footer)
        try:
            self._store.create(path_of(self._topic, self.partition, day, self.position), data)
        except Exists:
            raise Overtaken(f"{self._topic}/{self.partition} from offset {self.position} on") from None
        wrote = Wrote(self.partition, day, day != self._day_before, table.num_rows, len(data))
        self.position, self._gaps, self._day_before = self.next_offset, (), day
        self._messages, self.waiting_bytes = [], 0
        self._on_written(wrote)

    def _table_and_footer(self) -> tuple[Any, Footer]:
        footer = Footer(
            self.position, self.next_offset, len(self._messages), self._stream_time_ms, self._topic_id, self._gaps
        )
        if self._pseudonymizer is None:
            return table_of(self.partition, self._messages), footer
        return pseudonymous_table_of(self._messages), footer._replace(pseudonyms=self._pseudonymizer.fingerprint)
