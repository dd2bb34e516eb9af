"""What a reader returns: one frozen type for each kind of key.

Counts are `int`. Seconds are `float`: three decimals survive the round trip through a double, and seconds can be
divided and put into JSON; to add up many, use `watched_ms`, an exact integer. Rates, views and legs are `float`, or
`None` if their divisor is 0 or unknown.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

import msgspec

DayMetric = Literal["plays", "starters", "viewers", "completers", "completions", "rewatches", "watched_s"]
"""What titles are ranked by for each UTC day."""

Metric = Literal[DayMetric, "repeaters", "views", "watching_now", "completion_rate", "repeat_rate"]
"""What titles are ranked by for all time."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What every result has.

    `as_of_ms`: the stream time (UTC) up to which everything is in it. `version` only grows, for one key. `complete`
    False: a rebuild is under way and this reader has seen no complete value before it: the numbers are too small.
    """

    as_of_ms: int = 0
    version: int
    complete: bool

    @property
    def as_of(self) -> datetime | None:
        """`as_of_ms` as a time in UTC; `None`: no event was read yet."""
        return datetime.fromtimestamp(self.as_of_ms / 1000, UTC) if self.as_of_ms else None

    def as_dict(self) -> dict[str, Any]:
        """Fields and exact values, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class Counts(Read, frozen=True, kw_only=True):
    """The counters that titles, franchises and windows have in common."""

    plays: int = 0
    starters: int = 0
    viewers: int = 0
    watchers: int = 0
    completers: int = 0
    repeaters: int = 0
    completions: int = 0
    rewatches: int = 0
    watched_s: float = 0.0
    kids_plays: int = 0
    kids_completions: int = 0
    kids_rewatches: int = 0
    kids_watched_s: float = 0.0
    profile_rewatches: int = 0
    autoplay_completions: int = 0

    @property
    def watched_ms(self) -> int:
        """The watched time in whole milliseconds, exact."""
        return round(self.watched_s * 1000)

    @property
    def kids_watched_ms(self) -> int:
        """The watched time of kids' profiles in whole milliseconds, exact."""
        return round(self.kids_watched_s * 1000)


class Totals(Counts, frozen=True, kw_only=True):
    """All-time counters, of a title or of a franchise."""

    returned_1d: int = 0
    returned_7d: int = 0
    returned_28d: int = 0
    skimmers: int = 0
    rewatch_hist_1: int = 0
    rewatch_hist_2: int = 0
    rewatch_hist_3_4: int = 0
    rewatch_hist_5_9: int = 0
    rewatch_hist_10_plus: int = 0
    watching_now: int = 0
    views: float | None = None
    completion_rate: float | None = None
    repeat_rate: float | None = None
    return_rate_7d: float | None = None

    @property
    def rewatch_histogram(self) -> dict[str, int]:
        """Households by how often they completed it: `1`, `2`, `3-4`, `5-9`, `10+`."""
        return {
            "1": self.rewatch_hist_1,
            "2": self.rewatch_hist_2,
            "3-4": self.rewatch_hist_3_4,
            "5-9": self.rewatch_hist_5_9,
            "10+": self.rewatch_hist_10_plus,
        }


class Title(Totals, frozen=True, kw_only=True):
    """A title, for all time. `name`, `franchise_id` and `runtime_s` are the catalog's; `None`: it has none."""

    title_id: str
    name: str | None = None
    franchise_id: str | None = None
    runtime_s: float | None = None


class Franchise(Totals, frozen=True, kw_only=True):
    """A franchise, for all time; a household counts once, whichever of its titles it watched."""

    franchise_id: str


class Window(Counts, frozen=True, kw_only=True):
    """One window of a title.

    `name` as in its key: an hour `20261123T15`, a day `20261123`, an age `opening` or `28d`, a week `3`.
    """

    title_id: str
    name: str


class Hour(Window, frozen=True, kw_only=True):
    """One UTC hour of a title."""

    @property
    def start(self) -> datetime:
        """When it begins, UTC."""
        return datetime.strptime(self.name, "%Y%m%dT%H").replace(tzinfo=UTC)


class LongWindow(Window, frozen=True, kw_only=True):
    """A window that counts returned completions, which hours do not."""

    returned_1d: int = 0
    returned_7d: int = 0
    returned_28d: int = 0


class Day(LongWindow, frozen=True, kw_only=True):
    """One UTC day of a title."""

    @property
    def date(self) -> date:
        """Which day it is, UTC."""
        return datetime.strptime(self.name, "%Y%m%d").replace(tzinfo=UTC).date()


class Week(LongWindow, frozen=True, kw_only=True):
    """One week of 7 × 24 hours since a title's release, numbered from 1."""

    @property
    def number(self) -> int:
        """1 for the first week."""
        return int(self.name)


