"""A title's audience by week, as bars: new, returning and resurrected households.

Owns the data of the chart; the browser draws it.
"""

from __future__ import annotations

import msgspec

from models.windows import DAYS_A_WEEK, audience_week_name
from streams.dashboard.figure import count, share
from streams.display.measures import audience_by_week, newest_week
from streams.reader import AudienceWeek, Profile

_CLASSES = ("returning", "resurrected", "new")
"""The parts of a bar, from bottom to top."""


class Stack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A vertical bar of several parts, from bottom to top."""

    shares: tuple[float, ...]
    says: str
    tick: str = ""
    so_far: bool = False


class Stacks(msgspec.Struct, frozen=True):
    """Bars from left to right. `parts`: the names of their parts."""

    parts: tuple[str, ...]
    bars: tuple[Stack, ...]
    top: str


def audience_stacks(profile: Profile) -> Stacks | None:
    """The households reached in each week, by class; None: nobody was reached."""
    newest = newest_week([profile])
    weeks = audience_by_week(profile.audience, newest)
    if not weeks:
        return None
    largest = max(week.reached for week in weeks)
    bars = tuple(_stack(week, largest, week.name >= audience_week_name(newest)) for week in weeks)
    return Stacks(_CLASSES, bars, count(largest).text)


def _stack(week: AudienceWeek, largest: int, so_far: bool) -> Stack:
    values = [getattr(week, name) for name in _CLASSES]
    parts = ", ".join(f"{value:,} {name}" for name, value in zip(_CLASSES, values, strict=True))
    says = f"{week.name}, from {week.monday}{', so far' if so_far else ''}: {week.reached:,} reached: {parts}"
    # The week of a month's first Monday is labelled with the month.
    tick = f"{week.monday:%b}" if week.monday.day <= DAYS_A_WEEK else ""
    return Stack(tuple(share(value, largest) for value in values), says, tick, so_far)
