"""The order of a partition's files, and what is refused as none."""

from __future__ import annotations

from pathlib import Path

import pytest
from records import DAY_MS, NOON_MS, Message, write

from streams.archive import compaction
from streams.archive.chain import Broken, File, Link, chains, last_file, path_of
from streams.archive.compaction import compact, mergeable
from streams.archive.parquet_file import Footer
from streams.archive.store import Store, StoredFile, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def firsts(store: Store) -> list[int]:
    return [file.link.first for file in chains(store, "events")[3].files]


def test_an_archive_without_files_has_no_chain_and_no_last_file(store: Store) -> None:
    assert chains(store, "events") == {}
    assert last_file(store, "events", 3) is None


def test_partitions_have_chains_of_their_own_and_other_topics_none_of_theirs(store: Store) -> None:
    write(store, [Message(4, NOON_MS)], position=4)
    write(store, [Message(0, NOON_MS)], [Message(1, NOON_MS)], partition=12)
    store.create("events-of-another/partition=3/day=2023-11-14/00000000000000000000.parquet", b"")
    found = chains(store, "events")
    assert {number: (chain.first, chain.next_offset) for number, chain in found.items()} == {3: (4, 5), 12: (0, 2)}


def test_a_file_that_is_missing_in_between_is_named_by_its_offsets(store: Store) -> None:
    write(store, [Message(0, NOON_MS)], [Message(1, NOON_MS)], [Message(2, NOON_MS)])
    store.delete([path_of("events", 3, "2023-11-14", 1)])
    with pytest.raises(Broken, match=r"partition 3 lacks offsets 1 to 1: before .*02\.parquet"):
        chains(store, "events")


def test_what_is_no_file_of_an_archive_is_refused_and_named(store: Store) -> None:
    store.create(path_of("events", 3, "2023-11-14", 0), b"PAR1 or not")
    with pytest.raises(Broken, match=r"0000\.parquet is no file of an archive"):
        chains(store, "events")


def test_a_day_becomes_one_file_once_a_later_one_has_begun(store: Store) -> None:
    today = [Message(offset, NOON_MS) for offset in range(3)]
    write(store, *([each] for each in today))
    assert (compact(store, "events", 3).made, firsts(store)) == (0, [0, 1, 2])
    write(store, [Message(3, NOON_MS + DAY_MS)], [Message(4, NOON_MS + DAY_MS)], position=3)
    done = compact(store, "events", 3)
    assert ((done.made, done.gone), firsts(store)) == ((1, 2), [0, 3, 4])
    (merged, *_) = chains(store, "events")[3].files
    assert (merged.footer.next_offset, merged.footer.records) == (3, 3)
    assert compact(store, "events", 3).made == 0


def test_what_is_left_of_a_compaction_that_was_killed_is_off_the_chain_and_goes(store: Store) -> None:
    write(store, [Message(0, NOON_MS)], [Message(1, NOON_MS)], [Message(2, NOON_MS + DAY_MS)])
    path = path_of("events", 3, "2023-11-14", 1)
    with store.open(path) as file:
        left = file.read()
    compact(store, "events", 3)
    store.create(path, left)
    assert firsts(store) == [0, 2]
    assert compact(store, "events", 3).gone == 1
    assert len(store.list("events")) == 2


@pytest.mark.parametrize(("largest", "runs"), [(29, []), (30, [[0, 1]]), (39, [[0, 1]]), (40, [[0, 1, 2]])])
def test_a_large_day_becomes_several_files(monkeypatch: pytest.MonkeyPatch, largest: int, runs: list) -> None:
    sizes = [10, 20, 10]
    files = [
        File(Link(3, number, "2023-11-14", StoredFile(str(number), size, "")), Footer(0, 0, 0, 0, ""))
        for number, size in enumerate(sizes)
    ]
    monkeypatch.setattr(compaction, "LARGEST_BYTES", largest)
    assert [[file.link.first for file in run] for run in mergeable(files)] == runs
