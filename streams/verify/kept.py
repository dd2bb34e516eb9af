"""The records of the side topics, as both sides of a comparison hold them.

Owns their fields, and how long keys and values are shortened.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

LONGEST_HELD_BYTES = 100
BEGINNING_BYTES = 60
NOWHERE = -1
"""Partition and offset of a record that counts wherever it is."""


class KeptRecord(NamedTuple):
    """A dead letter or late event: its source record's partition and offset, and its bytes as `held` returns them.

    `key_bytes` and `value_bytes` are the full lengths of a key or value that the topic has cut.
    """

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    key_bytes: int | None = None
    value_bytes: int | None = None


class Milestone(NamedTuple):
    """A milestone: the partition and offset of the record that made it, the key, and the fields of the value.

    Only completions have `rewatch`, only streaks `daypart`; None: the value lacks it.
    """

    partition: int
    offset: int
    key: bytes | None
    milestone: str
    household_id: str
    title_id: str
    event_id: str
    event_time_ms: int
    ordinal: int
    rewatch: bool | None = None
    daypart: str | None = None


def held(data: bytes | None) -> bytes | None:
    """A key or value as a verification holds it: whole, or if it is long its beginning, length and digest."""
    if data is None or len(data) <= LONGEST_HELD_BYTES:
        return data
    digest = blake2b(data, digest_size=12).hexdigest()
    return data[:BEGINNING_BYTES] + b"... (%d bytes, blake2b %b)" % (len(data), digest.encode())
