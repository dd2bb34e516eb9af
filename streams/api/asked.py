"""What can be asked: one type for each set of parameters, of the path and of the query.

Owns every parameter: its name, its default and its sentence in the OpenAPI document.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models.windows import LAST_WEEK
from streams.api.bounds import (
    LONGEST_ID,
    LONGEST_SEARCH,
    MOST_COMPARED,
    MOST_DAYS,
    MOST_HOURS,
    MOST_IDS,
    MOST_LISTED,
    MOST_RANKED,
)
from streams.reader import Metric
from streams.redis.keys import WORDS

TitleId = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_ID, description="The title's id.", examples=["little-dragon"])
]
FranchiseId = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_ID, description="The franchise's id.", examples=["dragons"])
]
After = Annotated[str, Meta(description="Only ids after this one: `next_after` of the page before.")]
Limit = Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many at most.")]
if TYPE_CHECKING:
    Part = str
else:
    Part = Literal[("title", *WORDS)]
"""What of a title has changed: the title's own hash, or one of its other hashes by its word in keys."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters; those that the path does not name are the query's."""


class TitlesAsked(Asked, frozen=True, kw_only=True):
    after: After = ""
    limit: Limit = 100
    search: Annotated[
        str, Meta(min_length=1, max_length=LONGEST_SEARCH, description="Words that are in the title's name or id.")
    ] | UnsetType = UNSET  # fmt: skip
    id: Annotated[
        tuple[str, ...], Meta(max_length=MOST_IDS, description="These titles, instead of a page; repeat it for each.")
    ] = ()  # fmt: skip


class FranchisesAsked(Asked, frozen=True, kw_only=True):
    after: After = ""
    limit: Limit = 100


class TitleAsked(Asked, frozen=True, kw_only=True):
    title_id: TitleId


class HoursAsked(TitleAsked, frozen=True, kw_only=True):
    first: Annotated[
        datetime, Meta(tz=True, description=f"A time in the first hour, at most {MOST_HOURS:,} hours before the last.")
    ] | UnsetType = UNSET  # fmt: skip
    last: Annotated[
        datetime, Meta(tz=True, description="A time in the last hour. Without the two: the 48 hours up to `as_of_ms`.")
    ] | UnsetType = UNSET  # fmt: skip


class DaysAsked(TitleAsked, frozen=True, kw_only=True):
    first: Annotated[
        date, Meta(description=f"The first UTC day, at most {MOST_DAYS:,} days before the last.")
    ] | UnsetType = UNSET  # fmt: skip
    last: Annotated[
        date, Meta(description="The last UTC day. Without the two: the 30 days up to `as_of_ms`.")
    ] | UnsetType = UNSET  # fmt: skip


class WeeksAsked(TitleAsked, frozen=True, kw_only=True):
    first: Annotated[int, Meta(ge=1, le=LAST_WEEK, description="The first week since the release.")] = 1
    last: Annotated[int, Meta(ge=1, le=LAST_WEEK, description="The last week since the release.")] = LAST_WEEK


class AudienceAsked(TitleAsked, frozen=True, kw_only=True):
    weeks: Annotated[int, Meta(ge=1, le=520, description="How many UTC weeks, up to the newest.")] = 58


class FranchiseAsked(Asked, frozen=True, kw_only=True):
    franchise_id: FranchiseId


class BoardAsked(Asked, frozen=True, kw_only=True):
    metric: Annotated[Metric, Meta(description="What is ranked.", examples=["completions"])]
    day: Annotated[
        date, Meta(description="The UTC day; without it: for all time. Not every metric is ranked by day.")
    ] | UnsetType = UNSET  # fmt: skip
    limit: Annotated[int, Meta(ge=1, le=MOST_RANKED, description="How many at most.")] = 20
    skip: Annotated[int, Meta(ge=0, le=10_000_000, description="How many of the first to leave out.")] = 0


class FranchiseBoardAsked(Asked, frozen=True, kw_only=True):
    metric: Annotated[Metric, Meta(description="What is ranked.", examples=["completions"])]
    limit: Annotated[int, Meta(ge=1, le=MOST_RANKED, description="How many at most.")] = 20
    skip: Annotated[int, Meta(ge=0, le=10_000_000, description="How many of the first to leave out.")] = 0


class ComparisonAsked(Asked, frozen=True, kw_only=True):
    id: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=MOST_COMPARED, description="A title's id; repeat it for each.")
    ]  # fmt: skip


class ChangesAsked(Asked, frozen=True, kw_only=True):
    part: Annotated[
        tuple[Part, ...], Meta(description="Only changes of these hashes of titles; repeat it. Without it: of all.")
    ] = ()  # fmt: skip


class NothingAsked(Asked, frozen=True, kw_only=True):
    pass
