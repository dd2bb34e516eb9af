"""Files of title rows: what is a title is read, what is none is reported with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import read_title
from streams.titles import read_rows


def test_json_lines_are_read_row_by_row_and_blank_lines_are_none() -> None:
    content = b'{"title_id":"a","runtime_ms":60000}\n\n{"title_id":"b","mood":"calm"}\n'
    assert read_rows(content) == ([{"title_id": "a", "runtime_ms": 60000}, {"title_id": "b", "mood": "calm"}], [])


def test_an_array_is_read_element_by_element() -> None:
    content = '[\n {"title_id": "a"},\n {"title_id": "ä]"}\n]\n'.encode()
    assert read_rows(content) == ([{"title_id": "a"}, {"title_id": "ä]"}], [])


@pytest.mark.parametrize(
    "row", ['{"title_id":""}', '{"title_id":3}', "{}", "7", '{"title_id":"b","runtime_ms":"long"}', '{"title_id":']
)
def test_a_bad_row_is_reported_with_its_line_and_the_others_are_read(row: str) -> None:
    rows, bad = read_rows(f'{{"title_id":"a"}}\n{row}\n{{"title_id":"c"}}'.encode())
    assert [good["title_id"] for good in rows] == ["a", "c"]
    assert [problem.line for problem in bad] == [2]


def test_a_bad_element_of_an_array_is_reported_with_the_line_where_it_begins() -> None:
    rows, bad = read_rows(b'[{"title_id":"a"},\n\n {"title_id":\n7}, {"title_id":"c"}]')
    assert ([row["title_id"] for row in rows], [problem.line for problem in bad]) == (["a", "c"], [3])


def test_the_broken_rest_of_an_array_is_one_bad_row() -> None:
    rows, bad = read_rows(b'[{"title_id":"a"},\n{"title_id":"b"\n')
    assert ([row["title_id"] for row in rows], [problem.line for problem in bad]) == (["a"], [2])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5), st.booleans())
def test_every_row_of_a_file_comes_back(ids: list[str], as_array: bool) -> None:
    rows = [{"title_id": title_id} for title_id in ids]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    content = json.dumps(rows, indent=1) if as_array else lines
    assert read_rows(content.encode()) == (rows, [])


@given(st.one_of(st.binary(), st.binary().map(lambda rest: b"[" + rest)))
def test_any_bytes_are_titles_or_reported(content: bytes) -> None:
    for row in read_rows(content)[0]:
        read_title(row["title_id"].encode(), json.dumps(row).encode())
