"""All records of a topic: from the archive what Kafka has forgotten, from Kafka the rest.

Owns the seam: no record is left out there, and none comes twice. Where neither has a record, that is an error which
names the offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from streams.archive.source_note import ArchivedSource, check_source, source_of
from streams.archive.store import ArchiveFailed, FileMissing, Store, open_store
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.reader import CannotRead, TopicReader
from streams.kafka.topics import KafkaFailed

# Who has no archive needs no library for its files, so what reads them is imported where it is used.
if TYPE_CHECKING:
    from streams.archive.chain import Chain
    from streams.archive.parquet_file import Archived

_TRIES = 5
T = TypeVar("T")


class Span(NamedTuple):
    """Where a partition's records are: from `first` to below `until` in the archive, from there on in Kafka."""

    first: int
    until: int


class History(NamedTuple):
    """What only an archive has of a topic. `spans` and `gaps` are by partition.

    `gaps`: the offsets that Kafka had forgotten before they were archived, which was accepted then.
    """

    address: str
    topic: str
    spans: dict[int, Span]
    gaps: dict[int, list[tuple[int, int]]]

    @property
    def firsts(self) -> dict[int, int]:
        """Each partition's first offset of all."""
        return {number: span.first for number, span in self.spans.items()}

    def records(self, partition: int, end: int | None = None) -> Iterator[Archived]:
        """A partition's records that Kafka has forgotten, in order; with `end` only those below it.

        Raises `CannotRead`.
        """
        first, until = self.spans[partition]
        return read_archived(self.address, self.topic, partition, first, until if end is None else min(end, until))


def history_of(settings: Settings, reader: TopicReader) -> History:
    """What the archive has of a topic's records that Kafka has forgotten. Raises `CannotRead`: also where neither has
    a record, and where the archive's pseudonyms are not those of the settings."""
    try:
        topic = KafkaView(reader.kafka).topic_there(reader.topic)
    except KafkaFailed as problem:
        raise CannotRead(str(problem)) from None
    source = source_of(topic, settings.pseudonyms())
    return joined(settings.archive, reader.topic, source, reader.beginnings)


def joined(address: str, topic: str, source: ArchivedSource, kafka_firsts: Mapping[int, int]) -> History:
    """The same, by Kafka's first offsets."""
    from streams.archive.chain import chains

    def found() -> dict[int, Chain]:
        store = open_store(address)
        check_source(store, topic, source)
        return chains(store, topic)

    by_partition = _readable(found)
    spans = {number: _span(topic, number, by_partition.get(number), first) for number, first in kafka_firsts.items()}
    return History(address, topic, spans, {n: chain.gaps for n, chain in by_partition.items() if chain.gaps})


def _span(topic: str, number: int, chain: Chain | None, kafka_first: int) -> Span:
    if chain is None or chain.first is None or chain.next_offset is None or chain.first >= kafka_first:
        return Span(kafka_first, kafka_first)
    if chain.next_offset < kafka_first:
        raise CannotRead(
            f"offsets {chain.next_offset} to {kafka_first - 1} of {topic}/{number} are neither in the archive, which"
            " ends before them, nor in Kafka any more"
        )
    return Span(chain.first, kafka_first)


def read_archived(address: str, topic: str, partition: int, start: int, end: int) -> Iterator[Archived]:
    """A partition's records in an archive at offsets from `start` to below `end`. Raises `CannotRead`.

    Days become one file meanwhile: where a file has gone, the chain is read again.
    """
    store, tries = _readable(lambda: open_store(address)), 0
    while start < end:
        begun = start
        try:
            for record in _read_chain(store, topic, partition, start, end):
                start = record.offset + 1
                yield record
            return
        except FileMissing as gone:
            tries = tries + 1 if start == begun else 0
            if tries == _TRIES:
                raise CannotRead(f"{store.address(str(gone))} is listed, but missing") from None


def _read_chain(store: Store, topic: str, partition: int, start: int, end: int) -> Iterator[Archived]:
    from streams.archive.chain import chains
    from streams.archive.parquet_file import UnreadableFile, read_records

    chain = _readable(lambda: chains(store, topic, partition)).get(partition)
    for link, footer in chain.files if chain else ():
        if footer.next_offset <= start or footer.first >= end:
            continue
        try:
            with store.open(link.stored.path) as file:
                yield from read_records(file, start, end)
        except (ArchiveFailed, UnreadableFile) as problem:
            raise CannotRead(f"{store.address(link.stored.path)}: {problem}") from None


def _readable(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except ArchiveFailed as problem:
        raise CannotRead(str(problem)) from None
