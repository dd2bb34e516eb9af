"""Makes one file of a day's many, once the day is over.

Owns the order: the merged file replaces the first of those it is made of, and then the others are deleted. Whoever
follows the chain sees each record once at every moment in between. Whoever does this at the same time writes the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.archive.chain import File, Link, chain_of, days_over, links
from streams.archive.parquet_file import joined, read_table, written
from streams.archive.store import Changed, FileMissing, Store

log = logging.getLogger(__name__)

LARGEST_BYTES = 256 * 1024 * 1024
"""A day of more than this stays several files, since one is made in memory."""


@dataclass
class Compacted:
    """What was done: files that were made, and files that went."""

    made: int = 0
    gone: int = 0


def compact(store: Store, topic: str, partition: int) -> Compacted:
    """Make one file of each of a partition's days that are over. Raises `ArchiveFailed`."""
    done = Compacted()
    for day in days_over(links(store, topic, partition).get(partition, [])):
        if len(day) > 1:
            try:
                _compact(store, day, done)
            except (Changed, FileMissing):
                log.info("%s/%d: the files of %s changed meanwhile", topic, partition, day[0].day)
    return done


def _compact(store: Store, day: Sequence[Link], done: Compacted) -> None:
    # What a day's file is made of, and what an overtaken process has written, is of the same day.
    chain = chain_of(store, day)
    for files in mergeable(chain.files):
        _merge(store, files)
        done.made += 1
        done.gone += len(files) - 1
    # Those that a killed process, or one that was overtaken, has left.
    store.delete([link.stored.path for link in chain.shadowed])
    done.gone += len(chain.shadowed)


def mergeable(files: Sequence[File]) -> Iterator[list[File]]:
    """Files in runs of two or more whose sizes are together at most `LARGEST_BYTES`."""
    run: list[File] = []
    size = 0
    for file in files:
        if run and size + file.link.stored.size_bytes > LARGEST_BYTES:
            if len(run) > 1:
                yield run
            run, size = [], 0
        run.append(file)
        size += file.link.stored.size_bytes
    if len(run) > 1:
        yield run


def _merge(store: Store, files: Sequence[File]) -> None:
    """Merge files. Raises `Changed` or `FileMissing` if one of them is not what it was."""
    tables = []
    for file in files:
        with store.open(file.link.stored.path) as opened:
            table, footer = read_table(opened)
        if footer != file.footer:
            raise Changed(file.link.stored.path)
        tables.append(table)
    merged = files[-1].footer._replace(
        first=files[0].footer.first,
        records=sum(map(len, tables)),
        gaps=tuple(gap for file in files for gap in file.footer.gaps),
        rewritten=max(file.footer.rewritten for file in files),
    )
    store.replace(files[0].link.stored, written(joined(tables), merged))
    store.delete([file.link.stored.path for file in files[1:]])
