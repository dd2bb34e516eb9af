"""The additive counters of a title and of its windows.

Owns which counters each fact moves (the design, section 1, table).
"""

from __future__ import annotations

import msgspec

from models.rules import DAY_MS, RETURN_DAYS
from models.viewing import (
    COMPLETED,
    NO_SKIMMER,
    PLAYED,
    SKIMMED,
    STARTED,
    VIEWED,
    WATCHED,
    Fact,
)


class Counters(msgspec.Struct, array_like=True, gc=False):
    """Additive counters; watched time in milliseconds. Their order says which hashes show them (below)."""

    plays: int = 0
    starters: int = 0
    viewers: int = 0
    watchers: int = 0
    completers: int = 0
    repeaters: int = 0
    completions: int = 0
    rewatches: int = 0
    watched_ms: int = 0
    kids_plays: int = 0
    kids_completions: int = 0
    kids_rewatches: int = 0
    kids_watched_ms: int = 0
    profile_rewatches: int = 0
    autoplay_completions: int = 0
    returned_1d: int = 0
    returned_7d: int = 0
    returned_28d: int = 0
    skimmers: int = 0
    rewatch_hist_1: int = 0
    rewatch_hist_2: int = 0
    rewatch_hist_3_4: int = 0
    rewatch_hist_5_9: int = 0
    rewatch_hist_10_plus: int = 0


ALL_FIELDS = len(Counters.__struct_fields__)

WINDOW_FIELDS = Counters.__struct_fields__.index("skimmers")
"""How many of the first fields of `Counters` windows hold, too: those before `skimmers`."""

HOUR_FIELDS = Counters.__struct_fields__.index("returned_1d")
"""How many of those an hour shows: those before `returned_…`, which a later completion moves."""


def count(counters: Counters, fact: Fact, is_kids: bool) -> None:
    """Add one fact to the counters that it moves."""
    if fact.name == COMPLETED:
        _count_completion(counters, fact, is_kids)
    elif fact is PLAYED:
        counters.plays += 1
        counters.kids_plays += is_kids
    elif fact is STARTED:
        counters.starters += 1
    elif fact is VIEWED:
        counters.viewers += 1
    elif fact is WATCHED:
        counters.watchers += 1
    elif fact is SKIMMED:
        counters.skimmers += 1
    elif fact is NO_SKIMMER:
        counters.skimmers -= 1


def _count_completion(counters: Counters, fact: Fact, is_kids: bool) -> None:
    ordinal = fact.ordinal
    counters.completions += 1
    counters.kids_completions += is_kids
    counters.profile_rewatches += fact.same_profile
    counters.autoplay_completions += fact.autoplay
    counters.completers += ordinal == 1
    counters.repeaters += ordinal == 2
    counters.rewatches += ordinal > 1
    counters.kids_rewatches += is_kids and ordinal > 1
    bucket, before = histogram_bucket(ordinal), histogram_bucket(ordinal - 1)
    if bucket != before:
        setattr(counters, bucket, getattr(counters, bucket) + 1)
        if before:
            setattr(counters, before, getattr(counters, before) - 1)


def count_return(counters: Counters, after_ms: int) -> None:
    """Count a completion that was followed by another one. `after_ms`: the time between them, 0 or more."""
    counters.returned_1d += after_ms <= RETURN_DAYS[0] * DAY_MS
    counters.returned_7d += after_ms <= RETURN_DAYS[1] * DAY_MS
    counters.returned_28d += after_ms <= RETURN_DAYS[2] * DAY_MS


def histogram_bucket(completions: int) -> str:
    """The rewatch histogram's field for a household with this many completions; empty for 0."""
    for least, bucket in _BUCKETS:
        if completions >= least:
            return bucket
    return ""


_BUCKETS = (
    (10, "rewatch_hist_10_plus"),
    (5, "rewatch_hist_5_9"),
    (3, "rewatch_hist_3_4"),
    (2, "rewatch_hist_2"),
    (1, "rewatch_hist_1"),
)
