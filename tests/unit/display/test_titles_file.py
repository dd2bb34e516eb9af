"""Names and lengths of titles, by the rows of a file."""

from __future__ import annotations

from streams.display.titles_file import Names
from streams.reader import Title


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


def test_titles_are_called_what_redis_calls_them_unless_the_file_names_them() -> None:
    names = Names([{"title_id": "a", "name": "A", "runtime_ms": 60_000}])
    shown = [Title(title_id=each, name=name, version=1, complete=True) for each, name in (("a", "B"), ("b", "C"))]
    found = names.of([*shown, Title(title_id="c", version=1, complete=True), None])
    assert (found, found.lengths_ms, names) == ({"a": "A", "b": "C"}, {"a": 60_000}, {"a": "A"})
