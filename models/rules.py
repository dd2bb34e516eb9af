"""The thresholds of every rule, as one immutable value.

Owns the numbers of section 1 of the design and nothing else. It must not know where they were set.
"""

from __future__ import annotations

import hashlib

import msgspec

from models.dayparts import read_dayparts

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

CELL_MS = 5_000
"""Coverage is kept in cells of five seconds of content."""

UNKNOWN_LENGTH_CELLS = DAY_MS // CELL_MS
"""While a title's length is unknown, cells up to 24 hours of content are kept."""

LONGEST_MEDIA_MS = 7 * DAY_MS
"""No media time lies beyond seven days: a position, runtime or credits mark past it is bad input."""

LARGEST_EVENT_BYTES = 65_536
"""An event's value is at most 64 KiB: a record above it is a dead letter."""

DEEPEST_NESTING = 500
"""An event's value nests at most so deep. What a decoder takes beyond depends on the stack it is called on."""

SHORTEST_STATED_LENGTH_MS = 60_000
"""A length that an event states counts from one minute on; shorter ones are players' placeholders."""


DAYPARTS = "before_school=06:00-08:30/mon-fri,after_school=15:00-18:00/mon-fri,evening=18:00-23:00"
"""Households' local times; the rest of the day is `other` (`models.dayparts`)."""


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds; durations in milliseconds, shares in whole percent. Defaults: the design, section 1."""

    completion_percent: int = 90
    watcher_percent: int = 70
    skimmer_percent: int = 90
    starter_ms: int = 120_000
    viewer_ms: int = 300_000
    play_ms: int = 1_000
    autoplay_play_ms: int = 120_000
    longest_interval_ms: int = 1_800_000
    allowance_ms: int = 5_000
    pace_percent: int = 102
    grace_ms: int = 30 * DAY_MS
    future_ms: int = 300_000
    hour_grace_ms: int = 72 * HOUR_MS
    forget_ms: int = 730 * DAY_MS
    watching_ms: int = 300_000
    streak_day_ms: int = 300_000
    dayparts: str = DAYPARTS

    def __post_init__(self) -> None:
        read_dayparts(self.dayparts)
        if self.watcher_percent > self.completion_percent:
            raise ValueError("watcher_percent: accepted: at most the completion_percent")

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ where any threshold differs."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]
