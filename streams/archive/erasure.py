"""Removes a household's records from an archive.

Owns the order in which files are rewritten. Someone may be making one file of a day's many at the same time: of each
day that holds the household, all files are rewritten, the first one last. What was read before is then refused, as it
would replace that first file.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from streams.archive.chain import File, chains
from streams.archive.parquet_file import UnreadableFile, count_of, read_table, without, written
from streams.archive.store import ArchiveFailed, Changed, FileMissing, Store

_AT_ONCE = 8
_TRIES = 10


class Holding(NamedTuple):
    """A file, by its address, and how many of the household's records are in it."""

    file: str
    records: int


def holding(store: Store, topic: str, key: bytes, until: Mapping[int, int]) -> list[Holding]:
    """The files that hold a household's records below these offsets, by partition. Raises `ArchiveFailed`."""
    return [
        Holding(store.address(file.link.stored.path), records)
        for number, chain in chains(store, topic).items()
        for file, records in _counted(store, chain.files, key, until.get(number, 0))
        if records
    ]


def erase(store: Store, topic: str, key: bytes, until: Mapping[int, int]) -> int:
    """Rewrite these files without the records. Returns how many records are gone. Raises `ArchiveFailed`."""
    return sum(_erase(store, topic, number, key, end) for number, end in until.items())


def _erase(store: Store, topic: str, partition: int, key: bytes, end: int) -> int:
    gone = 0
    for _ in range(_TRIES):
        chain = chains(store, topic, partition).get(partition)
        if chain is None:
            return 0
        try:
            counts = _counted(store, chain.files, key, end)
            days = {file.link.day for file, records in counts if records}
            if not days:
                store.delete([link.stored.path for link in chain.shadowed])
                return gone
            for file in reversed(chain.files):
                if file.link.day in days:
                    gone += _rewrite(store, file, key, end)
        except (Changed, FileMissing):
            continue
    raise ArchiveFailed(f"{store.address(topic)}: partition {partition} changes all the time: try again")


def _counted(store: Store, files: list[File], key: bytes, end: int) -> list[tuple[File, int]]:
    def count(file: File) -> int:
        if file.footer.first >= end:
            return 0
        try:
            with store.open(file.link.stored.path) as opened:
                return count_of(opened, key, end)
        except UnreadableFile as problem:
            raise ArchiveFailed(f"{store.address(file.link.stored.path)} {problem}") from None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(zip(files, pool.map(count, files), strict=True))


def _rewrite(store: Store, file: File, key: bytes, end: int) -> int:
    with store.open(file.link.stored.path) as opened:
        table, footer = read_table(opened)
    left = without(table, key, end)
    store.replace(file.link.stored, written(left, footer._replace(records=len(left), rewritten=footer.rewritten + 1)))
    return len(table) - len(left)
