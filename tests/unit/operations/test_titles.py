"""Files of title rows: what is a title is read, what is none is reported with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import read_title
from streams.operations.titles import latest_titles, read_rows


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


def test_lines_are_counted_through_all_elements_of_an_array() -> None:
    content = b"[\n" + b'{"title_id":"a"},\n7,\n' * 300 + b"]"
    rows, bad = read_rows(content)
    assert (len(rows), [problem.line for problem in bad]) == (300, list(range(3, 603, 2)))


@pytest.mark.parametrize(("numbers", "read"), [(7_278, 1), (7_279, 1), (7_280, 0)])
def test_a_row_is_judged_as_it_will_be_written(numbers: int, read: int) -> None:
    # 1E5 is written as 100000.0, and a comma.
    content = b'{"title_id":"a","x":[' + b", ".join([b"1E5"] * numbers) + b"]}"
    rows, bad = read_rows(content)
    assert (len(rows), len(bad)) == (read, 1 - read)
    wide = b'[{"title_id":"a",' + b" " * 70_000 + b'"x":1}]'
    assert read_rows(wide) == ([{"title_id": "a", "x": 1}], [])


FILM, OTHER = b'{"title_id":"film","mood":"calm"}', b'{"title_id":"film","runtime_ms":1}'


@pytest.mark.parametrize(
    ("values", "latest"),
    [
        ([FILM], {"title_id": "film", "mood": "calm"}),
        ([FILM, OTHER], {"title_id": "film", "runtime_ms": 1}),
        ([OTHER, FILM], {"title_id": "film", "mood": "calm"}),
        ([FILM, None], None),
        ([FILM, None, OTHER], {"title_id": "film", "runtime_ms": 1}),
        ([OTHER, b"no title"], {"title_id": "film", "runtime_ms": 1}),
        ([OTHER, b""], {"title_id": "film", "runtime_ms": 1}),
        ([b'{"title_id":"film","runtime_ms":1,"is_kids":null,"x":1e999}'], {"title_id": "film", "runtime_ms": 1}),
    ],
)
def test_of_a_stored_title_the_latest_row_that_can_be_read_holds(values: list[bytes | None], latest) -> None:
    records = [(b"film", value) for value in values]
    assert latest_titles([(b"other", b"{}"), *records, (b"\xff", None)]) == ({"film": latest} if latest else {})


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
