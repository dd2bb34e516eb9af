"""Counts that fall as a partition's clock advances: sessions that are watched now, and current streaks.

Computes both at the end of a partition's log, for its clock then or a later one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from models.rules import Rules
from streams.verify.streaks import LEVELS
from streams.verify.viewing import Viewing


class Watched(NamedTuple):
    title_id: str
    last_time_ms: int


class CurrentStreak(NamedTuple):
    """A streak of a household: the number of its daypart, its length, and when it ends."""

    title_id: str
    daypart: int
    length: int
    end_ms: int


class Gauges:
    """The sessions that are watched, and the streaks that are current, at `clock_ms`; forgotten rows do not count.

    Ask for this clock or later ones.
    """

    def __init__(
        self, viewings: Mapping[str, Mapping[str, Viewing]], rules: Rules, *, stream_ms: int, clock_ms: int
    ) -> None:
        self.clock_ms = clock_ms
        self._watching_ms = rules.watching_ms
        self.playing: list[Watched] = []
        self.streaks: list[CurrentStreak] = []
        for title_id, households in viewings.items():
            live = [each for each in households.values() if each.is_live(stream_ms, rules)]
            self.playing += _playing(title_id, live, stream_ms - rules.grace_ms, clock_ms - rules.watching_ms)
            self.streaks += _streaks(title_id, live, clock_ms)

    def watching(self, clock_ms: int) -> Counter[str]:
        """The number of sessions that are watched now, by title."""
        least_ms = clock_ms - self._watching_ms
        return Counter(title_id for title_id, last_time_ms in self.playing if last_time_ms >= least_ms)

    def current_streaks(self, clock_ms: int) -> Counter[tuple[str, int, int]]:
        """How many households have a current streak of each level, by title, daypart and level."""
        return Counter(
            (title_id, daypart, level)
            for title_id, daypart, length, end_ms in self.streaks
            for level in LEVELS
            if clock_ms < end_ms and length >= level
        )


def _playing(title_id: str, live: Iterable[Viewing], remembered_ms: int, least_ms: int) -> list[Watched]:
    return [
        Watched(title_id, session.last_time_ms)
        for viewing in live
        for session in viewing.sessions.values()
        if session.playing and session.largest_time_ms >= remembered_ms and session.last_time_ms >= least_ms
    ]


def _streaks(title_id: str, live: Iterable[Viewing], clock_ms: int) -> list[CurrentStreak]:
    return [
        CurrentStreak(title_id, daypart, streak.length(), streak.end_ms)
        for viewing in live
        for daypart, streak in viewing.habits.streaks.items()
        if clock_ms < streak.end_ms
    ]
