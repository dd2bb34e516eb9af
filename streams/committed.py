"""What a committed checkpoint tells readers: the one thing that passes from checkpoints to publishing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.tallies import TallyKey


class Committed(NamedTuple):
    """What a committed checkpoint has to say to readers."""

    partition: int
    incarnation: int
    sequence: int
    stream_time_ms: int
    stream: list[int]
    tallies: Mapping[TallyKey, list[int] | None]
    """None: it has left, and is not kept any more."""
    recounts: bool = False
    """A rebuild is under way in the partition: readers keep seeing what they see."""
