"""An export file as a whole: order, counts, and the runtimes that the catalog lacks."""

import csv
import json
from pathlib import Path

import pytest

from models.sources.netflix_export import COLUMNS, Viewer
from streams.importing import Import, NotAnExport, read_export, title_ids

MINUTE_MS = 60_000


def _row(title: str, start: str, *steps: tuple[str, int, int]) -> list[str]:
    names = ("eventType", "sessionOffsetMs", "mediaOffsetMs")
    traces = json.dumps([dict(zip(names, step, strict=True)) for step in steps])
    return ["Mia", title, "TV", f"2020-03-14 {start}", "US", traces]


def _read(folder: Path, *rows: list[str]) -> Import:
    path = folder / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    seen: list[int] = []
    found = read_export(path, Viewer("household-1"), seen.append)
    assert seen[-1:] == [path.stat().st_size] * bool(rows)
    return found


def test_records_go_out_in_the_order_of_event_time_stamped_with_it(tmp_path: Path) -> None:
    late = _row("Late", "18:00:10", ("start", 0, 0), ("playing", 500, 0))
    early = _row("Early", "18:00:00", ("start", 0, 0), ("paused", 30_000, 0), ("stopped", 10_200, 0))
    items = list(_read(tmp_path, late, early).items())
    events = [json.loads(item.value or b"") for item in items]
    assert [(event["title_id"], event["seq"]) for event in events] == [
        ("Early", 0),
        ("Late", 0),
        ("Early", 2),
        ("Late", 1),
        ("Early", 1),
    ]
    assert [item.timestamp_ms for item in items] == [event["event_time_ms"] for event in events]
    assert {item.key for item in items} == {b"household-1"}


def test_rows_read_empty_and_bad_are_counted(tmp_path: Path) -> None:
    found = _read(tmp_path, _row("A", "18:00:00", ("start", 0, 0)), _row("B", "18:00:00"), ["?"])
    assert (found.rows, found.empty_rows, [bad.line for bad in found.bad_rows]) == (2, 1, [4])


@pytest.mark.parametrize(("seen_ms", "runtimes"), [(59_999, []), (60_000, [60_000]), (60_001, [60_001])])
def test_largest_position_of_a_minute_or_more_is_the_runtime(tmp_path: Path, seen_ms, runtimes) -> None:
    found = _read(tmp_path, _row("A", "18:00:00", ("start", 0, seen_ms), ("stopped", 10, 500)))
    assert [row["runtime_ms"] for row in found.missing_titles({})] == runtimes
    assert found.titles_without_length({}) == 1 - len(runtimes)


def test_a_runtime_of_the_catalog_stays_and_other_fields_of_its_row_too(tmp_path: Path) -> None:
    steps = ("start", 0, 5 * MINUTE_MS)
    found = _read(tmp_path, _row("A", "18:00:00", steps), _row("B", "18:00:00", steps))
    catalog = {"A": {"title_id": "A", "runtime_ms": 1}, "B": {"title_id": "B", "name": "Bee", "is_kids": True}}
    assert found.missing_titles(catalog) == [
        {"title_id": "B", "name": "Bee", "is_kids": True, "runtime_ms": 5 * MINUTE_MS}
    ]


def test_trailers_get_no_runtime(tmp_path: Path) -> None:
    found = _read(tmp_path, _row("A (Trailer)", "18:00:00", ("start", 0, 5 * MINUTE_MS)))
    assert (found.missing_titles({}), found.titles_without_length({})) == ([], 0)


def test_titles_of_the_catalog_are_found_by_their_names() -> None:
    rows = {"t1": {"title_id": "t1", "name": "Paper Boats"}, "t2": {"title_id": "t2"}}
    assert title_ids(rows) == {"Paper Boats": "t1"}


def test_a_file_of_other_columns_is_refused_with_the_column_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Start Time,Title\n", "utf-8")
    with pytest.raises(NotAnExport, match=r"other\.csv: line 1: no column 'Profile Name'"):
        read_export(path, Viewer("household-1"), lambda done: None)
