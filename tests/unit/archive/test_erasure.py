"""A household's records go from an archive, whatever else is done to its files meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from records import DAY_MS, NOON_MS, Message, write

from streams.archive import compaction
from streams.archive.chain import chains
from streams.archive.compaction import compact
from streams.archive.erasure import erase, holding
from streams.archive.parquet_file import read_records
from streams.archive.store import Store, open_store

HOME, OTHER = b"home", b"other"
UNTIL = {3: 100, 4: 0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two days of two households, the first day in three files."""
    store = open_store(str(tmp_path))
    today = [Message(offset, NOON_MS, OTHER if offset % 2 else HOME) for offset in range(5)]
    write(store, today[:2], today[2:4], today[4:], [Message(5, NOON_MS + DAY_MS, HOME), Message(6, NOON_MS, OTHER)])
    return store


def offsets(store: Store) -> list[int]:
    found = []
    for file in chains(store, "events")[3].files:
        with store.open(file.link.stored.path) as opened:
            found += [record.offset for record in read_records(opened, 0, 100)]
    return found


def test_the_files_that_hold_a_household_are_named(store: Store) -> None:
    held = holding(store, "events", HOME, UNTIL)
    assert [(each.file[-10:], each.records) for each in held] == [
        ("00.parquet", 1), ("02.parquet", 1), ("04.parquet", 1), ("05.parquet", 1),
    ]  # fmt: skip


def test_its_records_go_and_all_others_stay_in_an_unbroken_chain(store: Store) -> None:
    assert erase(store, "events", HOME, UNTIL) == 4
    assert offsets(store) == [1, 3, 6]
    assert holding(store, "events", HOME, UNTIL) == []
    assert erase(store, "events", HOME, UNTIL) == 0
    chain = chains(store, "events")[3]
    assert (chain.next_offset, [file.footer.records for file in chain.files]) == (7, [1, 1, 0, 1])


@pytest.mark.parametrize(("end", "left"), [(2, [1, 2, 3, 4, 5, 6]), (3, [1, 3, 4, 5, 6])])
def test_what_it_sent_later_stays(store: Store, end: int, left: list[int]) -> None:
    erase(store, "events", HOME, {3: end})
    assert offsets(store) == left


def test_a_day_that_was_read_before_brings_nothing_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    joined = compaction.joined

    def erased_meanwhile(tables: list[object]) -> object:
        monkeypatch.undo()
        erase(store, "events", HOME, UNTIL)
        return joined(tables)

    monkeypatch.setattr(compaction, "joined", erased_meanwhile)
    assert compact(store, "events", 3).made == 0
    assert offsets(store) == [1, 3, 6]
    assert compact(store, "events", 3).made == 1
    assert offsets(store) == [1, 3, 6]


def test_a_file_left_by_a_compaction_that_was_killed_goes_with_it(store: Store) -> None:
    (_, second, *_) = chains(store, "events")[3].files
    with store.open(second.link.stored.path) as file:
        left = file.read()
    compact(store, "events", 3)
    store.create(second.link.stored.path, left)
    erase(store, "events", HOME, UNTIL)
    assert all(b"home" not in Path(store.address(each.path)).read_bytes() for each in store.list("events"))
