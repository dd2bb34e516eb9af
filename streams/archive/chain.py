"""The files of a partition, as a chain: each begins at the offset at which the one before ends.

Owns the names and the order. The chain is the archive's only memory of how far it is: nothing is noted in Kafka. A file
is named by the offset at which its writer began to read, so two writers that began at the same offset write the same
name, and the second one fails. Files off the chain lie within one that was made of them; they are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

from streams.archive.parquet_file import Footer, UnreadableFile, read_footer
from streams.archive.store import ArchiveFailed, FileMissing, Store, StoredFile

LAST_MS = 253_402_300_800_000 - 1
"""The end of 9999: records with later timestamps are dead letters, and move no clock."""

_NAME = re.compile(r"(?P<topic>[^/]+)/partition=(?P<partition>\d+)/day=(?P<day>[\d-]{10})/(?P<first>\d{20})\.parquet")
_AT_ONCE = 16
_TRIES = 5


class Link(NamedTuple):
    """A file by its name: the partition, the day and the first offset."""

    partition: int
    first: int
    day: str
    stored: StoredFile


class File(NamedTuple):
    """A file that is on the chain."""

    link: Link
    footer: Footer


class Chain(NamedTuple):
    """A partition's files in order, and those that are off the chain."""

    files: list[File]
    shadowed: list[Link]

    @property
    def first(self) -> int | None:
        """The first offset of the archive; None: it is empty."""
        return self.files[0].link.first if self.files else None

    @property
    def next_offset(self) -> int | None:
        """The offset after the archive's last; None: it is empty."""
        return self.files[-1].footer.next_offset if self.files else None

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """The gaps that were accepted."""
        return [gap for file in self.files for gap in file.footer.gaps]


class Broken(ArchiveFailed):
    """A file of the chain is missing, or none."""


def path_of(topic: str, partition: int, day: str, first: int) -> str:
    """The path of a file."""
    return f"{topic}/partition={partition}/day={day}/{first:020}.parquet"


def day_of(stream_time_ms: int) -> str:
    """The UTC day of an instant; before the first record 1970-01-01."""
    return datetime.fromtimestamp(max(0, stream_time_ms) // 1000, UTC).date().isoformat()


def links(store: Store, topic: str, partition: int | None = None) -> dict[int, list[Link]]:
    """The files of a topic by partition, each in the order of their first offsets. Raises `ArchiveFailed`."""
    folder = topic if partition is None else f"{topic}/partition={partition}"
    found: dict[int, list[Link]] = {}
    for stored in store.list(folder):
        name = _NAME.fullmatch(stored.path)
        if name is not None and name["topic"] == topic:
            link = Link(int(name["partition"]), int(name["first"]), name["day"], stored)
            found.setdefault(link.partition, []).append(link)
    return {number: sorted(some) for number, some in sorted(found.items())}


def last_file(store: Store, topic: str, partition: int) -> File | None:
    """The last file of a partition; None: there is none. It is never made part of another, so it is on the chain."""
    named = links(store, topic, partition).get(partition)
    if not named:
        return None
    footer = _footer(store, named[-1])
    if footer is None:
        raise Broken(f"{store.address(named[-1].stored.path)} is listed, but missing")
    return File(named[-1], footer)


def chains(store: Store, topic: str, partition: int | None = None) -> dict[int, Chain]:
    """The chains of all partitions, or of one. Raises `Broken`, `ArchiveFailed`."""
    for _ in range(_TRIES):
        try:
            return {number: chain_of(store, named) for number, named in links(store, topic, partition).items()}
        except FileMissing as gone:
            missing = str(gone)  # a day became one file meanwhile
    raise Broken(f"{store.address(missing)} is listed, but missing")


def chain_of(store: Store, named: Sequence[Link]) -> Chain:
    """The chain of these files, which begins with the first one. Raises `FileMissing`, `Broken`, `ArchiveFailed`."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        footers = list(pool.map(lambda link: _footer(store, link), named))
    chain, at = Chain([], []), named[0].first
    for link, footer in zip(named, footers, strict=True):
        if link.first < at:
            chain.shadowed.append(link)
            continue
        if footer is None:
            raise FileMissing(link.stored.path)
        if link.first > at:
            where = store.address(link.stored.path)
            raise Broken(
                f"the archive of partition {link.partition} lacks offsets {at} to {link.first - 1}: before {where}"
            )
        chain.files.append(File(link, footer))
        at = footer.next_offset
    return chain


def _footer(store: Store, link: Link) -> Footer | None:
    try:
        with store.open(link.stored.path) as file:
            return read_footer(file)
    except FileMissing:
        return None
    except UnreadableFile as problem:
        raise Broken(f"{store.address(link.stored.path)} {problem}") from None


def days_over(named: Iterable[Link]) -> list[list[Link]]:
    """A partition's files of each day that is over, as later ones are of another day."""
    days: dict[str, list[Link]] = {}
    for link in named:
        days.setdefault(link.day, []).append(link)
    return list(days.values())[:-1]
