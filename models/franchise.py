"""Franchises: sums over their titles, and households counted once across them.

Owns which titles belong to a franchise in one partition, and what a household counts for there (the design, section 1:
franchise).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from models.counters import ALL_FIELDS, Counters, histogram_bucket
from models.glance import glance
from models.tally import EMPTY_WHOLE, FRANCHISE, WATCHING, Change, TallyKey
from models.title import TitleState
from models.viewing import (
    COMPLETED,
    NO_SKIMMER,
    PLAYED,
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

_PLACES: Final = {name: 1 + place for place, name in enumerate(Counters.__struct_fields__)}
_BY_FLAG: Final = ((STARTER, "starters"), (VIEWER, "viewers"), (WATCHER, "watchers"), (SKIMMER, "skimmers"))
_FLAGS: Final = STARTER | VIEWER | WATCHER | SKIMMER
_BEFORE_FACT: Final = {
    STARTED.name: STARTER,
    VIEWED.name: VIEWER,
    WATCHED.name: WATCHER,
    SKIMMED.name: SKIMMER,
    NO_SKIMMER.name: SKIMMER,
}
_DISTINCT: Final = frozenset(name for name in _PLACES if name.startswith("rewatch_hist")) | {
    "starters", "viewers", "watchers", "completers", "repeaters", "skimmers",
}  # fmt: skip
_ADDITIVE: Final = tuple(place for name, place in _PLACES.items() if name not in _DISTINCT)
_IS_ADDITIVE: Final = tuple(place in _ADDITIVE for place in range(WATCHING + 1))


Standing = tuple[int, int]
"""A household's standing with one or more titles: its flags combined, and its most completions of any one title."""

NO_STANDING: Standing = (0, 0)


class FranchiseState:
    """The titles of one franchise in one partition. `delta` holds the changes for its tally's next drain, by place."""

    __slots__ = ("delta", "key", "titles")

    def __init__(self, franchise_id: str) -> None:
        self.key = TallyKey(FRANCHISE, 0, franchise_id)
        self.titles: list[TitleState] = []
        self.delta: defaultdict[int, int] = defaultdict(int)

    def add(self, change: Change) -> None:
        """Add a title's change to the franchise; only additive counters count."""
        for place, by in change:
            if _IS_ADDITIVE[place]:
                self.delta[place] += by

    def note_facts(self, title: TitleState, household_id: str, row: Row, facts: list[Fact], oldest_ms: int) -> None:
        """Update the counts of households after a household's facts. `row` is its row after them.

        `oldest_ms`: rows whose last applied event came at an earlier stream time are forgotten.
        """
        # A play changes no count of households, and is the most frequent fact.
        if len(facts) == 1 and facts[0] is PLAYED:
            return
        elsewhere = NO_STANDING
        for other in self.titles:
            kept = other.rows.get(household_id)
            if kept is not None and other is not title:
                elsewhere = _with_row(elsewhere, kept, oldest_ms)
        before = together(elsewhere, *_before(row, facts))
        after = together(elsewhere, row.flags, row.completions)
        if before != after:
            for place in places_of(*before):
                self.delta[place] -= 1
            for place in places_of(*after):
                self.delta[place] += 1

    def counted_anew(self, tallies: dict[TallyKey, list[int]], oldest_ms: int) -> list[int]:
        """The franchise's tally, recomputed from its titles; its sequence is 0."""
        counted = list(EMPTY_WHOLE)
        for title in self.titles:
            tally = tallies.get(title.key, EMPTY_WHOLE)
            for place in (*_ADDITIVE, WATCHING):
                counted[place] += tally[place]
        for place, households in _places(self.titles, oldest_ms).items():
            counted[place] += households
        return counted


def together(standing: Standing, flags: int, completions: int) -> Standing:
    """A standing, combined with the household's flags and completions of another title."""
    return standing[0] | flags & _FLAGS, max(standing[1], completions)


def places_of(flags: int, completions: int) -> tuple[int, ...]:
    """The places in a tally of the counters that count a household with these flags and this many completions."""
    return _places_of(flags & _FLAGS, completions)


@lru_cache(maxsize=4096)
def _places_of(flags: int, completions: int) -> tuple[int, ...]:
    places = [_PLACES[name] for flag, name in _BY_FLAG if flags & flag]
    if completions:
        places += [_PLACES["completers"], _PLACES[histogram_bucket(completions)]]
    if completions > 1:
        places.append(_PLACES["repeaters"])
    return tuple(places)


def _before(row: Row, facts: Iterable[Fact]) -> Standing:
    """The household's standing with the title before these facts."""
    flags, completions = row.flags, row.completions
    for fact in facts:
        if fact.name == COMPLETED:
            completions -= 1
        elif fact.name in _BEFORE_FACT:
            flags ^= _BEFORE_FACT[fact.name]
    return flags, completions


def _with_row(standing: Standing, kept: Row | bytes, oldest_ms: int) -> Standing:
    """A standing, combined with the household's row of another title unless that row is forgotten."""
    row = glance(kept) if isinstance(kept, bytes) else kept
    return together(standing, row.flags, row.completions) if row.touched_ms >= oldest_ms else standing


def _places(titles: Iterable[TitleState], oldest_ms: int) -> Counter[int]:
    """How many households each place of the franchise's tally counts."""
    standings: dict[str, Standing] = {}
    for title in titles:
        for household_id, kept in title.rows.items():
            standings[household_id] = _with_row(standings.get(household_id, NO_STANDING), kept, oldest_ms)
    return Counter(place for standing in standings.values() for place in places_of(*standing))


assert len(_PLACES) == ALL_FIELDS
