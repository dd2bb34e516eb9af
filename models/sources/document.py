"""A file as text and rows, even after a spreadsheet has changed it.

Owns encodings and dialects: UTF-16, byte order marks, other separators, lines quoted as a whole, trailing separators.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import msgspec

from models.sources.reading import BadRow, UnreadableField

SEPARATORS = ",;\t"
NOTHING = SEPARATORS + " \x00"
"""A line that consists only of these is an empty row of a spreadsheet."""

BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

_LINE_END = re.compile(r"\r\n|\n|\r")
_QUOTED_OR_SEPARATOR = re.compile(r'"(?:[^"]|"")*"|[;\t]')
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(?:\d{4}|\d\d)(?![\d/])")
_SPREADSHEET_HINT = re.compile(r"sep=.\s*")

Cells = dict[str, str]


class Document:
    """A file's content: `text`, its non-empty `lines` with their numbers, its columns, or its JSON."""

    def __init__(self, content: bytes) -> None:
        self.text = text_of(content)
        lines = enumerate(_LINE_END.split(self.text), 1)
        self.lines = [(number, line) for number, line in lines if line.strip(NOTHING) and not _is_hint(number, line)]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The fields of the first line; empty if it has no separator."""
        return tuple(name.strip() for name in self._first[1])

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these are columns of the file."""
        return set(names) <= set(self.columns)

    @cached_property
    def json(self) -> Any:
        """The decoded JSON; None: the file is not JSON."""
        if self.text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            return msgspec.json.decode(self.text.encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None

    @cached_property
    def day_first(self) -> bool | None:
        """Whether dates such as 14/03/2020 begin with the day; None: no date of the file shows it."""
        dates = [(int(first), int(second)) for first, second in _SLASHED.findall(self.text)]
        if any(first > 12 for first, _ in dates):
            return True
        return False if any(second > 12 for _, second in dates) else None

    def rows(self) -> Iterator[tuple[int, Cells | BadRow]]:
        """Yield the lines below the header: number, and fields by column name or a `BadRow`."""
        for number, fields in self.records(1):
            yield number, fields if isinstance(fields, BadRow) else dict(zip(self.columns, fields, strict=True))

    def records(self, skip: int = 0) -> Iterator[tuple[int, list[str] | BadRow]]:
        """Yield the lines after the first `skip`: number, and as many fields as the first line has or a `BadRow`."""
        separator, first = self._first
        for number, line in self.lines[skip:]:
            try:
                yield number, _fields(line, separator, len(first))
            except UnreadableField as problem:
                yield number, BadRow(number, str(problem))

    @cached_property
    def _first(self) -> tuple[str, list[str]]:
        """The separator that gives the first line the most fields, and these fields."""
        line = self.lines[0][1] if self.lines else ""
        found: tuple[str, list[str]] = (",", [])
        for text in (line, *_unquoted(line)):
            for separator in SEPARATORS:
                fields = _without_empty_tail(_split(text, separator) or [], 0)
                found = max(found, (separator, fields), key=lambda each: len(each[1]))
        return found


def text_of(content: bytes) -> str:
    """The text of a file. Bytes that cannot be decoded become lone surrogates, which make their row a bad one."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors=_KEEPING[encoding])
    head = content[:1000]
    if head.count(0) * 3 > len(head):
        encoding = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
        return content.decode(encoding, errors=_KEEPING[encoding])
    return _utf_8_or_windows(content)


_KEEPING = {"utf-8": "surrogateescape", "utf-16-le": "replace", "utf-16-be": "replace"}


def _utf_8_or_windows(content: bytes) -> str:
    """Decode as UTF-8, or as Windows-1252 if nothing beyond ASCII is valid UTF-8: spreadsheets write that."""
    text = content.decode(errors="surrogateescape")
    beyond = [character for character in text if character > "\x7f"]
    if beyond and all("\udc80" <= character <= "\udcff" for character in beyond):
        return content.decode("cp1252", errors="surrogateescape")
    return text


def _is_hint(number: int, line: str) -> bool:
    return number == 1 and _SPREADSHEET_HINT.fullmatch(line) is not None


def _fields(line: str, separator: str, width: int) -> list[str]:
    """The fields of a line, in the dialect that gives it `width` of them. Raises `UnreadableField` if there is none."""
    _must_be_text(line)
    tried = [_split(line, separator)]
    if (fields := _fitting(tried[0], width)) is not None:
        return fields
    for text in (*_unquoted(line), line):
        for attempt in (*(_split(text, each) for each in SEPARATORS), _split(_with_commas(text), ",")):
            if (fields := _fitting(attempt, width)) is not None:
                return fields
    if tried[0] is None:
        raise UnreadableField("no CSV line: its quotes do not match")
    raise UnreadableField(f"{len(tried[0])} fields, {width} columns")


def _must_be_text(line: str) -> None:
    if line.isascii():
        return
    try:
        line.encode()
    except UnicodeEncodeError as problem:
        raise UnreadableField(f"no text: a byte at column {problem.start + 1} is not UTF-8") from None


def _split(line: str, separator: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _fitting(fields: list[str] | None, width: int) -> list[str] | None:
    if fields is None:
        return None
    fields = _without_empty_tail(fields, width)
    return fields if len(fields) == width else None


def _without_empty_tail(fields: list[str], width: int) -> list[str]:
    """The fields without empty ones past `width`, which come from separators at the end of a line."""
    kept = list(fields)
    while len(kept) > width and not kept[-1].strip():
        kept.pop()
    return kept


def _unquoted(line: str) -> list[str]:
    """The line without its quotes, if one pair is around all of it; else empty."""
    whole = _split(line.rstrip(SEPARATORS + " "), ",")
    return whole if whole is not None and len(whole) == 1 and line.startswith('"') else []


def _with_commas(line: str) -> str:
    """The line with every separator outside quotes replaced by a comma: some tools replace only the first ones."""
    return _QUOTED_OR_SEPARATOR.sub(lambda found: "," if found[0] in SEPARATORS else found[0], line)
