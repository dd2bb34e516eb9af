"""Rows of a personal data export as playback events: pairs of a raw file and what it must become."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import read_event
from models.sources.netflix_export import COLUMNS, BadRow, Viewer, content_kind, read_header, read_row

PAIRS = Path(__file__).parent / "netflix_export"
VIEWER = Viewer("household-1", "Europe/Berlin", frozenset({"Mia"}), {"Trailer Park Nights": "tpn"})


def _read(raw: bytes) -> list[dict]:
    """Events and bad rows of a file, in the order of its lines."""
    lines = raw.splitlines(keepends=True)
    found: list[dict] = []
    try:
        header = read_header(lines[0])
    except BadRow as problem:
        return [{"line": problem.line, "reason": problem.reason}]
    for number, line in enumerate(lines[1:], 2):
        try:
            found += read_row(header, number, line, VIEWER)
        except BadRow as problem:
            found.append({"line": problem.line, "reason": problem.reason})
    return found


@pytest.mark.parametrize("raw", sorted(PAIRS.glob("*.csv")), ids=lambda path: path.stem)
def test_raw_file_becomes_what_its_pair_says(raw: Path) -> None:
    expected = [json.loads(line) for line in raw.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    assert _read(raw.read_bytes()) == expected


def test_no_expected_file_lacks_its_raw_one() -> None:
    raw, expected = ({path.stem for path in PAIRS.glob(f"*.{end}")} for end in ("csv", "jsonl"))
    assert raw == expected != set()


@pytest.mark.parametrize("raw", sorted(PAIRS.glob("*.csv")), ids=lambda path: path.stem)
def test_every_event_is_one_that_the_worker_reads(raw: Path) -> None:
    for event in _read(raw.read_bytes()):
        if "reason" not in event:
            read_event(b"household-1", json.dumps(event).encode())


def test_same_row_gives_the_same_events_and_another_household_others() -> None:
    header, line = (PAIRS / "one_sitting.csv").read_bytes().splitlines()
    columns = read_header(header)
    mine, again, others = (
        read_row(columns, number, line, Viewer(household))
        for number, household in ((2, "household-1"), (3, "household-1"), (2, "household-2"))
    )
    assert mine == again
    assert not {event["event_id"] for event in mine} & {event["event_id"] for event in others}


@pytest.mark.parametrize(("media_offset_ms", "position_ms"), [(-1001, None), (-1000, 0), (-1, 0), (0, 0), (1, 1)])
def test_media_offset_up_to_a_second_below_the_start_is_the_start(media_offset_ms, position_ms) -> None:
    trace = f'[{{""eventType"":""start"",""sessionOffsetMs"":0,""mediaOffsetMs"":{media_offset_ms}}}]'
    line = f'Mia,Paper Boats,TV,2020-03-14 18:00:00,US,"{trace}"'.encode()
    if position_ms is None:
        with pytest.raises(BadRow, match="line 7: Playtraces"):
            read_row(COLUMNS, 7, line, VIEWER)
    else:
        assert [event["position_ms"] for event in read_row(COLUMNS, 7, line, VIEWER)] == [position_ms]


def test_byte_order_mark_before_the_header_is_ignored() -> None:
    assert read_header(b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n") == COLUMNS


def test_title_with_the_word_trailer_is_a_trailer_only_in_brackets_at_its_end() -> None:
    kinds = [content_kind(text) for text in ("A (Trailer)", "Trailer Park", "A (Trailer) returns", "A: Recap")]
    assert kinds == ["trailer", "main", "main", "main"]


@given(st.binary())
def test_nothing_but_a_bad_row_leaves_a_header(line: bytes) -> None:
    try:
        read_header(line)
    except BadRow as problem:
        assert problem.line == 1 and "\n" not in problem.reason.strip()


CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["2020-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "[]", "[" * 5000]),
    st.from_regex(
        r'\[\{"eventType":"(start|stopped)","sessionOffsetMs":-?[0-9]{1,20},"mediaOffsetMs":-?[0-9]{1,20}\}\]',
        fullmatch=True,
    ),
)
ROWS = st.lists(CELLS, min_size=6, max_size=6).map(
    lambda cells: ",".join('"' + cell.replace('"', '""') + '"' for cell in cells).encode()
)


@given(st.one_of(st.binary(), ROWS))
def test_nothing_but_a_bad_row_leaves_a_row_and_what_leaves_is_readable(line: bytes) -> None:
    try:
        events = read_row(COLUMNS, 2, line, VIEWER)
    except BadRow as problem:
        assert problem.line == 2
        return
    for event in events:
        read_event(b"household-1", json.dumps(event, ensure_ascii=False).encode())
