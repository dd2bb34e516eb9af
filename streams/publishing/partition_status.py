"""A partition's status, as its worker shares it with the others through Redis.

Owns its fields and their text.
"""

from __future__ import annotations

import time
from typing import NamedTuple


class PartitionHealth(NamedTuple):
    """How far a partition is. `lag`: records behind its source.

    `checkpointed_ms`: when everything read from it was last checkpointed, by its worker's clock.
    """

    stream_time_ms: int
    lag: int
    checkpointed_ms: int


class NotedHealth(NamedTuple):
    """A partition's health, and when its worker noted it, by that worker's clock."""

    health: PartitionHealth
    at_ms: int

    def text(self) -> str:
        """The note's form in Redis."""
        return ":".join(map(str, (*self.health, self.at_ms)))


def read_note(text: bytes) -> NotedHealth:
    """A note from its form in Redis. Older workers wrote no `checkpointed_ms`: the note's own time stands for it."""
    stream_time_ms, lag, *checkpointed_ms, at_ms = map(int, text.split(b":"))
    return NotedHealth(PartitionHealth(stream_time_ms, lag, *(checkpointed_ms or [at_ms])), at_ms)


def now_ms() -> int:
    """This worker's wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
