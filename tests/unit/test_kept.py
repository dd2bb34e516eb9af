"""Records set aside, as they are written."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from models.fold import Changes
from streams.kept import LARGEST_KEPT_BYTES, kept_records
from streams.settings import Settings


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@pytest.mark.parametrize(
    ("size", "kept_size", "more"),
    [
        (LARGEST_KEPT_BYTES - 1, LARGEST_KEPT_BYTES - 1, []),
        (LARGEST_KEPT_BYTES, LARGEST_KEPT_BYTES, []),
        (LARGEST_KEPT_BYTES + 1, LARGEST_KEPT_BYTES, [("value_bytes", b"5000001")]),
    ],
)
def test_a_value_that_no_topic_would_take_is_cut_and_says_so(
    size: int, kept_size: int, more: list[tuple[str, bytes]]
) -> None:
    record = Record(7, 0, b"h", b"x" * size)
    (kept,) = kept_records(Changes([], {}, [(record, "too large")], [], []), Settings(), 3)
    where = [("topic", b"playback-events"), ("partition", b"3"), ("offset", b"7"), ("error", b"too large")]
    assert (kept.topic, kept.key, len(kept.value or b"")) == ("encore-dead-letters", b"h", kept_size)
    assert kept.headers == where + more


def test_a_tombstone_is_kept_as_one() -> None:
    (kept,) = kept_records(Changes([], {}, [(Record(0, 0, None, None), "null")], [], []), Settings(), 0)
    assert (kept.key, kept.value) == (None, None)
