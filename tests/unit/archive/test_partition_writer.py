"""Where a partition's files begin and end, and that two writers never write the same records."""

from __future__ import annotations

from pathlib import Path

import pytest
from records import DAY_MS, DAYS, NOON_MS, Message, archived, writer_of

from streams.archive.chain import LAST_MS, chains
from streams.archive.parquet_file import Footer, read_records
from streams.archive.partition_writer import Overtaken, Wrote
from streams.archive.store import Store, open_store

MIDNIGHT_MS = NOON_MS + DAY_MS // 2


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def footers(store: Store) -> list[tuple[str, Footer]]:
    """The day and the footer of each file of the chain."""
    return [(file.link.day, file.footer) for file in chains(store, "events")[3].files]


def records(store: Store) -> list[object]:
    found: list[object] = []
    for file in chains(store, "events")[3].files:
        with store.open(file.link.stored.path) as opened:
            found += read_records(opened, 0, 10**9)
    return found


def test_records_come_back_as_they_were(store: Store) -> None:
    given = [
        Message(0, NOON_MS, b"home", b'{"a": 1}'),
        Message(1, NOON_MS - 1, None, None),
        Message(2, -1, b"", b"\xff\x00"),
        Message(3, NOON_MS + 1, "höme".encode(), b"x", [("trace", b"\x01"), ("trace", None)]),
    ]
    writer = writer_of(store)
    writer.take(given)
    writer.write()
    assert records(store) == archived(3, given)


def test_a_file_says_where_it_begins_and_where_the_next_one_does(store: Store) -> None:
    wrote: list[Wrote] = []
    writer = writer_of(store, position=10, wrote=wrote)
    writer.take([Message(12, NOON_MS), Message(15, NOON_MS - 5)])
    writer.write()
    writer.take([Message(20, NOON_MS + 7)])
    writer.write()
    writer.write()
    assert footers(store) == [
        (DAYS[0], Footer(10, 16, 2, NOON_MS, "id-1")),
        (DAYS[0], Footer(16, 21, 1, NOON_MS + 7, "id-1")),
    ]
    assert [(each.records, each.begins_day) for each in wrote] == [(2, True), (1, False)]


def test_a_file_ends_with_its_day_whenever_it_would_be_due(store: Store) -> None:
    writer = writer_of(store)
    writer.take([Message(0, NOON_MS), Message(1, MIDNIGHT_MS - 1), Message(2, MIDNIGHT_MS), Message(3, NOON_MS)])
    writer.take([Message(4, MIDNIGHT_MS + 2 * DAY_MS)])
    writer.write()
    assert [(day, footer.first) for day, footer in footers(store)] == [(DAYS[0], 0), (DAYS[1], 2), ("2023-11-17", 4)]


@pytest.mark.parametrize(("timestamp_ms", "day"), [(-1, "1970-01-01"), (LAST_MS, "9999-12-31"), (LAST_MS + 1, DAYS[0])])
def test_a_timestamp_that_no_event_may_have_moves_no_day(store: Store, timestamp_ms: int, day: str) -> None:
    first = [] if timestamp_ms < 0 else [Message(0, NOON_MS)]
    writer = writer_of(store)
    writer.take([*first, Message(1, timestamp_ms)])
    writer.write()
    assert footers(store)[-1][0] == day


def test_what_was_taken_already_is_taken_once(store: Store) -> None:
    writer = writer_of(store)
    writer.take([Message(0, NOON_MS), Message(1, NOON_MS)])
    writer.take([Message(1, NOON_MS), Message(2, NOON_MS)])
    writer.write()
    assert [record.offset for record in records(store)] == [0, 1, 2]  # type: ignore[attr-defined]


def test_of_two_writers_at_one_offset_the_second_one_writes_nothing(store: Store) -> None:
    one, other = writer_of(store), writer_of(store)
    one.take([Message(0, NOON_MS), Message(1, NOON_MS)])
    other.take([Message(0, NOON_MS)])
    other.write()
    with pytest.raises(Overtaken, match="events/3 from offset 0"):
        one.write()
    assert [footer.next_offset for _, footer in footers(store)] == [1]


def test_two_writers_meet_at_the_end_of_a_day_wherever_they_cut_before(store: Store) -> None:
    one, zombie = writer_of(store), writer_of(store, position=1, stream_time_ms=NOON_MS)
    one.take([Message(0, NOON_MS), Message(1, NOON_MS), Message(2, MIDNIGHT_MS)])
    one.write()
    zombie.take([Message(1, NOON_MS)])
    zombie.write()
    with pytest.raises(Overtaken, match="from offset 2"):
        zombie.take([Message(2, MIDNIGHT_MS), Message(3, MIDNIGHT_MS + DAY_MS)])
    chain = chains(store, "events")[3]
    assert ([file.link.first for file in chain.files], [link.first for link in chain.shadowed]) == ([0, 2], [1])


def test_an_accepted_gap_is_noted_in_the_file_after_it(store: Store) -> None:
    writer = writer_of(store, position=5, gaps=((5, 90),))
    writer.take([Message(90, NOON_MS)])
    writer.write()
    writer.take([Message(91, NOON_MS)])
    writer.write()
    assert [(footer.first, footer.next_offset, footer.gaps) for _, footer in footers(store)] == [
        (5, 91, ((5, 90),)),
        (91, 92, ()),
    ]
