"""When a profile watches, and what it prefers then: kids before and after school, grown-ups in the evening.

Owns times of local days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from streams.tools.simulate.world import SimulatedTitle


class Slot(NamedTuple):
    """A time of the local day at which a profile may watch, with probability `chance`. It begins between `opens` and
    `closes`, in minutes of the day, and watches for `shortest_min` to `longest_min` minutes."""

    opens: int
    closes: int
    chance: float
    shortest_min: int
    longest_min: int


Week = tuple[Sequence[Slot], Sequence[Slot]]
"""The slots of a weekday, and the slots of a day at the weekend."""

WEEKS: Mapping[str, Week] = {
    "kids": (
        (Slot(370, 430, 0.55, 35, 90), Slot(905, 1020, 0.75, 50, 120), Slot(1090, 1170, 0.35, 30, 60)),
        (Slot(420, 600, 0.8, 80, 180), Slot(840, 1000, 0.6, 60, 150)),
    ),
    "general": (
        (Slot(400, 480, 0.1, 20, 40), Slot(1120, 1290, 0.7, 60, 150)),
        (Slot(780, 900, 0.3, 60, 130), Slot(1110, 1290, 0.8, 80, 200)),
    ),
}
"""Ordinary weeks, by the kind of profile."""


class Routine(Protocol):
    """One profile's days. Its methods are called in the order of the simulated clock (Unix ms)."""

    def slots(self, day: date, begins_ms: int) -> Sequence[Slot]:
        """When the profile may watch on a local day, which begins at `begins_ms`."""

    def wish(self, day: date, now_ms: int) -> SimulatedTitle | None:
        """The title that the profile wants to watch now; None: it chooses one. A wish that is returned is used up."""


class Ordinary:
    """The same slots every week, and no wishes."""

    def __init__(self, week: Week) -> None:
        self._week = week

    def slots(self, day: date, begins_ms: int) -> Sequence[Slot]:
        return self._week[is_weekend(day)]

    def wish(self, day: date, now_ms: int) -> SimulatedTitle | None:
        return None


LEAST_LEFT = 1 / 64
"""What fades never falls below this share."""


class Fading:
    """A week that fades: from `since_ms` on, the chance of each slot halves with every half-life."""

    def __init__(self, week: Week, since_ms: int, half_life_ms: int) -> None:
        self._week = week
        self._since_ms, self._half_life_ms = since_ms, half_life_ms

    def left(self, at_ms: int) -> float:
        """The share that is left at a time; 1 at first."""
        half_lives = max(0, at_ms - self._since_ms) / self._half_life_ms
        return max(LEAST_LEFT, float(0.5**half_lives))

    def slots(self, day: date, begins_ms: int) -> Sequence[Slot]:
        return scaled(self._week[is_weekend(day)], self.left(begins_ms))

    def wish(self, day: date, now_ms: int) -> SimulatedTitle | None:
        return None


def is_weekend(day: date) -> bool:
    """Whether a day is a Saturday or Sunday."""
    return day.weekday() >= 5


def seldom(week: Week, share: float) -> Week:
    """The same week, with the chance of each slot multiplied by `share`."""
    weekday, weekend = week
    return scaled(weekday, share), scaled(weekend, share)


def scaled(slots: Sequence[Slot], share: float) -> Sequence[Slot]:
    """The same slots, with the chance of each multiplied by `share`."""
    return [slot._replace(chance=slot.chance * share) for slot in slots]
