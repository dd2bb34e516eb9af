"""What one profile watches: something unfinished, something it prefers, a favourite, or anything else.

Owns a profile's choices, when it gives up, and its sittings in order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from streams.tools.simulate.plan import Plan
from streams.tools.simulate.routine import Routine
from streams.tools.simulate.sitting import Event, Player, SittingPlan, play, play_frozen, uuid_text
from streams.tools.simulate.world import DAY_MS, MINUTE_MS, Shelf, SimulatedHousehold, SimulatedProfile, SimulatedTitle

UPLOAD_GAP_MS = 20
LONGEST_AWAY_MS = 20 * DAY_MS
"""A device is offline for at most this long. A newer title is not watched offline: nobody watches one before its
release."""


SIBLINGS_PROFILE_SHARE = 0.15
"""How often a kid with siblings watches on the profile of one of them."""

THEME_SKIPPED_SHARE, LEFT_AT_CREDITS_SHARE = 0.8, 0.85
"""Shares of the sittings of a title with a theme: those that skip it, and those that leave when the credits start."""


class DueEvent(NamedTuple):
    """An event, and when its device sends it (Unix ms of the simulated clock)."""

    due_ms: int
    event: Event


Played = Generator[DueEvent, None, int]
"""Yields events, and returns the time at the end, on the simulated clock (Unix ms)."""


@dataclass(slots=True)
class Viewer:
    """One profile of a household. `watch` yields everything that it watches."""

    plan: Plan
    rng: Random
    household: SimulatedHousehold
    profile: SimulatedProfile
    kids: Shelf
    general: Shelf
    routine: Routine
    favourites: tuple[SimulatedTitle, ...] = ()
    unfinished: tuple[SimulatedTitle, int] | None = None
    given_up: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.profile.kind == "kids":
            self.favourites = tuple(self.kids.pick(self.rng) for _ in range(self.rng.randrange(1, 4)))

    def watch(self, origin_ms: int) -> Iterator[DueEvent]:
        """Endless events in the order of sending, none before `origin_ms`."""
        zone = ZoneInfo(self.household.time_zone)
        day = datetime.fromtimestamp(origin_ms / 1000, UTC).astimezone(zone).date()
        free_ms = origin_ms
        while True:
            for slot in self.routine.slots(day, _moment(day, 0, zone)):
                begin_ms = _moment(day, self.rng.randrange(slot.opens, slot.closes), zone) + self.rng.randrange(
                    MINUTE_MS
                )
                if self.rng.random() < slot.chance and begin_ms >= free_ms:
                    minutes = self.rng.randrange(slot.shortest_min, slot.longest_min)
                    free_ms = yield from self._evening(day, begin_ms, begin_ms + minutes * MINUTE_MS)
            day += timedelta(days=1)

    def _evening(self, day: date, now_ms: int, until_ms: int) -> Played:
        """Watch one title after another until `until_ms`. Returns when the last one ended."""
        autoplay = False
        while now_ms < until_ms:
            title, position_ms = self._choose(day, now_ms)
            if title.trailer and not position_ms and self.rng.random() < self.plan.trailer_share:
                now_ms = yield from self._sit(title.trailer, 0, now_ms, now_ms + 2 * MINUTE_MS, autoplay)
            now_ms = yield from self._view(title, position_ms, now_ms, until_ms, autoplay)
            now_ms += self.rng.randrange(5_000, 60_000)
            autoplay = self.unfinished is None and self.rng.random() < self.plan.autoplay_share
        return now_ms

    def _choose(self, day: date, now_ms: int) -> tuple[SimulatedTitle, int]:
        wish = self.routine.wish(day, now_ms)
        if self.unfinished and wish in (None, self.unfinished[0]) and self.rng.random() < 0.9:
            return self.unfinished
        if wish:
            return wish, 0
        if self.favourites and self.rng.random() < self.plan.rewatch_share:
            return self.rng.choice(self.favourites), 0
        return self._something_else(), 0

    def _something_else(self) -> SimulatedTitle:
        """A title that was not given up before, if one is found in a few tries."""
        shelf = self.kids if self.favourites else self.general
        looks = [shelf.pick(self.rng) for _ in range(4)]
        return next((title for title in looks if title.title_id not in self.given_up), looks[-1])

    def _view(self, title: SimulatedTitle, position_ms: int, now_ms: int, until_ms: int, autoplay: bool) -> Played:
        """One sitting of a title: given up early, left for later, or watched to its end."""
        if self.rng.random() < self.plan.abandoned_share:
            leave_ms = now_ms + self.rng.randrange(3_000, 115_000)
            over_ms = yield from self._sit(title, position_ms, now_ms, leave_ms, autoplay)
            self.unfinished = None
            return over_ms
        gives_up = not position_ms and self.rng.random() > title.finish
        if gives_up:
            until_ms = min(until_ms, now_ms + int(title.runtime_ms * self.rng.uniform(0.05, 0.6)))
        over_ms = yield from self._sit(title, position_ms, now_ms, until_ms, autoplay)
        if gives_up:
            self.unfinished = None
            self.given_up.add(title.title_id)
        return over_ms

    def _sit(self, title: SimulatedTitle, position_ms: int, now_ms: int, until_ms: int, autoplay: bool) -> Played:
        """One play session. Remembers where it stopped, and returns when, on the simulated clock."""
        numbers = self.rng.random() >= self.plan.unnumbered_share
        player = Player(self.rng, self._facts(title), now_ms, position_ms, numbers=numbers)
        first = {"runtime_ms": title.runtime_ms}
        first |= {"credits_start_ms": title.credits_start_ms} if title.marks_credits else {}
        first |= {"autoplay": True} if autoplay else {}
        events = self._played(player, title, until_ms, first)
        is_kept = self.rng.random() < self.plan.days_late_share
        if is_kept and now_ms - title.release_time_ms > LONGEST_AWAY_MS:
            yield from self._upload(events, now_ms)
        else:
            for event in events:
                yield DueEvent(event["event_time_ms"], event)
        if title.content_kind == "main":
            ended = player.position_ms >= title.credits_start_ms
            self.unfinished = None if ended else (title, player.position_ms)
        return player.now_ms

    def _played(self, player: Player, title: SimulatedTitle, until_ms: int, first: Event) -> Iterator[Event]:
        freezes = self.rng.random() < self.plan.frozen_share
        yield from play(player, self.plan, until_ms, self._course(title), first)
        if freezes:
            yield from play_frozen(player, self.plan)

    def _course(self, title: SimulatedTitle) -> SittingPlan:
        """To the end of the title. If it has a theme, most sittings skip that, and stop when the credits start."""
        if not title.theme_ms:
            return SittingPlan(title.runtime_ms)
        theme_ms = title.theme_ms if self.rng.random() < THEME_SKIPPED_SHARE else 0
        if self.rng.random() < LEFT_AT_CREDITS_SHARE:
            return SittingPlan(title.credits_start_ms, "stop", theme_ms)
        return SittingPlan(title.runtime_ms, theme_ms=theme_ms)

    def _upload(self, events: Iterator[Event], now_ms: int) -> Iterator[DueEvent]:
        """A sitting that a device stored while offline: watched up to 20 days ago, and now sent in one go."""
        ago_ms = int(self.rng.uniform(0.5, LONGEST_AWAY_MS / DAY_MS) * DAY_MS)
        for number, event in enumerate(events):
            event["event_time_ms"] -= ago_ms
            event["offline"] = True
            yield DueEvent(now_ms + number * UPLOAD_GAP_MS, event)

    def _facts(self, title: SimulatedTitle) -> Event:
        kind = {} if title.content_kind == "main" else {"content_kind": title.content_kind}
        return {
            "household_id": self.household.household_id,
            "title_id": title.title_id,
            "play_session_id": uuid_text(self.rng),
            "profile_id": self._profile_id(),
            "profile_kind": self.profile.kind,
            "device_id": self.rng.choice(self.household.devices),
            "time_zone": self.household.time_zone,
            "country": self.household.country,
            **kind,
        }

    def _profile_id(self) -> str:
        """The profile's own id, or sometimes that of a sibling."""
        siblings = [each for each in self.household.profiles if each.kind == "kids" and each is not self.profile]
        if self.profile.kind == "kids" and siblings and self.rng.random() < SIBLINGS_PROFILE_SHARE:
            return self.rng.choice(siblings).profile_id
        return self.profile.profile_id


def _moment(day: date, minute: int, zone: ZoneInfo) -> int:
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return int(local.timestamp()) * 1000
