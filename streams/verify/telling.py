"""Turns what one event does into milestones and facts, with their time, segment, age and daypart.

It shares no code with `models`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.verify.audience import Move, week_start_ms
from streams.verify.dayparts import Dayparts
from streams.verify.facts import WEEK_MS, WEEKS, Fact, Made, When
from streams.verify.kept import Milestone
from streams.verify.records import RawRecord
from streams.verify.zones import Zone


class EventContext(NamedTuple):
    """An event, its record, and what applies to it: the catalog's row, its zone, the clock, and whether it came in time
    for its hour window."""

    event: dict[str, Any]
    record: RawRecord
    title: dict[str, Any]
    zone: Zone
    clock_ms: int
    in_hour: bool


class Telling:
    """Collects the facts and milestones of one event in `made`."""

    def __init__(self, moment: EventContext, dayparts: Dayparts, made: Made) -> None:
        self.moment = moment
        self.dayparts = dayparts
        self.made = made
        self.zone = moment.zone
        self.when = self.at(moment.event["event_time_ms"])

    def at(self, time_ms: int) -> When:
        """Where a fact of this event counts that belongs to an instant."""
        event, release_ms = self.moment.event, self.moment.title.get("release_time_ms")
        age_ms = -1 if release_ms is None else time_ms - release_ms
        return When(
            event["title_id"],
            time_ms,
            self.moment.in_hour,
            event.get("profile_kind") == "kids",
            age_ms if 0 <= age_ms < WEEKS * WEEK_MS else None,
            self.dayparts.at(self.zone, time_ms)[0],
        )

    def fact(self, kind: str, amount: int = 1, when: When | None = None) -> None:
        self.made.facts.append(Fact(kind, amount, when or self.when))

    def returned(self, days: int, time_ms: int) -> None:
        """Count a completion, made at `time_ms`, as followed within `days` days; in no hour window."""
        self.fact(f"returned_{days}d", when=self.at(time_ms)._replace(in_hour=False, kids=False))

    def audience(self, moves: list[Move]) -> None:
        for week, kind, amount in moves:
            self.fact(kind, amount, self.when._replace(time_ms=week_start_ms(week), in_hour=False, age_ms=None))

    def milestone(self, milestone: str, ordinal: int, *, rewatch: bool | None = None, part: str | None = None) -> None:
        event, (partition, offset, *_) = self.moment.event, self.moment.record
        household_id = event["household_id"]
        self.made.milestones.append(
            Milestone(
                partition, offset, household_id.encode(), milestone, household_id, event["title_id"], event["event_id"],
                event["event_time_ms"], ordinal, rewatch, part,
            )
        )  # fmt: skip
