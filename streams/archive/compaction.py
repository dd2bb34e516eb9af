"""Makes one file of a day's many, once the day is over.

Owns the order: the merged file replaces the first of those it is made of, and then the others are deleted. Whoever
follows the chain sees each record once at every moment in between. Whoever does this at the same time writes the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.archive.chain import Chain, File, chains, days_over
from streams.archive.parquet_file import joined, read_table, written
from streams.archive.store import Changed, Missing, Store

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
    chain = chains(store, topic, partition).get(partition)
    if chain is None:
        return done
    for files in mergeable(chain):
        if not _merge(store, files):
            log.info("%s/%d: the files of %s changed meanwhile", topic, partition, files[0].link.day)
            return done
        done.made += 1
        done.gone += len(files) - 1
    # Those that a killed process, or one that was overtaken, has left.
    store.delete([link.stored.path for link in chain.shadowed])
    done.gone += len(chain.shadowed)
    return done


def mergeable(chain: Chain) -> Iterator[list[File]]:
    """The files of days that are over, in runs of two or more whose sizes are together at most `LARGEST_BYTES`."""
    for files in days_over(chain.files):
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


def _merge(store: Store, files: Sequence[File]) -> bool:
    """Merge files. Returns False if one of them is not what it was."""
    tables = []
    try:
        for file in files:
            with store.open(file.link.stored.path) as opened:
                table, footer = read_table(opened)
            if footer != file.footer:
                return False
            tables.append(table)
        first, last = files[0].footer, files[-1].footer
        gaps = tuple(gap for file in files for gap in file.footer.gaps)
        merged = last._replace(
            first=first.first,
            records=sum(map(len, tables)),
            gaps=gaps,
            rewritten=max(file.footer.rewritten for file in files),
        )
        store.replace(files[0].link.stored, written(joined(tables), merged))
    except (Changed, Missing):
        return False
    store.delete([file.link.stored.path for file in files[1:]])
    return True
