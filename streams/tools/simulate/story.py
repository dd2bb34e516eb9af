"""The story of a release: two films come out on one day, with very different audiences.

Owns who hears of which film when, and what they do then.

Grown-ups rush to the big opening and give up; half of them try it once more a week later, and so on. The small film
spreads from kid to kid. A kid who has found it watches it before and after school for weeks, and at weekends, for a
while, the film that came before it. Older titles are watched less and less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

from streams.tools.simulate.plan import Plan
from streams.tools.simulate.routine import WEEKS, Fading, Ordinary, Routine, Slot, is_weekend, scaled, seldom
from streams.tools.simulate.viewer import Viewer
from streams.tools.simulate.world import (
    DAY_MS,
    MINUTE_MS,
    SimulatedHousehold,
    SimulatedTitle,
    household,
    shelves,
    titles,
)

PLAN: dict[str, Any] = {"households": 400, "titles": 16, "heartbeat_s": 120.0}
"""A story's defaults for the plan."""

WEEK_MS = 7 * DAY_MS
WEEKS_TOLD = 8
"""Complete weeks from the release to the end. Part of the next week may follow."""

_A_FRIDAY_MS = DAY_MS + 8 * 60 * MINUTE_MS
"""1970-01-02 08:00 UTC: midnight in Los Angeles."""

CURIOUS_SHARE, LATECOMER_SHARE = 0.85, 0.15
FIRST_LOOK_DAYS, LATECOMER_DAYS = 0.9, 14.0
ONCE_MORE_SHARE = 0.5
"""Grown-ups: the share that wants to see the big opening, after how many days, and the share that tries again."""

HEARS_SHARE, LOOKS_IN_SHARE = 0.4, 0.04
HEARD_DAYS, HEARD_SPREAD_DAYS = 10.0, 4.0
LOVED_DAYS = 300.0
"""Families with kids: the share that hears of the small film, when (a logistic curve, in days), and for how many days a
kid loves it. Grown-ups: the share that looks into it and leaves."""

FILM_AT_SCHOOL, FILM_AT_WEEKENDS, FIRST_FILM_AT_WEEKENDS = 0.95, 0.4, 0.2
FIRST_FILM_HALF_LIFE_MS = 9 * DAY_MS
"""How often a fan chooses the film, and how often, at first, the one before it, which fades."""

OLDER_SHARE = 0.3
OLDER_HALF_LIFE_MS = 14 * DAY_MS
"""How much of an ordinary week is left for older titles when the story begins, and its half-life: each week keeps 71 %
of the week before."""


@dataclass(frozen=True, slots=True)
class Films:
    """The small film, the big opening, and the film before the small one, of the same franchise."""

    film: SimulatedTitle
    opening: SimulatedTitle
    first: SimulatedTitle


class Fan:
    """A kid who watches one film on most school days, in the morning and in the afternoon, while it loves it."""

    def __init__(self, rng: Random, films: Films, older: Fading, since_ms: int, until_ms: int) -> None:
        self._rng, self._films = rng, films
        self._since_ms, self._until_ms = since_ms, until_ms
        devotion = rng.uniform(0.6, 1.0)
        school = (Slot(365, 400, devotion, 82, 92), Slot(905, 960, devotion, 82, 110))
        _, weekend = seldom(WEEKS["kids"], 0.5)
        self._loving = Ordinary((school, weekend))
        self._first_film = Fading(WEEKS["kids"], since_ms, FIRST_FILM_HALF_LIFE_MS)
        self._older = older

    def slots(self, day: date, begins_ms: int) -> Sequence[Slot]:
        """Before and after school, and some of the weekend, which shrinks as everything but the film fades."""
        if not self._loves(begins_ms):
            return self._older.slots(day, begins_ms)
        slots = self._loving.slots(day, begins_ms)
        return scaled(slots, sum(self._shares(day, begins_ms))) if is_weekend(day) else slots

    def wish(self, day: date, now_ms: int) -> SimulatedTitle | None:
        """The film, or at weekends perhaps the one before it."""
        if not self._loves(now_ms):
            return None
        wishes = (self._films.film, self._films.first, None)
        return self._rng.choices(wishes, weights=self._shares(day, now_ms))[0]

    def _shares(self, day: date, at_ms: int) -> tuple[float, float, float]:
        """The weights of the film, the one before it, and older titles. Their sum is 1 at first."""
        film, first = (FILM_AT_WEEKENDS, FIRST_FILM_AT_WEEKENDS) if is_weekend(day) else (FILM_AT_SCHOOL, 0.0)
        older = (1 - film - first) * self._older.left(at_ms)
        return film, first * self._first_film.left(at_ms), older

    def _loves(self, at_ms: int) -> bool:
        return self._since_ms <= at_ms < self._until_ms


