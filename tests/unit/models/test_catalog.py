"""Catalog rows: what is read, and the lengths they state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.catalog import BadTitle, CatalogRow, read_title

WEEK_MS = 604_800_000


def read(key: bytes | None = b"film", **fields: Any) -> CatalogRow:
    return read_title(key, json.dumps({"title_id": "film"} | fields).encode())


def test_a_row_is_read_with_all_its_fields_and_unknown_ones_ignored() -> None:
    fields: dict[str, Any] = {
        "name": "A film", "franchise_id": "saga", "runtime_ms": 7_200_000, "credits_start_ms": 7_000_000,
        "release_time_ms": -1, "content_kind": "main", "is_kids": True,
    }  # fmt: skip
    assert read(**fields, studio="?") == CatalogRow("film", **fields)


@pytest.mark.parametrize(
    ("fields", "length_ms", "runtime_ms"),
    [
        ({}, 0, 0), ({"runtime_ms": 0}, 0, 0), ({"runtime_ms": -5}, 0, 0), ({"runtime_ms": 1}, 1, 1),
        ({"runtime_ms": 100, "credits_start_ms": 90}, 90, 100), ({"runtime_ms": 100, "credits_start_ms": 0}, 100, 100),
        ({"runtime_ms": 100, "credits_start_ms": -1}, 100, 100), ({"credits_start_ms": 90}, 90, 0),
        ({"runtime_ms": None, "credits_start_ms": None}, 0, 0), ({"runtime_ms": WEEK_MS}, WEEK_MS, WEEK_MS),
    ],
)  # fmt: skip
def test_the_length_is_the_credits_mark_else_the_runtime(
    fields: dict[str, Any], length_ms: int, runtime_ms: int
) -> None:
    row = read(**fields)
    assert (row.length_ms, row.known_runtime_ms) == (length_ms, runtime_ms)


@pytest.mark.parametrize(
    ("kind", "is_main"),
    [(None, True), ("main", True), ("trailer", False), ("preview", False), ("recap", False), ("bonus", False)],
)
def test_only_main_titles_are_counted(kind: str | None, is_main: bool) -> None:
    assert read(content_kind=kind).is_main is is_main


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        (None, {}), (b"another", {}), (b"film", {"title_id": None}), (b"", {"title_id": ""}),
        (b"film", {"runtime_ms": WEEK_MS + 1}), (b"film", {"credits_start_ms": WEEK_MS + 1}),
        (b"film", {"runtime_ms": 5.0}), (b"film", {"runtime_ms": True}), (b"film", {"content_kind": "film"}),
        (b"film", {"is_kids": 1}), (b"film", {"name": 5}), (b"film", {"name": "x" * 65_536}),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_refused_with_a_reason(key: bytes | None, fields: dict[str, Any]) -> None:
    with pytest.raises(BadTitle, match=r"."):
        read(key, **fields)


BROKEN = [b"", b"null", b"[]", b'"film"', b'{"title_id": "film"', b"\xff", b'{"title_id": "f\xff"}']


@pytest.mark.parametrize("value", BROKEN)
def test_bytes_that_are_no_row_are_refused(value: bytes) -> None:
    with pytest.raises(BadTitle, match=r"."):
        read_title(b"film", value)
