"""Measures one partition: the age of its records, how long they wait for a checkpoint, and what checkpoints took in."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from models.fold import Fold
from models.fold_changes import FoldChanges
from streams.observability.metrics import Checkpoint, Metrics

log = logging.getLogger(__name__)

_SAMPLE = 100


class Cut(NamedTuple):
    """What the next checkpoint will contain. `oldest_ms`: the timestamp of its first record; None: no record."""

    begun_s: float
    oldest_ms: int | None
    credited_ms: int
    stream: list[int]


class CheckpointLag(NamedTuple):
    """How far behind a partition is. `records`: of the source, that are not checkpointed. `latest_ms`: the timestamp of
    the last one that was read; 0 before any."""

    records: int
    latest_ms: int

    def measure(self, number: int, metrics: Metrics) -> None:
        """Set the gauges of this partition."""
        behind_s = max(0.0, time.time() - self.latest_ms / 1000) if self.records and self.latest_ms else 0.0
        metrics.lag_records.labels(str(number)).set(self.records)
        metrics.lag_seconds.labels(str(number)).set(behind_s)


class CheckpointWait:
    """How long the records of a partition wait for a checkpoint. `latest_ms`: the timestamp of the last record that was
    read; 0 before any."""

    def __init__(self) -> None:
        self.latest_ms = 0
        self._oldest_ms: int | None = None
        # Since when records have been waiting: for a checkpoint to begin, and for the last one's commit.
        self._uncut_since_s: float | None = None
        self._uncommitted_since_s: float | None = None

    def note_read(self, records: Sequence[Any]) -> None:
        """Note that a batch was taken in."""
        if records:
            self.latest_ms = records[-1].timestamp
            if self._oldest_ms is None:
                self._oldest_ms = records[0].timestamp
        if self._uncut_since_s is None:
            self._uncut_since_s = time.monotonic()

    def begin_checkpoint(self) -> int | None:
        """Note that a checkpoint begins, with everything that was read so far. Returns the timestamp of its first
        record; None: it has none."""
        oldest_ms, self._oldest_ms = self._oldest_ms, None
        self._uncommitted_since_s, self._uncut_since_s = self._uncut_since_s, None
        return oldest_ms

    def end_checkpoint(self) -> None:
        """Note that it was committed."""
        self._uncommitted_since_s = None

    @property
    def checkpoint_age_s(self) -> float:
        """The seconds since the oldest record that is in no checkpoint was read; 0: there is none."""
        since_s = self._uncut_since_s if self._uncommitted_since_s is None else self._uncommitted_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s


class Pulse(CheckpointWait):
    """The measurements of one partition of a worker."""

    def __init__(self, number: int, fold: Fold, metrics: Metrics) -> None:
        super().__init__()
        self._number, self._fold, self._metrics = number, fold, metrics
        self._mean_row_bytes = 0.0
        self._has_warned = False
        self.begin()

    def begin(self) -> None:
        """Start after a restore: what the state has counted so far must not be counted again."""
        self._stream, self._credited_ms = self._fold.stream_counts(), self._fold.credited_ms

    def cut(self) -> Cut:
        """Note that a checkpoint begins, with everything that was read so far."""
        return Cut(time.monotonic(), self.begin_checkpoint(), self._fold.credited_ms, self._fold.stream_counts())

    def note_committed(self, cut: Cut, changes: FoldChanges, records: int, changelog_records: int) -> None:
        """Note that a checkpoint was committed."""
        self.end_checkpoint()
        took = [now - before for now, before in zip(cut.stream, self._stream, strict=True)]
        credited_ms = cut.credited_ms - self._credited_ms
        self._stream, self._credited_ms = cut.stream, cut.credited_ms
        sizes = [len(packed) for _, _, packed in changes.rows[:_SAMPLE] if packed is not None]
        if sizes:
            self._mean_row_bytes = sum(sizes) / len(sizes)
        self._warn_of_misrouted_events()
        seconds = time.monotonic() - cut.begun_s
        self._metrics.note_checkpoint(Checkpoint(self._number, seconds, records, changelog_records, credited_ms, took))

    def _warn_of_misrouted_events(self) -> None:
        misrouted = self._fold.stream.misrouted_events
        if misrouted and not self._has_warned:
            self._has_warned = True
            log.warning(
                "partition %d has counted %d events of households that belong to another one, and may count there, too;"
                " `encore doctor` says what to do",
                self._number,
                misrouted,
            )

    def measure(self, lag: int) -> None:
        """Set the gauges of the partition, which is `lag` records behind. May be called from any thread."""
        metrics, label = self._metrics, str(self._number)
        rows = sum(len(title.rows) for title in list(self._fold.titles.values()))
        CheckpointLag(lag, self.latest_ms).measure(self._number, metrics)
        metrics.checkpoint_age_seconds.labels(label).set(self.checkpoint_age_s)
        metrics.misrouted_events.labels(label).set(self._fold.stream.misrouted_events)
        metrics.state_rows.labels(label).set(rows)
        metrics.state_bytes.labels(label).set(rows * self._mean_row_bytes)
