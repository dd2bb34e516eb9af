"""Folds the partitions of a topic in parallel, in one process for each core.

Owns the processes: their input, their results, and that they end with their parent.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from streams.archive.history import History
from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import CannotRead, TopicReader
from streams.verify.folding import PartitionLog
from streams.verify.reading import source_records
from streams.verify.recomputation import fold
from streams.verify.sums import FactsFile, write_facts

TOLD_EVERY = 10_000
MOST_PROCESSES = 8
"""Each process needs memory for Python and a Kafka client's queue. With more of them, adding up takes most of the time
anyway."""

_PROCESSES = get_context("spawn")  # a fork would copy locks that the Kafka client's threads hold


class Share(NamedTuple):
    """What one process folds: partitions, as empty logs, and the end of each and its first offset in Kafka.

    `history`: what only the archive has of them.
    """

    kafka: KafkaAddress
    topic: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    logs: Sequence[PartitionLog]
    history: History | None = None


class Folded(NamedTuple):
    """Logs after their last record, and the files with their facts."""

    logs: list[PartitionLog]
    files: list[FactsFile]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_out(records: Mapping[int, int], shares: int) -> list[list[int]]:
    """Divide partitions into at most `shares` groups of about equal size. `records`: how many each partition has."""
    shared: list[list[int]] = [[] for _ in range(max(1, min(shares, MOST_PROCESSES, len(records))))]
    for partition in sorted(records, key=lambda each: records[each], reverse=True):
        min(shared, key=lambda share: sum(records[each] for each in share)).append(partition)
    return shared


def shares_of(
    source: TopicReader,
    ends: Mapping[int, int],
    logs: Sequence[PartitionLog],
    processes: int,
    history: History | None = None,
) -> list[Share]:
    """Divide a source, up to these ends, among at most `processes` processes. `logs`: empty ones, by partition."""
    firsts = source.beginnings if history is None else history.firsts
    records = {partition: end - firsts[partition] for partition, end in ends.items()}
    return [
        Share(
            source.kafka,
            source.topic,
            {partition: source.beginnings[partition] for partition in some},
            {partition: ends[partition] for partition in some},
            [logs[partition] for partition in some],
            history,
        )
        for some in shared_out(records, processes)
    ]


def counted(records: Iterator[Any], advance: Callable[[int], None]) -> Iterator[Any]:
    """Pass the records on, and report their number to `advance` after every `TOLD_EVERY`."""
    while some := list(islice(records, TOLD_EVERY)):
        yield from some
        advance(len(some))


def fold_side_by_side(shares: Sequence[Share], folder: Path, advance: Callable[[int], None]) -> Folded:
    """Fold each share in a process of its own, which writes its facts to a file in `folder`.

    Raises `CannotRead` as soon as a process does, or ends before it is done.
    """
    folded = Folded([], [])
    with _running(shares, folder) as running:
        while running:
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                match _told(connection, running[connection]):
                    case int(count):
                        advance(count)
                    case PartitionLog() as log:
                        folded.logs.append(log)
                    case FactsFile() as file:
                        folded.files.append(file)
                        del running[connection]
                    case CannotRead() as problem:
                        raise problem
    return folded


def _told(connection: Connection, process: BaseProcess) -> Any:
    try:
        return connection.recv()
    except EOFError:
        process.join()
        raise CannotRead(
            f"a process that read partitions for the recomputation ended too early (exit code {process.exitcode}):"
            " is there memory enough?"
        ) from None


@contextmanager
def _running(shares: Sequence[Share], folder: Path) -> Iterator[dict[Connection, BaseProcess]]:
    """Start the processes, by the connection that each reports through. They are terminated in any case."""
    running: dict[Connection, BaseProcess] = {}
    started: list[BaseProcess] = []
    try:
        for number, share in enumerate(shares):
            ours, theirs = _PROCESSES.Pipe(duplex=False)
            process: BaseProcess = _PROCESSES.Process(
                target=_fold, args=(share, folder / f"{number}.csv", theirs), daemon=True
            )
            process.start()
            started.append(process)
            theirs.close()  # so that this process sees when the other one ends
            running[ours] = process
        yield running
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()


# In a process of its own


def _fold(share: Share, path: Path, connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends this one
    Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # folding makes no reference cycles, and looking for them took a twelfth of the time
    try:
        with TopicReader(share.kafka, share.topic, dict(share.starts)) as reader:
            records = counted(source_records(reader, share.ends, share.history), connection.send)
            file = write_facts(path, fold(records, {log.partition: log for log in share.logs}))
    except CannotRead as problem:
        connection.send(problem)
        return
    for log in share.logs:  # one at a time: pickled, each takes as much memory again
        connection.send(log)
    connection.send(file)


def _end_with_parent() -> None:
    """Exit when the parent ends: if it was killed, it could not terminate this process."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
