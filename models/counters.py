"""The additive counters of a title, of one of its windows, and of the stream's own account.

Owns which counter each fact moves (the design, section 1, table). It must not know when or where a fact was
made, nor how counters are stored or shown.
"""

from __future__ import annotations

import msgspec

from models.viewing import (
    COMPLETED,
    COMPLETED_AFTER_SKIMMING,
    PLAYED,
    SKIMMED,
    STARTED,
    VIEWED,
    WATCHED,
    Fact,
)

WINDOW_FIELDS = 18
"""The first fields of `Counters`: those that windows hold too …"""

HOUR_FIELDS = 15
"""… and of these the first, which hours show: a completion that was followed later counts in no hour."""


class Counters(msgspec.Struct, array_like=True, gc=False):
    """Additive counters; watched time in milliseconds. The last six are kept for all time only."""

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


class StreamCounters(msgspec.Struct, array_like=True, gc=False):
    """The account of all records: produced = events + dead_letters + late_events.

    `refused_…_ms` is content that was not credited, `refused_back` intervals that ended before they began (the design,
    section 1: what is refused is counted).
    """

    events: int = 0
    dead_letters: int = 0
    late_events: int = 0
    late_hour_events: int = 0
    unknown_zone_events: int = 0
    misrouted_events: int = 0
    stale_events: int = 0
    player_restarts: int = 0
    refused_long_ms: int = 0
    refused_fast_ms: int = 0
    refused_gap_ms: int = 0
    refused_back: int = 0


def count(counters: Counters, fact: Fact, is_kids: bool) -> None:
    """Move the counters that one fact moves."""
    if fact.name == COMPLETED:
        _count_completion(counters, fact.ordinal, is_kids)
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
    elif fact is COMPLETED_AFTER_SKIMMING:
        counters.skimmers -= 1


def _count_completion(counters: Counters, ordinal: int, is_kids: bool) -> None:
    counters.completions += 1
    counters.kids_completions += is_kids
    counters.completers += ordinal == 1
    counters.repeaters += ordinal == 2
    counters.rewatches += ordinal > 1
    counters.kids_rewatches += is_kids and ordinal > 1
    bucket, before = histogram_bucket(ordinal), histogram_bucket(ordinal - 1)
    if bucket != before:
        setattr(counters, bucket, getattr(counters, bucket) + 1)
        if before:
            setattr(counters, before, getattr(counters, before) - 1)


def histogram_bucket(completions: int) -> str:
    """The rewatch histogram's field of a household with that many completions; empty for none."""
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
