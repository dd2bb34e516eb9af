"""Titles that belong together: sums over them, and households counted once across them.

Owns who belongs to a franchise in one partition, and what a household counts for there (the design, section 1:
franchise). It must not know events, nor when a row or a catalog changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.counters import ALL_FIELDS, Counters, histogram_bucket
from models.rows import glance
from models.tallies import EMPTY_WHOLE, FRANCHISE, WATCHING, Change, TallyKey, Title
from models.viewing import (
    COMPLETED,
    COMPLETED_AFTER_SKIMMING,
    SKIMMED,
    SKIMMER,
    STARTED,
    STARTER,
    VIEWED,
    VIEWER,
    WATCHED,
    WATCHER,
    Fact,
    Row,
)

_PLACES = {name: 1 + place for place, name in enumerate(Counters.__struct_fields__)}
_BY_FLAG = ((STARTER, "starters"), (VIEWER, "viewers"), (WATCHER, "watchers"), (SKIMMER, "skimmers"))
_FLAGS = STARTER | VIEWER | WATCHER | SKIMMER
_BEFORE_FACT = {
    STARTED.name: STARTER,
    VIEWED.name: VIEWER,
    WATCHED.name: WATCHER,
    SKIMMED.name: SKIMMER,
    COMPLETED_AFTER_SKIMMING.name: SKIMMER,
}
_DISTINCT = frozenset(name for name in _PLACES if name.startswith("rewatch_hist")) | {
    "starters", "viewers", "watchers", "completers", "repeaters", "skimmers",
}  # fmt: skip
_ADDITIVE = tuple(place for name, place in _PLACES.items() if name not in _DISTINCT)
_IS_ADDITIVE = tuple(place in _ADDITIVE for place in range(WATCHING + 1))


class Standing(NamedTuple):
    """What a household is to a title, or to some: its flags together, and its most completions of one."""

    flags: int
    completions: int

    def with_other(self, flags: int, completions: int) -> Standing:
        """Together with what it is to another title."""
        return Standing(self.flags | flags & _FLAGS, max(self.completions, completions))

    def places(self) -> Iterator[int]:
        """The places in a tally of the counters that count this household."""
        yield from (_PLACES[name] for flag, name in _BY_FLAG if self.flags & flag)
        if self.completions:
            yield _PLACES["completers"]
            yield _PLACES[histogram_bucket(self.completions)]
        if self.completions > 1:
            yield _PLACES["repeaters"]


_NONE = Standing(0, 0)


class Franchise:
    """The titles of one franchise in one partition; `delta` is what its tally moves by at the next drain."""

    __slots__ = ("delta", "key", "titles")

    def __init__(self, franchise_id: str) -> None:
        self.key = TallyKey(FRANCHISE, 0, franchise_id)
        self.titles: list[Title] = []
        self.delta = list(EMPTY_WHOLE)

    def add(self, change: Change) -> None:
        """Let a title's change of additive counters be the franchise's too."""
        for place, by in change:
            if _IS_ADDITIVE[place]:
                self.delta[place] += by

    def note_facts(self, title: Title, household_id: str, row: Row, facts: list[Fact], oldest_ms: int) -> None:
        """Count the household by what it is now and no more by what it was before these facts.

        `oldest_ms`: rows whose last applied event came at a stream time before it are not there any more.
        """
        # A play moves nobody, and is the fact that comes alone most often.
        if not any(fact.name in _BEFORE_FACT or fact.name == COMPLETED for fact in facts):
            return
        others = [other for other in self.titles if other is not title]
        elsewhere = _NONE
        for other in others:
            elsewhere = _with_row(elsewhere, other.rows.get(household_id), oldest_ms)
        before = elsewhere.with_other(*_before(row, facts))
        after = elsewhere.with_other(row.flags, row.completions)
        if before != after:
            self._move(before, -1)
            self._move(after, 1)

    def _move(self, standing: Standing, by: int) -> None:
        for place in standing.places():
            self.delta[place] += by

    def counted_anew(self, tallies: dict[TallyKey, list[int]], oldest_ms: int) -> list[int]:
        """The tally that its titles, as they are now, amount to; its sequence is 0."""
        counted = list(EMPTY_WHOLE)
        for title in self.titles:
            tally = tallies.get(title.key, EMPTY_WHOLE)
            for place in (*_ADDITIVE, WATCHING):
                counted[place] += tally[place]
        for place, households in _places(self.titles, oldest_ms).items():
            counted[place] += households
        return counted


def _before(row: Row, facts: Iterable[Fact]) -> Standing:
    """What the household was to the title before these facts were made."""
    flags, completions = row.flags, row.completions
    for fact in facts:
        if fact.name == COMPLETED:
            completions -= 1
        elif fact.name in _BEFORE_FACT:
            flags ^= _BEFORE_FACT[fact.name]
    return Standing(flags & _FLAGS, completions)


def _with_row(standing: Standing, kept: Row | bytes | None, oldest_ms: int) -> Standing:
    """Together with what the household is by a row of another title, where that is still there."""
    if kept is None:
        return standing
    row = glance(kept) if isinstance(kept, bytes) else kept
    return standing.with_other(row.flags, row.completions) if row.touched_ms >= oldest_ms else standing


def _places(titles: Iterable[Title], oldest_ms: int) -> Counter[int]:
    """How many households each place of a tally counts."""
    standings: dict[str, Standing] = {}
    for title in titles:
        for household_id, kept in title.rows.items():
            standings[household_id] = _with_row(standings.get(household_id, _NONE), kept, oldest_ms)
    return Counter(place for standing in standings.values() for place in standing.places())


assert len(_PLACES) == ALL_FIELDS
