"""How long a worker takes to restore the state of partitions that it takes over.

Owns a state topic filled with rows of the fold, through the writer that checkpoints use, and the clock around
`streams.state.restore`.

`python -m streams.tools.bench.restoring`, with the settings in the environment, restores all partitions at once, as a
worker does, and prints one JSON line: the fields of `Restore`.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from operator import attrgetter
from typing import NamedTuple

import psutil

from models.catalog import read_title
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.hash_fields import STREAM_FIELDS
from models.rules import HOUR_MS
from streams.config.settings import Settings, load
from streams.config.zones import Zones
from streams.kafka.topics import make_topics
from streams.state.changelog import Position, position_message, state_messages
from streams.state.restore import restore
from streams.state.transactions import CheckpointBatch, TransactionalWriter
from streams.tools.bench.backlog import Advance
from streams.tools.processes import Child, environment, peak_bytes
from streams.tools.simulate import backlog as loads
from streams.tools.trial import Run

SAMPLE_EVENTS = 100_000
AT_REST_MS = loads.ORIGIN_MS + HOUR_MS
"""The stream time of the state: by then nobody watches any more, as of most of the rows of a large one."""

TITLES_A_HOUSEHOLD = 10
ROWS_A_TRANSACTION = 5_000
RESTORES = 3
LONGEST_RESTORE_S = 600.0


@dataclass(frozen=True)
class Restore:
    """One restore of all partitions at once. `grown_bytes`: resident memory after it less that before it."""

    partitions: int
    records: int
    rows: int
    wall_s: float
    cpu_s: float
    grown_bytes: int
    peak_bytes: int

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.wall_s

    @property
    def rows_per_cpu_s(self) -> float:
        return self.rows / self.cpu_s

    @property
    def bytes_per_row(self) -> float:
        """The memory per restored row in bytes, including its share of everything else."""
        return self.grown_bytes / self.rows


class StoredRecord(NamedTuple):
    """A record as a fold looks at it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def fill(settings: Settings, rows: int, advance: Advance) -> None:
    """Write a state with this many rows over all partitions, checkpoint by checkpoint. No row is written twice."""
    make_topics(settings, settings.kafka_address, all_of_them=True)
    sample = _sample(settings)
    for number in range(settings.topic_partitions):
        writer = TransactionalWriter.of(settings, number)
        writer.open()
        try:
            for batch in _checkpoints(sample, settings.topic_partitions, number, rows):
                writer.write(batch)
                advance(len(batch.state) - 1)
        finally:
            writer.close()


Changed = tuple[str, str, bytes | None]
"""A title, a household, and their packed row."""


def _sample(settings: Settings) -> FoldChanges:
    """The rows that a fold makes from the beginning of the replay load."""
    fold = Fold(settings.rules())
    for row in loads.title_rows(loads.REPLAY):
        fold.apply_catalog_row(row["title_id"], read_title(row["title_id"].encode(), json.dumps(row).encode()))
    items = enumerate(loads.replay_backlog(SAMPLE_EVENTS))
    fold.apply(StoredRecord(offset, item.timestamp_ms, item.key, item.value) for offset, item in items)
    return fold.drain(1)


def _checkpoints(sample: FoldChanges, partitions: int, number: int, rows: int) -> Iterator[CheckpointBatch]:
    everything = _rows(sample, partitions, number, rows)
    stream = [0] * len(STREAM_FIELDS)
    for sequence in count(1):
        some: list[Changed] = list(islice(everything, ROWS_A_TRANSACTION))
        if not some:
            return
        position = Position(rows, "bench", partitions, AT_REST_MS, sequence, "bench", "bench", 0, stream)
        state = state_messages(FoldChanges(some, {}, [], [], []))
        yield CheckpointBatch([*state, position_message(position)], ())


def _rows(sample: FoldChanges, partitions: int, number: int, rows: int) -> Iterator[Changed]:
    """A partition's part of the rows: the sample's over and over, each as another household's and title's."""
    titles, households = sorted({title_id for title_id, _, _ in sample.rows}), -(-rows // TITLES_A_HOUSEHOLD)
    for place, (_, _, packed) in zip(range(number, rows, partitions), cycle(sample.rows), strict=False):
        turn, household = divmod(place, households)
        yield titles[(household * 7 + turn) % len(titles)], f"household-{household:08d}", packed


def measure_restore(run: Run) -> Restore:
    """Restore everything in a process of its own, `RESTORES` times; the one whose time is the median."""
    return sorted((_restore_in_a_child(run) for _ in range(RESTORES)), key=attrgetter("wall_s"))[RESTORES // 2]


def _restore_in_a_child(run: Run) -> Restore:
    command = [sys.executable, "-m", "streams.tools.bench.restoring"]
    with Child("the restore", command, environment(run.settings), run.folder / "restore.log") as child:
        child.wait(LONGEST_RESTORE_S)
        return Restore(**child.figures())


def main() -> None:
    settings, zones, process = load(), Zones(), psutil.Process()
    numbers = range(settings.topic_partitions)
    folds = [Fold(settings.rules(), partition=number, partitions=len(numbers), zones=zones) for number in numbers]

    def restored(number: int) -> int:
        timeout_s = settings.startup_timeout_s
        return restore(settings.kafka_address, settings.state_topic, number, folds[number], timeout_s=timeout_s).rows

    # As in a worker: no collector walks what is restored.
    gc.freeze()
    gc.disable()
    with ThreadPoolExecutor(len(numbers)) as pool:
        began_bytes, began_cpu_s, began_s = process.memory_info().rss, time.process_time(), time.perf_counter()
        records = sum(pool.map(restored, numbers))
    restored_in = Restore(
        partitions=len(numbers),
        records=records,
        rows=sum(len(title.rows) for fold in folds for title in fold.titles.values()),
        wall_s=time.perf_counter() - began_s,
        cpu_s=time.process_time() - began_cpu_s,
        grown_bytes=process.memory_info().rss - began_bytes,
        peak_bytes=peak_bytes(process),
    )
    print(json.dumps(asdict(restored_in)))


if __name__ == "__main__":
    main()
