"""What is answered beside the reader's own results: pages, series, and what is wrong with a request.

Every answer says `as_of_ms`, `version` and `complete`, as the reader's results do. Those of a series: `as_of_ms` is the
title's, `version` the largest of the title's and its parts', and `complete` says that all of them are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from streams.reader import Age, AudienceWeek, Day, Franchise, Hour, Profile, Title, Week
from streams.reader.results import Read


class Titles(Read, frozen=True, kw_only=True):
    """Titles in the order of their ids. `next_after`: where the next page begins; null: this is the last one."""

    titles: tuple[Title, ...]
    next_after: str | None


class Franchises(Read, frozen=True, kw_only=True):
    """Franchises in the order of their ids. `next_after`: where the next page begins; null: this is the last one."""

    franchises: tuple[Franchise, ...]
    next_after: str | None


class Series(Read, frozen=True, kw_only=True):
    """What a title's series have in common. A window that counted nothing is left out."""

    title_id: str


class Hours(Series, frozen=True, kw_only=True):
    """UTC hours of a title, in their order."""

    hours: tuple[Hour, ...]


class Days(Series, frozen=True, kw_only=True):
    """UTC days of a title, in their order."""

    days: tuple[Day, ...]


class Weeks(Series, frozen=True, kw_only=True):
    """Weeks of a title since its release, in their order."""

    weeks: tuple[Week, ...]


class Ages(Series, frozen=True, kw_only=True):
    """A title by its age: the first 72 hours (`opening`), then longer windows."""

    ages: tuple[Age, ...]


class Audience(Series, frozen=True, kw_only=True):
    """Whom a title reached, UTC week by week, the newest last."""

    weeks: tuple[AudienceWeek, ...]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A title's place on a board, from 1 on. `name`: the catalog's; null: it has none."""

    rank: int
    title_id: str
    name: str | None
    score: int | float


class RankedTitles(Read, frozen=True, kw_only=True):
    """Titles ranked by a metric, the largest first. `version` is the status's."""

    metric: str
    day: str | None
    entries: tuple[Ranked, ...]


class RankedFranchise(msgspec.Struct, frozen=True, kw_only=True):
    """A franchise's place on a board, from 1 on."""

    rank: int
    franchise_id: str
    score: int | float


class RankedFranchises(Read, frozen=True, kw_only=True):
    """Franchises ranked by a metric, the largest first. `version` is the status's."""

    metric: str
    entries: tuple[RankedFranchise, ...]


class Comparison(Read, frozen=True, kw_only=True):
    """All that is known of each title, in the order asked. `as_of_ms` is the least of the titles'."""

    profiles: tuple[Profile, ...]


class ChangedTitle(msgspec.Struct, frozen=True, kw_only=True):
    """A title of which `part` has changed: its hash now has this version or a later one, or is gone."""

    title_id: str
    part: str
    version: int


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer (RFC 9457). `argument`: the parameter or header that is wrong; `accepted`: what is not."""

    title: str
    status: int
    detail: str
    argument: str | msgspec.UnsetType = msgspec.UNSET
    accepted: str | msgspec.UnsetType = msgspec.UNSET


class BadArgument(Exception):
    """A parameter cannot be used."""

    def __init__(self, argument: str, value: object, accepted: str) -> None:
        super().__init__(f"{argument}={value!r}: accepted: {accepted}")
        self.argument, self.accepted = argument, accepted


class NothingThere(Exception):
    """What is asked for does not exist. The message says what."""


def head(first: Read, *others: Iterable[Read | None]) -> dict[str, Any]:
    """`as_of_ms`, `version` and `complete` of an answer that is made of these."""
    all_ = [first, *(each for some in others for each in some if each is not None)]
    return {
        "as_of_ms": first.as_of_ms,
        "version": max(each.version for each in all_),
        "complete": all(each.complete for each in all_),
    }
