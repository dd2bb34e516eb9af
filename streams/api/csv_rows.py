"""Results as CSV (RFC 4180): a line of names, then one for each result, in UTF-8, ended by CR and LF.

A spreadsheet takes a text that begins with `=`, `+`, `-` or `@` for a formula, and runs it. Ids and names come from
those who send events, so such a text gets an apostrophe in front. JSON and Parquet have every text as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import msgspec

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_head(kind: type[msgspec.Struct]) -> bytes:
    """The line of names."""
    return _lines([kind.__struct_fields__])


def csv_rows(rows: Iterable[msgspec.Struct]) -> bytes:
    """The lines of results. What is unknown is empty, a truth 1 or 0."""
    return _lines([_cell(value) for value in msgspec.structs.astuple(row)] for row in rows)


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return int(value) if isinstance(value, bool) else value
