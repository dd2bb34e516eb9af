"""A file as text and rows, whatever a spreadsheet made of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sources.document import Document
from models.sources.reading import BadRow, FileOwner, NotImportable, Reading
from streams.operations.import_formats import formats, recognized


def _rows(content: bytes) -> list[object]:
    return [str(row) if isinstance(row, BadRow) else row for _, row in Document(content).rows()]


PLAIN = [{"Name": 'a, "b"', "Day": "1", "Place": "x"}]


@pytest.mark.parametrize(
    "content",
    [
        b'Name,Day,Place\n"a, ""b""",1,x\n',
        b'Name;Day;Place\r\n"a, ""b""";1;x\r\n',
        b'Name\tDay\tPlace\r"a, ""b"""\t1\tx\r',
        b'Name;Day;Place\n"a, ""b""";1,x\n',
        b'Name,Day,Place,,\n"a, ""b""",1,x,,\n,,,,\n',
        b'"Name,Day,Place"\n"""a, """"b"""""",1,x"\n',
        b'"Name,Day,Place";;\n"""a, """"b"""""",1,x";;\n',
        b'\xef\xbb\xbfsep=;\nName;Day;Place\n\n"a, ""b""";1;x\n',
        'Name,Day,Place\n"a, ""b""",1,x\n'.encode("utf-16"),
        b"\xfe\xff" + 'Name,Day,Place\n"a, ""b""",1,x\n'.encode("utf-16-be"),
        'Name,Day,Place\n"a, ""b""",1,x\n'.encode("utf-16-be"),
    ],
)
def test_rows_are_the_same_in_every_dialect_and_encoding(content: bytes) -> None:
    assert _rows(content) == PLAIN


def test_letters_of_a_windows_encoding_are_read_where_no_letter_is_utf_8() -> None:
    assert _rows("Name,Day\nMénage,1".encode("cp1252")) == [{"Name": "Ménage", "Day": "1"}]


def test_line_that_is_not_utf_8_is_a_bad_row_where_others_are() -> None:
    assert _rows("Name,Day\nMénage,1\n".encode() + b"M\xe9nage,2") == [
        {"Name": "Ménage", "Day": "1"},
        "line 3: no text: a byte at column 2 is not UTF-8",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [(b"a", "line 2: 1 fields, 2 columns"), (b"a,b,c", "line 2: 3 fields, 2 columns"), (b'"a,b', "line 2: no CSV")],
)
def test_line_that_fits_in_no_dialect_is_a_bad_row(line: bytes, problem: str) -> None:
    (row,) = _rows(b"Name,Day\n" + line)
    assert str(row).startswith(problem)


@pytest.mark.parametrize(
    ("dates", "day_first"), [("12/12/2020", None), ("13/12/2020", True), ("12/13/20", False), ("2020-12-13", None)]
)
def test_date_above_the_twelfth_tells_whether_days_come_first(dates: str, day_first: bool | None) -> None:
    assert Document(f"Name,Day\na,{dates}\nb,1/1/2020\n".encode()).day_first is day_first


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b",,,\n"])
def test_file_without_content_is_said_to_be_empty(content: bytes) -> None:
    with pytest.raises(NotImportable, match="the file is empty"):
        recognized(Document(content))


def test_unknown_file_is_refused_with_what_is_known() -> None:
    with pytest.raises(NotImportable) as refused:
        recognized(Document(b"Name,Day\na,1\n"))
    said = str(refused.value)
    assert said.startswith("no known format; known are ") and "\n" not in said
    assert "ViewingActivity.csv" in said and "Trakt" not in said


def test_file_that_lacks_a_column_of_a_format_is_refused_with_the_column() -> None:
    with pytest.raises(NotImportable, match=r"it looks like Netflix viewing activity .* no column 'Duration'"):
        recognized(Document(b"Profile Name,Start Time,Title\nTom,2020-03-14 18:00:00,Paper Boats\n"))


def test_archive_is_refused_with_the_advice_to_unpack_it() -> None:
    with pytest.raises(NotImportable, match="unpack it"):
        recognized(Document(b"PK\x03\x04\x14\x00"))


HEADERS = [",".join(each.columns) for each in formats().values() if each.columns]
CELLS = st.sampled_from(
    ["Tom", "Paper Boats", "2020-03-14 18:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00", "00:01:30", "168:00:00",
     "100%", "", '"', "[]", '[{"eventType":"start","sessionOffsetMs":0,"mediaOffsetMs":0}]', "HOOK", "90", "1e9"]
) | st.text(max_size=8)  # fmt: skip
TABLES = st.tuples(
    st.sampled_from(HEADERS), st.lists(st.lists(CELLS, min_size=1, max_size=11).map(",".join), max_size=4)
).map(lambda table: "\n".join((table[0], *table[1])).encode(errors="surrogatepass"))


@given(TABLES | st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused_by_name(content: bytes) -> None:
    document = Document(content)
    try:
        reading = recognized(document).read(document, FileOwner("household-1"))
    except NotImportable as problem:
        reading = Reading()
        assert len(str(problem).splitlines()) == 1
    assert 0 <= reading.delivered_ms <= reading.told_ms
