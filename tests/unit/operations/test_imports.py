"""A file as a whole: what it is told to be, the order of its events, the catalog rows it adds, and its account."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.sources.reading import FileOwner, NotImportable
from streams.cli.importing import importing
from streams.operations.imports import Import, in_catalog, read_import

EVENTS = ("Profile Name", "Title Description", "Device", "Playback Start Utc Ts", "Country", "Playtraces")
ACTIVITY = ("Profile Name", "Start Time", "Duration", "Title", "Supplemental Video Type", "Bookmark")
MINUTE_MS = 60_000


def _table(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def _row(title: str, start: str, *steps: tuple[str, int, int]) -> tuple[str, ...]:
    names = ("eventType", "sessionOffsetMs", "mediaOffsetMs")
    traces = json.dumps([dict(zip(names, step, strict=True)) for step in steps])
    return ("Mia", title, "TV", f"2020-03-14 {start}", "US", traces)


def _stay(title: str, minutes: int, reached: int, kind: str = "", start: str = "18:00:00") -> tuple[str, ...]:
    return ("Mia", f"2020-03-14 {start}", f"0:{minutes:02}:00", title, kind, f"0:{reached:02}:00")


def _events(folder: Path, *rows: tuple[str, ...]) -> Import:
    return read_import(_table(folder / "e.csv", EVENTS, *rows), FileOwner("household-1"))


def _activity(folder: Path, *rows: tuple[str, ...]) -> Import:
    return read_import(_table(folder / "a.csv", ACTIVITY, *rows), FileOwner("household-1"))


def test_file_is_told_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = _table(tmp_path / "PlaybackRelatedEvents.csv", ACTIVITY, _stay("Paper Boats", 1, 1))
    assert read_import(path, FileOwner("household-1")).format_name == "Netflix viewing activity (ViewingActivity.csv)"


def test_records_go_out_in_the_order_of_event_time_stamped_with_it(tmp_path: Path) -> None:
    late = _row("Late", "18:00:10", ("start", 0, 0), ("playing", 500, 0))
    early = _row("Early", "18:00:00", ("start", 0, 0), ("paused", 30_000, 0), ("stopped", 10_200, 0))
    items = list(_events(tmp_path, late, early).items())
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
    found = _events(tmp_path, _row("A", "18:00:00", ("start", 0, 0)), _row("B", "18:00:00"), ("?",))
    assert (found.rows, found.reading.empty_rows, [bad.line for bad in found.bad_rows]) == (2, 1, [4])


@pytest.mark.parametrize(("seen_ms", "runtimes"), [(599_999, []), (600_000, [600_000]), (600_001, [600_001])])
def test_largest_position_of_ten_minutes_or_more_is_the_runtime(tmp_path: Path, seen_ms, runtimes) -> None:
    found = _events(tmp_path, _row("A", "18:00:00", ("start", 0, seen_ms), ("stopped", 10, 500)))
    assert [row["runtime_ms"] for row in found.missing_titles({})] == runtimes
    assert found.titles_without_length({}) == 1 - len(runtimes)


def test_largest_position_is_one_that_is_stated_and_not_one_that_is_made_up(tmp_path: Path) -> None:
    found = _activity(tmp_path, _stay("A", 50, 5))
    assert [event["seek_from_ms"] for event in found.events if "seek_from_ms" in event] == [45 * MINUTE_MS]
    assert found.missing_titles({}) == []


def test_a_runtime_of_the_catalog_stays_and_other_fields_of_its_row_too(tmp_path: Path) -> None:
    steps = ("start", 0, 15 * MINUTE_MS)
    found = _events(tmp_path, _row("A", "18:00:00", steps), _row("B", "18:00:00", steps))
    catalog = {"A": {"title_id": "A", "runtime_ms": 1}, "B": {"title_id": "B", "name": "Bee", "is_kids": True}}
    assert found.missing_titles(catalog) == [
        {"title_id": "B", "name": "Bee", "is_kids": True, "runtime_ms": 15 * MINUTE_MS}
    ]


def test_series_part_of_a_name_is_the_franchise_unless_the_catalog_names_another(tmp_path: Path) -> None:
    known, new = "Paper Boats: Season 1: Ebb", "Paper Boats: Season 1: Flood"
    found = _activity(tmp_path, _stay(known, 10, 10), _stay(new, 2, 2))
    catalog = {known: {"title_id": known, "franchise_id": "pb"}}
    assert found.missing_titles(catalog) == [
        {"name": known, "title_id": known, "franchise_id": "pb", "runtime_ms": 10 * MINUTE_MS},
        {"name": new, "title_id": new, "franchise_id": "Paper Boats"},
    ]


def test_trailers_get_no_row(tmp_path: Path) -> None:
    found = _events(tmp_path, _row("A (Trailer)", "18:00:00", ("start", 0, 15 * MINUTE_MS)))
    assert (found.missing_titles({}), found.titles_without_length({})) == ([], 0)


def test_viewer_in_a_catalog_knows_its_ids_by_name_and_its_runtimes() -> None:
    rows = {"t1": {"title_id": "t1", "name": "Paper Boats", "runtime_ms": 5}, "t2": {"title_id": "t2"}}
    viewer = in_catalog(FileOwner("household-1"), rows)
    assert (viewer.title_ids, viewer.runtimes_ms) == ({"Paper Boats": "t1"}, {"t1": 5})


@pytest.mark.parametrize(("length", "kept"), [(255, True), (256, True), (257, False)])
def test_name_that_is_longer_than_an_id_may_be_is_cut_in_the_id_and_whole_in_the_catalog(
    tmp_path: Path, length, kept
) -> None:
    name = "é" * (length // 2) + "x" * (length % 2)
    found = _activity(tmp_path, _stay(name, 10, 10))
    (row,) = found.missing_titles({})
    assert row["name"] == name
    assert (row["title_id"] == name, len(row["title_id"].encode()) <= 256) == (kept, True)


def test_viewing_activity_gives_kinds_and_the_times_of_rows_without_player_events(tmp_path: Path) -> None:
    path = _table(
        tmp_path / "e.csv",
        EVENTS,
        _row("Shown First", "18:00:00", ("start", 0, 0), ("playing", 0, 0), ("stopped", 60_000, 60_000)),
        _row("Paper Boats", "18:30:00"),
    )
    beside = _table(
        tmp_path / "a.csv",
        ACTIVITY,
        _stay("Shown First", 1, 1, "HOOK"),
        _stay("Paper Boats", 2, 12, start="18:30:00"),
    )
    alone, joined = read_import(path, FileOwner("household-1")), read_import(path, FileOwner("household-1"), beside)
    assert (alone.reading.told_ms, alone.reading.promotional_ms) == (MINUTE_MS, 0)
    assert (joined.reading.told_ms, joined.reading.promotional_ms) == (3 * MINUTE_MS, MINUTE_MS)
    assert [event["position_ms"] for event in joined.events if event["title_id"] == "Paper Boats"] == [
        10 * MINUTE_MS,
        11 * MINUTE_MS,
        12 * MINUTE_MS,
    ]


def test_viewing_activity_is_joined_to_playback_events_only_and_must_be_one(tmp_path: Path) -> None:
    events = _table(tmp_path / "e.csv", EVENTS, _row("Paper Boats", "18:00:00"))
    activity = _table(tmp_path / "a.csv", ACTIVITY, _stay("Paper Boats", 1, 1))
    with pytest.raises(NotImportable, match="joined to PlaybackRelatedEvents"):
        read_import(activity, FileOwner("household-1"), activity)
    with pytest.raises(
        NotImportable, match=r"e\.csv is Netflix playback events .*, accepted: Netflix viewing activity"
    ):
        read_import(events, FileOwner("household-1"), events)


def test_account_says_what_was_told_what_is_delivered_and_why_the_rest_is_not(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "Playback Start Datetime (UTC),Seconds Viewed,Title,Material Type Description\n"
        "2020-03-14T18:00:00Z,5400,Paper Boats,Feature\n"
        "2020-03-14T18:00:00Z,90,Paper Boats,Trailer\n"
        "2020-03-14T20:00:00Z,1800,News,Live\n"
        "then,60,Paper Boats,Feature\n",
        "utf-8",
    )
    assert list(read_import(path, FileOwner("household-1")).account()) == [
        "2.0 h of viewing in the file; 1.5 h to be delivered, 1.5 min of them trailers and the like, which count for"
        " nothing",
        "  30.0 min not: live television, which is no title",
        "  1 rows could not be read: how long they tell of is not known",
    ]


def test_refusal_names_the_file_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text('Title,Date\n"Paper Boats","3/14/20"\n', "utf-8")
    with pytest.raises(NotImportable) as refused:
        read_import(path, FileOwner("household-1"))
    said = str(refused.value)
    assert said.startswith(f"{path}: Netflix viewing history (NetflixViewingHistory.csv)") and "\n" not in said
    assert "ViewingActivity.csv" in said and "netflix.com/account/getmyinfo" in said


def _command(*arguments: str) -> Result:
    return CliRunner().invoke(importing, arguments, env={"ENCORE_KAFKA": "127.0.0.1:1"})


def test_command_says_what_the_file_is_and_fails_where_nothing_follows_from_it(tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", ACTIVITY, ("Mia", "then", "0:01:00", "Paper Boats", "", "0:01:00"))
    done = _command(str(path), "--household", "home")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{path}: Netflix viewing activity (ViewingActivity.csv)",
        "0 rows read, 0 of them without viewing; 1 rows skipped",
        "0.0 min of viewing in the file; 0.0 min to be delivered",
        "  1 rows could not be read: how long they tell of is not known",
    ]
    assert done.stderr.splitlines() == [
        f"{path}: line 2: Start Time is 'then', accepted: YYYY-MM-DD HH:MM:SS; skipped",
        f"Error: nothing was delivered: no event follows from {path}",
    ]


def test_command_refuses_a_file_that_tells_too_little_in_one_line(tmp_path: Path) -> None:
    done = _command(
        str(_table(tmp_path / "h.csv", ("Title", "Date"), ("Paper Boats", "3/14/20"))), "--household", "home"
    )
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    ("household", "message"),
    [
        ("", "accepted: one or more printable characters"),
        ("a\tb", "accepted: one or more printable characters"),
        ("h" * 255, "nothing was delivered"),
        ("h" * 256, "nothing was delivered"),
        ("h" * 257, "at most 256 bytes"),
    ],
)
def test_household_is_an_id_of_at_most_256_bytes(tmp_path: Path, household: str, message: str) -> None:
    path = _table(tmp_path / "a.csv", ACTIVITY)
    assert message in _command(str(path), "--household", household).stderr


def test_time_zone_that_is_no_iana_name_is_refused(tmp_path: Path) -> None:
    done = _command(str(_table(tmp_path / "a.csv", ACTIVITY)), "--household", "home", "--time-zone", "Berlin")
    assert (done.exit_code, "accepted: an IANA name" in done.stderr) == (2, True)
