"""A partition's status, as its worker shares it with the others through Redis.

Owns its fields and their text.
"""

from __future__ import annotations

import time
from typing import NamedTuple


class Health(NamedTuple):
    """`checkpointed_ms` is when all that was read of it had last been checkpointed, by its worker's clock."""

    stream_time_ms: int
    lag: int
    checkpointed_ms: int


class Note(NamedTuple):
    """A partition's health, and when its worker told it."""

    health: Health
    at_ms: int

    def text(self) -> str:
        """The note as it is kept."""
        return ":".join(map(str, (*self.health, self.at_ms)))


def read_note(text: bytes) -> Note:
    """A note as it was kept; one of before there was `checkpointed_ms` was told at the checkpoint."""
    stream_time_ms, lag, *checkpointed_ms, at_ms = map(int, text.split(b":"))
    return Note(Health(stream_time_ms, lag, *(checkpointed_ms or [at_ms])), at_ms)


def now_ms() -> int:
    """The wall clock of this worker."""
    return time.time_ns() // 1_000_000
