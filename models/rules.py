"""The thresholds of every rule, as one immutable value.

Owns the numbers of section 1 of the design. It must not know the settings.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Final

import msgspec

from models.dayparts import read_dayparts

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

CELL_MS: Final = 5_000
"""Coverage is kept in cells of five seconds of content."""

UNKNOWN_LENGTH_CELLS: Final = DAY_MS // CELL_MS
"""While a title's length is unknown, cells up to 24 hours of content are kept."""

LONGEST_MEDIA_MS: Final = 7 * DAY_MS
"""No media time lies beyond seven days: a position, runtime or credits mark past it is bad input."""

SHORTEST_GRACE_MS: Final = DAY_MS
"""No settings make an event late that is at most this much behind the stream time."""

LARGEST_EVENT_BYTES: Final = 65_536
"""An event's value is at most 64 KiB: a record above it is a dead letter."""

LARGEST_KEPT_BYTES: Final = 5_000_000
"""A longer key or value of a dead letter or late event is cut, and a header `key_bytes` or `value_bytes` says how long
it was. Otherwise a record that the topic refuses would end every worker that reaches it. The source topic still has the
whole record."""

DEEPEST_NESTING: Final = 500
"""An event's value may nest this deep. Beyond that, whether a decoder can read it depends on the stack that is left."""

SHORTEST_STATED_LENGTH_MS: Final = 60_000
"""A length that an event states counts from one minute on; shorter ones are players' placeholders."""

GAP_PACE_PERCENT: Final = 90
LOOP_PACE_PERCENT: Final = 98
"""A long interval, and one in which a title loops, must have been played for this much of the elapsed time …"""

PACE_SLACK_MS: Final = 5_000
"""… less this much content."""

SHORTEST_SPEED_INTERVAL_MS: Final = 5_000
FASTEST_FOUND_THOUSANDTHS: Final = 2_100
"""An unstated rate is inferred from intervals of at least this length, up to this speed."""

RESTART_MS: Final = 60_000
"""A smaller `seq` more than this after a session's latest event means that the player started numbering again."""

REPLAY_MS: Final = 60_000
"""A jump back by at least this much, to a position below it, begins another play."""

MOST_SESSIONS: Final = 256
MOST_IDS: Final = 64
MOST_PROFILES: Final = 16
"""The most that a row keeps: sessions, ids at one place of a session, and profiles that have completed."""

RETURN_DAYS: Final = (1, 7, 28)
"""A completion counts as returned if the household's next one is within this many days."""

AUDIENCE_WEEKS: Final = 104
"""A row remembers which of this many weeks before its newest one were reached."""

MOST_SLICES: Final = 100
"""A curve has at most this many slices."""


DAYPARTS: Final = "before_school=06:00-08:30/mon-fri,after_school=15:00-18:00/mon-fri,evening=18:00-23:00"
"""Households' local times; the rest of the day is `other` (`models.dayparts`)."""


@dataclass(frozen=True)
class Rules:
    """Thresholds; durations in milliseconds, shares in whole percent. Defaults: the design, section 1."""

    completion_percent: int = 80
    end_percent: int = 90
    watcher_percent: int = 70
    skimmer_percent: int = 90
    skimmer_covered_percent: int = 50
    starter_ms: int = 120_000
    viewer_ms: int = 300_000
    play_ms: int = 1_000
    autoplay_play_ms: int = 120_000
    audience_ms: int = 120_000
    longest_interval_ms: int = 4 * HOUR_MS
    gap_ms: int = 1_800_000
    spread_ms: int = 900_000
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

    def __reduce__(self) -> tuple[type[Rules], tuple[int | str, ...]]:
        # Compiled fields are not in a dictionary: pickle would set each, which a frozen class refuses.
        return Rules, astuple(self)

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change if any threshold changes."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]
