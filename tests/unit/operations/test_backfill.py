"""The order of history, and which files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from models.partitioner import partition_of
from streams.kafka.producer import Outgoing
from streams.operations.backfill import CannotBackfill, Files, FilesContent, without_begun


def lines(path: Path, *events: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def event(time_ms: int, household: str = "home", **more: object) -> dict[str, object]:
    return {"household_id": household, "event_time_ms": time_ms, **more}


def test_events_of_all_files_are_sent_in_the_order_of_their_times(tmp_path: Path) -> None:
    one = lines(tmp_path / "b.jsonl", event(30), event(10, "other"), event(20))
    other = lines(tmp_path / "a.jsonl", event(20, "another"), event(10))
    files = Files([one, other])
    assert files.look() == FilesContent(5, 10, 30)
    assert [(each.key, each.timestamp_ms) for each in files.records()] == [
        (b"home", 10), (b"other", 10), (b"another", 20), (b"home", 20), (b"home", 30),
    ]  # fmt: skip


def test_a_line_is_sent_as_it_is(tmp_path: Path) -> None:
    text = '{"event_time_ms": 7, "household_id":"h", "event_id": "0012", "sent": "2026-01-01T00:00:00Z", "x": 1.50}'
    (tmp_path / "a.jsonl").write_text(text)
    (record,) = Files([tmp_path / "a.jsonl"]).records()
    assert record == Outgoing(7, b"h", text.encode(), 7)


def test_the_columns_of_a_row_become_the_fields_of_an_event(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    row = "'h' as household_id, 7::bigint as event_time_ms, true as offline, null::varchar as profile_id"
    duckdb.execute(f"copy (select {row}, '007' as event_id) to '{path}'")
    (record,) = Files([path]).records()
    assert json.loads(record.value or b"") == event(7, "h", offline=True, profile_id=None, event_id="007")


@pytest.mark.parametrize("lacking", [{"event_time_ms": 7}, {"household_id": "h"}, event(7, "")])
def test_rows_without_a_household_or_a_time_are_refused_with_their_number(
    tmp_path: Path, lacking: dict[str, object]
) -> None:
    path = lines(tmp_path / "a.jsonl", event(1), lacking)
    with pytest.raises(CannotBackfill, match="1 of 2 rows lack household_id or event_time_ms"):
        Files([path]).look()


def test_other_formats_and_files_without_events_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotBackfill, match=r"\.csv: name files that all end in \.parquet or \.jsonl"):
        Files([tmp_path / "a.csv"])
    with pytest.raises(CannotBackfill, match="no events"):
        Files([lines(tmp_path / "a.jsonl")]).look()


def test_what_a_partition_has_already_is_left_out() -> None:
    records = [Outgoing(n, b"home-%d" % (n % 7), b"%d" % n, n) for n in range(100)]
    of_partition = {number: [r for r in records if partition_of(r.key or b"", 3) == number] for number in range(3)}
    there = {0: 0, 1: 5, 2: len(of_partition[2])}
    rest = list(without_begun(iter(records), there))
    assert rest == sorted(of_partition[0] + of_partition[1][5:])