class Curious:
    """A grown-up who wants to see some titles, each once, from a time on. `looks`: those times and titles."""

    def __init__(self, looks: list[tuple[int, SimulatedTitle]], usual: Fading) -> None:
        self._looks = sorted(looks, key=lambda look: look[0], reverse=True)
        self._usual = usual
        self._eager = Ordinary(WEEKS["general"])

    def slots(self, day: date, begins_ms: int) -> Sequence[Slot]:
        """An ordinary day if there is a title to look at; else the usual, fading one."""
        return (self._eager if self._waits(begins_ms + DAY_MS) else self._usual).slots(day, begins_ms)

    def wish(self, day: date, now_ms: int) -> SimulatedTitle | None:
        """The next title to look at, if its time has come."""
        return self._looks.pop()[1] if self._waits(now_ms) else None

    def _waits(self, at_ms: int) -> bool:
        return bool(self._looks) and self._looks[-1][0] <= at_ms


def story_origin_ms(now_ms: int) -> int:
    """When the films come out in a story that ends now: on a Friday, eight to nine weeks ago (Unix ms)."""
    latest_ms = now_ms - WEEKS_TOLD * WEEK_MS
    return latest_ms - (latest_ms - _A_FRIDAY_MS) % WEEK_MS


def story_end_ms(origin_ms: int, now_ms: int) -> int:
    """When a story ends: now, but at the latest after nine weeks (Unix ms)."""
    return min(now_ms, origin_ms + (WEEKS_TOLD + 1) * WEEK_MS)


def story_titles(plan: Plan, origin_ms: int) -> list[SimulatedTitle]:
    """The titles of the story: the three of `Films`, two of which are released at the origin, then older ones."""
    film, opening, *older = titles(plan, origin_ms)
    released = [replace(title, release_time_ms=origin_ms) for title in (film, opening)]
    return [*released, _first_film(film, origin_ms), *older]


def story_viewers(plan: Plan, origin_ms: int) -> Iterator[Viewer]:
    """Every profile of every household, with its routine in the story."""
    film, opening, first, *older = story_titles(plan, origin_ms)
    films = Films(film, opening, first)
    kids, general = shelves([first, *older])
    for number in range(plan.households):
        rng = Random(f"{plan.seed}:household:{number}")
        home = household(plan, number, rng)
        routines = _routines(Random(f"{plan.seed}:story:{number}"), home, films, origin_ms)
        watching = zip(home.profiles, routines, strict=True)
        yield from [Viewer(plan, rng, home, profile, kids, general, routine) for profile, routine in watching]


def _first_film(film: SimulatedTitle, origin_ms: int) -> SimulatedTitle:
    return replace(
        film,
        title_id="the-film-that-started-it",
        name="The Film That Started It",
        runtime_ms=74 * MINUTE_MS,
        credits_start_ms=70 * MINUTE_MS,
        release_time_ms=origin_ms - 600 * DAY_MS,
        pull=0.5,
    )


def _routines(rng: Random, home: SimulatedHousehold, films: Films, origin_ms: int) -> list[Routine]:
    """A routine for each profile. In a household that loves the film, one of the kids is its fan."""
    kids = [profile for profile in home.profiles if profile.kind == "kids"]
    fan = kids[0] if kids and rng.random() < HEARS_SHARE else None
    routines: list[Routine] = []
    for profile in home.profiles:
        older = Fading(seldom(WEEKS[profile.kind], OLDER_SHARE), origin_ms, OLDER_HALF_LIFE_MS)
        if profile is fan:
            routines.append(_fan(rng, films, older, _heard_of_ms(rng, origin_ms)))
        elif profile.kind == "kids":
            routines.append(older)
        else:
            routines.append(Curious(_looks(rng, films, origin_ms), older))
    return routines


def _fan(rng: Random, films: Films, older: Fading, since_ms: int) -> Fan:
    return Fan(rng, films, older, since_ms, since_ms + _days_ms(rng.expovariate(1 / LOVED_DAYS)))


def _heard_of_ms(rng: Random, origin_ms: int) -> int:
    """When a household hears of the film. Word of mouth is slow at first, then fast, and reaches the last ones late."""
    share = rng.uniform(0.001, 0.999)
    days = HEARD_DAYS + HEARD_SPREAD_DAYS * math.log(share / (1 - share))
    return origin_ms + max(0, _days_ms(days))


def _looks(rng: Random, films: Films, origin_ms: int) -> list[tuple[int, SimulatedTitle]]:
    """The titles that a grown-up wants to see, and from when on."""
    looks = []
    if rng.random() < CURIOUS_SHARE:
        days = LATECOMER_DAYS if rng.random() < LATECOMER_SHARE else FIRST_LOOK_DAYS
        at_ms = origin_ms + _days_ms(rng.expovariate(1 / days))
        looks.append((at_ms, films.opening))
        while rng.random() < ONCE_MORE_SHARE:
            at_ms += _days_ms(rng.uniform(5, 9))
            looks.append((at_ms, films.opening))
    if rng.random() < LOOKS_IN_SHARE:
        # Few grown-ups finish the kids' film.
        looks.append((_heard_of_ms(rng, origin_ms), replace(films.film, finish=0.1)))
    return looks


def _days_ms(days: float) -> int:
    return int(days * DAY_MS)
