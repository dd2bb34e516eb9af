"""Names and lengths of titles, by the rows of a file."""

from __future__ import annotations

from streams.display.titles_file import Names


def test_a_title_s_name_and_content_length_are_those_of_its_row() -> None:
    names = Names(
        [
            {"title_id": "a", "name": "A", "runtime_ms": 60_000, "credits_start_ms": 50_000},
            {"title_id": "b", "runtime_ms": 60_000},
            {"title_id": "c", "name": "C", "runtime_ms": 0},
        ]
    )
    assert names == {"a": "A", "c": "C"}
    assert names.lengths_ms == {"a": 50_000, "b": 60_000}
