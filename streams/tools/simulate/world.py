"""The titles and the households that watch them.

Owns names, lengths, popularity, families, devices and time zones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from streams.tools.simulate.plan import Plan

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
TRAILER_EVERY = 4
"""Every fourth title has a trailer, which is a title of its own."""

CARTOON_EVERY = 8
"""One in eight titles (one in four of the kids') is a short cartoon that has a theme and no credits mark."""

THEME_MS = 40_000

ZONES = (
    ("America/New_York", "US", 14),
    ("America/Chicago", "US", 10),
    ("America/Los_Angeles", "US", 10),
    ("America/Phoenix", "US", 2),
    ("America/St_Johns", "CA", 2),
    ("America/Sao_Paulo", "BR", 7),
    ("Europe/London", "GB", 8),
    ("Europe/Berlin", "DE", 9),
    ("Europe/Madrid", "ES", 5),
    ("Asia/Kolkata", "IN", 12),
    ("Asia/Kathmandu", "NP", 1),
    ("Asia/Tokyo", "JP", 6),
    ("Australia/Adelaide", "AU", 2),
    ("Australia/Sydney", "AU", 4),
    ("Pacific/Auckland", "NZ", 2),
)
"""Zone, country, weight. The offsets of four of them are not whole hours."""

DEVICES = ("tv", "tablet", "phone", "browser", "console")

FIRST_WORDS = ("Silver", "Little", "Lost", "Brave", "Midnight", "Paper", "Winter", "Golden", "Secret", "Tiny")
LAST_WORDS = (
    "Garden",
    "Dragon",
    "Harbour",
    "Robot",
    "Kingdom",
    "Letter",
    "Forest",
    "Island",
    "Train",
    "Comet",
)


@dataclass(frozen=True, slots=True)
class SimulatedTitle:
    """A title. `finish`: the share of its viewings that are not given up; `pull`: its weight when a title is chosen.

    `theme_ms`: the length of its opening theme; 0: none. `marks_credits`: catalog and players know where its credits
    start. `catalogued`: it has a row in the catalog.
    """

    title_id: str
    name: str
    franchise_id: str | None
    runtime_ms: int
    credits_start_ms: int
    release_time_ms: int
    is_kids: bool
    finish: float
    pull: float
    catalogued: bool
    content_kind: str = "main"
    theme_ms: int = 0
    marks_credits: bool = True
    trailer: SimulatedTitle | None = None

    def row(self) -> dict[str, Any]:
        """The title's row for the titles topic, without fields that are None."""
        row = {
            "title_id": self.title_id,
            "name": self.name,
            "franchise_id": self.franchise_id,
            "runtime_ms": self.runtime_ms,
            "credits_start_ms": self.credits_start_ms if self.marks_credits else None,
            "release_time_ms": self.release_time_ms,
            "content_kind": self.content_kind,
            "is_kids": self.is_kids,
        }
        return {name: value for name, value in row.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SimulatedProfile:
    """A person in a household. `kind`: `kids` or `general`."""

    profile_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class SimulatedHousehold:
    """Profiles that share devices and a time zone."""

    household_id: str
    time_zone: str
    country: str
    profiles: tuple[SimulatedProfile, ...]
    devices: tuple[str, ...]


class Shelf:
    """Titles of one kind, which are picked at random by their pull."""

    def __init__(self, titles: list[SimulatedTitle]) -> None:
        self.titles = titles
        self._weights = list(accumulate(title.pull for title in titles))

    def pick(self, rng: Random) -> SimulatedTitle:
        """One title; those with more pull come more often."""
        return rng.choices(self.titles, cum_weights=self._weights)[0]


def shelves(all_titles: list[SimulatedTitle]) -> tuple[Shelf, Shelf]:
    """The titles that kids choose from, and those that grown-ups choose from."""
    return Shelf([t for t in all_titles if t.is_kids]), Shelf([t for t in all_titles if not t.is_kids])


def titles(plan: Plan, origin_ms: int) -> list[SimulatedTitle]:
    """All titles except trailers; every second one is for kids. The first two are always the same."""
    rng = Random(f"{plan.seed}:titles")
    fixed = [_unstoppable(origin_ms), _big_opening(origin_ms)]
    return fixed + [_title(rng, plan, number, origin_ms) for number in range(2, plan.titles)]


def catalog_rows(all_titles: list[SimulatedTitle]) -> list[dict[str, Any]]:
    """Rows for the titles topic: the catalogued titles and their trailers."""
    rows = []
    for title in all_titles:
        rows += [title.row()] if title.catalogued else []
        rows += [title.trailer.row()] if title.trailer else []
    return rows


def _unstoppable(origin_ms: int) -> SimulatedTitle:
    return SimulatedTitle(
        title_id="the-film-that-will-not-stop",
        name="The Film That Will Not Stop",
        franchise_id="will-not-stop",
        runtime_ms=81 * MINUTE_MS,
        credits_start_ms=76 * MINUTE_MS,
        release_time_ms=origin_ms - 120 * DAY_MS,
        is_kids=True,
        finish=0.95,
        pull=6.0,
        catalogued=True,
    )


def _big_opening(origin_ms: int) -> SimulatedTitle:
    trailer = _trailer("the-big-opening", "The Big Opening", origin_ms)
    return SimulatedTitle(
        title_id="the-big-opening",
        name="The Big Opening",
        franchise_id=None,
        runtime_ms=128 * MINUTE_MS,
        credits_start_ms=119 * MINUTE_MS,
        release_time_ms=origin_ms - DAY_MS // 4,
        is_kids=False,
        finish=0.06,
        pull=4.0,
        catalogued=True,
        trailer=trailer,
    )


def _title(rng: Random, plan: Plan, number: int, origin_ms: int) -> SimulatedTitle:
    is_kids = number % 2 == 0
    name = f"The {rng.choice(FIRST_WORDS)} {rng.choice(LAST_WORDS)}"
    title_id = f"{name.lower().replace(' ', '-')}-{number}"
    is_cartoon = number % CARTOON_EVERY == CARTOON_EVERY - 2
    shortest, longest = (7, 12) if is_cartoon else (22, 95) if is_kids else (42, 135)
    runtime_ms = rng.randrange(shortest * MINUTE_MS, longest * MINUTE_MS)
    return SimulatedTitle(
        title_id=title_id,
        name=f"{name} {number}",
        franchise_id=f"franchise-{number // 6}" if number % 3 == 0 else None,
        runtime_ms=runtime_ms,
        credits_start_ms=int(runtime_ms * rng.uniform(0.93, 0.97)),
        release_time_ms=origin_ms - int(rng.uniform(1, 700) * DAY_MS),
        is_kids=is_kids,
        finish=rng.uniform(0.5, 0.95),
        pull=3 / (1 + number),
        catalogued=rng.random() >= plan.uncatalogued_share,
        theme_ms=THEME_MS if is_cartoon else 0,
        marks_credits=not is_cartoon,
        trailer=_trailer(title_id, name, origin_ms) if number % TRAILER_EVERY == 0 else None,
    )


def _trailer(title_id: str, name: str, origin_ms: int) -> SimulatedTitle:
    return SimulatedTitle(
        title_id=f"{title_id}-trailer",
        name=f"{name} (Trailer)",
        franchise_id=None,
        runtime_ms=2 * MINUTE_MS,
        credits_start_ms=2 * MINUTE_MS,
        release_time_ms=origin_ms - 90 * DAY_MS,
        is_kids=False,
        finish=0.5,
        pull=0,
        catalogued=True,
        content_kind="trailer",
    )


def household(plan: Plan, number: int, rng: Random) -> SimulatedHousehold:
    """Household `number`: one or two grown-ups, and in a share of `kids_share` one to three kids."""
    household_id = f"household-{number:06d}"
    time_zone, country, _ = rng.choices(ZONES, weights=[zone[2] for zone in ZONES])[0]
    kids = rng.choices((1, 2, 3), weights=(5, 4, 1))[0] if rng.random() < plan.kids_share else 0
    kinds = ["general"] * rng.choices((1, 2), weights=(3, 2))[0] + ["kids"] * kids
    return SimulatedHousehold(
        household_id=household_id,
        time_zone=time_zone,
        country=country,
        profiles=tuple(SimulatedProfile(f"{household_id}-p{n}", kind) for n, kind in enumerate(kinds)),
        devices=tuple(f"{household_id}-{device}" for device in rng.sample(DEVICES, rng.randrange(1, 5))),
    )
