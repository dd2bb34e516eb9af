"""The seam between an archive and Kafka: nothing is left out there, nothing comes twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from records import DAY_MS, NOON_MS, Message, write, writer_of

from streams.archive import history
from streams.archive.compaction import compact
from streams.archive.history import Span, joined
from streams.archive.source_note import ArchivedSource, claim
from streams.archive.store import Store, open_store
from streams.kafka.reader import CannotRead

SOURCE = ArchivedSource("id-1")


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Offsets 2 to 5 of partition 3, in two files of a day and one of the next."""
    store = open_store(str(tmp_path))
    claim(store, "events", SOURCE)
    write(store, [Message(2, NOON_MS)], [Message(3, NOON_MS), Message(4, NOON_MS)], position=2)
    write(store, [Message(5, NOON_MS + DAY_MS)], position=5)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("kafka_first", "span", "read"),
    [
        (0, Span(0, 0), []),
        (2, Span(2, 2), []),
        (3, Span(2, 3), [2]),
        (5, Span(2, 5), [2, 3, 4]),
        (6, Span(2, 6), [2, 3, 4, 5]),
    ],
)
def test_the_archive_gives_what_comes_before_kafkas_first_record(
    address: str, kafka_first: int, span: Span, read: list[int]
) -> None:
    found = joined(address, "events", SOURCE, {3: kafka_first})
    assert found.spans == {3: span}
    assert [record.offset for record in found.records(3)] == read


@pytest.mark.parametrize(("end", "read"), [(2, []), (3, [2]), (4, [2, 3]), (9, [2, 3, 4])])
def test_and_of_these_only_what_is_below_an_end(address: str, end: int, read: list[int]) -> None:
    found = joined(address, "events", SOURCE, {3: 5})
    assert [record.offset for record in found.records(3, end)] == read


def test_what_neither_has_is_named(address: str) -> None:
    with pytest.raises(CannotRead, match="offsets 6 to 6 of events/3 are neither in the archive"):
        joined(address, "events", SOURCE, {3: 7})


def test_a_partition_that_was_never_archived_begins_where_kafka_does(address: str) -> None:
    assert joined(address, "events", SOURCE, {3: 2, 9: 40}).firsts == {3: 2, 9: 40}


def test_accepted_gaps_are_told_by_partition(address: str) -> None:
    writer = writer_of(open_store(address), position=6, gaps=((6, 10),))
    writer.take([Message(10, NOON_MS + DAY_MS)])
    writer.write()
    assert joined(address, "events", SOURCE, {3: 11}).gaps == {3: [(6, 10)]}


@pytest.mark.parametrize("topic_id", ["id-2", "id-1 of another"])
def test_the_archive_of_a_former_topic_is_refused(address: str, topic_id: str) -> None:
    with pytest.raises(CannotRead, match="archive of a former topic events"):
        joined(address, "events", ArchivedSource(topic_id), {3: 2})


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="is no archive"):
        joined(str(tmp_path), "events", SOURCE, {3: 2})


def test_a_day_that_becomes_one_file_while_it_is_read_is_read_on(address: str) -> None:
    store: Store = open_store(address)
    found = joined(address, "events", SOURCE, {3: 6})
    records = found.records(3)
    offsets = [next(records).offset]
    assert compact(store, "events", 3).gone == 1
    assert [*offsets, *(record.offset for record in records)] == [2, 3, 4, 5]


def test_a_file_that_stays_away_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = joined(address, "events", SOURCE, {3: 6})

    def gone(*_: object) -> object:
        raise history.FileMissing("events/partition=3/x.parquet")

    monkeypatch.setattr(history, "_read_chain", gone)
    with pytest.raises(CannotRead, match=r"x\.parquet is listed, but missing"):
        list(found.records(3))
