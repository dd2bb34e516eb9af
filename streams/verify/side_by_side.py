"""Folds the partitions of a topic in parallel, in one process for each core.

Owns the processes: their input, their results, and that none outlives its parent.
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

from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import CannotRead, TopicReader
from streams.verify.folding import PartitionLog
from streams.verify.reading import source_records
from streams.verify.recomputation import fold
from streams.verify.sums import FactsFile, write_facts

TOLD_EVERY = 10_000
MOST_PROCESSES = 8
"""Each holds a Kafka client's queue and what Python needs; beyond a few of them, adding up is what takes long."""

_PROCESSES = get_context("spawn")  # a fork would copy locks that threads of Kafka's clients hold


class Share(NamedTuple):
    """What one process folds: partitions as logs that are empty yet, and from where to where each is read."""

    kafka: KafkaAddress
    topic: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    logs: Sequence[PartitionLog]


class Folded(NamedTuple):
    """Logs after their last record, and the files that hold the facts of them."""

    logs: list[PartitionLog]
    files: list[FactsFile]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_out(records: Mapping[int, int], shares: int) -> list[list[int]]:
    """Partitions, given with their numbers of records, in at most so many shares of about as many records."""
    shared: list[list[int]] = [[] for _ in range(max(1, min(shares, MOST_PROCESSES, len(records))))]
    for partition in sorted(records, key=lambda each: records[each], reverse=True):
        min(shared, key=lambda share: sum(records[each] for each in share)).append(partition)
    return shared


def shares_of(
    source: TopicReader, ends: Mapping[int, int], logs: Sequence[PartitionLog], processes: int
) -> list[Share]:
    """All of a source, up to these ends, for at most so many processes; `logs` are by partition, and empty yet."""
    records = {partition: end - source.beginnings[partition] for partition, end in ends.items()}
    return [
        Share(
            source.kafka,
            source.topic,
            {partition: source.beginnings[partition] for partition in some},
            {partition: ends[partition] for partition in some},
            [logs[partition] for partition in some],
        )
        for some in shared_out(records, processes)
    ]


def counted(records: Iterator[Any], advance: Callable[[int], None]) -> Iterator[Any]:
    """The records, telling of some thousands at a time how many they were."""
    while some := list(islice(records, TOLD_EVERY)):
        yield from some
        advance(len(some))


def fold_side_by_side(shares: Sequence[Share], folder: Path, advance: Callable[[int], None]) -> Folded:
    """Fold each share in a process; their facts are in files in `folder` then.

    Raises `CannotRead` as soon as one of them does, or ends before it is done.
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
    """The processes by what they tell through; they are ended whatever happens here."""
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
            theirs.close()  # so that its end is seen here
            running[ours] = process
        yield running
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()


# In a process of its own


def _fold(share: Share, path: Path, connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C comes to all; the parent ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # nothing that is folded refers to itself, and to look for what does took a twelfth of the time
    try:
        with TopicReader(share.kafka, share.topic, dict(share.starts)) as reader:
            records = counted(source_records(reader.read_below(dict(share.ends))), connection.send)
            file = write_facts(path, fold(records, {log.partition: log for log in share.logs}))
    except CannotRead as problem:
        connection.send(problem)
        return
    for log in share.logs:  # one at a time: as bytes they are as large again
        connection.send(log)
    connection.send(file)


def _end_with_parent() -> None:
    """A parent that was killed can end nobody."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