class Age(LongWindow, frozen=True, kw_only=True):
    """A title's first days since its release: `opening` (72 hours), or by their number, such as `28d`."""


class AudienceWeek(Read, frozen=True, kw_only=True):
    """The households that a title reached in a UTC week, Monday to Monday: each is new, returning or resurrected."""

    title_id: str
    name: str
    reached: int = 0
    new: int = 0
    returning: int = 0
    resurrected: int = 0

    @property
    def monday(self) -> date:
        """The day it begins with."""
        year, week = self.name.split("W")
        return date.fromisocalendar(int(year), int(week), 1)


class Curve(Read, frozen=True, kw_only=True):
    """How often each part of a title was played: the means of slices of its content length, from its beginning on."""

    title_id: str
    values: tuple[float, ...] = ()


class Daypart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the households' own day; `streak_3`: households whose current streak is 3 days or longer."""

    name: str
    watched_s: float = 0.0
    completions: int = 0
    streak_3: int = 0
    streak_5: int = 0
    streak_10: int = 0


class Dayparts(Read, frozen=True, kw_only=True):
    """When a title is watched, in the households' own time; `other` is the last."""

    title_id: str
    dayparts: tuple[Daypart, ...] = ()

    def __getitem__(self, name: str) -> Daypart:
        """The daypart with this name. Raises `KeyError`."""
        for daypart in self.dayparts:
            if daypart.name == name:
                return daypart
        raise KeyError(name)


class Computed(Read, frozen=True, kw_only=True):
    """A result that is computed for a title at the end of `week`, its last complete one. `WORD`: its word in keys."""

    WORD: ClassVar[str]

    title_id: str
    week: int


class Legs(Computed, frozen=True, kw_only=True):
    """How a title holds its audience, week by week: `unstoppable` and its inputs."""

    WORD: ClassVar[str] = "legs"

    week_watched_s: float = 0.0
    week_before_watched_s: float | None = None
    hold: float | None = None
    opening_watched_s: float = 0.0
    d28_watched_s: float | None = None
    multiple: float | None = None
    half_life_days: float | None = None
    hold_4w: float | None = None
    hold_4w_before: float | None = None
    rewatch_share: float | None = None
    rewatch_share_before: float | None = None
    completion_rate: float | None = None
    completion_rate_before: float | None = None
    unstoppable: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A title's place on a board; `score` is an `int` for counts."""

    title_id: str
    score: int | float


class Board(Read, frozen=True, kw_only=True):
    """Titles ranked by a metric, the largest first; `day` None: for all time. Its version is the status's."""

    metric: str
    day: date | None = None
    entries: tuple[Entry, ...] = ()


class FranchiseEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A franchise's place on a board; `score` is an `int` for counts."""

    franchise_id: str
    score: int | float


class FranchiseBoard(Read, frozen=True, kw_only=True):
    """Franchises ranked by a metric, the largest first. Its version is the status's."""

    metric: str
    entries: tuple[FranchiseEntry, ...] = ()


class Listing(Read, frozen=True, kw_only=True):
    """Ids of titles or franchises, in the order of their UTF-8 bytes. Its version is the status's."""

    ids: tuple[str, ...] = ()


class Status(Read, frozen=True, kw_only=True):
    """The state of the workers, and what became of the records that they read."""

    incarnation: int = 0
    partitions_ready: int = 0
    lag: int = 0
    checkpointed_ms: int = 0
    rebuilding: int = 0
    events: int = 0
    dead_letters: int = 0
    late_events: int = 0
    late_hour_events: int = 0
    unknown_zone_events: int = 0
    misrouted_events: int = 0
    stale_events: int = 0
    player_restarts: int = 0
    refused_long_s: float = 0.0
    refused_fast_s: float = 0.0
    refused_gap_s: float = 0.0
    refused_back: int = 0


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one title. `title` None: nothing of it was ever counted."""

    title_id: str
    title: Title | None = None
    ages: tuple[Age, ...] = ()
    weeks: tuple[Week, ...] = ()
    dayparts: Dayparts | None = None
    legs: Legs | None = None
    audience: tuple[AudienceWeek, ...] = ()
    curve: Curve | None = None

    @property
    def complete_weeks(self) -> int:
        """How many weeks since the release are over; the next one has begun."""
        return self.legs.week if self.legs is not None else 0

    def age(self, name: str) -> Age | None:
        """The age window with a name such as `opening` or `28d`; `None`: it counted nothing."""
        return next((age for age in self.ages if age.name == name), None)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A key that has changed: its hash now has this version, or a later one, or is gone.

    `missed`: changes before this one may have been lost; read anew what you keep. `place`: where to go on after it
    (`changes(after=place)`). `title_id`, `franchise_id`: what the key is of, if it is of one.
    """

    key: str
    version: int
    missed: bool = False
    place: str
    title_id: str | None = None
    franchise_id: str | None = None
